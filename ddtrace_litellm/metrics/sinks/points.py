"""Turns a histogram's observations into values of a distribution."""

from collections.abc import Iterable, Iterator
from math import isinf
from typing import NamedTuple

from ddtrace_litellm.metrics.batch import Bucket

POINTS_OF_A_BUCKET = 32
"""Where a bucket has more values than this, a point of its distribution stands for several."""


class Point(NamedTuple):
    """A value, and how often it was observed: always at least once."""

    value: float
    times: int


def points(buckets: Iterable[Bucket]) -> Iterator[Point]:
    """Yield values spread evenly over the buckets. What is above the last bound counts as that bound.

    How often each was observed is a whole number: of an ``@rate`` the Agent makes a weight and cuts off its fraction,
    and so would lose up to half of what a bucket has.
    """
    for lower, upper, observed in buckets:
        count = round(observed)
        if count < 1:
            continue
        if isinf(upper) or isinf(lower):
            yield Point(lower if isinf(upper) else upper, count)
            continue
        parts = min(count, POINTS_OF_A_BUCKET)
        width = (upper - lower) / parts
        for part in range(parts):
            times = (part + 1) * count // parts - part * count // parts
            yield Point(lower + (part + 0.5) * width, times)
