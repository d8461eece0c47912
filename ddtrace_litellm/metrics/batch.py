"""The metrics of one page as Datadog gets them: counts, gauges, distributions, service checks."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import isinf
from types import MappingProxyType
from typing import Any, NamedTuple

POINTS_OF_A_BUCKET = 32
"""Where a bucket has more values than this, a point of its distribution stands for several."""


@dataclass(frozen=True, slots=True)
class Record:
    """One value as Datadog gets it.

    Attributes:
        name: the Datadog name in full.
        type: ``count``, what was added since the page before, or ``gauge``.
        value: a finite number; of a count 0 once, when its series is new, so that there is something to watch.
        tags: ``name:value``, those of the series first.
        unit: Datadog's name of the unit, ``""`` where it has none.
        hostname: ``""`` for the sender's own.
    """

    name: str
    type: str
    value: float
    tags: tuple[str, ...]
    unit: str = ""
    hostname: str = ""


class Bucket(NamedTuple):
    """How many values were above ``lower`` and at most ``upper``."""

    lower: float
    upper: float
    value: float


@dataclass(frozen=True, slots=True)
class Distribution:
    """A histogram's observations since the page before, to be sent as a distribution.

    Attributes:
        name: the Datadog name in full.
        buckets: those with values, ascending, not containing each other; the last may end at infinity.
        tags: as those of a ``Record``.
        hostname: ``""`` for the sender's own.
    """

    name: str
    buckets: tuple[Bucket, ...]
    tags: tuple[str, ...]
    hostname: str = ""

    def points(self) -> Iterator[tuple[float, int]]:
        """Yield values spread evenly over the buckets, and how often each was observed: at least once.

        What is above the last bound counts as that bound. How often is a whole number: of an ``@rate`` the Agent makes
        a weight and cuts off its fraction, and so would lose up to half of what a bucket has.
        """
        for lower, upper, observed in self.buckets:
            count = round(observed)
            if count < 1:
                continue
            if isinf(upper) or isinf(lower):
                yield lower if isinf(upper) else upper, count
                continue
            parts = min(count, POINTS_OF_A_BUCKET)
            width = (upper - lower) / parts
            for part in range(parts):
                times = (part + 1) * count // parts - part * count // parts
                yield lower + (part + 0.5) * width, times


class Status(IntEnum):
    """A service check's status, with Datadog's numbers."""

    OK = 0
    WARNING = 1
    CRITICAL = 2
    UNKNOWN = 3


@dataclass(frozen=True, slots=True)
class ServiceCheck:
    """A service check's result.

    Attributes:
        name: the Datadog name in full.
        status: the result.
        tags: ``name:value``.
        message: why it is not ok, ``""`` where it is.
        hostname: ``""`` for the sender's own.
    """

    name: str
    status: Status
    tags: tuple[str, ...]
    message: str = ""
    hostname: str = ""


class Metadata(NamedTuple):
    """A property of the proxy that a label holds, such as its version. ``options``: what the Agent makes of it."""

    name: str
    value: str
    options: Mapping[str, Any]


class UnmappedFamilies(NamedTuple):
    """The families of a page that the table of names does not have.

    Attributes:
        by_rule: LiteLLM's, with the names that they are sent under, which follow from theirs.
        ignored: names of those that are not sent: of others than LiteLLM, or of a type that Datadog has no use for.
    """

    by_rule: Mapping[str, str] = MappingProxyType({})
    ignored: tuple[str, ...] = ()


class MetricBatch(NamedTuple):
    """The metrics of one page.

    Attributes:
        records: counts and gauges.
        unmapped: what of the page is not in the table of names.
        distributions: of histograms that are to be sent as such.
        checks: of metrics that ``metrics`` declares to be service checks.
        dropped: how many series were left out, as there were more than may be remembered, or more with something to
            send than allowed.
        metadata: of metrics that ``metrics`` declares to be such; only in an Agent.
        mixed: several workers answered whose counters nothing on the pages tells apart; their counts are wrong.
    """

    records: list[Record]
    unmapped: UnmappedFamilies = UnmappedFamilies()
    distributions: Sequence[Distribution] = ()
    checks: Sequence[ServiceCheck] = ()
    dropped: int = 0
    metadata: Sequence[Metadata] = ()
    mixed: bool = False
