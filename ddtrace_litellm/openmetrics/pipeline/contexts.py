"""Which series have a place: of which something was sent, or of which totals are remembered at all."""

from collections.abc import Hashable

from ddtrace_litellm.openmetrics.pipeline.deltas import CAPACITY, FORGET_AFTER


class Contexts:
    """The series that had a place lately. Those that have one keep it while they are seen.

    Args:
        most: how many metrics all of them may be; ``None`` for any number.
        forget_after: seconds that a series at least keeps its place without being seen; it loses it after twice that at
            most.
    """

    def __init__(self, most: int | None, *, forget_after: float = FORGET_AFTER) -> None:
        self._most, self._forget_after = most, forget_after
        self._since = 0.0
        # By hash: how many metrics a series is. Tags take kilobytes.
        self._recent: dict[int, int] = {}
        self._older: dict[int, int] = {}
        self._size = 0

    def begin(self, now: float) -> None:
        """Begin a page."""
        if now - self._since >= self._forget_after or len(self._recent) > CAPACITY:
            self._since = now
            self._size -= sum(self._older.values())
            self._recent, self._older = {}, self._recent

    def __contains__(self, series: Hashable) -> bool:
        key = hash(series)
        return key in self._recent or key in self._older

    def admit(self, series: Hashable, metrics: int = 1) -> bool:
        """Return whether a series may be sent, which gives it a place if it has none."""
        key = hash(series)
        if key in self._recent:
            return True
        known = self._older.pop(key, None)
        if known is None:
            if self._most is not None and self._size + metrics > self._most:
                return False
            self._size += metrics
            known = metrics
        self._recent[key] = known
        return True
