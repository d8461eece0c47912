"""Where metrics go: to an Agent's DogStatsD, or to Datadog itself."""

from typing import Protocol

from ddtrace_litellm.metrics.batch import MetricBatch, ServiceCheck


class Sink(Protocol):
    """One place that metrics go to. Called from the scraper's thread only; no call raises.

    Attributes:
        dropped: how many values could not be delivered so far.
    """

    @property
    def dropped(self) -> int: ...

    def send(self, batch: MetricBatch, now: float) -> None:
        """Send what became of a page.

        Args:
            batch: the metrics.
            now: seconds since 1970, the time of all its values.
        """

    def check(self, result: ServiceCheck, now: float) -> None:
        """Send a service check."""

    def close(self, timeout: float) -> None:
        """Deliver what is still held, within so many seconds."""
