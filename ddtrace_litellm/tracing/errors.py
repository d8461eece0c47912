"""The one place where our own failures end: counted, logged, and never seen by the user's call."""

import logging
from types import TracebackType

from ddtrace_litellm import masking
from ddtrace_litellm.telemetry import counters

_log = logging.getLogger("ddtrace.litellm")


class contain:  # noqa: N801  # a context manager, named as contextlib's are
    """``with contain("request"): ...`` counts an exception, logs the first of each place at debug, and ends it there.

    What is no ``Exception`` (a cancellation, Ctrl-C) passes. A class and not ``contextlib.contextmanager``, which costs
    six times as much, on each call; it keeps nothing of an entry, so that one object serves a place for ever.
    """

    __slots__ = ("place",)

    def __init__(self, place: str) -> None:
        self.place = place

    def __enter__(self) -> None:
        """Nothing to prepare."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if counters.count_internal_error(self.place):
            # Without its text and those behind it, which may quote a key or a content.
            told = (type(error), masking.SafeError(type(error).__name__), traceback)
            _log.debug("internal error in %s; further ones are only counted", self.place, exc_info=told)
        return True
