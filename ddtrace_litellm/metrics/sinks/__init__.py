"""Destinations of metrics: an Agent's DogStatsD, or Datadog's API."""

from typing import Protocol

from ddtrace_litellm.metrics.batch import MetricBatch, ServiceCheck


class Sink(Protocol):
    """A destination of metrics. Only the scraper's thread calls it; no call raises.

    Attributes:
        dropped: how many values could not be delivered so far.
    """

    @property
    def dropped(self) -> int: ...

    def send(self, batch: MetricBatch, now: float) -> None:
        """Send the metrics of a page.

        Args:
            batch: the metrics.
            now: seconds since 1970, the time of all its values.
        """

    def check(self, result: ServiceCheck, now: float) -> None:
        """Send a service check."""

    def close(self, timeout: float) -> None:
        """Deliver what is still held, within ``timeout`` seconds."""
