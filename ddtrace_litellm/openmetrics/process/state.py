"""What is remembered of successes and failures: when to try next."""

from __future__ import annotations

import time
from collections.abc import Callable

LONGEST_BACK_OFF = 60.0
"""Seconds between two tries at most, as a proxy that is back should not be missed for longer; but never less than the
interval."""

_SOON = 0.1
_LONGEST_HURRY = 60.0


class Schedule:
    """When to scrape: in fixed steps from the first time on, in longer ones after failures, in short ones at the end.

    A time that was missed is left out, so that nothing is ever scraped twice in a row to make up for it.

    Args:
        interval: seconds.
        clock: monotonic seconds.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval, self._clock = interval, clock
        self._due = clock()
        self._failures = 0
        self._hurried_until = self._due

    def wait(self) -> float:
        """Return the seconds until the next time, 0 where it has come."""
        return max(0.0, self._due - self._clock())

    def hurry(self) -> None:
        """Leave no more time between scrapes than it takes not to be a burden; for a while, as the end may not come."""
        self._hurried_until = self._clock() + _LONGEST_HURRY

    def done(self, took: float, *, failed: bool) -> None:
        """Plan the next time.

        Args:
            took: how many seconds the scrape took.
            failed: whether it is to be tried again later than usual.
        """
        self._failures = self._failures + 1 if failed else 0
        now = self._clock()
        if now < self._hurried_until:
            self._due = now + min(self._interval, max(_SOON, 4 * took))
            return
        step = self._interval
        if self._failures:
            step = max(step, min(LONGEST_BACK_OFF, step * 2.0 ** min(self._failures - 1, 10)))
        missed = max(0.0, now - self._due) // step
        self._due += step * (missed + 1)
