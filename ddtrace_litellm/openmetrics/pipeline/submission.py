"""From what a page added, and its gauges, to what is sent of it."""

from ddtrace_litellm.metrics.batch import MetricBatch
from ddtrace_litellm.openmetrics.pipeline.contexts import Contexts
from ddtrace_litellm.openmetrics.pipeline.deltas import Observations, Page
from ddtrace_litellm.openmetrics.pipeline.histograms import HistogramRules
from ddtrace_litellm.openmetrics.pipeline.labels import Gauge, Gauges, LabelRules, Tagging, add_counters, add_histograms
from ddtrace_litellm.openmetrics.pipeline.naming import Names
from ddtrace_litellm.openmetrics.pipeline.reading import Reading
from ddtrace_litellm.openmetrics.pipeline.series import GaugeValue
from ddtrace_litellm.openmetrics.pipeline.transformers import Output, Transformer
from ddtrace_litellm.openmetrics.samples import is_number


class Sending:
    """Makes what is sent, page after page: brings together what is one series for Datadog, and asks its transformer.

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
        self._gauges = Gauges(tagging)
        self._contexts = Contexts(most_contexts)

    def scraped(self, page: Page, reading: Reading, now: float) -> MetricBatch:
        """Return what is sent of a page: counts first.

        Args:
            page: what it added, and its gauges.
            reading: what else is known of it.
            now: seconds since 1970 on the page's clock, which ages and rates are counted by.
        """
        self._contexts.begin(now)
        out = Output(now, self._labels, self._histograms, self._contexts)
        self._add_counters(out, page, reading)
        self._add_histograms(out, page)
        self._add_gauges(out, page, reading)
        return MetricBatch(
            out.records, reading.unmapped(), out.distributions, out.checks, out.dropped, out.metadata, page.mixed
        )

    def _add_counters(self, out: Output, page: Page, reading: Reading) -> None:
        steps = add_counters(page.counters, self._tagging)
        for new in page.new:
            if new.bounds is None and (where := self._tagging(new.labels)) is not None:
                steps.setdefault((new.family, where), 0.0)
        totals = add_counters(reading.totals, self._tagging)
        for series in {**steps, **totals}:
            family, where = series
            if transformer := self._names.transformer(family, "counter"):
                transformer.counted(out, where, steps.get(series), totals.get(series))

    def _add_histograms(self, out: Output, page: Page) -> None:
        added = add_histograms(page.histograms, self._tagging)
        for new in page.new:
            if new.bounds is not None and (where := self._tagging(new.labels)) is not None:
                nothing = Observations(0.0, 0.0, new.bounds, (0.0,) * len(new.bounds))
                added.setdefault((new.family, where), nothing)
        for (family, where), whole in added.items():
            if transformer := self._names.transformer(family, "histogram" if whole.bounds else "summary"):
                transformer.observed(out, where, whole)

    def _add_gauges(self, out: Output, page: Page, reading: Reading) -> None:
        created = {family for family in reading.types if reading.is_created(family)}
        alike: list[GaugeValue] = []
        for each in page.gauges:
            # Only here: on which workers' pids a page has gauges is for the deltas, whatever their values.
            if not is_number(each.value) or each.family in created:
                continue
            if (transformer := self._measuring(Gauge(each.family, bool(each.quantile)))) is None:
                continue
            if transformer.merges:
                alike.append(each)
            elif (where := self._tagging(each.labels)) is not None:
                transformer.measured(out, where, each.value, each.labels)
        for (gauge, where), value in self._gauges.collapse(alike).items():
            if transformer := self._measuring(gauge):
                transformer.measured(out, where, value, ())

    def _measuring(self, gauge: Gauge) -> Transformer | None:
        return self._names.transformer(gauge.family, "summary" if gauge.is_quantile else "gauge")
