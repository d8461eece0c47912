"""An Agent for the tests: takes what checks submit, and gives what Datadog would get of it."""

from collections import defaultdict
from typing import NamedTuple

from tests.openmetrics.agent import MonotonicCount


class Context(NamedTuple):
    """What tells one value from the others of a commit."""

    name: str
    tags: tuple[str, ...]
    hostname: str = ""

    @classmethod
    def of(cls, name, tags, hostname):
        """Return the context of a submission; the order of tags has no meaning."""
        return cls(name, tuple(sorted(tags)), hostname or "")


class Commit(NamedTuple):
    """What one run of a check comes to.

    Attributes:
        values: type and value by context; of a distribution the buckets with values.
        service_checks: name, status, tags and message of each.
        submitted: how often something was submitted.
    """

    values: dict[Context, tuple[str, object]]
    service_checks: list[tuple[str, int, tuple[str, ...], str]]
    submitted: int

    def named(self, name):
        """Return the values of a metric."""
        return sorted(value for context, (_, value) in self.values.items() if context.name == name)


class Aggregator:
    """Stands where the Agent's ``aggregator`` is in ``datadog_checks.base``."""

    GAUGE, RATE, COUNT, MONOTONIC_COUNT, COUNTER, HISTOGRAM, HISTORATE = range(7)

    def __init__(self):
        self._monotonic = defaultdict(MonotonicCount)
        self._bucket_counts = {}
        self._clear()

    def _clear(self):
        self._gauges, self._counts, self._buckets = {}, defaultdict(float), defaultdict(dict)
        self._service_checks, self._submitted = [], 0

    def submit_metric(self, _check, _id, type_, name, value, tags, hostname, flush_first_value):  # noqa: PLR0913
        """Take a metric, as ``pkg/metrics`` does."""
        self._submitted += 1
        context = Context.of(name, tags, hostname)
        if type_ == self.MONOTONIC_COUNT:
            self._monotonic[context].add(value, flush_first_value)
        elif type_ == self.COUNT:
            self._counts[context] += value
        else:
            assert type_ == self.GAUGE
            self._gauges[context] = value

    def submit_histogram_bucket(  # noqa: PLR0913
        self, _check, _id, name, value, lower, upper, monotonic, hostname, tags, flush_first_value=False
    ):
        """Take a bucket of a distribution, as ``pkg/aggregator/check_sampler.go`` does."""
        self._submitted += 1
        context = Context.of(name, tags, hostname)
        if monotonic:
            key = context, lower, upper
            before = self._bucket_counts.get(key)
            self._bucket_counts[key] = value
            if before is None and not flush_first_value:
                return
            value -= before or 0
        if value > 0:
            bounds = float(lower), float(upper)
            self._buckets[context][bounds] = self._buckets[context].get(bounds, 0) + value

    submit_histogram_bucket_multi = submit_histogram_bucket

    def submit_service_check(self, _check, _id, name, status, tags, _hostname, message):
        """Take a service check."""
        self._service_checks.append((name, status, tuple(tags), message))

    def commit(self):
        """Return what was submitted since the last time."""
        values = {context: ("gauge", value) for context, value in self._gauges.items()}
        values |= {context: ("count", value) for context, value in self._counts.items()}
        for context, count in self._monotonic.items():
            if (total := count.flush()) is not None:
                values[context] = "count", total
        values |= {context: ("distribution", buckets) for context, buckets in self._buckets.items()}
        commit = Commit(values, self._service_checks, self._submitted)
        self._clear()
        return commit
