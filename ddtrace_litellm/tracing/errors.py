"""The one place where our own failures end: counted, logged, and never seen by the user's call."""

import logging
from types import TracebackType

from ddtrace_litellm import masking
from ddtrace_litellm.telemetry import counters

_log = logging.getLogger("ddtrace.litellm")


def contained(place: str, error: Exception) -> None:
    """Count one of our own failures, and log the first of each place at debug.

    For an ``except Exception`` on every call's way, which is free where nothing is raised; a ``with`` is three calls.
    """
    if counters.count_internal_error(place):
        # Without its text and those behind it, which may quote a key or a content.
        told = (type(error), masking.SafeError(type(error).__name__), error.__traceback__)
        _log.debug("internal error in %s; further ones are only counted", place, exc_info=told)


class contain:  # noqa: N801  # a context manager, named as contextlib's are
    """``with contain("prompt"): ...`` ends an exception there, and hands it to :func:`contained`.

    What is no ``Exception`` (a cancellation, Ctrl-C) passes. A class and not ``contextlib.contextmanager``, which costs
    six times as much; it keeps nothing of an entry, so that one object serves a place for ever.
    """

    __slots__ = ("place",)

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, _kind: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        contained(self.place, error)
        return True
