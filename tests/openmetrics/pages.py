"""Pages for the tests: made by hand, by ``prometheus_client``'s registries, or recorded."""

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, Metric
from prometheus_client.parser import text_string_to_metric_families

from ddtrace_litellm.openmetrics.pipeline.deltas import Page
from ddtrace_litellm.openmetrics.samples import Sample


def counter(value: float, *, family: str = "litellm_x", created: float | None = None, **labels: str) -> list[Sample]:
    """Return a counter's samples as OpenMetrics has them."""
    key = tuple(labels.items())
    samples = [Sample(family, "counter", "", key, "", value)]
    return samples if created is None else [*samples, Sample(family, "counter", "_created", key, "", created)]


def histogram(
    buckets: dict[str, float], total: float, *, family: str = "litellm_h", created: float | None = None, **labels: str
) -> list[Sample]:
    """Return a histogram's samples as OpenMetrics has them; the count is the last bucket's."""
    key = tuple(labels.items())
    samples = [Sample(family, "histogram", "_bucket", key, bound, value) for bound, value in buckets.items()]
    samples.append(Sample(family, "histogram", "_count", key, "", [*buckets.values()][-1]))
    samples.append(Sample(family, "histogram", "_sum", key, "", total))
    return samples if created is None else [*samples, Sample(family, "histogram", "_created", key, "", created)]


def gauge(value: float, *, family: str = "litellm_g", **labels: str) -> list[Sample]:
    """Return a gauge's sample."""
    return [Sample(family, "gauge", "", tuple(labels.items()), "", value)]


def process(start: float) -> list[Sample]:
    """Return when the page's process started."""
    return gauge(start, family="process_start_time_seconds")


def broken(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Yield the samples, then fail, as a page that is cut short does."""
    yield from samples
    raise ConnectionError("cut short")


def as_text(samples: Iterable[Sample]) -> list[Sample]:
    """Put each family's ``_created`` into a gauge family behind it, as text 0.0.4 does."""
    ordered: dict[str, list[Sample]] = {}
    for sample in samples:
        if sample.suffix == "_created":
            name = sample.family + "_created"
            ordered.setdefault(name, []).append(sample._replace(family=name, type="gauge", suffix=""))
        else:
            ordered.setdefault(sample.family, []).append(sample)
    created = {name for name in ordered if name.endswith("_created")}
    names = [each for name in ordered if name not in created for each in (name, name + "_created") if each in ordered]
    return [sample for name in names for sample in ordered[name]]


def of_registry(registry: CollectorRegistry) -> list[Sample]:
    """Return the samples of a registry, as OpenMetrics has them."""
    return list(_of_families(registry.collect()))


def of_text(text: str) -> list[Sample]:
    """Return the samples of a page in text 0.0.4."""
    return list(_of_families(text_string_to_metric_families(text)))


def added(page: Page) -> list[float]:
    """Return the steps of a page's counters."""
    return [step.value for step in page.counters]


def _of_families(families: Iterable[Metric]) -> Iterator[Sample]:
    for family in families:
        labels_of: dict[tuple[tuple[str, str], ...], tuple[tuple[str, str], ...]] = {}
        for sample in family.samples:
            labels = dict(sample.labels)
            bound = labels.pop("le", labels.pop("quantile", ""))
            key = tuple(labels.items())
            suffix = sample.name.removeprefix(family.name).removesuffix("_total")
            yield Sample(family.name, family.type, suffix, labels_of.setdefault(key, key), bound, sample.value)
