import logging
import os
import select
import socket
import threading
import time
from math import inf

import pytest
from datadog.dogstatsd import base
from hypothesis import given, settings
from hypothesis import strategies as st

from ddtrace_litellm.metrics.batch import (
    Bucket,
    Distribution,
    MetricBatch,
    Record,
    ServiceCheck,
    Status,
    UnmappedFamilies,
)
from ddtrace_litellm.metrics.sinks import dogstatsd
from ddtrace_litellm.metrics.sinks.address import Address, address
from ddtrace_litellm.metrics.sinks.dogstatsd import DogStatsDSink
from tests.metrics.receivers import DogStatsD

NOW = 1_764_000_000.0


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    """Take what the client would read from the environment away."""
    for name in ("DD_ENV", "DD_SERVICE", "DD_VERSION", "DATADOG_TAGS", "DD_ENTITY_ID", "DD_DOGSTATSD_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(params=["udp", "datagrams", "stream"])
def receiver(request, tmp_path):
    """DogStatsD on each kind of socket that an Agent has."""
    path = None if request.param == "udp" else tmp_path / "dsd.socket"
    kind = socket.SOCK_STREAM if request.param == "stream" else socket.SOCK_DGRAM
    with DogStatsD(path, kind=kind) as running:
        yield running


def page(*records, distributions=(), checks=()):
    """Return what became of a page."""
    return MetricBatch(list(records), UnmappedFamilies(), distributions, checks)


def counts(number):
    """Return as many counts, and their sum."""
    tags = tuple(f"label_{index}:{'v' * 20}" for index in range(10))
    found = [Record("litellm.x.count", "count", index + 0.25, (f"user:u{index}", *tags)) for index in range(number)]
    return found, sum(record.value for record in found)


def total(lines):
    """Return the sum of the lines' values."""
    return sum(value for each in lines for value in each.values)


def test_counts_and_gauges_arrive_as_they_are(receiver):
    """Name, type, value and tags of every record arrive on UDP and both kinds of Unix sockets, without a time."""
    sink = DogStatsDSink(receiver.address)
    sink.send(
        page(Record("litellm.a.count", "count", 0.1, ("team:x", "user:")), Record("litellm.b", "gauge", 3, ())), NOW
    )
    sink.close(1)
    assert [(each.name, each.type, each.values, each.tags) for each in receiver.lines] == [
        ("litellm.a.count", "c", [0.1], ["team:x", "user:"]),
        ("litellm.b", "g", [3.0], [""]),
    ]
    assert all("T" not in each.fields for each in receiver.lines)
    assert sink.dropped == 0


def test_no_value_of_a_large_page_is_lost(receiver):
    """3,000 series, a megabyte, arrive in full: more than any of the sockets holds at once."""
    records, expected = counts(3000)
    sink = DogStatsDSink(receiver.address, sleep=receiver.drained)
    sink.send(page(*records), NOW)
    sink.close(1)
    assert len(receiver.lines) == 3000
    assert total(receiver.lines) == expected
    assert sink.dropped == 0


def test_a_slow_reader_of_a_unix_socket_is_waited_for(tmp_path):
    """A reader that takes 5 ms a packet, beside a queue of 10 packets, gets everything."""
    records, expected = counts(1500)
    with DogStatsD(tmp_path / "s", pause=lambda: time.sleep(0.005)) as receiver:
        sink = DogStatsDSink(receiver.address, sleep=lambda _seconds: None)
        sink.send(page(*records), NOW)
        sink.close(1)
    assert total(receiver.lines) == expected
    assert sink.dropped == 0


def test_what_a_hung_reader_does_not_take_is_counted(tmp_path, caplog):
    """Where nobody reads, a page ends with its budget; what is not in the queue is dropped, with one warning."""
    records, _ = counts(1500)
    with DogStatsD(tmp_path / "s", reads=False) as receiver:
        sink = DogStatsDSink(receiver.address, budget=0.1)
        sink.send(page(*records), NOW)
        assert sink._client.socket.gettimeout() == 0  # no packet is waited for any more
        sink.send(page(*records), NOW)
        queued = b"".join(iter_packets(receiver))
        assert 0 < queued.count(b"\n") == 3000 - sink.dropped
        sink.send(page(records[0]), NOW)
        sink.close(1)
    assert caplog.text.count("does not read as fast") == 1


def test_the_end_of_trouble_is_said_once(tmp_path, caplog):
    """An Agent that comes later gets the next page; what was sent before is counted, and both are one line each."""
    caplog.set_level(logging.INFO, "ddtrace.litellm.openmetrics")
    sink = DogStatsDSink(Address(path=str(tmp_path / "s"), kind="unix"))
    for _ in range(3):
        sink.send(page(*counts(100)[0]), NOW)
    assert sink.dropped == 300
    with DogStatsD(tmp_path / "s") as receiver:
        sink.send(page(*counts(100)[0]), NOW)
        sink.send(page(*counts(100)[0]), NOW)
        sink.close(1)
    assert len(receiver.lines) == 200
    assert sink.dropped == 300
    assert caplog.text.count("No such file or directory") == 1
    assert caplog.text.count("gets everything again") == 1


def iter_packets(receiver):
    """Yield what waits in a socket."""
    while select.select([receiver._socket], [], [], 0)[0]:
        yield receiver._socket.recv(1 << 16)


def test_an_agent_that_was_started_again_loses_nothing(tmp_path):
    """A page after the restart goes to the new socket from its first packet on."""
    path = tmp_path / "s"
    with DogStatsD(path) as before:
        sink = DogStatsDSink(before.address)
        sink.send(page(*counts(10)[0]), NOW)
    path.unlink()
    with DogStatsD(path) as after:
        sink.send(page(*counts(10)[0]), NOW)
        sink.close(1)
    assert (len(before.lines), len(after.lines), sink.dropped) == (10, 10, 0)


def test_udp_without_an_agent_is_counted(caplog):
    """Where no one listens, all packets but the last are known to be lost: the next page tells of that."""
    with DogStatsD() as receiver:
        to = receiver.address
    sink = DogStatsDSink(to)
    sink.send(page(*counts(1)[0]), NOW)  # connected, the client makes larger packets
    sink.send(page(*counts(100)[0]), NOW)
    first = sink.dropped
    assert 50 < first < 100
    sink.send(page(*counts(100)[0]), NOW)
    assert sink.dropped == 100 + first
    assert caplog.text.count("Connection refused") == 1


def test_a_host_that_does_not_exist_is_looked_up_once_a_page(monkeypatch):
    """A resolver may take seconds: after it failed, the rest of the page does not ask again."""
    asked = []

    def fail(*_arguments, **_options):
        asked.append(1)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    sink = DogStatsDSink(Address("agent.invalid"))
    sink.send(page(*counts(100)[0]), NOW)
    assert len(asked) == 2
    assert sink.dropped == 100


class Clock:
    """Time that passes only while someone sleeps."""

    def __init__(self):
        self.now, self.pauses = 0.0, []

    def __call__(self):
        return self.now

    def sleep(self, seconds):
        """Pass the time."""
        self.pauses.append(seconds)
        self.now += seconds


def test_a_page_is_spread(tmp_path):
    """After every 16 KiB there are 10 ms of pause, so that 1.6 MB a second is the most that is sent."""
    clock = Clock()
    with DogStatsD(tmp_path / "s") as receiver:
        sink = DogStatsDSink(receiver.address, clock=clock, sleep=clock.sleep)
        sink.send(page(*counts(1000)[0]), NOW)
    sent = sum(map(len, receiver.packets))
    assert set(clock.pauses) == {0.01}
    assert sent / (16 * 1024 + 8192) - 1 < len(clock.pauses) <= sent / (16 * 1024)


def test_a_page_that_is_too_large_for_its_pauses_keeps_to_its_budget():
    """Pauses get shorter where a page would otherwise take longer than it may."""
    clock = Clock()
    with DogStatsD(reads=False) as receiver:
        sink = DogStatsDSink(receiver.address, budget=0.1, clock=clock, sleep=clock.sleep)
        sink.send(page(*counts(2000)[0]), NOW)
    assert len(clock.pauses) > 20
    assert 0.08 < clock.now <= 0.1


def test_a_small_page_does_not_pause():
    """What fits into a few packets is sent at once."""
    clock = Clock()
    with DogStatsD() as receiver:
        DogStatsDSink(receiver.address, clock=clock, sleep=clock.sleep).send(page(*counts(30)[0]), NOW)
    assert len(receiver.lines) == 30
    assert clock.pauses == []


def test_tags_of_the_environment_are_those_of_the_other_sink(monkeypatch):
    """``DD_TAGS`` and ``DATADOG_TAGS`` are tags of everything, each once, and not what has a variable of its own."""
    for name, value in {"DD_ENV": "prod", "DD_TAGS": "team:X,env:other", "DATADOG_TAGS": "a:b"}.items():
        monkeypatch.setenv(name, value)
    with DogStatsD() as receiver:
        monkeypatch.setenv("DD_DOGSTATSD_URL", str(receiver.address))
        sink = dogstatsd.from_environment(os.environ, tags=["worker:7"])
        sink.send(page(Record("litellm.a", "gauge", 1, ("c:d",))), NOW)
        sink.close(1)
    assert sorted(receiver.lines[0].tags) == ["a:b", "c:d", "env:prod", "team:x", "worker:7"]


@settings(max_examples=50, deadline=None)
@given(
    text=st.text(st.characters(codec=None), max_size=20) | st.sampled_from(["a,b|c\nd#e", "x|#team:other", "\ud800"])
)
def test_no_text_breaks_a_packet(text):
    """Whatever is in names, tags, hosts and messages, the Agent reads as many lines and tags as were sent."""
    hostile = page(
        Record(f"litellm.{text}", "gauge", 1, (f"a:{text}", "b:c"), hostname=f"h{text}"),
        Record("litellm.next", "count", 2, ("d:e",)),
        checks=[ServiceCheck(f"c{text}", Status.WARNING, (f"a:{text}",), f"m{text}", f"h{text}")],
    )
    with DogStatsD() as receiver:
        sink = DogStatsDSink(receiver.address)
        sink.send(hostile, NOW)
        sink.close(1)
    first, second = receiver.lines
    assert (len(first.tags), first.tags[1], first.tags[2][:6], first.values) == (3, "b:c", "host:h", [1])
    assert second == ("litellm.next", [2], "c", ["d:e"], {})
    (check,) = [text for text in receiver.texts if text.startswith("_sc|")]
    assert len(receiver.texts) == 3
    fields = check.split("|")
    assert [field[:2] for field in fields[3:]] == ["d:", "h:", "#a", "m:"]
    assert (fields[2], len(fields[5].split(","))) == ("1", 1)
    assert sink.dropped == 0


def test_tags_are_as_datadog_makes_them():
    """Characters that no tag has become underscores, others than ASCII stay, all in lower case."""
    with DogStatsD() as receiver:
        sink = DogStatsDSink(receiver.address, tags=["x:a b"])
        sink.send(page(Record("litellm.a", "gauge", 1, ("team:Équipe 20", "user:u@x.com", "url:http://h/v1"))), NOW)
        sink.close(1)
    assert receiver.lines[0].tags == ["team:équipe_20", "user:u_x.com", "url:http://h/v1", "x:a_b"]


@pytest.mark.parametrize(("host", "largest"), [("127.0.0.1", 8192), ("192.0.2.1", 1432)])
def test_udp_packets_fit_into_the_network(host, largest):
    """Packets are as large as the Agent reads where they stay on the machine, else as large as every network takes."""
    with DogStatsD() as receiver:
        sink = DogStatsDSink(Address(host))
        sink._client.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sink._client.socket.connect(("127.0.0.1", receiver.address.port))
        sink.send(page(*counts(100)[0]), NOW)
        sink.close(1)
    assert len(receiver.lines) == 100
    assert largest - 500 < max(map(len, receiver.packets)) <= largest


def test_packets_are_no_larger_than_the_agent_reads(tmp_path):
    """Tags of three bytes a character make packets that the client takes for smaller; all lines arrive whole."""
    records = [Record("litellm.a.count", "count", 1, (f"user:{index}{'語' * 150}",)) for index in range(200)]
    with DogStatsD(tmp_path / "s") as receiver:
        sink = DogStatsDSink(receiver.address)
        sink.send(page(*records), NOW)
        sink.close(1)
    assert max(map(len, receiver.packets)) <= 8192
    assert all(packet.endswith(b"\n") for packet in receiver.packets)
    assert total(receiver.lines) == 200
    assert sink.dropped == 0


def test_a_line_that_the_agent_cannot_read_is_dropped_alone(receiver):
    """A line beyond 8,192 bytes is counted; those around it arrive."""
    large = Record("litellm." + "large" * 2000, "gauge", 1, ())
    small = Record("litellm.small", "gauge", 1, ())
    sink = DogStatsDSink(receiver.address)
    sink.send(page(small, large, small), NOW)
    sink.close(1)
    assert [each.name for each in receiver.lines] == ["litellm.small"] * 2
    assert sink.dropped == 1


def test_tags_that_are_too_long_together_are_cut(receiver):
    """A value whose line would be beyond 8,192 bytes arrives, with the beginning of each of its tags."""
    many = Record("litellm.many.count", "count", 3, tuple(f"l{index}:{'語' * 190}" for index in range(50)))
    sink = DogStatsDSink(receiver.address)
    sink.send(page(many), NOW)
    sink.close(1)
    (line,) = receiver.lines
    assert (line.name, line.values, sink.dropped) == ("litellm.many.count", [3], 0)
    assert [tag.partition(":")[0] for tag in line.tags] == [f"l{index}" for index in range(50)]
    assert all(set(tag.partition(":")[2]) == {"語"} for tag in line.tags)


@pytest.mark.parametrize("observed", [1, 31, 32, 93, 100, 1000, 99_999])
def test_a_distribution_keeps_its_count(observed):
    """The Agent adds up whole weights, the inverse of each rate without its fraction: they are the bucket's count."""
    buckets = (Bucket(0, 0.5, observed), Bucket(0.5, 1, 7), Bucket(1, inf, 3))
    with DogStatsD() as receiver:
        sink = DogStatsDSink(receiver.address)
        sink.send(page(distributions=[Distribution("litellm.d", buckets, ("a:b",), "h")]), NOW)
        sink.close(1)
    weights = {0.5: 0, 1: 0, inf: 0}
    for each in receiver.lines:
        assert (each.name, each.type, each.tags) == ("litellm.d", "d", ["a:b", "host:h"])
        for value in each.values:
            bound = next(bound for bound in weights if value < bound)
            weights[bound] += int(1 / float(each.fields.get("@", 1)))
    assert weights == {0.5: observed, 1: 7, inf: 3}


def test_a_distribution_of_many_buckets_fits_into_lines():
    """No line of a histogram with 60 full buckets is near what the Agent reads."""
    buckets = tuple(Bucket(index / 7, (index + 1) / 7, 1000 + index) for index in range(60))
    with DogStatsD() as receiver:
        sink = DogStatsDSink(receiver.address)
        sink.send(page(distributions=[Distribution("litellm.d", buckets, ("a:b",))]), NOW)
        sink.close(1)
    assert max(map(len, receiver.texts)) < 2000
    assert sum(len(each.values) * int(1 / float(each.fields["@"])) for each in receiver.lines) == 60 * 1000 + 1770


def test_a_service_check():
    """Status, time, host, tags and message are DogStatsD's fields; what would end the message does not."""
    with DogStatsD() as receiver:
        sink = DogStatsDSink(receiver.address)
        sink.check(ServiceCheck("litellm.openmetrics.health", Status.CRITICAL, ("a:b",), "no |#\npage", "h"), NOW)
        sink.check(ServiceCheck("litellm.openmetrics.health", Status.OK, ()), NOW)
        sink.close(1)
    assert receiver.texts == [
        "_sc|litellm.openmetrics.health|2|d:1764000000|h:h|#a:b|m:no /#\\npage",
        "_sc|litellm.openmetrics.health|0|d:1764000000",
    ]


def test_unified_service_tags_come_from_the_client(monkeypatch):
    """``DD_ENV``, ``DD_SERVICE``, ``DD_VERSION`` are tags of metrics and service checks."""
    for name, value in {"DD_ENV": "prod|x", "DD_SERVICE": "proxy", "DD_VERSION": "1"}.items():
        monkeypatch.setenv(name, value)
    with DogStatsD() as receiver:
        sink = DogStatsDSink(receiver.address)
        sink.send(page(Record("litellm.a", "gauge", 1, ("a:b",)), checks=[ServiceCheck("c", Status.OK, ())]), NOW)
        sink.close(1)
    assert sorted(receiver.lines[0].tags) == ["a:b", "env:prod_x", "service:proxy", "version:1"]
    assert receiver.texts[1].endswith("|#env:prod_x,service:proxy,version:1")


def test_the_client_starts_no_thread_and_holds_no_fork():
    """There is no thread but ours, and while a page is sent the client's hooks for a fork do not wait."""
    threads = threading.active_count()
    forked = []

    def pause(_seconds):
        thread = threading.Thread(target=lambda: (base.pre_fork(), base.post_fork_parent()), daemon=True)
        thread.start()
        thread.join(5)
        forked.append(not thread.is_alive())

    with DogStatsD(reads=False) as receiver:
        sink = DogStatsDSink(receiver.address, sleep=pause)
        assert threading.active_count() == threads
        sink.send(page(*counts(200)[0]), NOW)
    assert forked
    assert all(forked)


@pytest.mark.parametrize(
    ("variables", "expected"),
    [
        ({}, "udp://localhost:8125"),
        ({"DD_AGENT_HOST": "agent"}, "udp://agent:8125"),
        ({"DD_AGENT_HOST": "agent", "DD_DOGSTATSD_HOST": "dsd", "DD_DOGSTATSD_PORT": "8126"}, "udp://dsd:8126"),
        ({"DD_AGENT_HOST": "::1"}, "udp://[::1]:8125"),
        ({"DD_DOGSTATSD_PORT": "9"}, "udp://localhost:9"),
        ({"DD_DOGSTATSD_SOCKET": "/s", "DD_AGENT_HOST": "agent"}, "unix:///s"),
        ({"DD_DOGSTATSD_SOCKET": "unix:///s"}, "unix:///s"),
        ({"DD_DOGSTATSD_URL": "udp://h:1", "DD_DOGSTATSD_SOCKET": "/s", "DD_AGENT_HOST": "agent"}, "udp://h:1"),
        ({"DD_DOGSTATSD_URL": "udp://h"}, "udp://h:8125"),
        ({"DD_DOGSTATSD_URL": "unixstream:///s"}, "unixstream:///s"),
        ({"DD_DOGSTATSD_URL": "unix:///s"}, "unix:///s"),
    ],
)
def test_the_address_is_what_the_variables_say(variables, expected, tmp_path):
    """The order is that of the ``datadog`` client and ddtrace."""
    assert str(address(variables, str(tmp_path / "none"))) == expected


def test_the_agents_own_socket_is_found(tmp_path):
    """Without a variable, the socket where the Agent has it counts before localhost."""
    path = tmp_path / "dsd.socket"
    path.touch()
    assert str(address({}, str(path))) == f"unix://{path}"
    assert str(address({"DD_AGENT_HOST": "agent"}, str(path))) == "udp://agent:8125"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DD_DOGSTATSD_URL", "http://u:secret@h:1"),
        ("DD_DOGSTATSD_URL", "udp://u:secret@h:x"),
        ("DD_DOGSTATSD_URL", "h:1"),
        ("DD_DOGSTATSD_SOCKET", "http://secret"),
        ("DD_DOGSTATSD_PORT", "x"),
    ],
)
def test_an_address_that_is_none_is_one_warning(name, value, tmp_path, caplog):
    """It names the variable, whose value may hold a password, and the next one counts."""
    assert str(address({name: value, "DD_AGENT_HOST": "agent"}, str(tmp_path / "none"))) == "udp://agent:8125"
    (record,) = caplog.records
    assert "secret" not in record.getMessage()
    assert name in record.getMessage()


def test_the_client_reads_no_address_of_its_own(monkeypatch, caplog):
    """The variables are read once: the client would log a value that it cannot use, with what is secret in it."""
    for name, value in {"DD_DOGSTATSD_URL": "http://u:secret@h:1", "DD_AGENT_HOST": "agent"}.items():
        monkeypatch.setenv(name, value)
    caplog.set_level(logging.DEBUG)
    sink = dogstatsd.from_environment(os.environ)
    assert (sink.name, sink._client.host, sink._client.port) == ("DogStatsD at udp://agent:8125", "agent", 8125)
    assert "secret" not in caplog.text


def test_a_page_takes_at_most_two_thirds_of_an_interval():
    """With short intervals a page has less time than the ten seconds that it has otherwise."""
    variables = {"DD_DOGSTATSD_URL": "udp://127.0.0.1:9"}
    assert dogstatsd.from_environment(variables, interval=15)._client._budget == 10
    assert dogstatsd.from_environment(variables, interval=3)._client._budget == 2
