"""From the pages of one proxy to what Datadog gets of them."""

import time
from collections.abc import Iterable
from math import isfinite

from ddtrace_litellm.metrics.batch import MetricBatch
from ddtrace_litellm.openmetrics.options.models import PageModel
from ddtrace_litellm.openmetrics.pipeline.deltas import (
    CounterStep,
    Deltas,
    EmptyPageError,
    HistogramStep,
    Observations,
    Page,
)
from ddtrace_litellm.openmetrics.pipeline.histograms import HistogramRules
from ddtrace_litellm.openmetrics.pipeline.labels import (
    Context,
    Gauge,
    Gauges,
    LabelRules,
    add_counters,
    add_histograms,
)
from ddtrace_litellm.openmetrics.pipeline.naming import Names
from ddtrace_litellm.openmetrics.pipeline.places import MOST_SERIES, Contexts, Places
from ddtrace_litellm.openmetrics.pipeline.reading import Reading
from ddtrace_litellm.openmetrics.pipeline.series import GaugeValue, series_of
from ddtrace_litellm.openmetrics.pipeline.share_labels import SharedLabels
from ddtrace_litellm.openmetrics.pipeline.transformers import Output, Transformer
from ddtrace_litellm.openmetrics.samples import Labels, Sample, is_number


class Collector:
    """The memory of one proxy: what was on its pages before. Not to be used by two threads at once.

    Args:
        options: what is made of a page.
        in_agent: how much is sent is limited by the Agent.
        started: since when its series count from their first value on, seconds since 1970 on the page's clock; ``None``
            for when this was made, since the first pages may fail.
        inherited: what series of this process began at instead of 0.
        endpoint: the URL, for the tag of that name; ``""`` for none.

    Attributes:
        tags: of everything that is sent, service checks included.
    """

    def __init__(
        self,
        options: PageModel,
        *,
        in_agent: bool = False,
        started: float | None = None,
        inherited: Iterable[Sample] = (),
        endpoint: str = "",
    ) -> None:
        self.tags = options.tags_of(endpoint)
        self._made = time.monotonic()
        self._options, self._inherited = options, inherited
        self._labels, self._histograms = LabelRules(options, self.tags), HistogramRules(options)
        self._names = Names(options)
        most = options.max_returned_metrics
        # Who has more sent than usual has more remembered.
        self._places = Places(max(MOST_SERIES, most) if most or in_agent else None)
        self._sharing = SharedLabels(options)
        self._tagging = self._context if self._sharing else self._labels.context
        self._gauges = Gauges(self._tagging)
        self._contexts = Contexts(None if in_agent else most or None)
        self._deltas = None if started is None else Deltas(started, inherited=inherited)

    def collect(self, samples: Iterable[Sample], asked_at: float) -> MetricBatch:
        """Return what is sent of a page; where its samples raise, it leaves no trace.

        Raises:
            EmptyPageError: the page has no sample.
            TooManySamplesError: one of its series is none of LiteLLM's.
        """
        if self._deltas is None:
            self._deltas = Deltas(asked_at - (time.monotonic() - self._made), inherited=self._inherited)
        reading = self._reading()
        complete = self._places.complete(asked_at)
        page = self._deltas.read(reading.read(self._places.read(samples, asked_at)), asked_at, complete=complete)
        return self._scraped(page, reading, asked_at)

    def totals(self, samples: Iterable[Sample], asked_at: float) -> MetricBatch:
        """Return a page with everything that its counters ever counted in the place of steps: to be shown, not sent.

        Raises:
            EmptyPageError: the page has no sample.
        """
        reading = self._reading()
        page = totals(reading.read(self._places.read(samples, asked_at)))
        if not reading.types:
            raise EmptyPageError("the page has no samples")
        return self._scraped(page, reading, asked_at)

    def _reading(self) -> Reading:
        options = self._options
        return Reading(self._names, self._sharing, options.raw_metric_prefix, counting=options.telemetry)

    def _scraped(self, page: Page, reading: Reading, now: float) -> MetricBatch:
        """Bring together what is one series for Datadog, and ask its transformer what is sent of it."""
        self._sharing.learn(reading.shared)
        self._contexts.begin(now)
        out = Output(now, self._labels, self._histograms, self._contexts)
        self._add_counters(out, page, reading)
        self._add_histograms(out, page)
        self._add_gauges(out, page, reading)
        return MetricBatch(
            [*out.records, *reading.telemetry(self.tags)],
            reading.unmapped(),
            out.distributions,
            out.checks,
            out.dropped + self._places.left_out,
            out.metadata,
            page.mixed,
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

    def _context(self, labels: Labels) -> Context | None:
        return self._labels.context(self._sharing.add(labels))


def totals(samples: Iterable[Sample]) -> Page:
    """Return a page with totals in the place of steps."""
    page = Page([], [], [], [])
    for series in series_of(samples, page.gauges):
        values = [value if isfinite(value) else 0.0 for value in series.values]
        if series.bounds is not None:
            observed = Observations(values[0], values[1], series.bounds, tuple(values[2:]))
            page.histograms.append(HistogramStep(series.family, series.labels, observed))
        elif values[0]:
            page.counters.append(CounterStep(series.family, series.labels, values[0]))
    return page
