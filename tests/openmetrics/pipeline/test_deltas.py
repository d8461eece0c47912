import gc
import random
import sys
import tracemalloc
from math import inf, nan

import pytest
from prometheus_client import CollectorRegistry, Counter, Histogram, values
from prometheus_client.multiprocess import MultiProcessCollector

from ddtrace_litellm.openmetrics.pipeline.deltas import CounterStep, Deltas, EmptyPageError, Observations, Page
from ddtrace_litellm.openmetrics.samples import Sample
from tests.openmetrics.agent import Agent
from tests.openmetrics.measured import FOLDER, needs_data
from tests.openmetrics.pages import (
    added,
    as_text,
    broken,
    counter,
    gauge,
    histogram,
    of_registry,
    of_text,
    process,
)

STARTED = 1000.0


def steps(pages: list[list[Sample]]) -> list[list[float]]:
    """Return what each page adds, of all its counters."""
    deltas = Deltas(STARTED)
    return [added(deltas.read(page, STARTED + 15 * i)) for i, page in enumerate(pages)]


def test_counts_each_worker_behind_one_port_once():
    """A page of whichever of four workers adds what that worker did; the Agent takes every fall for a restart (F1)."""
    chance = random.Random(3)
    agent, deltas = Agent(), Deltas(STARTED)
    workers = [0] * 4
    seen, first, start, official, ours = [0] * 4, [0] * 4, 0, 0.0, 0.0
    for i in range(240):
        workers = [done + chance.randint(5, 15) for done in workers]
        start = start or sum(workers)
        worker = chance.randrange(4)
        first[worker] = first[worker] or workers[worker]
        seen[worker] = workers[worker]
        page = counter(workers[worker], created=900 + worker)
        official += sum(agent.scrape(page[:1]))
        ours += sum(added(deltas.read(process(900) + page, STARTED + 15 * i)))
    assert ours == sum(seen) - sum(first)
    assert official > 9 * (sum(workers) - start)


def test_adds_up_series_that_differ_in_an_excluded_label_after_the_steps_were_taken():
    """Two users' counters under one set of tags are no successive values of one counter (F2)."""
    pages = [counter(a, user="a") + counter(1000, user="b") for a in (100, 110, 120, 130)]
    agent = Agent(frozenset({"user"}))
    assert [agent.scrape(page) for page in pages] == [[900], [1000], [1000], [1000]]
    assert steps(pages) == [[], [10], [10], [10]]


def test_never_sends_when_a_series_was_created():
    """``_created`` tells series apart and is no value of the counter (F4)."""
    pages = [counter(value, created=900) for value in (5, 7, 9)]
    agent = Agent()
    assert max(value for page in pages for value in agent.scrape(page)) > 800
    assert steps(pages) == [[], [2], [2]]


def test_an_empty_page_is_a_failure():
    """After a page without a sample the next one is still the first, and so a baseline (F5)."""
    agent, deltas = Agent(), Deltas(STARTED)
    assert [agent.scrape([]), agent.scrape(counter(100))] == [[], [100]]
    with pytest.raises(EmptyPageError, match="no samples"):
        deltas.read([], STARTED)
    assert added(deltas.read(counter(100), STARTED + 15)) == []


def test_counts_all_of_a_process_that_restarted_and_overtook_its_old_value():
    """A restart is told by ``_created``, not by a fall (F6)."""
    pages = [counter(value, created=created) for value, created in ((10, 900), (12, 900), (25, 1020))]
    agent = Agent()
    assert [agent.scrape(page[:1]) for page in pages] == [[], [2], [13]]
    assert steps(pages) == [[], [2], [25]]
    assert steps([as_text(page) for page in pages]) == [[], [2], [25]]


def test_counts_a_restart_behind_a_failed_scrape():
    """The memory outlives a failure, so that a fall behind it still counts (F7)."""
    agent, deltas = Agent(), Deltas(STARTED)
    for value in (100, 110):
        agent.scrape(counter(value))
        deltas.read(counter(value), STARTED)
    agent.scrape(broken([]))
    with pytest.raises(ConnectionError):
        deltas.read(broken([]), STARTED)
    assert agent.scrape(counter(5)) == [0]
    assert added(deltas.read(counter(5), STARTED)) == [5]


def test_a_page_that_is_cut_short_leaves_no_trace():
    """What half a page says is said again by the whole one (F8)."""
    agent, deltas = Agent(), Deltas(STARTED)
    pages = [counter(1, created=900), broken(counter(8, created=900)), counter(9, created=900)]
    assert [agent.scrape(s for s in page if s.suffix != "_created") for page in pages] == [[], [7], [1]]
    pages[1] = broken(counter(8, created=900))
    assert added(deltas.read(pages[0], STARTED)) == []
    with pytest.raises(ConnectionError):
        deltas.read(pages[1], STARTED)
    assert deltas.read(pages[2], STARTED) == Page([CounterStep("litellm_x", (), 8.0)], [], [], [])


def test_new_series():
    """A series that adds nothing when it is first seen is listed, once: one that is a baseline, or that begins at 0."""
    deltas = Deltas(STARTED)
    first = [*counter(7, created=900), *counter(0, created=1500, k="b"), *counter(3, created=1500, k="c")]
    page = deltas.read([*first, *histogram({"1.0": 1, "+Inf": 1}, 1.0, created=900), *counter(nan, k="d")], STARTED)
    assert [(series.family, series.labels, series.bounds) for series in page.new] == [
        ("litellm_x", (), None),
        ("litellm_x", (("k", "b"),), None),
        ("litellm_h", (), ("1.0", "+Inf")),
    ]
    assert deltas.read([*first, *histogram({"1.0": 1, "+Inf": 1}, 1.0, created=900)], STARTED).new == []


@pytest.mark.parametrize(
    ("pages", "expected"),
    [
        pytest.param([counter(7)], [[]], id="the first page is a baseline"),
        pytest.param([counter(7, created=999)], [[]], id="began before us"),
        pytest.param([counter(7, created=1000)], [[7]], id="began after us"),
        pytest.param([process(999) + counter(7)], [[]], id="process began before us"),
        pytest.param([process(1000) + counter(7)], [[7]], id="process began after us"),
        pytest.param([process(1000) + counter(7, created=999)], [[]], id="a series' own begin comes first"),
        pytest.param([counter(7) + process(1000)], [[7]], id="wherever the process' start stands"),
        pytest.param([counter(7), counter(8) + counter(3, k="b")], [[], [1, 3]], id="new on a page we know"),
        pytest.param([process(1) + counter(7), process(2) + counter(9)], [[], []], id="another process, before us"),
        pytest.param(
            [process(start) + counter(n, created=900) for start, n in ((1, 7), (2, 3), (1, 8), (2, 4))],
            [[], [], [1], [1]],
            id="two processes that began to count at one moment",
        ),
        pytest.param([counter(7), gauge(1), counter(9)], [[], [], [9]], id="vanished and back"),
        pytest.param(
            [counter(7, created=900), gauge(1), counter(9, created=900)], [[], [], [2]], id="vanished is not forgotten"
        ),
        pytest.param(
            [counter(7) + counter(1, k="b"), counter(8), counter(9)], [[], [1], [1]], id="another one vanished"
        ),
        pytest.param([counter(7), counter(4)], [[], [4]], id="fell"),
        pytest.param([counter(7), counter(7)], [[], []], id="stood still"),
        pytest.param([counter(7), counter(nan), counter(9)], [[], [], [2]], id="not a number for once"),
        pytest.param([counter(7), counter(-1), counter(9)], [[], [], [2]], id="negative for once"),
        pytest.param([counter(7), counter(inf), counter(9)], [[], [], [2]], id="infinite for once"),
        pytest.param([counter(nan), counter(7), counter(9)], [[], [], [2]], id="not a number at first"),
        pytest.param([counter(0.6), counter(0.6 - 1e-16), counter(0.6)], [[], [], []], id="summed in another order"),
        pytest.param([counter(1), counter(3) + counter(3)], [[], [2]], id="twice in a block"),
        pytest.param([counter(1), counter(3) + gauge(1) + counter(3)], [[], [2]], id="twice on a page"),
    ],
)
def test_steps_of_a_counter(pages, expected):
    """What each page adds, by what is known of where its values come from."""
    assert steps(pages) == expected


def test_a_histogram_restarts_as_a_whole():
    """A bucket that outgrew its old value counts in full where another one fell."""
    deltas = Deltas(STARTED)
    deltas.read(histogram({"1": 5, "+Inf": 100}, 700), STARTED)
    page = deltas.read(histogram({"1": 10, "+Inf": 12}, 701), STARTED)
    assert [step.observations for step in page.histograms] == [Observations(12, 701, ("1", "+Inf"), (10, 12))]


@pytest.mark.parametrize("form", [list, as_text], ids=["openmetrics", "text"])
def test_created_belongs_to_all_samples_of_a_histogram(form):
    """A histogram that began again is new in every bucket, in both formats."""
    deltas = Deltas(STARTED)
    deltas.read(form(histogram({"1": 5, "+Inf": 6}, 9, created=900, k="a")), STARTED)
    page = deltas.read(form(histogram({"1": 7, "+Inf": 8}, 10, created=1010, k="a")), STARTED)
    assert [step.observations for step in page.histograms] == [Observations(8, 10, ("1", "+Inf"), (7, 8))]


def test_a_format_that_orders_samples_differently_is_the_same_series():
    """The count before or behind the buckets, ``_created`` inside the family or behind it: one memory."""
    deltas = Deltas(STARTED)
    samples = histogram({"1": 5, "+Inf": 6}, 9, created=1001)
    deltas.read(samples, STARTED)
    assert deltas.read(as_text([*samples[2:4], *samples[:2], *samples[4:]]), STARTED).histograms == []


def test_a_sum_that_falls_is_no_restart_where_created_says_so():
    """A clock set back makes a negative duration: nothing negative is sent, nothing is counted again."""
    deltas = Deltas(STARTED)
    deltas.read(histogram({"+Inf": 6}, 9, created=900), STARTED)
    page = deltas.read(histogram({"+Inf": 7}, 8, created=900), STARTED)
    assert [step.observations for step in page.histograms] == [Observations(1, 0, ("+Inf",), (1,))]


def test_a_summary_is_a_count_a_sum_and_gauges():
    """A summary's quantiles are values as they are, its count and sum are steps."""
    deltas = Deltas(STARTED)

    def page(count, total):
        return [
            Sample("s", "summary", "", (), "0.5", 0.25),
            Sample("s", "summary", "", (), "0.9", nan),
            Sample("s", "summary", "_count", (), "", count),
            Sample("s", "summary", "_sum", (), "", total),
        ]

    deltas.read(page(1, 2), STARTED)
    read = deltas.read(page(3, 7), STARTED)
    assert [step.observations for step in read.histograms] == [Observations(2, 5, (), ())]
    assert [(value.quantile, value.value) for value in read.gauges] == [
        ("0.5", 0.25),
        ("0.9", pytest.approx(nan, nan_ok=True)),
    ]


def test_gauges_are_as_the_page_has_them():
    """Gauges pass through; what is no number is left out where they are sent."""
    page = Deltas(STARTED).read(gauge(3, k="a") + gauge(inf, k="b"), STARTED)
    assert [(value.labels, value.value) for value in page.gauges] == [((("k", "a"),), 3), ((("k", "b"),), inf)]


def test_worker_whose_gauges_have_no_limit_is_still_there():
    """A budget that is taken away is no wiped directory: counters go on where they were."""
    deltas = Deltas(STARTED)
    limits = (3.0, 3.0, inf, inf, 9.0)
    pages = [counter(100 + 5 * n) + gauge(1, pid="1") + gauge(limit, pid="2") for n, limit in enumerate(limits)]
    read = [deltas.read(page, STARTED + 15 * n) for n, page in enumerate(pages)]
    assert [[step.value for step in page.counters] for page in read] == [[], [5], [5], [5], [5]]


def test_families_of_others_tell_of_no_restart():
    """What else is in a shared directory may fall, go and come without LiteLLM's counts beginning again."""
    deltas = Deltas(STARTED)
    others = [
        counter(9, family="app_jobs") + counter(9, family="app_jobs", kind="b") + gauge(1, family="app_g", pid="7"),
        counter(2, family="app_jobs"),
        [],
    ]
    pages = [counter(100 + 5 * n) + gauge(1, pid="1") + other for n, other in enumerate(others)]
    read = [deltas.read(page, STARTED + 15 * n) for n, page in enumerate([*pages, counter(115) + gauge(1, pid="1")])]
    assert [[step.value for step in page.counters if step.family == "litellm_x"] for page in read] == [
        [],
        [5],
        [5],
        [5],
    ]
    assert [step.value for step in read[1].counters if step.family == "app_jobs"] == [2]


@pytest.mark.parametrize(
    ("start", "created", "mixed"),
    [(900, None, True), (900, 950.0, False), (901, None, False)],
    ids=["nothing tells them apart", "their series are dated", "they started at different times"],
)
def test_workers_that_cannot_be_told_apart(start, created, mixed):
    """Several behind one port, without dates, that started in one moment: their own process' time falls."""
    deltas = Deltas(STARTED)

    def page(start, seconds, value):
        return process(start) + counter(seconds, family="process_cpu_seconds") + counter(value, created=created)

    pages = [page(900, 50.0, 7), page(start, 40.0, 3), page(900, 51.0, 8), page(900, 52.0, 9)]
    read = [deltas.read(each, STARTED + 15 * n).mixed for n, each in enumerate(pages)]
    assert read == [False, mixed, False, False]


def test_a_worker_with_a_dead_workers_pid_counts_from_where_that_one_ended():
    """What its file held when it started was sent by the worker before it."""
    inherited = counter(40) + histogram({"1": 5, "+Inf": 6}, 9)
    deltas = Deltas(STARTED, inherited=inherited)
    read = deltas.read(
        counter(42, created=1001) + histogram({"1": 5, "+Inf": 7}, 12, created=1001) + counter(1, created=1002, k="b"),
        STARTED,
    )
    assert added(read) == [2, 1]
    assert [step.observations for step in read.histograms] == [Observations(1, 3, ("1", "+Inf"), (0, 1))]


def test_prometheus_client_continues_a_dead_workers_file(tmp_path, monkeypatch):
    """The library does what the test above assumes: the value goes on, under a new ``_created``."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    monkeypatch.setattr("prometheus_client.metrics.values.ValueClass", values.MultiProcessValue(lambda: 42))

    def worker():
        registry = CollectorRegistry()
        return registry, Counter("litellm_x", "", registry=registry)

    first, requests = worker()
    requests.inc(40)
    inherited = of_registry(first)
    monkeypatch.setattr("prometheus_client.metrics.values.ValueClass", values.MultiProcessValue(lambda: 42))
    second, requests = worker()
    requests.inc(2)
    created = next(sample.value for sample in of_registry(second) if sample.suffix == "_created")
    assert added(Deltas(created).read(of_registry(second), created)) == [42]
    assert added(Deltas(created, inherited=inherited).read(of_registry(second), created)) == [2]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        pytest.param(counter(1, k="a"), counter(1, k="a"), id="by its pids"),
        pytest.param(counter(1, k="a") + counter(1, k="b"), counter(4, k="a"), id="by a series"),
        pytest.param(counter(1, k="a") + counter(5, k="b"), counter(4, k="a") + counter(2, k="b"), id="by a value"),
    ],
)
def test_a_shared_directory_that_was_emptied_counts_from_zero(before, after, request):
    """A proxy that restarted has counted all that its page has, also what is no less than it was before."""
    pid = "2" if "pids" in request.node.name else "1"
    deltas, after = Deltas(STARTED), after + gauge(0, pid=pid)
    deltas.read(before + gauge(0, pid="1"), STARTED)
    read = [sum(added(deltas.read(after, STARTED))) for _ in range(3)]
    assert sum(read) == sum(sample.value for sample in after)
    assert read[2] == 0


def test_another_worker_in_a_shared_directory_is_no_restart():
    """Pids come, and none goes, while the directory is in use."""
    deltas = Deltas(STARTED)
    pages = [
        counter(n) + [s for pid in pids for s in gauge(0, pid=pid)] for n, pids in ((5, "1"), (6, "12"), (7, "12"))
    ]
    assert [added(deltas.read(page, STARTED)) for page in pages] == [[], [1], [1]]


def test_a_shared_directory_counts_dead_workers_too(tmp_path, monkeypatch):
    """Sums over workers' files, of which one ends and another begins: every count, once, though nothing is dated."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))

    def worker(pid):
        monkeypatch.setattr("prometheus_client.metrics.values.ValueClass", values.MultiProcessValue(lambda: pid))
        registry = CollectorRegistry()
        total = Counter("litellm_x", "", ["k"], registry=registry)
        children = [total.labels(str(k)) for k in range(7)]  # opens this worker's file
        return children, Histogram("litellm_h", "", registry=registry)

    directory = CollectorRegistry()
    MultiProcessCollector(directory)
    deltas = Deltas(0.0)
    workers = [worker(1), worker(2)]
    deltas.read(of_registry(directory), 1.0)
    counted, observed = 0.0, 0.0
    for i in range(20):
        if i == 10:
            workers[1] = worker(3)
        for children, durations in workers:
            children[i % 7].inc(0.1 * i)
            durations.observe(i)
        page = deltas.read(of_registry(directory), 1.0)
        counted += sum(added(page))
        observed += sum(step.observations.count for step in page.histograms)
    assert counted == pytest.approx(2 * 0.1 * sum(range(20)))
    assert observed == 40


def test_workers_of_real_registries_are_told_apart():
    """Four registries of ``prometheus_client`` behind one port, one of them restarted: every count, once."""
    chance = random.Random(1)

    def worker():
        registry = CollectorRegistry()
        total = Counter("litellm_x", "", ["k"], registry=registry)
        return registry, total, Histogram("litellm_h", "", ["k"], registry=registry)

    workers = [worker() for _ in range(4)]
    deltas = Deltas(0.0)
    truth, counted, observed = 0, 0.0, 0.0

    def scrape(registry):
        nonlocal counted, observed
        page = deltas.read(process(5.0) + of_registry(registry), 1.0)
        counted += sum(added(page))
        observed += sum(step.observations.count for step in page.histograms)

    for i in range(200):
        for _, total, durations in workers:
            key = chance.choice("ab")
            total.labels(key).inc()
            durations.labels(key).observe(chance.random())
            truth += 1
        if i == 100:
            scrape(workers[2][0])
            workers[2] = worker()
        scrape(chance.choice(workers)[0])
    for registry, _, _ in workers:
        scrape(registry)
    assert (counted, observed) == (truth, truth)


def test_what_was_not_seen_for_long_is_forgotten_and_never_counted_twice():
    """A series that returns after it was forgotten is a baseline, though it began while we were watching."""
    deltas = Deltas(STARTED, forget_after=100)
    assert added(deltas.read(counter(5, created=1001), 1010)) == [5]
    others = [added(deltas.read(counter(5, created=1001, k="b"), 1010 + after)) for after in (50, 150, 250, 350)]
    assert others == [[5], [], [], []]
    assert len(deltas) == 1
    assert added(deltas.read(counter(7, created=1001), 1400)) == []
    assert added(deltas.read(counter(8, created=1001), 1410)) == [1]
    assert added(deltas.read(counter(3, created=1405, k="c"), 1415)) == [3]


@pytest.mark.parametrize("created", [1001, None])
def test_what_was_seen_lately_is_remembered_in_either_generation(created):
    """A worker that went unseen for less than the limit goes on where it was, and is held once."""
    deltas = Deltas(STARTED, forget_after=100)
    pages = [(1010, 1, 5), (1020, 2, 5), (1120, 2, 6), (1130, 1, 7), (1140, 1, 8)]
    read = [
        added(deltas.read(process(990 + worker) + counter(value, created=created), now)) for now, worker, value in pages
    ]
    assert read[2:] == [[1], [2], [1]]
    assert len(deltas) == 2


def test_a_worker_not_seen_before_counts_if_it_began_after_anything_that_was_forgotten():
    """Only what may have been forgotten becomes a baseline again."""
    deltas = Deltas(STARTED, forget_after=100)
    for now in (1010, 1120, 1230):
        deltas.read(counter(1, created=900), now)
    assert added(deltas.read(counter(3, created=1125, k="b"), 1240)) == [3]
    assert added(deltas.read(counter(3, created=1115, k="c"), 1240)) == []


def test_memory_is_bounded_in_series():
    """Labels that never end leave two generations in memory; a page larger than one is still counted right."""
    deltas = Deltas(STARTED, capacity=100)
    for i in range(100):
        page = [sample for j in range(50) for sample in counter(1, created=1001 + i, k=f"{i}.{j}")]
        assert sum(added(deltas.read(page, STARTED + i))) == 50
    assert len(deltas) <= 2 * (100 + 50)
    large = [[s for j in range(300) for s in counter(n, created=1200, k=str(j))] for n in (1, 2, 3)]
    assert [sum(added(deltas.read(page, 1150 + i))) for i, page in enumerate(large)] == [300, 300, 300]


def test_memory_of_one_series_is_small():
    """A counter takes about 200 bytes, a histogram of 18 buckets no more than twice that, whatever their labels."""
    labels = {f"label{i}": "x" * 40 for i in range(12)}
    bounds = {str(bound): float(bound) for bound in range(18)}

    def page():
        for i in range(3000):
            yield from counter(i, created=900.0 + i / 100, **labels, k=str(i))
        for i in range(3000):
            yield from histogram(bounds, 3.0, created=900.0 + i / 100, **labels, k=str(i))

    deltas = Deltas(STARTED)
    tracemalloc.start()
    deltas.read(page(), STARTED)
    gc.collect()  # also what the interpreter keeps of freed tuples
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 6000 * 400


@needs_data
@pytest.mark.parametrize("name", ["metrics_1.106.txt", "metrics_1.109.txt", "metrics_1.106_multiproc.txt"])
def test_recorded_pages(name):
    """A page of a real proxy is a baseline, then nothing new, then exactly what a counter and a histogram grew by."""
    samples = of_text((FOLDER / name).read_text())
    deltas = Deltas(sys.float_info.max)
    for _ in range(2):
        page = deltas.read(samples, 2e9)
        assert (page.counters, page.histograms) == ([], [])
    assert not any(value.family.endswith("_created") for value in page.gauges)

    def grown(sample):
        by = {"counter": 3.0, "histogram": 2.0}.get(sample.type, 0.0)
        return sample if sample.suffix == "_created" else sample._replace(value=sample.value + by)

    page = deltas.read(map(grown, samples), 2e9)
    assert {step.value for step in page.counters} == {3.0}
    series = {(s.family, s.labels) for s in samples if s.type == "counter" and s.suffix != "_created"}
    assert {(step.family, step.labels) for step in page.counters} == series
    series = {(s.family, s.labels) for s in samples if s.type == "histogram" and s.suffix != "_created"}
    assert {(step.family, step.labels) for step in page.histograms} == series
    assert {step.observations.count for step in page.histograms} <= {2.0}
