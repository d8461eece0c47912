import sys
import threading
import time

import prometheus_client
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram, Info, Summary
from prometheus_client.openmetrics.exposition import generate_latest as openmetrics_page

from ddtrace_litellm.openmetrics.pipeline.deltas import Deltas
from ddtrace_litellm.openmetrics.samples import Sample, samples_of
from ddtrace_litellm.openmetrics.sources import SourceError
from ddtrace_litellm.openmetrics.sources.registry import RegistrySource
from ddtrace_litellm.openmetrics.text.parser import parse
from tests.openmetrics.pages import as_text
from tests.openmetrics.peers import OPENMETRICS
from tests.openmetrics.worker import Worker


@pytest.fixture
def registry(monkeypatch):
    """Stand in for the registry of the process."""
    registry = CollectorRegistry(auto_describe=True)
    monkeypatch.setattr(prometheus_client, "REGISTRY", registry)
    return registry


def samples(source):
    """Return a page."""
    with source.read() as reading:
        return list(reading.samples)


def read(deltas, source):
    """Return what LiteLLM's counters on a page add."""
    with source.read() as reading:
        page = deltas.read(reading.samples, reading.asked_at)
    return [step.value for step in page.counters if step.family.startswith("litellm_")]


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
amounts = st.floats(0, 1e12)


@st.composite
def registries(draw):
    """Return a registry with metrics of every type."""
    registry = CollectorRegistry()
    metrics = [
        Counter("litellm_c", "", ["z", "a"], registry=registry),
        Gauge("litellm_g", "", ["le", "quantile"], registry=registry),
        Histogram(
            "litellm_h", "", ["z", "a"], buckets=draw(st.sampled_from([(0.1, 1), (1, 2.5, 1e7)])), registry=registry
        ),
        Summary("litellm_s", "", ["z", "a"], registry=registry),
    ]
    for metric in metrics:
        for labels in draw(st.lists(st.tuples(texts, texts), max_size=3)):
            child = metric.labels(*labels)
            getattr(child, "inc" if metric is metrics[0] else "set" if metric is metrics[1] else "observe")(
                draw(amounts)
            )
    return registry


@given(registries())
def test_samples_are_those_of_the_page(registry):
    """Both forms of the registry's page, read by our parser, have the same samples in the same order."""
    ours = list(samples_of(registry.collect()))
    assert ours == list(parse([openmetrics_page(registry)], OPENMETRICS))
    assert as_text(ours) == list(parse([prometheus_client.generate_latest(registry)]))


def test_samples_of_other_types_are_those_of_the_page(registry):
    """Infos, state sets, labels without a value and the numbers that are none come as on the page."""
    Info("litellm_i", "", registry=registry).info({"version": "1"})
    Enum("litellm_e", "", states=["up", "down"], registry=registry)
    Gauge("litellm_g", "", registry=registry).set(float("inf"))
    Counter("litellm_c", "", registry=registry).inc(exemplar={"trace": "1"})
    page = [*parse([openmetrics_page(registry)], OPENMETRICS)]
    assert list(samples_of(registry.collect())) == page


def test_everything_that_the_process_counted_counts(registry):
    """The first page adds all there is, a later one what came since, whether the series was there or not."""
    source = RegistrySource()
    deltas = Deltas(source.started, inherited=source.inherited)
    counter = Counter("litellm_x", "", ["user"], registry=registry)
    counter.labels("a").inc(5)
    assert read(deltas, source) == [5]
    counter.labels("a").inc(2)
    counter.labels("b").inc(3)
    assert read(deltas, source) == [2, 3]
    assert read(deltas, source) == []


@pytest.mark.usefixtures("created_off")
def test_everything_counts_without_dates(registry):
    """It does so too where PROMETHEUS_DISABLE_CREATED_SERIES takes away the dates."""
    source = RegistrySource()
    deltas = Deltas(source.started, inherited=source.inherited)
    counter = Counter("litellm_x", "", ["user"], registry=registry)
    counter.labels("a").inc(5)
    assert read(deltas, source) == [5]
    counter.labels("b").inc(3)
    assert read(deltas, source) == [3]


@pytest.fixture
def created_off():
    """Have no ``_created`` in the registry."""
    prometheus_client.disable_created_metrics()
    yield
    prometheus_client.enable_created_metrics()


def test_series_that_the_proxy_drops_and_begins_again(registry):
    """A series that LiteLLM removes and makes again counts from 0, even if it has overtaken what it was."""
    source = RegistrySource()
    deltas = Deltas(source.started)
    counter = Counter("litellm_x", "", ["user"], registry=registry)
    counter.labels("a").inc(5)
    assert read(deltas, source) == [5]
    counter.remove("a")
    counter.labels("a").inc(7)
    assert read(deltas, source) == [7]


def test_source_made_late_counts_what_began_in_this_process(registry):
    """What was counted before the source was made counts, unless a process before this one began it."""
    own, inherited = (Counter(f"litellm_{name}", "", registry=registry) for name in ("own", "inherited"))
    own.inc(5)
    inherited.inc(100)
    inherited._created = 1e9
    prometheus_client.ProcessCollector(registry=registry)
    source = RegistrySource()
    deltas = Deltas(source.started, inherited=source.inherited)
    assert read(deltas, source) == [5]
    inherited.inc(1)
    assert read(deltas, source) == [1]


def test_waits_for_metrics_that_come_later(registry):
    """Before LiteLLM's families are there it says so in words, without them it is not available, and then it reads."""
    Counter("other", "", registry=registry)
    source = RegistrySource()
    assert not source.available()
    with pytest.raises(SourceError, match="no LiteLLM metrics yet"):
        samples(source)
    Counter("litellm_x", "", registry=registry)
    assert source.available()
    assert {"other", "litellm_x"} <= {sample.family for sample in samples(source)}


def test_process_start_is_the_first_sample_and_never_changes(registry):
    """Where the process' collector comes, goes, or is not there, each page is the same process' page."""
    Counter("litellm_x", "", registry=registry)
    source = RegistrySource()
    started = samples(source)[0]
    assert started == Sample("process_start_time_seconds", "gauge", "", (), "", pytest.approx(time.time(), abs=60))
    prometheus_client.ProcessCollector(registry=registry)
    assert [s for s in samples(source) if s.family == "process_start_time_seconds"] == [started]


@pytest.mark.skipif(sys.platform != "linux", reason="prometheus_client reads /proc")
def test_process_start_is_that_of_the_process(registry):
    """It is what prometheus_client says, and it is there once."""
    collector = prometheus_client.ProcessCollector(registry=registry)
    Counter("litellm_x", "", registry=registry)
    expected = next(family for family in collector.collect() if family.name == "process_start_time_seconds")
    page = samples(RegistrySource())
    assert [s.value for s in page if s.family == "process_start_time_seconds"] == [expected.samples[0].value]
    assert "process_open_fds" in {s.family for s in page}


def test_counts_while_other_threads_count(registry):
    """Series that are counted, made and removed while a page is read are on it or on the next one."""
    source = RegistrySource()
    deltas = Deltas(source.started)
    counter = Counter("litellm_x", "", ["user"], registry=registry)
    shortlived = Gauge("litellm_g", "", ["user"], registry=registry)

    def work(name):
        for number in range(3000):
            counter.labels(str(number % 700)).inc()
            shortlived.labels(f"{name}{number}").set(1)
            if number >= 10:
                shortlived.remove(f"{name}{number - 10}")

    threads = [threading.Thread(target=work, args=name) for name in "abc"]
    for thread in threads:
        thread.start()
    total = sum(read(deltas, source))
    while any(thread.is_alive() for thread in threads):
        total += sum(read(deltas, source))
    assert total + sum(read(deltas, source)) == 9000


class Failing:
    """A collector of the user's that fails once it is told to."""

    fails = False

    def describe(self):
        return []

    def collect(self):
        if self.fails:
            raise RuntimeError("dictionary changed size during iteration")
        return []


def test_collector_that_fails_costs_no_step(registry):
    """A page that breaks off is an error in words and leaves no trace; the next one has all."""
    source = RegistrySource()
    deltas = Deltas(source.started)
    counter = Counter("litellm_x", "", registry=registry)
    failing = Failing()
    registry.register(failing)
    counter.inc(2)
    assert read(deltas, source) == [2]
    counter.inc(3)
    failing.fails = True
    with pytest.raises(SourceError, match="the registry cannot be read: RuntimeError in a collector"):
        read(deltas, source)
    failing.fails = False
    assert read(deltas, source) == [3]


def test_collector_that_always_fails_hides_nothing(registry):
    """Where it cannot be told whether LiteLLM's metrics are there, reading says why."""
    failing = Failing()
    registry.register(failing)
    failing.fails = True
    source = RegistrySource()
    assert source.available()
    with pytest.raises(SourceError, match="cannot be read"):
        samples(source)


def test_never_imports_prometheus_client():
    """A process that does not use it has no metrics, and still has not imported it afterwards."""
    with Worker() as worker:
        assert worker.ask("reader()") is None
        assert worker.ask("reader.source.available()") is False
        assert worker.ask("[name for name in sys.modules if 'prometheus' in name]") == []
        worker.ask("metrics()")
        worker.ask("count('a', 2)")
        assert worker.ask("reader.sent()") == {"litellm_requests a": 2, "litellm_in_flight_requests": 0}


def test_fork_counts_only_what_it_counts_itself():
    """What a process counted until it forked is its own; what both count afterwards counts once each."""
    with Worker() as worker:
        worker.ask("[reader(), metrics(), count('a', 5), observe('a', 2), count('b', 1)] and None")
        child = worker.ask(
            "forked('count(\"a\", 3)', 'observe(\"a\", 0.5)', 'count(\"new\", 2)', 'reader.sent()')",
        )
        assert child == {
            "litellm_requests a": 3,
            "litellm_requests new": 2,
            "litellm_latency a": [1, 0.5, 1, 1, 1],
            "litellm_in_flight_requests": 0,
        }
        worker.ask("count('a', 10)")
        assert worker.ask("reader.sent()") == {
            "litellm_requests a": 15,
            "litellm_requests b": 1,
            "litellm_latency a": [1, 2, 0, 1, 1],
            "litellm_in_flight_requests": 0,
        }
        assert worker.ask(
            "forked('count(\"a\")', 'reader.sent()', 'forked(\"count(\\'a\\', 4)\", \"reader.sent()\")')"
        ) == {
            "litellm_requests a": 4,
            "litellm_in_flight_requests": 0,
        }


def test_fork_without_a_hook_before_it_begins_where_it_stands(registry):
    """Where C code forks, as uWSGI's does, the values then are not known; nothing of the parent's counts again."""
    source = RegistrySource()
    counter = Counter("litellm_x", "", registry=registry)
    counter.inc(5)
    source._after_fork_in_child()
    deltas = Deltas(source.started, inherited=source.inherited)
    assert read(deltas, source) == []
    counter.inc(2)
    assert read(deltas, source) == [2]


def test_fork_leaves_nothing_behind_in_the_parent(registry):
    """The values kept for a fork are not kept for longer, and not at all for a source that is gone."""
    source = RegistrySource()
    Counter("litellm_x", "", registry=registry)
    source._before_fork()
    assert source._at_fork
    source._after_fork_in_parent()
    assert source._at_fork is None
