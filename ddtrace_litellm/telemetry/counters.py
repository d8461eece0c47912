"""The counters. Those of spans take no lock: one may end in a signal handler, a finalizer, or the child of a fork."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import count
from threading import Lock
from types import MappingProxyType
from typing import Any

OK = "ok"
ERROR = "error"
CANCELLED = "cancelled"
CLOSED = "closed"
COLLECTED = "collected"
LEFT = "left"
DISCONNECTED = "client_disconnected"
OUTCOMES = (OK, ERROR, CANCELLED, DISCONNECTED, CLOSED, COLLECTED, LEFT)
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


class Total:
    """A number that amounts are added to, from threads of our own: no user's call waits for its lock."""

    def __init__(self) -> None:
        self._lock = Lock()
        self.value = 0

    def add(self, amount: int) -> None:
        """Add to the number."""
        with self._lock:
            self.value += amount


opened = Tally()
"""Spans opened."""

ended: Mapping[str, Tally] = {}
"""Spans ended, by outcome."""

internal_errors: dict[str, Tally] = {}
"""Our own failures by place; the places are literals, so it is bounded."""


series_sent = Total()
"""Values of the proxy's metrics that the scraper has handed over to be sent."""

series_dropped = Total()
"""Those that it left out, or that could not be delivered."""


def count_internal_error(place: str) -> bool:
    """Count one of our own failures; return whether it is the first in its place."""
    tally = internal_errors.get(place) or internal_errors.setdefault(place, Tally())
    return tally.up() == 0


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The counters at one moment, since the start of the process.

    Attributes:
        opened: spans opened.
        ended: spans ended, by outcome: ``ok``, ``error``, ``cancelled``, ``client_disconnected`` (in the proxy, whose
            client went away); of streams that were not read to their end
            ``closed`` (the program closed it, or broke off), ``collected`` (the program dropped it, and the garbage
            collector found it), ``left`` (still being read when the enclosing call or the process ended).
        internal_errors: failures of ours, by place. None of them reached a call of the program's.
        series_sent: values of the proxy's metrics that the scraper has handed over to be sent.
        series_dropped: those that it left out, or that could not be delivered.
    """

    opened: int
    ended: Mapping[str, int]
    internal_errors: Mapping[str, int]
    series_sent: int = 0
    series_dropped: int = 0

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
            "series_sent": self.series_sent,
            "series_dropped": self.series_dropped,
        }


def snapshot() -> Snapshot:
    """Return the counters of this process."""
    # The ends before the starts: what starts meanwhile is open, and nothing has ended that has not started.
    ends = {outcome: tally.value for outcome, tally in ended.items()}
    errors = {place: tally.value for place, tally in list(internal_errors.items())}
    return Snapshot(
        opened.value, MappingProxyType(ends), MappingProxyType(errors), series_sent.value, series_dropped.value
    )


def reset() -> None:
    """Start again at zero."""
    global opened, ended, internal_errors, series_sent, series_dropped  # the counters of the process
    opened, ended, internal_errors = Tally(), {outcome: Tally() for outcome in OUTCOMES}, {}
    series_sent, series_dropped = Total(), Total()


reset()
if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=reset)
