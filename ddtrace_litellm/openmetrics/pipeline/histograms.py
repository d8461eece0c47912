"""What a histogram observed, as Datadog takes it: counts by bucket, or buckets of a distribution.

The names, tags and bounds are those of the Agent's OpenMetrics check. Its own code for it works on the samples of a
page, before the difference to the page before is taken; that comes first here.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from math import inf
from typing import NamedTuple

from ddtrace_litellm.metrics.batch import Bucket
from ddtrace_litellm.openmetrics.options.models import PageModel
from ddtrace_litellm.openmetrics.pipeline.deltas import Observations


class HistogramRules:
    """What the options say of histograms, of which some imply others.

    Attributes:
        distributions: send distributions in the place of counts: of ``histogram_buckets_as_distributions`` one a bucket
            with its bounds as tags, of ``collect_histograms_as_distributions`` one a histogram.
        bound_tags: the former of the two.
        counters: send sum and count. Beside distributions only with ``collect_counters_with_distributions``.
        buckets, non_cumulative: ``collect_histogram_buckets``, ``non_cumulative_histogram_buckets``.
    """

    def __init__(self, options: PageModel) -> None:
        counters, whole = options.collect_counters_with_distributions, options.collect_histograms_as_distributions
        self.distributions = options.histogram_buckets_as_distributions or counters or whole
        self.bound_tags = not whole
        self.counters = counters or not self.distributions
        self.buckets, self.non_cumulative = options.collect_histogram_buckets, options.non_cumulative_histogram_buckets

    def metrics(self, observed: Observations) -> int:
        """Return how many metrics a histogram or a summary is, by name and tags."""
        if self.distributions and observed.bounds:
            return (len(observed.bounds) if self.bound_tags else 1) + (2 if self.counters else 0)
        return 2 + max(0, len(observed.bounds) - 1 if self.buckets else 0)


class Count(NamedTuple):
    """One of the counts of a histogram. ``suffix``: of its name; ``tags``: beyond those of the histogram."""

    suffix: str
    tags: tuple[str, ...]
    value: float


def counts(
    observed: Observations, *, buckets: bool = True, non_cumulative: bool = False, upper_bound: str = "upper_bound"
) -> Iterator[Count]:
    """Yield ``count``, ``sum`` and the ``bucket`` of every bound but infinity, which is the count; never zeros.

    Args:
        observed: since the page before.
        buckets: as the option ``collect_histogram_buckets``.
        non_cumulative: as the option ``non_cumulative_histogram_buckets``; each bucket then has a ``lower_bound`` too.
        upper_bound: the tag's name, which ``rename_labels`` may change.
    """
    if observed.count:
        yield Count("count", (), observed.count)
    if observed.sum:
        yield Count("sum", (), observed.sum)
    if not buckets:
        return
    if non_cumulative:
        for bucket in buckets_of(observed):
            if bucket.value and bucket.upper != inf:
                yield Count("bucket", bound_tags(bucket, upper_bound), bucket.value)
        return
    for bound, value in zip(observed.bounds, observed.buckets, strict=True):
        if value and (text := number(bound)) != "inf":
            yield Count("bucket", (f"{upper_bound}:{text}",), value)


def bound_tags(bucket: Bucket, upper_bound: str = "upper_bound") -> tuple[str, str]:
    """Return the tags of a bucket that does not contain those below it."""
    return f"{upper_bound}:{_text(bucket.upper)}", f"lower_bound:{_text(bucket.lower)}"


def buckets_of(observed: Observations) -> Iterator[Bucket]:
    """Yield the buckets that do not contain each other, infinity included, in ascending order.

    The first begins at 0, or without a lower end where its upper one is negative.
    """
    lower: float | None = None
    below = 0.0
    for upper, value in sorted(zip(map(float, observed.bounds), observed.buckets, strict=True)):
        if lower is None:
            lower = 0.0 if upper >= 0 else -inf
        # Below zero only where the page contradicts itself.
        yield Bucket(lower, upper, max(0.0, value - below))
        lower, below = upper, value


@lru_cache(maxsize=1024)
def number(text: str) -> str:
    """Write a bound or a quantile as the Agent does: ``0.5``, ``2.0``, ``0``, ``inf``."""
    return _text(float(text))


def without_bounds(observed: Observations, pattern: re.Pattern[str]) -> Observations:
    """Return what was observed without the buckets whose bound, as it is sent, the pattern is found in."""
    kept = [
        (bound, value)
        for bound, value in zip(observed.bounds, observed.buckets, strict=True)
        if not pattern.search(number(bound))
    ]
    bounds, buckets = zip(*kept, strict=True) if kept else ((), ())
    return replace(observed, bounds=bounds, buckets=buckets)


def _text(value: float) -> str:
    return str(value or 0)
