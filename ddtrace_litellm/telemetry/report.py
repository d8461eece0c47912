"""Sends the counters to an Agent's DogStatsD, if ``DD_LITELLM_HEALTH_METRICS_ENABLED`` says so."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Callable, Mapping

from ddtrace_litellm.metrics.batch import MetricBatch, Record
from ddtrace_litellm.metrics.sinks import Sink
from ddtrace_litellm.telemetry.counters import Snapshot, snapshot

log = logging.getLogger("ddtrace.litellm")

INTERVAL = 10.0
"""Seconds from one report to the next: what an Agent makes one point of."""

_SECONDS_AT_EXIT = 1.0
_Series = tuple[str, tuple[str, ...]]
_Connect = Callable[[Mapping[str, str]], Sink]


def totals(counted: Snapshot) -> dict[_Series, int]:
    """Return the counters by name and tags of the metric."""
    return {
        ("ddtrace_litellm.spans.opened", ()): counted.opened,
        **{("ddtrace_litellm.spans.ended", (f"outcome:{name}",)): number for name, number in counted.ended.items()},
        **{
            ("ddtrace_litellm.internal_errors", (f"place:{place}",)): number
            for place, number in counted.internal_errors.items()
        },
    }


class Reporter:
    """Sends what was counted since the last time, from a daemon thread.

    Args:
        sink: where to.
        interval: seconds.
    """

    def __init__(self, sink: Sink, interval: float = INTERVAL) -> None:
        self._sink, self._interval = sink, interval
        self._sent: dict[_Series, int] = {}
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._run, name="ddtrace-litellm-health-metrics", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Send the rest and end."""
        self._ending.set()
        self._thread.join(_SECONDS_AT_EXIT)

    def _run(self) -> None:
        while not self._ending.wait(self._interval):
            self._report()
        self._report()
        self._sink.close(_SECONDS_AT_EXIT)

    def _report(self) -> None:
        now = totals(snapshot())
        added = {series: number - self._sent.get(series, 0) for series, number in now.items()}
        records = [Record(name, "count", number, tags) for (name, tags), number in added.items() if number]
        if records:
            self._sink.send(MetricBatch(records), time.time())
        self._sent = now


def _dogstatsd() -> _Connect:
    from ddtrace_litellm.metrics.sinks import dogstatsd

    connect: _Connect = dogstatsd.from_environment
    return connect


class _Process:
    """The reporter of this process, if there is one; a forked process gets its own."""

    def __init__(self) -> None:
        self._reporter: Reporter | None = None
        self._connect: _Connect | None = None
        if hasattr(os, "register_at_fork"):  # not on Windows
            os.register_at_fork(after_in_child=self._restart)

    def start(self, connect: _Connect | None = None) -> None:
        """Report from now until the end of the process.

        Args:
            connect: makes the sink out of the environment; DogStatsD's by default.
        """
        if self._reporter is not None:
            return
        try:
            self._connect = connect or _dogstatsd()
        except ImportError as error:
            log.warning("DD_LITELLM_HEALTH_METRICS_ENABLED: nothing is sent (%s); pip install datadog", error)
            return
        self._reporter = Reporter(self._connect(os.environ))
        atexit.register(self.stop)

    def stop(self) -> None:
        """Report a last time."""
        reporter, self._reporter = self._reporter, None
        if reporter is not None:
            reporter.stop()

    def _restart(self) -> None:
        # The thread is the parent's, and what it has sent; the counters are at zero.
        if self._reporter is not None and self._connect is not None:
            self._reporter = Reporter(self._connect(os.environ))


_process = _Process()
start, stop = _process.start, _process.stop
