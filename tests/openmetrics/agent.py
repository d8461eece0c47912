"""What the Agent makes of counters that its OpenMetrics check submits, in a few lines: what ours is compared with."""

from collections.abc import Iterable

from ddtrace_litellm.openmetrics.samples import Sample


class MonotonicCount:
    """One context of the Agent's aggregator (``pkg/metrics/monotonic_count.go``)."""

    def __init__(self):
        self.previous = self.current = self.total = 0.0
        self.sampled = self.known = self.flush_first = False

    def add(self, value: float, flush_first: bool) -> None:
        """Take one sample."""
        if self.sampled:
            self.previous, self.known = self.current, True
        self.current, self.sampled, self.flush_first = value, True, flush_first
        step = value - self.previous
        if step >= 0 and (self.known or flush_first):
            self.total += step
        elif flush_first:
            self.total = value

    def flush(self) -> float | None:
        """Return what the samples since the last flush add up to, ``None`` for nothing to send."""
        if not self.sampled or not (self.known or self.flush_first):
            return None
        total, self.previous, self.known = self.total, self.current, True
        self.total, self.sampled, self.flush_first = 0.0, False, False
        return total


class Agent:
    """The check and the Agent: every sample of a counter's family is a monotonic count, ``_created`` too."""

    def __init__(self, exclude: frozenset[str] = frozenset()):
        self.exclude, self.contexts, self.flush_first = exclude, {}, False

    def scrape(self, samples: Iterable[Sample]) -> list[float]:
        """Return what one scrape sends; samples that raise before their end are a scrape that failed."""
        try:
            for sample in samples:
                if sample.type == "counter":
                    tags = tuple(label for label in sample.labels if label[0] not in self.exclude)
                    count = self.contexts.setdefault((sample.family, tags), MonotonicCount())
                    count.add(sample.value, self.flush_first)
            self.flush_first = True
        except OSError:
            self.flush_first = False
        return [sent for count in self.contexts.values() if (sent := count.flush()) is not None]
