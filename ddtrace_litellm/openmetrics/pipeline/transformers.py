"""The types of metrics, each a class: what it reads of a page, what it keeps of it, and what is sent.

Types and names are those of the Agent's OpenMetrics check, whose transformers submit each sample and leave the rest to
the Agent. Here they get what a page added, by the context that it is sent with.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import ClassVar

from ddtrace_litellm.metrics.batch import Distribution, Metadata, Record, ServiceCheck, Status
from ddtrace_litellm.openmetrics.names import Metric, Submission
from ddtrace_litellm.openmetrics.options.entries import Entry
from ddtrace_litellm.openmetrics.pipeline.deltas import Observations
from ddtrace_litellm.openmetrics.pipeline.histograms import (
    HistogramRules,
    bound_tags,
    buckets_of,
    counts,
    without_bounds,
)
from ddtrace_litellm.openmetrics.pipeline.labels import Context, LabelRules, harmless
from ddtrace_litellm.openmetrics.pipeline.places import Contexts
from ddtrace_litellm.openmetrics.samples import Labels

_UPPER_BOUND = "upper_bound"


@dataclass(slots=True)
class Output:
    """What is sent of one page, as far as it is made.

    Attributes:
        now: seconds since 1970 on the page's clock.
        labels, histograms: the rules.
        contexts: of which series something was sent.
    """

    now: float
    labels: LabelRules
    histograms: HistogramRules
    contexts: Contexts
    records: list[Record] = field(default_factory=list)
    distributions: list[Distribution] = field(default_factory=list)
    checks: list[ServiceCheck] = field(default_factory=list)
    metadata: list[Metadata] = field(default_factory=list)
    dropped: int = 0

    def admits(self, transformer: "Transformer", where: Context, metrics: int = 1) -> bool:
        """Return whether a series, which is so many metrics, may be sent; it is counted if not."""
        admitted = self.contexts.admit((transformer.metric.family, transformer.reads, where), metrics)
        self.dropped += not admitted
        return admitted

    def is_new(self, transformer: "Transformer", where: Context) -> bool:
        """Return whether nothing was sent of a series lately."""
        return (transformer.metric.family, transformer.reads, where) not in self.contexts

    def record(self, sent: Submission | None, value: float, where: Context, more: tuple[str, ...] = ()) -> None:
        """Add a count or a gauge, if its name is to be sent."""
        if sent:
            tags = (*where.tags, *more) if more else where.tags
            self.records.append(Record(sent.name, sent.type, value, tags, sent.unit, where.hostname))


class Transformer:
    """Makes what is sent of one family. Of what a type does not read, nothing is made.

    Args:
        metric: the family.
        entry: what the options say of it.
        allowed: whether a Datadog name is to be sent.

    Attributes:
        reads: what the samples are taken for, whatever the page declares.
        keeps: the suffixes of the samples that it has a place for.
        bounded: the suffix of those that have a bound, ``None`` where none has.
        watches: whether it gets a counter's total on each page, whether it grew or not.
        merges: whether values that look alike without some of their labels are made one before.
        metric: the family, with that type.
        sent: by suffix of a sample, or what else there is of it, what that is sent as.
    """

    reads: ClassVar[str]
    keeps: ClassVar[frozenset[str]]
    bounded: ClassVar[str | None] = None
    watches: ClassVar[bool] = False
    merges: ClassVar[bool] = True

    def __init__(self, metric: Metric, entry: Entry, allowed: Callable[[str], bool]) -> None:
        self.metric, self.entry = replace(metric, type=self.reads), entry
        self.sent = {suffix: each for suffix, each in self.submissions().items() if allowed(each.name)}

    def submissions(self) -> dict[str, Submission]:
        """Return what the family can be sent as."""
        return self.metric.submissions()

    def counted(self, out: Output, where: Context, step: float | None, total: float | None) -> None:
        """Add a counter.

        Args:
            out: the page.
            where: the context.
            step: what it grew by, 0 where it is new; ``None`` where it is as it was.
            total: all that it ever counted, where that is watched.
        """

    def observed(self, out: Output, where: Context, whole: Observations) -> None:
        """Add what a histogram or a summary observed, which is nothing where it is new."""

    def measured(self, out: Output, where: Context, value: float, labels: Labels) -> None:
        """Add a gauge, or a quantile; ``labels``: those of the page, where values are not merged."""


class Counter(Transformer):
    """What a counter grew by; 0 once, when it is new."""

    reads = "counter"
    keeps = frozenset({"", "_created"})

    def counted(self, out: Output, where: Context, step: float | None, total: float | None) -> None:  # noqa: ARG002
        if step is not None and (step or out.is_new(self, where)) and out.admits(self, where):
            out.record(self.sent.get(""), step, where)


class CounterGauge(Counter):
    """The same, and the total."""

    watches = True

    def submissions(self) -> dict[str, Submission]:
        return {**super().submissions(), "total": Submission(f"{self.metric.name}.total", "gauge", self.metric.unit)}

    def counted(self, out: Output, where: Context, step: float | None, total: float | None) -> None:
        super().counted(out, where, step, total)
        if total is not None and out.admits(self, where):
            out.record(self.sent.get("total"), total, where)


class Rate(Counter):
    """What a counter grew by in a second, between two pages that both have it; also 0."""

    watches = True

    def __init__(self, metric: Metric, entry: Entry, allowed: Callable[[str], bool]) -> None:
        super().__init__(metric, entry, allowed)
        self._before: frozenset[int] = frozenset()
        self._seen: set[int] = set()
        self._before_at = self._at = 0.0

    def submissions(self) -> dict[str, Submission]:
        return {"": Submission(self.metric.name, "gauge", "")}

    def counted(self, out: Output, where: Context, step: float | None, total: float | None) -> None:
        if total is None or not out.admits(self, where):
            return
        if out.now != self._at:
            self._before, self._before_at = frozenset(self._seen), self._at
            self._seen, self._at = set(), out.now
        self._seen.add(hash(where))
        if out.now > self._before_at > 0 and (step or hash(where) in self._before):
            out.record(self.sent.get(""), self._scaled(step or 0.0) / (out.now - self._before_at), where)

    def _scaled(self, step: float) -> float:
        return step


class TemporalPercent(Rate):
    """The share of time that a counter of time took, in percent."""

    def _scaled(self, step: float) -> float:
        return 100 * step / self.entry.scale


class Gauge(Transformer):
    """A value as it is. An info's only sample may be one."""

    reads = "gauge"
    keeps = frozenset({"", "_info"})

    def measured(self, out: Output, where: Context, value: float, labels: Labels) -> None:  # noqa: ARG002
        if out.admits(self, where):
            out.record(self.sent.get(""), self._shown(value, out.now), where)

    def _shown(self, value: float, now: float) -> float:  # noqa: ARG002
        return value


class TimeElapsed(Gauge):
    """The age of a time."""

    def _shown(self, value: float, now: float) -> float:
        return now - value


class Check(Gauge):
    """A service check, whose status depends on the value."""

    merges = False

    def measured(self, out: Output, where: Context, value: float, labels: Labels) -> None:  # noqa: ARG002
        status = Status(self.entry.statuses.get(int(value), Status.UNKNOWN))
        out.checks.append(ServiceCheck(self.metric.name, status, out.labels.tags, hostname=where.hostname))


class Info(Gauge):
    """What a label says of the proxy, to the Agent's inventory."""

    merges = False

    def measured(self, out: Output, where: Context, value: float, labels: Labels) -> None:  # noqa: ARG002
        if text := dict(labels).get(self.entry.label):
            shown = harmless(self.entry.label, text)
            out.metadata.append(Metadata(self.entry.name or self.metric.family, shown, self.entry.modifiers))


class Summary(Transformer):
    """Count and sum of what was observed, and the quantiles as the page has them."""

    reads = "summary"
    keeps = frozenset({"", "_count", "_sum", "_created"})
    bounded = ""

    def observed(self, out: Output, where: Context, whole: Observations) -> None:
        moved = whole.count or whole.sum or any(whole.buckets)
        if (moved or out.is_new(self, where)) and out.admits(self, where, out.histograms.metrics(whole)):
            if moved:
                self._add(out, where, whole)
            else:
                self._begin(out, where)

    def measured(self, out: Output, where: Context, value: float, labels: Labels) -> None:  # noqa: ARG002
        if out.admits(self, where):
            out.record(self.sent.get(""), value, where)

    def _begin(self, out: Output, where: Context) -> None:
        out.record(self.sent.get("_count"), 0.0, where)

    def _add(self, out: Output, where: Context, whole: Observations) -> None:
        for suffix, tags, value in counts(whole):
            out.record(self.sent.get(f"_{suffix}"), value, where, tags)


class Histogram(Summary):
    """Count, sum and buckets of what was observed, or distributions."""

    reads = "histogram"
    keeps = frozenset({"_bucket", "_count", "_sum", "_created"})
    bounded = "_bucket"

    def submissions(self) -> dict[str, Submission]:
        distribution = Submission(self.metric.name, "distribution", self.metric.unit)
        return {**super().submissions(), "distribution": distribution}

    def _begin(self, out: Output, where: Context) -> None:
        if out.histograms.counters:
            super()._begin(out, where)

    def _add(self, out: Output, where: Context, whole: Observations) -> None:
        rules, options = out.histograms, out.labels.options
        unwanted = options.exclude_metrics_by_labels.get(_UPPER_BOUND)
        upper_bound = options.rename_labels.get(_UPPER_BOUND, _UPPER_BOUND)
        observed = without_bounds(whole, unwanted) if unwanted else whole
        if rules.counters or not rules.distributions:
            # Without their bound, buckets that contain each other would be added up.
            buckets = rules.buckets and not rules.distributions and _UPPER_BOUND not in options.exclude_labels
            for suffix, tags, value in counts(
                observed, buckets=buckets, non_cumulative=rules.non_cumulative, upper_bound=upper_bound
            ):
                out.record(self.sent.get(f"_{suffix}"), value, where, tags)
        if rules.distributions and (sent := self.sent.get("distribution")):
            found = tuple(bucket for bucket in buckets_of(observed) if bucket.value)
            if not rules.bound_tags:
                out.distributions.append(Distribution(sent.name, found, where.tags, where.hostname))
                return
            for bucket in found:
                tags = (*where.tags, *bound_tags(bucket, upper_bound))
                out.distributions.append(Distribution(sent.name, (bucket,), tags, where.hostname))


TRANSFORMERS: Mapping[str, type[Transformer]] = {
    "counter": Counter,
    "counter_gauge": CounterGauge,
    "gauge": Gauge,
    "histogram": Histogram,
    "metadata": Info,
    "rate": Rate,
    "service_check": Check,
    "summary": Summary,
    "temporal_percent": TemporalPercent,
    "time_elapsed": TimeElapsed,
}
"""By the type of an entry in ``metrics`` or ``extra_metrics``, or of a family on the page."""
