"""The counters. They take no lock: a span may end in a signal handler, a finalizer, or the child of a fork."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from types import MappingProxyType
from typing import Any

OK = "ok"
ERROR = "error"
CANCELLED = "cancelled"
CLOSED = "closed"
COLLECTED = "collected"
LEFT = "left"
OUTCOMES = (OK, ERROR, CANCELLED, CLOSED, COLLECTED, LEFT)
"""How a span ended; the last three are of streams that were not read to their end (:class:`Snapshot`)."""


class Tally:
    """A number that only goes up, from any thread.

    Attributes:
        up: adds one and returns the number before.
    """

    __slots__ = ("_counter", "up")

    def __init__(self) -> None:
        # One call of C: a thread cannot come between the reading and the writing, as it can with `+= 1`.
        self._counter = count()
        self.up = self._counter.__next__

    @property
    def value(self) -> int:
        """The number."""
        # From 3.14 on a counter can no longer be copied or pickled: its text is what tells without counting.
        return int(repr(self._counter).removeprefix("count(").removesuffix(")"))


opened = Tally()
"""Spans opened."""

ended: Mapping[str, Tally] = {}
"""Spans ended, by outcome."""

internal_errors: dict[str, Tally] = {}
"""Our own failures by place; the places are literals, so it is bounded."""


def count_internal_error(place: str) -> bool:
    """Count a failure of ours; return whether it is the first of its place."""
    tally = internal_errors.get(place) or internal_errors.setdefault(place, Tally())
    return tally.up() == 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The counters at one moment, since the start of the process.

    Attributes:
        opened: spans opened.
        ended: spans ended, by outcome: ``ok``, ``error``, ``cancelled``; of streams that were not read to their end
            ``closed`` (the program closed it, or broke off), ``collected`` (the program dropped it, and the garbage
            collector found it), ``left`` (still being read when the enclosing call or the process ended).
        internal_errors: failures of ours, by place. None of them reached a call of the program's.
    """

    opened: int
    ended: Mapping[str, int]
    internal_errors: Mapping[str, int]

    @property
    def open(self) -> int:
        """Spans that have not ended yet."""
        return self.opened - sum(self.ended.values())

    def as_dict(self) -> dict[str, Any]:
        """Return the counters as JSON has them."""
        return {
            "spans_opened": self.opened,
            "spans_ended": dict(self.ended),
            "spans_open": self.open,
            "internal_errors": dict(self.internal_errors),
        }


def snapshot() -> Snapshot:
    """Return the counters of this process."""
    # The ends before the starts: what starts meanwhile is open, and nothing has ended that has not started.
    ends = {outcome: tally.value for outcome, tally in ended.items()}
    errors = {place: tally.value for place, tally in list(internal_errors.items())}
    return Snapshot(opened.value, MappingProxyType(ends), MappingProxyType(errors))


def reset() -> None:
    """Start again at zero."""
    global opened, ended, internal_errors  # the counters of the process
    opened, ended, internal_errors = Tally(), {outcome: Tally() for outcome in OUTCOMES}, {}


reset()
os.register_at_fork(after_in_child=reset)
