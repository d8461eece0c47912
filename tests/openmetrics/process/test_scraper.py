"""One scraper, its page, its sink and its thread; the times are in ``test_schedule.py``."""

import logging
import threading
import time
from contextlib import contextmanager

import pytest

from ddtrace_litellm.metrics.batch import MetricBatch, Record, ServiceCheck, Status, UnmappedFamilies
from ddtrace_litellm.openmetrics.process.scraper import DROPPED_SERIES, HEALTH, UNDELIVERED, ScrapeOptions, Scraper
from ddtrace_litellm.openmetrics.sources import Reading, SourceError
from ddtrace_litellm.openmetrics.sources.leader import NotPrivateError
from ddtrace_litellm.openmetrics.text.parser import ParseError
from ddtrace_litellm.telemetry import snapshot
from ddtrace_litellm.transport import UnreachableError
from tests.openmetrics.pages import broken, counter

TAGS = ("endpoint:http://proxy/metrics", "team:a")
PATIENCE = 10
NEVER = 3600.0


class Source:
    """Pages as the test says: samples, or an exception to be raised."""

    name = endpoint = "http://proxy/metrics"
    started = None
    inherited = ()

    def __init__(self, *pages):
        self.pages = list(pages)
        self.reads = 0

    @contextmanager
    def read(self):
        """Return the next page, and the last one again and again."""
        self.reads += 1
        page = self.pages.pop(0) if len(self.pages) > 1 else self.pages[0]
        if isinstance(page, Exception):
            raise page
        yield Reading(page, 5.0)


class Collector:
    """Makes one record of each sample."""

    tags = TAGS

    def __init__(self, dropped=(), by_rule=None, *, mixed=False):
        self.dropped, self.by_rule, self.mixed = list(dropped), by_rule or {}, mixed

    def collect(self, samples, asked_at):
        """Read the page to its end."""
        assert asked_at == 5.0
        records = [Record(sample.family, "count", sample.value, ()) for sample in samples]
        dropped = self.dropped.pop(0) if self.dropped else 0
        return MetricBatch(records, UnmappedFamilies(self.by_rule, ()), dropped=dropped, mixed=self.mixed)


class Sink:
    """Keeps what it gets, in order."""

    def __init__(self):
        self.dropped = 0
        self.sent = []
        self.closed = threading.Event()

    def send(self, scraped, now):
        """Keep the names and values."""
        assert abs(now - time.time()) < 60
        self.sent.append({record.name: record.value for record in scraped.records})
        self.tags = [record.tags for record in scraped.records]

    def check(self, result, now):
        """Keep the check."""
        assert abs(now - time.time()) < 60
        self.sent.append(result)

    def close(self, timeout):
        """Note that nothing comes any more."""
        assert timeout >= 0
        self.closed.set()

    @property
    def checks(self):
        """The results of the service check, and nothing else."""
        return [each.status for each in self.sent if isinstance(each, ServiceCheck)]

    @property
    def pages(self):
        """What was sent of pages."""
        return [each for each in self.sent if isinstance(each, dict)]


def scraper(source, sink, collector=None, **manner):
    """Return a scraper with fakes around it."""
    return Scraper(source, lambda: collector or Collector(), sink, ScrapeOptions(**{"interval": NEVER, **manner}))


def started(one):
    """Return the thread in which a scraper now runs."""
    thread = threading.Thread(target=one.run, daemon=True)
    thread.start()
    return thread


def test_a_page_is_sent_then_the_check():
    """The service check says ok behind the page, with the tags of the instance and no message."""
    sink = Sink()
    assert scraper(Source(counter(3)), sink).scrape()
    assert sink.sent == [{"litellm_x": 3}, ServiceCheck(HEALTH, Status.OK, TAGS)]


@pytest.mark.parametrize(
    ("page", "message"),
    [
        (SourceError("401, a key is needed"), "401, a key is needed"),
        (broken(counter(3)), "ConnectionError"),
        (ParseError(3, "it is no sample"), "line 3 of the metrics page: it is no sample"),
        (RuntimeError("http://u:secret@h"), "RuntimeError"),
    ],
    ids=["no page", "cut", "no sample", "bug"],
)
def test_a_page_that_is_not_whole_is_critical(page, message):
    """Nothing of it is sent, and the check is critical with the reason, however late on the page it failed."""
    sink = Sink()
    assert not scraper(Source(page), sink).scrape()
    assert sink.sent == [ServiceCheck(HEALTH, Status.CRITICAL, TAGS, message)]


def test_a_long_reason_is_cut():
    """A message has the 500 characters that Datadog keeps."""
    sink = Sink()
    scraper(Source(SourceError("x" * 1000)), sink).scrape()
    assert sink.sent[0].message == "x" * 500


def test_without_the_check_only_metrics_are_sent():
    """With ``enable_health_service_check: false`` there is none, neither good nor bad."""
    sink = Sink()
    one = scraper(Source(counter(3), SourceError("gone")), sink, health_check=False)
    one.scrape()
    one.scrape()
    assert sink.sent == [{"litellm_x": 3}]


def test_one_warning_for_each_change(caplog):
    """A failure is one warning, another reason another one, and one line says that it is over."""
    caplog.set_level(logging.INFO)
    gone, locked = SourceError("gone"), SourceError("401")
    sink = Sink()
    one = scraper(Source(counter(1), gone, gone, locked, gone, counter(2), counter(3), gone), sink)
    for _ in range(8):
        one.scrape()
    said = [(record.levelname, record.getMessage().rpartition(": ")[2]) for record in caplog.records]
    assert said == [("WARNING", "gone"), ("WARNING", "401"), ("INFO", "received again"), ("WARNING", "gone")]
    assert all("http://proxy/metrics" in message for message in caplog.messages)
    ok, critical = Status.OK, Status.CRITICAL
    assert sink.checks == [ok, critical, critical, critical, critical, ok, ok, critical]


def test_reasons_are_bounded(caplog):
    """A reason that is never the same twice does not fill the log."""
    one = scraper(Source(*[SourceError(f"reason {number}") for number in range(100)]), Sink())
    for _ in range(100):
        one.scrape()
    assert len(caplog.messages) == 8


def test_ignored_connection_errors():
    """They are critical too, but no reason to try later than usual; others are."""
    sink = Sink()
    one = scraper(Source(UnreachableError("gone"), SourceError("401")), sink, ignore_connection_errors=True)
    assert one.scrape()
    assert not one.scrape()
    assert sink.checks == [Status.CRITICAL, Status.CRITICAL]
    assert not scraper(Source(UnreachableError("gone")), sink).scrape()


def test_what_is_not_wanted_is_not_asked_for():
    """Where another process scrapes, or the registry holds nothing yet, nothing is read and nothing is sent."""
    wanted = [False, False, True]
    source, sink = Source(counter(1)), Sink()
    one = scraper(source, sink, wanted=lambda: wanted.pop(0))
    assert [one.scrape(), one.scrape(), one.scrape()] == [True] * 3
    assert source.reads == 1
    assert sink.checks == [Status.OK]


def test_who_is_wanted_cannot_be_told():
    """Where several processes cannot agree on who scrapes, none does, as twice is worse; but it is said."""

    def wanted():
        raise NotPrivateError("/tmp/x.lock is not a private file of this user")

    source, sink = Source(counter(1)), Sink()
    assert not scraper(source, sink, wanted=wanted).scrape()
    assert source.reads == 0
    (check,) = sink.sent
    assert (check.status, "private file" in check.message) == (Status.CRITICAL, True)


def test_the_collector_is_made_with_the_first_page():
    """What a registry began with is known only when LiteLLM's metrics are there."""
    made = []

    def collector():
        made.append(True)
        return Collector()

    wanted = [False, True, True]
    one = Scraper(Source(counter(1)), collector, Sink(), ScrapeOptions(NEVER, wanted=lambda: wanted.pop(0)))
    one.scrape()
    assert not made
    one.scrape()
    one.scrape()
    assert made == [True]


def test_what_was_dropped_is_counted(caplog):
    """Series above the cap and values that did not arrive become counts, with one warning while it lasts."""
    sink, before = Sink(), snapshot()
    one = scraper(Source(counter(1)), sink, Collector(dropped=[3, 2, 0, 1]))
    one.scrape()
    sink.dropped = 7
    one.scrape()
    assert sink.tags == [(), TAGS, TAGS]
    one.scrape()
    sink.dropped = 8
    one.scrape()
    x = {"litellm_x": 1}
    assert sink.pages == [
        {**x, DROPPED_SERIES: 3},
        {**x, DROPPED_SERIES: 2, UNDELIVERED: 7},
        x,
        {**x, DROPPED_SERIES: 1, UNDELIVERED: 1},
    ]
    assert ["max_returned_metrics" in message for message in caplog.messages] == [True, True]
    after = snapshot()
    assert (after.series_sent - before.series_sent, after.series_dropped - before.series_dropped) == (4, 6 + 8)


def test_an_unknown_family_is_told_once(caplog):
    """A family that is not in the table is named in the log once, with the name it is sent under."""
    caplog.set_level(logging.INFO)
    one = scraper(Source(counter(1)), Sink(), Collector(by_rule={"litellm_new_thing": "litellm.new_thing"}))
    one.scrape()
    one.scrape()
    (message,) = caplog.messages
    assert "litellm_new_thing" in message
    assert "litellm.new_thing" in message


def test_workers_that_cannot_be_told_apart_are_one_warning(caplog):
    """Where no count can be right, the log says so once, and what to do."""
    one = scraper(Source(counter(1)), Sink(), Collector(mixed=True))
    one.scrape()
    one.scrape()
    (message,) = caplog.messages
    assert "PROMETHEUS_DISABLE_CREATED_SERIES" in message


def test_metrics_beside_the_page():
    """They are sent behind the page and its check, where there are any."""
    sink = Sink()
    answers = iter([[], [Record("litellm.endpoint.info", "gauge", 1, ())]])
    one = scraper(Source(counter(1)), sink, extra=lambda: next(answers))
    one.scrape()
    one.scrape()
    x, ok = {"litellm_x": 1}, ServiceCheck(HEALTH, Status.OK, TAGS)
    assert sink.sent == [x, ok, x, ok, {"litellm.endpoint.info": 1}]


def test_the_guard_is_held_while_a_page_is_read():
    """What keeps forks away is held from the request to the last sample, and given back."""
    lock = threading.Lock()
    seen = []

    def page():
        seen.append(lock.locked())
        yield from counter(1)
        seen.append(lock.locked())

    scraper(Source(page()), Sink(), guard=lock).scrape()
    assert seen == [True, True]
    assert not lock.locked()


def test_the_last_page_is_sent_at_the_end():
    """The thread reads at once, sleeps, and at the end reads once more, delivers and ends."""
    source, sink = Source(counter(1), counter(2)), Sink()
    one = scraper(source, sink)
    thread = started(one)
    _until(lambda: sink.checks)
    assert one.ask(time.monotonic() + PATIENCE, last=True).wait(PATIENCE)
    assert [page["litellm_x"] for page in sink.pages] == [1, 2]
    assert sink.closed.is_set()
    thread.join(PATIENCE)
    assert not thread.is_alive()


def test_a_source_that_is_gone_at_the_end_is_no_failure(caplog):
    """A proxy that ended before its scraper is not critical."""
    sink = Sink()
    one = scraper(Source(counter(1), UnreachableError("gone")), sink)
    one.scrape()
    one.scrape(last=True)
    assert sink.checks == [Status.OK]
    assert caplog.messages == []


def test_the_end_does_not_wait_for_a_source_that_hangs():
    """Whoever waits gets control back at the deadline."""
    hang = threading.Event()

    def page():
        hang.wait(PATIENCE)
        yield from counter(1)

    sink = Sink()
    one = scraper(Source(page()), sink)
    started(one)
    assert not one.ask(time.monotonic() + 0.05, last=True).wait(0.05)
    hang.set()
    assert sink.closed.wait(PATIENCE)


def test_asked_at_a_signal_it_goes_on():
    """A page is read at once, and from then on without the interval's pauses."""
    source, sink = Source(counter(1)), Sink()
    one = scraper(source, sink)
    started(one)
    _until(lambda: sink.checks)
    assert one.ask(time.monotonic() + PATIENCE, last=False).wait(PATIENCE)
    assert len(sink.checks) >= 2
    _until(lambda: len(sink.checks) >= 4)
    assert not sink.closed.is_set()
    assert one.ask(time.monotonic() + PATIENCE, last=True).wait(PATIENCE)


def test_a_failure_of_ours_does_not_end_the_thread():
    """Even a sink that raises, which none does, leaves the thread running."""
    source, sink = Source(counter(1)), Sink()
    one = scraper(source, sink, interval=0.01)
    works, sink.send = sink.send, None
    started(one)
    _until(lambda: source.reads >= 2)
    sink.send = works
    _until(lambda: sink.pages)
    assert one.ask(time.monotonic() + PATIENCE, last=True).wait(PATIENCE)


def _until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.005)
