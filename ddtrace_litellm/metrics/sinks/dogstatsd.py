"""Sends metrics to an Agent's DogStatsD by the ``datadog`` client, paced, and counts what is lost.

What arrives is what the Agent's check submits, but for two things that DogStatsD has no way to say: a count is stored
as a rate (``.as_count()`` reads the same), and the host is a tag. ``DD_ENV``, ``DD_SERVICE``, ``DD_VERSION``,
``DD_ENTITY_ID`` and ``DATADOG_TAGS`` become tags of everything, by the client, and ``DD_TAGS`` by this module; with
``DD_DOGSTATSD_DISABLE`` it sends nothing.

Values go without a time of their own (``|T``, Agent 7.40): the Agent adds up what arrives for one series within ten
seconds from whichever process, while of two values with the same time only one remains.
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from math import nextafter

from ddtrace_litellm import masking
from ddtrace_litellm.metrics.batch import Distribution, MetricBatch, ServiceCheck
from ddtrace_litellm.metrics.log_once import LogOnce
from ddtrace_litellm.metrics.sanitizing import environment_tags, host, message, metric_name, tag
from ddtrace_litellm.metrics.sinks.address import Address, address
from ddtrace_litellm.metrics.sinks.paced import LARGEST_PACKET, PacedClient

log = logging.getLogger("ddtrace.litellm.openmetrics")

BUDGET = 10.0
"""Seconds that one page may take, of the 15 until the next."""

_VALUES_OF_A_LINE = 50  # about a kilobyte
_LARGEST_TAGS = LARGEST_PACKET - 2048  # bytes, beside a name and the values
_LARGEST_CHARACTER = 4


def from_environment(
    environ: Mapping[str, str], *, interval: float = 15.0, tags: Sequence[str] = ()
) -> "DogStatsDSink":
    """Return the sink for the Agent that the environment names, for a page every so many seconds."""
    tags = (*tags, *environment_tags(environ))
    return DogStatsDSink(address(environ), tags=tags, budget=min(BUDGET, interval * 2 / 3))


class DogStatsDSink:
    """A sink for one Agent's DogStatsD. A forked process needs a new one.

    Args:
        to: where it listens.
        tags: of everything, beyond those that the client adds.
        budget: seconds that a page may take, waiting for the Agent included.
        clock: seconds; for tests.
        sleep: pauses so many seconds.
    """

    def __init__(
        self,
        to: Address,
        *,
        tags: Sequence[str] = (),
        budget: float = BUDGET,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = f"DogStatsD at {masking.url(str(to))}"
        self._client = PacedClient(to, tags, budget=budget, clock=clock, sleep=sleep)
        self._trouble = LogOnce(log)
        self._told = 0
        # Those of the client, and those of ours that it has from the same variables.
        of_all = [*dict.fromkeys(map(tag, self._client.constant_tags))]
        self._client.constant_tags = of_all
        self._room = max(_LARGEST_TAGS // 2, _LARGEST_TAGS - sum(len(text.encode()) + 1 for text in of_all))

    @property
    def dropped(self) -> int:
        """How many values could not be delivered. What UDP loses on its way nobody is told, hence the pauses."""
        return self._client.dropped

    def send(self, batch: MetricBatch, now: float) -> None:
        """Send a page; returns when all of it is sent or lost."""
        self._client.begin()
        total = len(batch.records) + len(batch.distributions) + len(batch.checks)
        for index, record in enumerate(batch.records):
            self._client.progress = index / total
            send = self._client.count if record.type == "count" else self._client.gauge
            send(metric_name(record.name), record.value, self._tags(record.tags, record.hostname))
        for index, distribution in enumerate(batch.distributions, len(batch.records)):
            self._client.progress = index / total
            self._distribution(distribution)
        for check in batch.checks:
            self._check(check, now)
        self._end()

    def check(self, result: ServiceCheck, now: float) -> None:
        """Send a service check."""
        self._client.begin()
        self._check(result, now)
        self._end()

    def close(self, timeout: float) -> None:  # noqa: ARG002 - nothing is held back
        """Close the connection."""
        self._client.close_socket()

    def _end(self) -> None:
        self._client.flush()
        lost = self._client.dropped - self._told
        self._told = self._client.dropped
        if lost:
            self._trouble.warning(
                "losses", "%s did not get %d values (%s); they are lost", self.name, lost, self._client.trouble
            )
        else:
            self._trouble.over("%s gets everything again", self.name)

    def _distribution(self, distribution: Distribution) -> None:
        tags = self._tags(distribution.tags, distribution.hostname)
        name = metric_name(distribution.name)
        alike: dict[int, list[str]] = {}
        for value, times in distribution.points():
            alike.setdefault(times, []).append(str(value))
        for times, values in alike.items():
            for first in range(0, len(values), _VALUES_OF_A_LINE):
                some = ":".join(values[first : first + _VALUES_OF_A_LINE])
                # The client's own `distribution` takes a rate as a wish to be sampled (`sampling`: 0.52 to 0.56).
                self._client._report(name, "d", some, tags, _rate(times), sampling=False)  # noqa: SLF001

    def _check(self, check: ServiceCheck, now: float) -> None:
        self._client.service_check(
            metric_name(check.name),
            int(check.status),
            tags=self._tags(check.tags),
            timestamp=int(now),
            hostname=host(check.hostname),
            message=message(check.message),
        )

    def _tags(self, tags: Sequence[str], hostname: str = "") -> list[str]:
        # The client itself cleans the tags of service checks only from 0.56 on.
        found = [*map(tag, tags), f"host:{host(hostname)}"] if hostname else [*map(tag, tags)]
        if sum(map(len, found)) * _LARGEST_CHARACTER <= self._room:
            return found
        # The Agent cuts off what is longer than a packet, and with the end of the line the whole value is lost.
        share = self._room // len(found)
        return [text.encode()[:share].decode(errors="ignore") for text in found]


def _rate(times: int) -> float:
    """Return the rate that the Agent takes for so many times: it cuts off the fraction of the rate's inverse."""
    return nextafter(1 / times, 0) if times > 1 else 1
