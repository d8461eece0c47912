"""What a histogram observed, as Datadog takes it: counts by bucket, or points of a distribution.

The names, tags and bounds are those of the Agent's OpenMetrics check. Its own code for it works on the samples of a
page, before the difference to the page before is taken; that comes first here.
"""

from collections.abc import Iterator
from functools import lru_cache
from math import inf, isinf
from typing import NamedTuple

from ddtrace_litellm.openmetrics.deltas import Observations

POINTS_OF_A_BUCKET = 32
"""Where a bucket has more values than this, a point of its distribution stands for several."""


class Count(NamedTuple):
    """One of the counts of a histogram. ``suffix``: of its name; ``tags``: beyond those of the histogram."""

    suffix: str
    tags: tuple[str, ...]
    value: float


class Bucket(NamedTuple):
    """How many values were above ``lower`` and at most ``upper``."""

    lower: float
    upper: float
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
                tags = f"{upper_bound}:{_text(bucket.upper)}", f"lower_bound:{_text(bucket.lower)}"
                yield Count("bucket", tags, bucket.value)
        return
    for bound, value in zip(observed.bounds, observed.buckets, strict=True):
        if value and (text := number(bound)) != "inf":
            yield Count("bucket", (f"{upper_bound}:{text}",), value)


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


def distribution(observed: Observations) -> Iterator[tuple[float, float]]:
    """Yield values and how often each was observed, spread evenly over the buckets as the Agent does.

    What is above the last bound counts as that bound.
    """
    for lower, upper, value in buckets_of(observed):
        if not value:
            continue
        if isinf(upper) or isinf(lower):
            yield (lower if isinf(upper) else upper), value
            continue
        points = max(1, min(int(value), POINTS_OF_A_BUCKET))
        width = (upper - lower) / points
        for point in range(points):
            yield lower + (point + 0.5) * width, value / points


@lru_cache(maxsize=1024)
def number(text: str) -> str:
    """Write a bound or a quantile as the Agent does: ``0.5``, ``2.0``, ``0``, ``inf``."""
    return _text(float(text))


def _text(value: float) -> str:
    return str(value or 0)
