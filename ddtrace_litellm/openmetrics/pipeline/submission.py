"""From what a page added, and its gauges, to what is sent of it."""

from collections.abc import Hashable
from dataclasses import dataclass, field

from ddtrace_litellm.metrics.batch import Distribution, Metadata, MetricBatch, Record, ServiceCheck, Status
from ddtrace_litellm.openmetrics.pipeline.contexts import Contexts
from ddtrace_litellm.openmetrics.pipeline.deltas import Observations, Page
from ddtrace_litellm.openmetrics.pipeline.histograms import (
    HistogramRules,
    bound_tags,
    buckets_of,
    counts,
    without_bounds,
)
from ddtrace_litellm.openmetrics.pipeline.labels import (
    Context,
    Gauges,
    LabelRules,
    Tagging,
    add_counters,
    add_histograms,
    harmless,
)
from ddtrace_litellm.openmetrics.pipeline.naming import RATES, Names, Target
from ddtrace_litellm.openmetrics.pipeline.reading import Reading
from ddtrace_litellm.openmetrics.pipeline.series import GaugeValue
from ddtrace_litellm.openmetrics.samples import is_number

_UPPER_BOUND = "upper_bound"
_NOT_GAUGES = frozenset({"metadata", "service_check"})


@dataclass(slots=True)
class _Made:
    """What is sent of one page, as far as it is made."""

    records: list[Record] = field(default_factory=list)
    distributions: list[Distribution] = field(default_factory=list)
    checks: list[ServiceCheck] = field(default_factory=list)
    metadata: list[Metadata] = field(default_factory=list)
    dropped: int = 0

    def record(self, target: Target, suffix: str, value: float, where: Context, more: tuple[str, ...] = ()) -> None:
        if sent := target.sent.get(suffix):
            tags = (*where.tags, *more) if more else where.tags
            self.records.append(Record(sent.name, sent.type, value, tags, sent.unit, where.hostname))


class Sending:
    """Makes what is sent, page after page.

    Args:
        names: what families become.
        labels: which labels become tags; its ``tags`` are those of everything.
        tagging: what gives a series its context: by these rules, with the labels that others share.
        histograms: what becomes of histograms.
        most_contexts: of how many metrics something is sent at most, ``None`` for any number.
    """

    def __init__(
        self,
        names: Names,
        labels: LabelRules,
        tagging: Tagging,
        histograms: HistogramRules,
        most_contexts: int | None,
    ) -> None:
        self._names, self._labels, self._tagging, self._histograms = names, labels, tagging, histograms
        self._upper_bound = labels.rename.get(_UPPER_BOUND, _UPPER_BOUND)
        self._gauges = Gauges(tagging)
        self._contexts = Contexts(most_contexts)
        self._rated: frozenset[int] = frozenset()
        self._rated_at = 0.0

    def scraped(self, page: Page, reading: Reading, now: float) -> MetricBatch:
        """Return what is sent of a page: counts first.

        Args:
            page: what it added, and its gauges.
            reading: what else is known of it.
            now: seconds since 1970 on the page's clock, which ages and rates are counted by.
        """
        self._contexts.begin(now)
        made = _Made()
        self._add_counters(made, page, reading, now)
        self._add_histograms(made, page)
        self._add_gauges(made, page, reading, now)
        return MetricBatch(
            made.records, reading.unmapped(), made.distributions, made.checks, made.dropped, metadata=made.metadata
        )

    def _admitted(self, made: _Made, series: Hashable, metrics: int = 1) -> bool:
        admitted = self._contexts.admit(series, metrics)
        made.dropped += not admitted
        return admitted

    def _add_counters(self, made: _Made, page: Page, reading: Reading, now: float) -> None:
        steps = add_counters(page.counters, self._tagging)
        for new in page.new:
            if new.bounds is None and (where := self._tagging(new.labels)) is not None:
                steps.setdefault((new.family, where), 0.0)
        for series, value in steps.items():
            target = self._names.target(series[0], "counter")
            if target is None or target.transformer in RATES or not (value or series not in self._contexts):
                continue
            if self._admitted(made, series):
                made.record(target, "", value, series[1])
        if reading.totals or self._rated:
            self._add_watched(made, reading, steps, now)

    def _add_watched(self, made: _Made, reading: Reading, steps: dict[tuple[str, Context], float], now: float) -> None:
        """Add what needs the counters of a page whether they grew or not: totals, and rates, which may be 0."""
        totals = add_counters(reading.totals, self._tagging)
        rated = set()
        for series, total in totals.items():
            target = self._names.target(series[0], "counter")
            if target is None or not self._admitted(made, series):
                continue
            if target.transformer not in RATES:
                made.record(target, "total", total, series[1])
                continue
            rated.add(hash(series))
            step = steps.get(series, 0.0)
            if now > self._rated_at > 0 and (step or hash(series) in self._rated):
                of_scale = 100 / target.entry.scale if target.transformer == "temporal_percent" else 1.0
                made.record(target, "", of_scale * step / (now - self._rated_at), series[1])
        self._rated, self._rated_at = frozenset(rated), now

    def _add_histograms(self, made: _Made, page: Page) -> None:
        added = add_histograms(page.histograms, self._tagging)
        for new in page.new:
            if new.bounds is not None and (where := self._tagging(new.labels)) is not None:
                nothing = Observations(0.0, 0.0, new.bounds, (0.0,) * len(new.bounds))
                added.setdefault((new.family, where), nothing)
        for series, whole in added.items():
            target = self._names.target(series[0], "histogram" if whole.bounds else "summary")
            moved = whole.count or whole.sum or any(whole.buckets)
            if target is None or not (moved or series not in self._contexts):
                continue
            if self._admitted(made, series, self._histograms.metrics(whole)):
                self._add_histogram(made, target, whole, series[1])

    def _add_histogram(self, made: _Made, target: Target, whole: Observations, where: Context) -> None:
        rules = self._histograms
        if not (whole.count or whole.sum or any(whole.buckets)):
            if rules.counters or not whole.bounds:
                made.record(target, "_count", 0.0, where)
            return
        unwanted = self._labels.drop.get(_UPPER_BOUND)
        observed = without_bounds(whole, unwanted) if unwanted else whole
        as_distributions = rules.distributions and bool(whole.bounds)
        if rules.counters or not as_distributions:
            # Without their bound, buckets that contain each other would be added up.
            buckets = rules.buckets and not as_distributions and _UPPER_BOUND not in self._labels.exclude
            for suffix, tags, value in counts(
                observed, buckets=buckets, non_cumulative=rules.non_cumulative, upper_bound=self._upper_bound
            ):
                made.record(target, f"_{suffix}", value, where, tags)
        if as_distributions and (sent := target.sent.get("distribution")):
            found = tuple(bucket for bucket in buckets_of(observed) if bucket.value)
            if not rules.bound_tags:
                made.distributions.append(Distribution(sent.name, found, where.tags, where.hostname))
                return
            for bucket in found:
                tags = (*where.tags, *bound_tags(bucket, self._upper_bound))
                made.distributions.append(Distribution(sent.name, (bucket,), tags, where.hostname))

    def _add_gauges(self, made: _Made, page: Page, reading: Reading, now: float) -> None:
        created = {family for family in reading.types if reading.is_created(family)}
        gauges: list[GaugeValue] = []
        others: list[GaugeValue] = []
        for each in page.gauges:
            # Only here: on which workers' pids a page has gauges is for the deltas, whatever their values.
            if is_number(each.value) and each.family not in created and (target := self._target_of(each)) is not None:
                (others if target.transformer in _NOT_GAUGES else gauges).append(each)
        for (gauge, where), value in self._gauges.collapse(gauges).items():
            target = self._names.target(gauge.family, "summary" if gauge.is_quantile else "gauge")
            if target is not None and self._admitted(made, (gauge, where)):
                made.record(target, "", now - value if target.transformer == "time_elapsed" else value, where)
        for each in others:
            self._add_other(made, each)

    def _target_of(self, value: GaugeValue) -> Target | None:
        return self._names.target(value.family, "summary" if value.quantile else "gauge")

    def _add_other(self, made: _Made, value: GaugeValue) -> None:
        target, where = self._target_of(value), self._tagging(value.labels)
        if target is None or where is None:
            return
        name, entry = target.metric.name, target.entry
        if target.transformer == "service_check":
            status = Status(entry.statuses.get(int(value.value), Status.UNKNOWN))
            made.checks.append(ServiceCheck(name, status, self._labels.tags, hostname=where.hostname))
        elif label := dict(value.labels).get(entry.label):
            shown = harmless(entry.label, label)
            made.metadata.append(Metadata(entry.name or value.family, shown, entry.modifiers))
