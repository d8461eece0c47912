"""The texts of errors on spans: without secrets, and without contents where those are not captured."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterator
from itertools import islice
from traceback import walk_tb
from typing import NamedTuple

from ddtrace_litellm import masking
from ddtrace_litellm.extract.credentials import mask

NOT_CAPTURED = "text not captured, as it may quote contents"
"""In the place of an error's message."""

_MAX_FRAMES = 30  # as many as ddtrace keeps
_MAX_CHAINED = 10
_MAX_SUMMARY_CHARS = 500


class ErrorText(NamedTuple):
    """Writes the texts of one call's errors.

    Attributes:
        captured: their texts may be shown; they quote the request (LiteLLM's "Invalid Message passed in") or the
            response.
        secrets: the call's own.
    """

    captured: bool
    secrets: Collection[str] = ()

    def message(self, error: BaseException) -> str:
        """Return what an exception says."""
        if self.captured:
            return mask(_said(error), self.secrets)
        status = getattr(error, "status_code", None)
        return f"HTTP status {status}; {NOT_CAPTURED}" if type(status) is int else NOT_CAPTURED

    def stack(self, error: BaseException, formatted: str) -> str:
        """Return where an exception came from.

        Args:
            error: the exception.
            formatted: its traceback as a text, with the messages of all exceptions in its chain.
        """
        return mask(formatted, self.secrets) if self.captured else "\n\n".join(reversed([*_frames(error)]))

    def summary(self, error: BaseException) -> str:
        """Return type and message of an exception in one short text."""
        return f"{type(error).__name__}: {self.message(error)}"[:_MAX_SUMMARY_CHARS]

    def reported(self, kind: str, message: str) -> tuple[str, str]:
        """Return type and message of an error that an answer reports."""
        return (kind, mask(message, self.secrets)) if self.captured else (masking.name(kind), NOT_CAPTURED)


class Failures:
    """The last errors that calls beneath a span of others ended in: it may end in one of them, or quote it."""

    __slots__ = ("_told",)

    def __init__(self) -> None:
        self._told: deque[tuple[ErrorText, str]] = deque(maxlen=_MAX_CHAINED)

    def add(self, text: ErrorText, error: BaseException) -> None:
        """Keep how an error is told, and the beginning of what it said."""
        self._told.append((text, _said(error)[:_MAX_SUMMARY_CHARS]))

    def text(self, formatted: str) -> ErrorText:
        """Return how an error is told whose traceback, with the messages of its chain, is this text."""
        captured = all(text.captured or said not in formatted for text, said in self._told)
        return ErrorText(captured, frozenset().union(*(text.secrets for text, _ in self._told)))


def _said(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # one of the program's own, which may fail at anything
        return type(error).__name__


def _frames(error: BaseException | None) -> Iterator[str]:
    """Yield the places that an exception and those behind it came through, without source: it may hold a prompt."""
    for _ in range(_MAX_CHAINED):
        if error is None:
            return
        places = ((line, frame.f_code) for frame, line in islice(walk_tb(error.__traceback__), _MAX_FRAMES))
        lines = [f'  File "{code.co_filename}", line {line}, in {code.co_name}' for line, code in places]
        kind = type(error)
        yield "\n".join(["Traceback (most recent call last):", *lines, f"{kind.__module__}.{kind.__qualname__}"])
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
