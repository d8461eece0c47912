"""From a page to what Datadog gets of it: samples, steps and gauges, tags, names. No state, no input, no output."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from math import isfinite
from typing import NamedTuple

from ddtrace_litellm.openmetrics.deltas import CounterStep, HistogramStep, Observations, Page
from ddtrace_litellm.openmetrics.histograms import Bucket, counts
from ddtrace_litellm.openmetrics.labels import Context, Gauges, LabelRules, add_counters, add_histograms
from ddtrace_litellm.openmetrics.names import SUBMITTED, Metric, metric_for
from ddtrace_litellm.openmetrics.samples import Sample
from ddtrace_litellm.openmetrics.series import series_of

_UPPER_BOUND = "upper_bound"


@dataclass(frozen=True, slots=True)
class Record:
    """One value as Datadog gets it.

    Attributes:
        name: the Datadog name in full.
        type: ``count``, what was added since the page before, or ``gauge``.
        value: a finite number.
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


@dataclass(frozen=True, slots=True)
class Distribution:
    """What a histogram observed since the page before, to be sent as a distribution.

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


class Census(NamedTuple):
    """The families of a page that the table of names does not have.

    Attributes:
        by_rule: LiteLLM's, which are sent under a name that follows from theirs.
        ignored: names of those that are not sent: of others than LiteLLM, or of a type that Datadog has no use for.
    """

    by_rule: tuple[Metric, ...]
    ignored: tuple[str, ...]


class Scraped(NamedTuple):
    """What became of a page.

    Attributes:
        records: counts and gauges.
        census: what of the page is not in the table of names.
        distributions: of histograms that are to be sent as such.
        checks: of metrics that ``metrics`` declares to be service checks.
        dropped: how many series were left out, as there were more than allowed.
    """

    records: list[Record]
    census: Census
    distributions: Sequence[Distribution] = ()
    checks: Sequence[ServiceCheck] = ()
    dropped: int = 0


def noting(samples: Iterable[Sample], families: dict[str, str]) -> Iterator[Sample]:
    """Pass the samples on, and note the type of every family among them."""
    family = None
    for sample in samples:
        if sample.family != family:
            family = sample.family
            families[family] = sample.type
        yield sample


def census(families: Mapping[str, str]) -> Census:
    """Return which families of a page are not in the table.

    Args:
        families: their types by name. What text 0.0.4 has as a gauge, when a counter began, is no family.
    """
    by_rule, ignored = [], []
    for family, type_ in sorted(families.items()):
        if type_ == "gauge" and families.get(family.removesuffix("_created")) in _DATED:
            continue
        metric = metric_for(family, type_)
        if metric is None or type_ not in SUBMITTED:
            ignored.append(family)
        elif not metric.known:
            by_rule.append(metric)
    return Census(tuple(by_rule), tuple(ignored))


_DATED = frozenset({"counter", "histogram", "summary"})


def totals(samples: Iterable[Sample]) -> Page:
    """Return a page with everything that its counters ever counted in the place of steps: to be shown, never sent."""
    page = Page([], [], [])
    for series in series_of(samples, page.gauges):
        values = [value if isfinite(value) else 0.0 for value in series.values]
        if series.bounds is not None:
            observed = Observations(values[0], values[1], series.bounds, tuple(values[2:]))
            page.histograms.append(HistogramStep(series.family, series.labels, observed))
        elif values[0]:
            page.counters.append(CounterStep(series.family, series.labels, values[0]))
    return page


def records(page: Page, rules: LabelRules, gauges: Gauges, now: float) -> list[Record]:
    """Return what is sent of a page: the counts first. Families that are not LiteLLM's are left out.

    Args:
        page: its steps and gauges.
        rules: which labels become tags.
        gauges: what makes gauges one whose tags are the same; remembers this page.
        now: seconds since 1970 on the server's clock, which the age of a time is counted from.
    """
    return [*_counters(page, rules), *_histograms(page, rules), *_gauges(page, gauges, now)]


def _counters(page: Page, rules: LabelRules) -> Iterator[Record]:
    for (family, where), value in add_counters(page.counters, rules).items():
        if metric := metric_for(family, "counter"):
            yield from _record(metric, "", value, where)


def _histograms(page: Page, rules: LabelRules) -> Iterator[Record]:
    upper_bound = rules.rename.get(_UPPER_BOUND, _UPPER_BOUND)
    for (family, where), observed in add_histograms(page.histograms, rules).items():
        if metric := metric_for(family, "histogram" if observed.bounds else "summary"):
            for suffix, tags, value in counts(observed, upper_bound=upper_bound):
                yield from _record(metric, f"_{suffix}", value, where, tags)


def _gauges(page: Page, gauges: Gauges, now: float) -> Iterator[Record]:
    for ((family, is_quantile), where), value in gauges.collapse(page.gauges).items():
        if metric := metric_for(family, "summary" if is_quantile else "gauge"):
            yield from _record(metric, "", now - value if metric.transformer == "time_elapsed" else value, where)


def _record(metric: Metric, suffix: str, value: float, where: Context, more: tuple[str, ...] = ()) -> Iterator[Record]:
    if sent := metric.submission(suffix):
        yield Record(sent.name, sent.type, value, (*where.tags, *more), sent.unit, where.hostname)
