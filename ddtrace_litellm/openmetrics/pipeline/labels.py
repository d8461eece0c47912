"""Labels to tags: which are kept, what they are called, and what becomes of values that only differ in the others.

The Agent's check filters each sample and leaves it to the Agent that several of them then have the same tags. There
they pass for successive values of one counter, and of gauges the page's last line wins. Here steps are added, and for
each gauge one rule says what they are together.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.options.models import PageModel
from ddtrace_litellm.openmetrics.pipeline.deltas import HistogramStep, Observations
from ddtrace_litellm.openmetrics.pipeline.histograms import number
from ddtrace_litellm.openmetrics.pipeline.series import GaugeValue
from ddtrace_litellm.openmetrics.samples import Labels


@dataclass(frozen=True)
class LabelRules:
    """What becomes of labels.

    Attributes:
        options: what says so.
        tags: of every series, behind its own.
    """

    options: PageModel
    tags: tuple[str, ...] = ()

    def context(self, labels: Labels) -> "Context | None":
        """Return the tags of a series, ``None`` if it is to be dropped.

        The texts are the page's, URLs without what may authorise: ``None`` for a label that LiteLLM has no value for,
        nothing behind the colon for an empty one.
        """
        options = self.options
        exclude, include, rename = options.exclude_labels, options.include_labels, options.rename_labels
        drop, hostname_label = options.exclude_metrics_by_labels, options.hostname_label
        tags = []
        hostname = ""
        for name, original in labels:
            if name in drop and drop[name].search(original):
                return None
            value = harmless(name, original)
            if name == hostname_label:
                hostname = options.hostname_format.replace("<HOSTNAME>", value, 1)
            if name in exclude or name == _PID or (include and name not in include):
                continue
            text = _ESCAPED.sub(r"\1", value) if "\\" in value else value
            tags.append(f"{rename.get(name, name)}:{text}")
        return Context((*tags, *self.tags), hostname)


class Context(NamedTuple):
    """What tells the series of a Datadog metric apart. ``hostname`` is ``""`` for the sender's own."""

    tags: tuple[str, ...]
    hostname: str = ""


Tagging = Callable[[Labels], Context | None]
"""Gives the labels of a series its context, ``None`` if it is to be dropped."""


class Gauge(NamedTuple):
    """A gauge's name before it is Datadog's: a quantile's is that of its summary."""

    family: str
    is_quantile: bool = False


def harmless(name: str, value: str) -> str:
    """Return a label's value without what may authorise, as the proxy's configuration may have it in a base URL."""
    return _without_credentials(value) if name == _BASE_URL else value


@lru_cache(maxsize=1024)
def _without_credentials(url: str) -> str:
    return masking.strip_credentials(url) or (url and masking.HIDDEN)


_BASE_URL = "api_base"
# prometheus_client adds it to gauges in a shared directory, one series for each worker there ever was.
_PID = "pid"
# LiteLLM escapes a label's value before prometheus_client does so again; a parser takes back the second only.
_ESCAPED = re.compile(r'\\([\\"])')


def add_counters(steps: Iterable[tuple[str, Labels, float]], tagging: Tagging) -> dict[tuple[str, Context], float]:
    """Add up the steps of counters, or other values by family and labels, by family and context."""
    added: dict[tuple[str, Context], float] = {}
    for family, labels, value in steps:
        if (where := tagging(labels)) is not None:
            added[family, where] = added.get((family, where), 0.0) + value
    return added


def add_histograms(steps: Iterable[HistogramStep], tagging: Tagging) -> dict[tuple[str, Context], Observations]:
    """Add up the steps of histograms and summaries by family and context."""
    added: dict[tuple[str, Context], Observations] = {}
    for family, labels, observed in steps:
        if (where := tagging(labels)) is not None:
            before = added.get((family, where))
            added[family, where] = _both(before, observed) if before else observed
    return added


def _both(one: Observations, other: Observations) -> Observations:
    count, total = one.count + other.count, one.sum + other.sum
    if one.bounds == other.bounds:
        buckets = tuple(a + b for a, b in zip(one.buckets, other.buckets, strict=True))
        return Observations(count, total, one.bounds, buckets)
    # Workers of two versions, before and after `prometheus_latency_buckets` changed: only the common bounds are known.
    first, second = dict(zip(one.bounds, one.buckets, strict=True)), dict(zip(other.bounds, other.buckets, strict=True))
    common = {bound: value + second[bound] for bound, value in first.items() if bound in second}
    return Observations(count, total, tuple(common), tuple(common.values()))


class Gauges:
    """Gauges that look alike without some of their labels, made one: the sum, the largest, or the one set last.

    Which was set last a page does not say, so what is compared is the page before: a worker that is dead or idle stands
    still while the others move. On the first page, and of several that moved, it is the page's last.
    """

    def __init__(self, tagging: Tagging) -> None:
        self._tagging = tagging
        self._values: dict[int, float] = {}
        self._chosen: dict[int, int] = {}

    def collapse(self, values: Iterable[GaugeValue]) -> dict[tuple[Gauge, Context], float]:
        """Return one value of a page for each gauge and context. To be called for each whole page, in their order."""
        collapsed: dict[tuple[Gauge, Context], float] = {}
        before, chosen_before, self._values, self._chosen = self._values, self._chosen, {}, {}
        ranks: dict[int, int] = {}
        for value in values:
            if (key := self._key(value)) is None:
                continue
            if rule := _GAUGE_RULES.get(value.family):
                collapsed[key] = rule((collapsed[key], value.value)) if key in collapsed else value.value
                continue
            source, target = hash(value[:3]), hash(key)
            self._values[source] = value.value
            moved = before.get(source) != value.value
            rank = 2 if moved else 1 if chosen_before.get(target) == source else 0
            if rank >= ranks.get(target, 0):
                collapsed[key], ranks[target], self._chosen[target] = value.value, rank, source
        return collapsed

    def _key(self, value: GaugeValue) -> tuple[Gauge, Context] | None:
        where = self._tagging(value.labels)
        if where is not None and value.quantile:
            where = Context((*where.tags, f"quantile:{number(value.quantile)}"), where.hostname)
        return where and (Gauge(value.family, bool(value.quantile)), where)


# By family: what the values of several workers, or of labels that are left out, are together. Elsewhere it is the one
# set last: of limits, budgets, users and the sizes of queues in Redis all workers speak of the same thing.
_GAUGE_RULES: Mapping[str, Callable[[Iterable[float]], float]] = {
    "litellm_admission_admitted_requests": sum,
    "litellm_admission_queued_requests": sum,
    "litellm_in_flight_requests": sum,
    "litellm_in_memory_daily_spend_update_queue_size": sum,
    "litellm_in_memory_spend_update_queue_size": sum,
    "litellm_accounting_batch_deliveries": max,  # those with `livemax`: each worker reads them from the database
    "litellm_accounting_delivery_table_bytes": max,
    "litellm_accounting_oldest_pending_seconds": max,
    "litellm_accounting_parked": max,
    "litellm_accounting_pending": max,
    "litellm_check_batch_cost_last_run_timestamp": max,
    "litellm_deployment_state": max,  # 0 healthy, 1 partial, 2 complete outage
    "litellm_pod_lock_manager_size": max,  # 1 if this worker has the lock
    "litellm_redis_circuit_breaker_state": max,  # 1 for the state that a worker is in
    "litellm_spend_log_cleanup_rows_remaining": max,
    "litellm_spend_log_storage_bytes": max,
}
