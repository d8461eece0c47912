"""Scrapes one proxy every few seconds, from a thread of the user's process."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from functools import cache
from queue import Empty, SimpleQueue
from typing import NamedTuple

from ddtrace_litellm import masking
from ddtrace_litellm.metrics.batch import MetricBatch, Record, ServiceCheck, Status
from ddtrace_litellm.metrics.log_once import LogOnce
from ddtrace_litellm.metrics.sinks import Sink
from ddtrace_litellm.openmetrics.names import NAMESPACE
from ddtrace_litellm.openmetrics.pipeline.collector import Collector
from ddtrace_litellm.openmetrics.pipeline.notices import Notices
from ddtrace_litellm.openmetrics.samples import Sample
from ddtrace_litellm.openmetrics.sources import Source
from ddtrace_litellm.telemetry import counters
from ddtrace_litellm.transport import UnreachableError

log = logging.getLogger("ddtrace.litellm.openmetrics")

HEALTH = f"{NAMESPACE}.openmetrics.health"
DROPPED_SERIES = f"{NAMESPACE}.openmetrics.dropped_series.count"
UNDELIVERED = f"{NAMESPACE}.openmetrics.undelivered_values.count"
LONGEST_BACK_OFF = 60.0
"""Seconds between two tries at most, as a proxy that is back should not be missed for longer; but never less than the
interval."""

_SOON = 0.1
_LONGEST_HURRY = 60.0
_SAMPLES_AT_ONCE = 1000
_LONGEST_MESSAGE = 500
_MOST_REASONS = 8


class Schedule:
    """When to scrape: in fixed steps from the first time on, in longer ones after failures, in short ones at the end.

    A time that was missed is left out, so that nothing is ever scraped twice in a row to make up for it.

    Args:
        interval: seconds.
        clock: monotonic seconds.
    """

    def __init__(self, interval: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._interval, self._clock = interval, clock
        self._due = clock()
        self._failures = 0
        self._hurried_until = self._due

    def wait(self) -> float:
        """Return the seconds until the next time, 0 where it has come."""
        return max(0.0, self._due - self._clock())

    def hurry(self) -> None:
        """Leave no more time between scrapes than it takes not to be a burden; for a while, as the end may not come."""
        self._hurried_until = self._clock() + _LONGEST_HURRY

    def done(self, took: float, *, failed: bool) -> None:
        """Plan the next time.

        Args:
            took: how many seconds the scrape took.
            failed: whether it is to be tried again later than usual.
        """
        self._failures = self._failures + 1 if failed else 0
        now = self._clock()
        if now < self._hurried_until:
            self._due = now + min(self._interval, max(_SOON, 4 * took))
            return
        step = self._interval
        if self._failures:
            step = max(step, min(LONGEST_BACK_OFF, step * 2.0 ** min(self._failures - 1, 10)))
        missed = max(0.0, now - self._due) // step
        self._due += step * (missed + 1)


@dataclass(frozen=True)
class ScrapeOptions:
    """Settings of a scrape that do not depend on the content of the page.

    Attributes:
        interval: seconds from one scrape to the next.
        health_check: send the service check.
        ignore_connection_errors: what cannot be reached is asked again as soon as what can.
        extra: returns metrics that do not come from the page, where some are due. Never raises.
        wanted: whether there is something to scrape here and now. While there is not, nothing is sent and nothing is
            wrong: the registry has nothing of LiteLLM's yet, or another process scrapes the same endpoint.
        guard: held while a page is read.
    """

    interval: float
    health_check: bool = True
    ignore_connection_errors: bool = False
    extra: Callable[[], list[Record]] = list
    wanted: Callable[[], bool] = lambda: True
    guard: AbstractContextManager[object] = field(default_factory=nullcontext)


class Scraper:
    """One source, scraped to one sink by one thread.

    Args:
        source: where pages come from.
        collector: returns what makes metrics of them; called when there may be a page for the first time.
        sink: where those go.
        options: how.
    """

    def __init__(self, source: Source, collector: Callable[[], Collector], sink: Sink, options: ScrapeOptions) -> None:
        self._source, self._sink, self._options = source, sink, options
        self._collector = cache(collector)
        self._failures = LogOnce(log, _MOST_REASONS)
        self._notices = Notices(log, source.name)
        self._undelivered = 0
        self._orders: SimpleQueue[_Order] = SimpleQueue()

    def ask(self, deadline: float, *, last: bool) -> threading.Event:
        """Have :meth:`run` scrape now; before the end of the process, or of the scraper.

        It may be called by a signal's handler, which must not wait for a lock that what it interrupts may hold: each
        call makes an event of its own, and the queue may be used by whoever interrupts its use.

        Args:
            deadline: until when there is time for it, on the monotonic clock.
            last: then deliver everything and return from :meth:`run`; if not, go on, but at short intervals.

        Returns:
            what is set when that is done.
        """
        order = _Order(last, deadline, threading.Event())
        self._orders.put(order)
        return order.done

    def run(self) -> None:
        """Scrape from now on, the first time at once, until there was a last time."""
        schedule = Schedule(self._options.interval)
        while True:
            order = self._next_order(schedule.wait())
            began = time.monotonic()
            failed = not self._scrape_safely(last=order is not None and order.last)
            if order is not None:
                if order.last:
                    self._close(order.deadline)
                schedule.hurry()
                order.done.set()
                if order.last:
                    return
            schedule.done(time.monotonic() - began, failed=failed)

    def _next_order(self, timeout: float) -> _Order | None:
        try:
            return self._orders.get(timeout=timeout)
        except Empty:
            return None

    def _scrape_safely(self, *, last: bool) -> bool:
        try:
            return self.scrape(last=last)
        except Exception as error:
            log.debug("the scraper of %s failed\n%s", self._source.name, masking.raised_at(error))
            return False

    def _close(self, deadline: float) -> None:
        try:
            self._sink.close(max(0.0, deadline - time.monotonic()))
        except Exception as error:
            log.debug("what the scraper of %s still held is lost\n%s", self._source.name, masking.raised_at(error))

    def scrape(self, *, last: bool = False) -> bool:
        """Read one page and send what became of it.

        Args:
            last: the process ends, and what cannot be reached any more may have ended before: that is no failure.

        Returns:
            whether the next one may follow at the usual time.
        """
        try:
            if not self._options.wanted():
                return True
            collector = self._collector()
            with self._options.guard, self._source.read() as reading:
                batch = collector.collect(_sharing(reading.samples), reading.asked_at)
        except Exception as error:
            return last or self._failed(error)
        self._sink.send(batch._replace(records=[*batch.records, *self._own(batch)]), time.time())
        sent = len(batch.records) + len(batch.distributions)
        counters.series_sent.add(sent)
        counters.series_dropped.add(batch.dropped)
        log.debug("litellm: metrics of %s: %d values sent, %d series left out", self._source.name, sent, batch.dropped)
        # Not before: only what was read to its end is well.
        self._check(Status.OK)
        self._failures.over("metrics of %s: received again", self._source.name)
        self._notices.tell(batch)
        if not last and (records := self._options.extra()):
            self._sink.send(MetricBatch(records), time.time())
        return True

    def _failed(self, error: Exception) -> bool:
        reason = masking.reason(error)
        log.debug("no page from %s\n%s", self._source.name, masking.raised_at(error))
        self._check(Status.CRITICAL, reason)
        ignored = self._options.ignore_connection_errors and isinstance(error, UnreachableError)
        self._failures.warning(reason, "metrics of %s: not received: %s", self._source.name, reason)
        return ignored

    def _check(self, status: Status, message: str = "") -> None:
        if self._options.health_check:
            result = ServiceCheck(HEALTH, status, self._collector().tags, message[:_LONGEST_MESSAGE])
            self._sink.check(result, time.time())

    def _own(self, batch: MetricBatch) -> Iterator[Record]:
        """What there is to say of the scraper itself."""
        if batch.dropped:
            yield Record(DROPPED_SERIES, "count", batch.dropped, self._collector().tags)
        undelivered = self._sink.dropped
        if undelivered > self._undelivered:
            yield Record(UNDELIVERED, "count", undelivered - self._undelivered, self._collector().tags)
            counters.series_dropped.add(undelivered - self._undelivered)
            self._undelivered = undelivered


class _Order(NamedTuple):
    """A scrape that is wanted now, as ``Scraper.ask`` describes it."""

    last: bool
    deadline: float
    done: threading.Event


def _sharing(samples: Iterable[Sample]) -> Iterator[Sample]:
    """Pass the samples on, and let the user's threads, or with gevent their greenlets, run in between."""
    for number, sample in enumerate(samples, 1):
        yield sample
        if not number % _SAMPLES_AT_ONCE:
            time.sleep(0)
