"""Put the samples of a page together to series: a counter, or a histogram with all its buckets, and when it began.

A histogram restarts as a whole and the steps of its buckets are read together, so nothing smaller than that is compared
from page to page. ``prometheus_client``'s parsers yield families with a list of samples; which of them are one series,
and which ``_created`` is whose, they leave to the reader.
"""

from array import array
from collections.abc import Iterable, Iterator
from itertools import groupby
from math import inf, nan
from operator import itemgetter
from typing import NamedTuple

from ddtrace_litellm.openmetrics.samples import CUMULATIVE, Labels, Sample


class GaugeValue(NamedTuple):
    """A value that is as it is, no number included. ``quantile``: the text of a summary's, ``""`` for a gauge."""

    family: str
    labels: Labels
    quantile: str
    value: float


class Series(NamedTuple):
    """The totals of one counter, histogram or summary.

    Attributes:
        family: without ``_total``.
        labels: as the page has them, before any filter.
        bounds: the upper bounds of the buckets as the page writes them; ``None`` for a counter, ``()`` for a summary.
        created: when it began, in seconds since 1970; ``None`` where the page does not say.
        values: the counter's value; or count, sum and buckets. ``nan`` where it is missing, infinite or negative.
    """

    family: str
    labels: Labels
    bounds: tuple[str, ...] | None
    created: float | None
    values: "array[float]"


def series_of(samples: Iterable[Sample], gauges: list[GaugeValue]) -> Iterator[Series]:
    """Yield the counters, histograms and summaries of a page; append the gauges to the list.

    OpenMetrics has each ``_created`` behind its series, text 0.0.4 a gauge family of them behind the family: only then
    is a family held back. Types that Datadog has no use for (info, unknown, ...) are passed over.
    """
    family = _Family("", "")
    for (name, kind), run in groupby(samples, itemgetter(0, 1)):
        if name == family.created_name:
            family.created.update((sample.labels, sample.value) for sample in run)
            continue
        yield from family.rest()
        family = _Family(name, kind)
        if kind in CUMULATIVE:
            yield from family.read(run, gauges)
        elif kind == "gauge":
            gauges.extend(map(_gauge, run))
    yield from family.rest()


class _Family:
    """A family as far as it was read: series that may still get samples or a ``_created``."""

    def __init__(self, name: str, kind: str) -> None:
        self.name, self.kind = name, kind
        self.created_name = name + "_created" if kind in CUMULATIVE else None
        self.created: dict[Labels, float] = {}
        self.held: dict[Labels, dict[str, float]] = {}

    def read(self, samples: Iterable[Sample], gauges: list[GaugeValue]) -> Iterator[Series]:
        current: Labels = ()
        values: dict[str, float] = {}
        for sample in samples:
            suffix, labels, bound, value = sample[2:6]
            if labels is not current and labels != current:
                if "_created" in values:
                    yield self.series(current, values)
                elif values:
                    self.held[current] = values
                current = labels
                values = self.held.pop(labels, {}) if self.held else {}
            if bound and self.kind == "summary":
                gauges.append(_gauge(sample))
            else:
                # The same bound again is the same series again: the last one holds.
                values[bound or suffix] = value if 0 <= value < inf else nan
        if values:
            self.held[current] = values

    def rest(self) -> Iterator[Series]:
        for labels, values in self.held.items():
            yield self.series(labels, values)

    def series(self, labels: Labels, values: dict[str, float]) -> Series:
        created = values.pop("_created", None)
        if created is None and self.created:
            created = self.created.get(labels)
        if self.kind == "counter":
            return Series(self.name, labels, None, created, array("d", (values.get("", nan),)))
        count, total = values.pop("_count", nan), values.pop("_sum", nan)
        return Series(self.name, labels, tuple(values), created, array("d", (count, total, *values.values())))


def _gauge(sample: Sample) -> GaugeValue:
    return GaugeValue(sample.family, sample.labels, sample.bound, sample.value)
