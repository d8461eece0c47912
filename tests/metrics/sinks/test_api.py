import itertools
import json
import logging
import random
import socket
import threading
import time
import zlib
from email.utils import formatdate
from math import inf

import pytest

from ddtrace_litellm.metrics.batch import (
    Bucket,
    Distribution,
    MetricBatch,
    Record,
    ServiceCheck,
    Status,
    UnmappedFamilies,
)
from ddtrace_litellm.metrics.sinks import api as api_module
from ddtrace_litellm.metrics.sinks import payloads as payloads_module
from ddtrace_litellm.metrics.sinks.api import ApiSink, from_environment
from ddtrace_litellm.metrics.sinks.intake import Intake
from ddtrace_litellm.metrics.sinks.payloads import SERIES, Sender, payloads
from ddtrace_litellm.transport import Proxies
from tests.metrics.receivers import Api

NOW = 1_764_000_000.5
KEY = "5ecret" * 5
SERIES_PATH, DISTRIBUTIONS_PATH, CHECKS_PATH = "/api/v2/series", "/api/v1/distribution_points", "/api/v1/check_run"


class Clock:
    """Time that passes when told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    """Return the sink's clock."""
    return Clock()


def sink_for(url, clock=time.monotonic, **options):
    """Return a sink that sends there."""
    sender = Sender("machine", ("env:prod",), 15)
    return ApiSink(Intake(url, KEY, Proxies()), sender, clock=clock, jitter=lambda: 1.0, **options)


def page(*records, distributions=(), checks=()):
    """Return what became of a page."""
    return MetricBatch(list(records), UnmappedFamilies(), distributions, checks)


def count(value, name="litellm.x.count", tags=("team:x",)):
    """Return a count."""
    return Record(name, "count", value, tags)


def total(api):
    """Return the sum of all counts that were taken."""
    return sum(point["value"] for item in api.items(SERIES_PATH) for point in item["points"])


def test_counts_and_gauges_as_the_api_wants_them():
    """A count has type 1 and the interval, a gauge type 3; host, tags and unit are there, and the key in its header."""
    with Api() as api:
        sink = sink_for(api.url)
        sink.send(page(count(0.25), Record("litellm.b", "gauge", 3, ("a:b c",), "second", "h")), NOW)
        sink.close(1)
    (request,) = api.requests
    assert request.headers["DD-API-KEY"] == KEY
    assert request.headers["Content-Type"] == "application/json"
    assert api.items(SERIES_PATH) == [
        {
            "metric": "litellm.x.count",
            "type": 1,
            "points": [{"timestamp": 1_764_000_000, "value": 0.25}],
            "tags": ["team:x", "env:prod"],
            "resources": [{"type": "host", "name": "machine"}],
            "interval": 15,
        },
        {
            "metric": "litellm.b",
            "type": 3,
            "points": [{"timestamp": 1_764_000_000, "value": 3}],
            "tags": ["a:b_c", "env:prod"],
            "resources": [{"type": "host", "name": "h"}],
            "unit": "second",
        },
    ]
    assert sink.dropped == 0


@pytest.mark.parametrize("observed", [1, 33, 12_345])
def test_a_distribution_has_every_value(observed, monkeypatch):
    """As many values as were observed arrive, in entries of bounded size."""
    monkeypatch.setattr(payloads_module, "_VALUES_OF_AN_ITEM", 5000)
    buckets = (Bucket(0, 0.5, observed), Bucket(2, inf, 3))
    with Api() as api:
        sink_for(api.url).send(page(distributions=[Distribution("litellm.d", buckets, ("a:b",))]), NOW)
    items = api.items(DISTRIBUTIONS_PATH)
    values = [value for item in items for _, some in item["points"] for value in some]
    assert sum(value < 0.5 for value in values) == observed
    assert values.count(2) == 3
    assert len(values) == observed + 3
    assert all(item["points"][0][0] == 1_764_000_000 and len(item["points"][0][1]) <= 5000 for item in items)
    assert {(item["metric"], item["type"], item["host"], *item["tags"]) for item in items} == {
        ("litellm.d", "distribution", "machine", "a:b", "env:prod")
    }


def test_service_checks():
    """Those of the page and of the scraper arrive; an ok one has no message, another at most 500 characters."""
    with Api() as api:
        sink = sink_for(api.url)
        sink.send(page(checks=[ServiceCheck("c", Status.WARNING, ("a:b",), "x" * 600, "h")]), NOW)
        sink.check(ServiceCheck("litellm.openmetrics.health", Status.OK, (), "unseen"), NOW)
    assert api.items(CHECKS_PATH) == [
        {
            "check": "c",
            "status": 1,
            "tags": ["a:b", "env:prod"],
            "host_name": "h",
            "timestamp": 1_764_000_000,
            "message": "x" * 500,
        },
        {
            "check": "litellm.openmetrics.health",
            "status": 0,
            "tags": ["env:prod"],
            "host_name": "machine",
            "timestamp": 1_764_000_000,
        },
    ]


def test_what_datadog_takes_for_one_series_is_added():
    """Counts whose tags it makes the same tags of are one series, of which it would keep the last value."""
    alike = [("t:a b", "t:a_b", "T:A,B"), ("t:c",), (f"t:{'d' * 198}1", f"t:{'d' * 198}2")]
    with Api() as api:
        sink_for(api.url).send(page(*(count(1, tags=(tag,)) for tags in alike for tag in tags)), NOW)
    assert [(item["tags"][0], item["points"][0]["value"]) for item in api.items(SERIES_PATH)] == [
        ("t:a_b", 3),
        ("t:c", 1),
        (f"t:{'d' * 198}", 2),
    ]


def test_tags_are_a_set():
    """Their order, a tag that comes twice, one that everything has, and the unit make no second series."""
    alike = [("a:b", "c:d"), ("c:d", "a:b"), ("a:b", "c:d", "A:B"), ("a:b", "env:prod", "c:d")]
    records = [Record("litellm.x.count", "count", 1, tags, "item" if len(tags) > 2 else "") for tags in alike]
    with Api() as api:
        sink_for(api.url).send(page(*records), NOW)
    (item,) = api.items(SERIES_PATH)
    assert (sorted(item["tags"]), item["points"][0]["value"]) == (["a:b", "c:d", "env:prod"], 4)


def test_two_pages_within_a_second_do_not_overwrite_each_other():
    """A last page right after another has a later time, as of two values at one second one is lost."""
    with Api() as api:
        sink = sink_for(api.url)
        sink.send(page(count(1)), NOW)
        sink.send(page(count(2)), NOW + 0.1)
    times = [item["points"][0]["timestamp"] for item in api.items(SERIES_PATH)]
    assert times == [1_764_000_000, 1_764_000_001]


def test_a_page_is_split_at_the_limits(monkeypatch):
    """No body is larger than Datadog takes, compressed or not; every value arrives once."""
    monkeypatch.setattr(payloads_module, "LARGEST", 60_000)
    monkeypatch.setattr(payloads_module, "LARGEST_COMPRESSED", 2000)
    digits = random.Random(1)
    records = [count(index + 1, tags=(f"user:{digits.random()}",)) for index in range(1000)]
    with Api() as api:
        sink_for(api.url).send(page(*records), NOW)
    assert total(api) == 500_500
    assert len(api.requests) > 4
    for request in api.requests:
        assert len(request.body) <= 60_000
        assert int(request.headers["Content-Length"]) <= 2000


@pytest.mark.parametrize("limit", [*range(2000, 2050), 500])
def test_a_body_of_many_small_values_is_split_at_the_limit(limit, monkeypatch):
    """What is between and around the values counts to the byte."""
    monkeypatch.setattr(payloads_module, "LARGEST", limit)
    made = [*payloads(SERIES, [b"1"] * 1000, NOW)]
    assert sum(payload.values for payload in made) == 1000
    assert max(len(zlib.decompress(payload.body)) for payload in made) <= limit


def test_real_limits():
    """The bodies of 40,000 series, 16 MB, are within the limits of the API."""
    items = [
        json.dumps({"metric": f"m{index}", "tags": [f"t:{index * 7919}"] * 20}).encode() for index in range(40_000)
    ]
    made = [*payloads(SERIES, items, NOW)]
    assert sum(payload.values for payload in made) == 40_000
    assert len(made) > 2
    for payload in made:
        assert len(payload.body) <= 512_000
        assert len(zlib.decompress(payload.body)) <= 5_242_880


def test_what_is_too_large_alone_is_dropped(monkeypatch, caplog):
    """One series beyond the limit is counted; the others arrive."""
    monkeypatch.setattr(payloads_module, "LARGEST", 2000)
    with Api() as api:
        sink = sink_for(api.url)
        sink.send(page(count(1), count(2, tags=tuple(f"x{index}:{'y' * 150}" for index in range(20))), count(4)), NOW)
    assert total(api) == 5
    assert sink.dropped == 1
    assert "larger than Datadog takes" in caplog.text


def test_too_large_for_the_server_is_halved():
    """With 413 the payload comes again in two, until it is taken; every value arrives once."""
    records = [count(index, tags=(f"user:{index}",)) for index in range(100)]
    with Api(most=7) as api:
        sink = sink_for(api.url)
        sink.send(page(*records), NOW)
    assert total(api) == sum(range(100))
    assert len(api.items(SERIES_PATH)) == 100
    assert sink.dropped == 0


def test_one_value_that_is_too_large_for_the_server_is_dropped():
    """What cannot be halved is counted, and nothing waits for it."""
    with Api(413, 202) as api:
        sink = sink_for(api.url)
        sink.send(page(count(1)), NOW)
        sink.send(page(count(2)), NOW + 15)
    assert total(api) == 2
    assert sink.dropped == 1


@pytest.mark.parametrize("status", [408, 429, 500, 503])
def test_what_may_pass_is_repeated_later(status, clock, caplog):
    """The page waits for the next one, and arrives with its own time; one warning, one line when it is over."""
    caplog.set_level(logging.INFO, "ddtrace.litellm.openmetrics")
    with Api(status, status, 202) as api:
        sink = sink_for(api.url, clock)
        sink.send(page(count(1)), NOW)
        assert len(api.requests) == 1  # nothing is repeated at once
        clock.now += 15
        sink.send(page(count(2)), NOW + 15)
        clock.now += 15
        sink.send(page(count(4)), NOW + 30)
    assert [(item["points"][0]["timestamp"], item["points"][0]["value"]) for item in api.items(SERIES_PATH)] == [
        (1_764_000_000, 1),
        (1_764_000_015, 2),
        (1_764_000_030, 4),
    ]
    assert sink.dropped == 0
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]
    assert str(status) in caplog.text


def test_back_off_grows_to_a_limit(clock):
    """Tries are at most five minutes apart, and each waits longer than the one before until then."""
    with Api(500) as api:
        sink = sink_for(api.url, clock)
        times = []
        for _ in range(400):
            before = len(api.requests)
            sink.check(ServiceCheck("c", Status.OK, ()), NOW)
            times += [clock.now] * (len(api.requests) - before)
            clock.now += 5
    waits = [later - sooner for sooner, later in itertools.pairwise(times)]
    assert waits == sorted(waits)
    assert (waits[0], waits[-1]) == (5, 300)


@pytest.mark.parametrize("header", ["120", "date"])
def test_retry_after_is_kept(header, clock):
    """Datadog says in seconds or as a date when to come again, and is not asked before."""
    value = header if header == "120" else formatdate(time.time() + 121, usegmt=True)
    with Api((429, {"Retry-After": value}), 202) as api:
        sink = sink_for(api.url, clock)
        sink.send(page(count(1)), NOW)
        clock.now += 118
        sink.send(page(count(2)), NOW + 118)
        assert len(api.requests) == 1
        clock.now += 3
        sink.send(page(count(4)), NOW + 121)
    assert total(api) == 7


@pytest.mark.parametrize(
    ("status", "said"), [(300, "for ***"), (400, "for ***"), (401, "DD_API_KEY"), (403, "DD_API_KEY and DD_SITE")]
)
def test_what_is_refused_is_not_repeated(status, said, caplog):
    """It is counted, said once, and never with the key, even where Datadog repeats it."""
    with Api(status, status, 202) as api:
        sink = sink_for(api.url)
        sink.send(page(count(1)), NOW)
        sink.send(page(count(2)), NOW + 15)
        sink.send(page(count(4)), NOW + 30)
    assert total(api) == 4
    assert sink.dropped == 2
    assert len(caplog.records) == 1
    assert said in caplog.text
    assert KEY not in caplog.text


def test_nobody_listens(clock, caplog):
    """A connection that is refused is repeated later, distributions too, as nothing can have arrived."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    sink = sink_for(f"http://127.0.0.1:{port}", clock)
    sink.send(page(count(1), distributions=[Distribution("d", (Bucket(0, 1, 1),), ())]), NOW)
    assert sink.dropped == 0
    with Api() as api:
        clock.now += 15
        sink._intake = Intake(api.url, KEY, Proxies())
        sink.send(page(), NOW + 15)
    assert total(api) == 1
    assert len(api.items(DISTRIBUTIONS_PATH)) == 1
    assert caplog.text.count("cannot be sent to Datadog") == 1


def test_a_hanging_server_holds_nobody_up(caplog):
    """A call ends with its patience; counts come again, as of two equal points one is kept, distributions do not."""
    with Api(None) as api:
        sink = sink_for(api.url, patience=0.6)
        sink.send(page(distributions=[Distribution("d", (Bucket(0, 1, 1),), ())]), NOW)
        assert sink.dropped == 1
        sink._retry_at = 0
        sink.send(page(count(1)), NOW)
        assert sink.dropped == 1
        api.answers[:] = [202]
        sink.close(5)
    assert total(api) == 1
    assert api.items(DISTRIBUTIONS_PATH) == []
    assert "does not answer in time" in caplog.text
    assert "are not sent twice" in caplog.text


def test_what_waits_is_bounded_in_bytes(clock, monkeypatch, caplog):
    """The oldest give way, and are counted."""
    digits = random.Random(1)
    monkeypatch.setattr(api_module, "MOST_HELD", 20_000)
    with Api(500) as api:
        sink = sink_for(api.url, clock)
        for number in range(50):
            sink.send(page(*(count(1, tags=(f"u:{digits.random()}",)) for _ in range(100))), NOW + number)
        assert sum(len(payload.body) for payload in sink._held) <= 20_000
        assert sink._held[-1].at == 1_764_000_049
        assert sink.dropped == 5000 - sum(payload.values for payload in sink._held) > 0
    assert len(caplog.records) == 2  # the trouble, and the loss


def test_what_waits_is_bounded_in_age(clock):
    """Datadog refuses points of more than an hour and service checks of more than ten minutes: they are given up."""
    with Api(500, 202) as api:
        sink = sink_for(api.url, clock)
        sink.send(page(count(1), checks=[ServiceCheck("c", Status.OK, ())]), NOW)
        clock.now += 3500
        sink.send(page(count(2)), NOW + 3500)
        assert (total(api), api.items(CHECKS_PATH), sink.dropped) == (3, [], 1)
        api.answers[:] = [500, 202]
        sink.send(page(count(4)), NOW + 3600)
        clock.now += 3700
        sink.send(page(count(8)), NOW + 7300)
    assert total(api) == 11
    assert sink.dropped == 2


def test_the_last_try(clock, caplog):
    """Closing tries what waits once more, without waiting for its time; what fails then is counted."""
    with Api(500, 202) as api:
        sink = sink_for(api.url, clock)
        sink.send(page(count(1)), NOW)
        sink.close(1)
        assert (total(api), sink.dropped) == (1, 0)
        api.answers[:] = [500]
        sink.send(page(count(2), count(3, name="litellm.y")), NOW + 15)
        sink.close(1)
    assert sink.dropped == 2
    assert "they are lost" in caplog.text


def test_nothing_to_send_asks_nobody():
    """A page without a value makes no request."""
    with Api() as api:
        sink_for(api.url).send(page(), NOW)
    assert api.requests == []


def test_no_thread_is_started(monkeypatch):
    """All is done in the caller's thread, as none can be started while a process ends."""
    sink = sink_for("http://127.0.0.1:9")
    monkeypatch.delattr(threading.Thread, "start")
    sink.send(page(count(1)), NOW)
    sink.close(1)
    assert sink.dropped == 1


def test_the_environment():
    """Key, site, host and tags are those of the variables; what has a variable of its own is not taken from DD_TAGS."""
    sink = from_environment(
        {
            "DD_API_KEY": KEY,
            "DD_SITE": "datadoghq.eu",
            "DD_HOSTNAME": "h",
            "DD_ENV": "prod",
            "DD_VERSION": "1 a",
            "DD_TAGS": "team:x, env:other",
            "DATADOG_TAGS": "a:b,team:x",
        },
        interval=14.6,
        tags=["worker:7"],
    )
    assert sink._intake._url == "https://api.datadoghq.eu"
    assert sink._sender == Sender("h", ("worker:7", "env:prod", "version:1_a", "team:x", "a:b"), 15)
    spaced = from_environment({"DD_API_KEY": KEY, "DD_TAGS": "a:b c:d"}, interval=3)
    assert spaced._sender == Sender(socket.gethostname(), ("a:b", "c:d"), 3)
    assert spaced._intake._url == "https://api.datadoghq.com"
    assert spaced._patience == 2
    elsewhere = from_environment({"DD_API_KEY": KEY, "DD_DD_URL": "http://relay:3834/"}, interval=15)
    assert elsewhere._intake._url == "http://relay:3834"


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({}, "DD_API_KEY"),
        ({"DD_API_KEY": "a\r\nsecret: b"}, "DD_API_KEY"),
        ({"DD_API_KEY": KEY, "DD_SITE": "https://app.datadoghq.eu"}, "DD_SITE"),
        ({"DD_API_KEY": KEY, "DD_DD_URL": "https://me:secret@relay"}, "DD_DD_URL"),
    ],
)
def test_an_environment_that_cannot_be_used(variables, named):
    """The message names the variable, and never shows the key."""
    with pytest.raises(ValueError, match=named) as raised:
        from_environment(variables, interval=15)
    assert "secret" not in str(raised.value)


def test_a_proxy_is_asked_for_a_tunnel(monkeypatch):
    """``https_proxy`` is used, with its user and without the key, and ``no_proxy`` keeps hosts from it."""
    asked = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def proxy():
            connection, _ = listening.accept()
            with connection:
                asked.append(connection.recv(1 << 16))
                connection.sendall(b"HTTP/1.1 502 No\r\n\r\n")

        thread = threading.Thread(target=proxy)
        thread.start()
        monkeypatch.setenv("https_proxy", f"http://me:pass@127.0.0.1:{listening.getsockname()[1]}")
        monkeypatch.setenv("no_proxy", "localhost")
        sink = from_environment({"DD_API_KEY": KEY, "DD_SITE": "datadog.invalid"}, interval=15)
        sink.send(page(count(1)), NOW)
        thread.join()
    assert asked[0].startswith(b"CONNECT api.datadog.invalid:443 HTTP/1.")
    assert b"Basic bWU6cGFzcw==" in asked[0]
    assert KEY.encode() not in asked[0]
    assert sink._intake._proxies.no_proxy == ("localhost",)
    assert sink.dropped == 0
