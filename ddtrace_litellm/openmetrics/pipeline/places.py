"""A bound on what is remembered: only series with a place go further, and what has none is counted and read over.

First of all, so that nothing behind it keeps anything of them: not the labels of a page's new series, nor its gauges.
"""

from collections.abc import Iterable, Iterator

from ddtrace_litellm.masking import SafeError
from ddtrace_litellm.openmetrics.pipeline.contexts import Contexts
from ddtrace_litellm.openmetrics.pipeline.deltas import FORGET_AFTER
from ddtrace_litellm.openmetrics.samples import Labels, Sample

MOST_SERIES = 100_000
"""Of one endpoint; a histogram is one. A page of 112 MB, with 2,000 keys, has 40,000."""

MOST_SAMPLES = 1000
"""Of one series; LiteLLM's histograms have up to 40."""

_NONE: Labels = (("", ""),)


class TooManySamplesError(SafeError, ValueError):
    """A series that no histogram of LiteLLM's is."""


class Places:
    """Which series of an endpoint's pages are read. Not to be used by two threads at once.

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
