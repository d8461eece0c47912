"""The registry source in workers that share a directory."""

import random
import signal
from collections import Counter
from contextlib import ExitStack

import pytest

from tests.openmetrics.worker import Worker


@pytest.fixture
def start(tmp_path):
    """Start workers that share a directory."""
    with ExitStack() as workers:

        def start(*, begin=True):
            worker = workers.enter_context(Worker(tmp_path))
            if begin:
                worker.ask("[reader(), metrics()] and None")
            return worker

        yield start


def counts(answer):
    """Return what an answer says of requests, by user."""
    return Counter({name.split()[1]: value for name, value in answer.items() if name.startswith("litellm_requests ")})


def test_workers_send_what_they_counted_and_it_adds_up_to_the_truth(start):
    """Whenever each worker is read, and whichever ends and is followed by another, nothing is lost or counted twice."""
    chance = random.Random(6)
    workers = [start() for _ in range(3)]
    truth, sent = Counter(), Counter()
    for step in range(60):
        worker = chance.choice(workers)
        user, value = chance.choice("abc"), chance.randint(1, 9)
        worker.ask(f"count({user!r}, {value})")
        truth[user] += value
        if chance.random() < 0.4:
            sent += counts(chance.choice(workers).ask("reader.sent()"))
        if step == 30:
            ended = workers.pop(0)
            sent += counts(ended.ask("reader.sent()"))
            ended.end()
            workers.append(start())
    for worker in workers:
        sent += counts(worker.ask("reader.sent()"))
    assert sent == truth


def test_histograms_of_workers_add_up(start):
    """Each worker sends the buckets of its own observations."""
    one, other = start(), start()
    one.ask("observe('a', 2)")
    other.ask("observe('a', 7)")
    assert one.ask("reader.sent()")["litellm_latency a"] == [1, 2, 0, 1, 1]
    assert other.ask("reader.sent()")["litellm_latency a"] == [1, 7, 0, 0, 1]


def test_one_worker_sends_the_gauges_of_all(start):
    """The first to read sends all workers' gauges, by their modes; the others none; after its death another does."""
    one, other = start(), start()
    one.ask("[in_flight.inc(2), budget.labels('a').set(10)] and None")
    other.ask("[in_flight.inc(3), budget.labels('b').set(20)] and None")
    expected = {"litellm_in_flight_requests": 5, "litellm_budget a": 10, "litellm_budget b": 20}
    assert one.ask("reader.sent()") == expected
    assert other.ask("reader.sent()") == {}
    gauges = Counter(one.ask("reader.gauges()"))
    assert (gauges["litellm_in_flight_requests"], gauges["litellm_budget"]) == (1, 2)
    assert (gauges["process_start_time_seconds"], gauges["python_info"]) == (1, 1)
    assert other.ask("reader.gauges()") == []
    one.end(signal.SIGKILL)
    assert other.ask("reader.sent()") == expected
    # What LiteLLM does when a worker is gone; gauges that are not live stay.
    other.ask(f"__import__('prometheus_client.multiprocess').multiprocess.mark_process_dead({one.pid})")
    assert other.ask("reader.sent()") == {**expected, "litellm_in_flight_requests": 3}


@pytest.mark.parametrize("left", [b"", b"\x40\x00\x00", b"\xff" * 64], ids=["empty", "cut", "broken"])
def test_gauge_file_that_cannot_be_read_costs_its_own_gauges_only(start, tmp_path, left):
    """A worker that is killed while it makes its file takes neither the counters nor the gauges of others with it."""
    one = start()
    one.ask("[in_flight.inc(2), budget.labels('a').set(10), count('a', 5)] and None")
    (tmp_path / "gauge_mostrecent_99999.db").write_bytes(left)
    expected = {"litellm_requests a": 5, "litellm_in_flight_requests": 2, "litellm_budget a": 10}
    assert one.ask("reader.sent()") == expected


def test_becoming_the_one_that_sends_gauges_counts_nothing_again(start):
    """A worker's counters go on where they were, with or without dates, when it begins to send the gauges."""
    for before in ("None", "prometheus_client.disable_created_metrics()"):
        one, other = start(), start()
        other.ask(before)
        one.ask("reader.sent()")
        other.ask("count('a', 5)")
        assert other.ask("reader.sent()") == {"litellm_requests a": 5}
        one.ask("reader.source.close()")
        other.ask("count('a', 2)")
        assert other.ask("reader.sent()") == {"litellm_requests a": 2, "litellm_in_flight_requests": 0}
        other.ask("reader.source.close()")


def test_gauges_are_sent_by_all_where_no_lock_can_be_made(start, tmp_path):
    """Each worker then sends the same values, which is better than none."""
    (tmp_path / "ddtrace-litellm.lock").symlink_to(tmp_path / "elsewhere")
    one, other = start(), start()
    one.ask("in_flight.inc(2)")
    assert one.ask("reader.sent()") == other.ask("reader.sent()") == {"litellm_in_flight_requests": 2}
    assert not (tmp_path / "elsewhere").exists()


def test_worker_with_a_dead_workers_pid_counts_only_its_own(start):
    """Its counters start at what the file of that pid has, under new dates: that was sent by the one that died."""
    worker, dead = start(begin=False), start(begin=False)
    dead.ask(f"[metrics({worker.pid}), count('a', 100), observe('a', 2), count('b', 7)] and None")
    dead.end(signal.SIGKILL)
    worker.ask("[reader(), metrics(), count('a', 1)] and None")
    assert worker.ask("requests.labels('a')._value.get()") == 101
    assert worker.ask("reader.sent()")["litellm_requests a"] == 1
    worker.ask("[count('b', 2), observe('a', 0.5), count('c', 3)] and None")
    sent = worker.ask("reader.sent()")
    assert counts(sent) == {"b": 2, "c": 3}
    assert sent["litellm_latency a"] == [1, 0.5, 1, 1, 1]


def test_directory_that_is_wiped_after_the_source_was_made(start, tmp_path):
    """LiteLLM is imported before it wipes the directory: what was there is not what its counters start at."""
    worker, dead = start(begin=False), start(begin=False)
    dead.ask(f"[metrics({worker.pid}), count('a', 3)] and None")
    dead.end(signal.SIGKILL)
    worker.ask("reader()")
    assert worker.ask("len([*reader.source.inherited])") == 1
    for file in tmp_path.glob("*.db"):
        file.unlink()
    worker.ask("[metrics(), count('a', 5)] and None")
    assert worker.ask("reader.sent()")["litellm_requests a"] == 5


def test_source_made_late_counts_from_then_on(start):
    """Whether its files had values before nobody can tell then, so what there is counts neither twice nor once."""
    worker = start(begin=False)
    worker.ask("[metrics(), count('a', 5), reader()] and None")
    assert counts(worker.ask("reader.sent()")) == {}
    worker.ask("[count('a', 2), count('b', 3)] and None")
    assert counts(worker.ask("reader.sent()")) == {"a": 2, "b": 3}


def test_series_that_comes_back_goes_on_where_it_was(start):
    """Removed and made again, a series has its value still, from the file, and a new date: it did not begin anew."""
    worker = start()
    worker.ask("count('a', 5)")
    assert counts(worker.ask("reader.sent()")) == {"a": 5}
    worker.ask("[count('a', 1), __import__('warnings').simplefilter('ignore'), requests.remove('a')] and None")
    assert counts(worker.ask("reader.sent()")) == {}
    worker.ask("count('a', 2)")
    assert counts(worker.ask("reader.sent()")) == {"a": 3}


def test_fork_begins_with_files_of_its_own(start):
    """The master of gunicorn loads the application, then forks workers; each sends what it counted, the master too."""
    master = start()
    master.ask("[count('a', 5), observe('a', 2)] and None")
    child = master.ask("forked('count(\"a\", 3)', 'observe(\"a\", 0.5)', 'reader.sent()')")
    assert counts(child) == {"a": 3}
    assert child["litellm_latency a"] == [1, 0.5, 1, 1, 1]
    assert counts(master.ask("reader.sent()")) == {"a": 5}


def test_fork_with_a_dead_workers_pid_counts_only_its_own(start):
    """Its counters start at what it finds in the files, not at what its parent has."""
    master = start()
    master.ask("count('a', 5)")
    child = master.ask("forked('left_by_the_dead(\"a\", 100)', 'count(\"a\", 3)', 'reader.sent()')")
    assert counts(child) == {"a": 3}


def test_fork_does_not_send_the_gauges_that_its_parent_sends(start):
    """The lock is not the child's, and does not outlive the parent in it."""
    master = start()
    master.ask("in_flight.inc(1)")
    assert master.ask("reader.sent()") == {"litellm_in_flight_requests": 1}
    assert master.ask("forked('reader.sent()')") == {}
    other = start()
    assert other.ask("reader.sent()") == {}
