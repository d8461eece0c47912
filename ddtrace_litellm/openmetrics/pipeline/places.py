"""Bounds on what is remembered and sent: only series with a place go further, and those without are counted."""

from collections.abc import Hashable, Iterable, Iterator

from ddtrace_litellm.masking import SafeError
from ddtrace_litellm.openmetrics.pipeline.deltas import CAPACITY, FORGET_AFTER
from ddtrace_litellm.openmetrics.samples import Labels, Sample

MOST_SERIES = 100_000
"""Of one endpoint; a histogram is one. A page of 112 MB, with 2,000 keys, has 40,000."""

MOST_SAMPLES = 1000
"""Of one series; LiteLLM's histograms have up to 40."""

_NONE: Labels = (("", ""),)


class TooManySamplesError(SafeError, ValueError):
    """A series that no histogram of LiteLLM's is."""


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


class Places:
    """Which series of an endpoint's pages are read. Not to be used by two threads at once.

    It comes first, so that nothing behind it keeps anything of the others: neither labels of new series nor gauges.

    Args:
        most: how many; ``None`` for any number.

    Attributes:
        left_out: how many series of the last page were not.
    """

    def __init__(self, most: int | None) -> None:
        self._known = Contexts(most)
        self._full_until = 0.0
        self.left_out = 0

    def complete(self, now: float) -> bool:
        """Whether all series of the pages that are remembered have been read.

        If not, one that is new may have been on a page before, and undated it tells nothing of when it began.
        """
        return now >= self._full_until

    def read(self, samples: Iterable[Sample], now: float) -> Iterator[Sample]:
        """Pass on the samples of series that have a place, or get one, as there is room.

        Raises:
            TooManySamplesError: a series is too large.
        """
        self._known.begin(now)
        self.left_out = 0
        family, labels, admitted, number = "", _NONE, False, 0
        for sample in samples:
            if (sample.labels is not labels and sample.labels != labels) or sample.family != family:
                family, labels, number = sample.family, sample.labels, 0
                admitted = self._known.admit(_series(family, labels))
                if not admitted:
                    self.left_out += 1
                    self._full_until = now + 2 * FORGET_AFTER
            number += 1
            if number > MOST_SAMPLES:
                raise TooManySamplesError(f"a series of the page has more than {MOST_SAMPLES} samples")
            if admitted:
                yield sample


def _series(family: str, labels: Labels) -> tuple[str, Labels]:
    # In text 0.0.4 what dates a series is a family of its own: both have one place, or none.
    return family.removesuffix("_created"), labels
