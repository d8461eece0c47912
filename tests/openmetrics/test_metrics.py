from math import inf, nan

import pytest

from ddtrace_litellm.openmetrics.deltas import Deltas
from ddtrace_litellm.openmetrics.labels import Gauges, LabelRules
from ddtrace_litellm.openmetrics.metrics import Record, census, noting, records, totals
from ddtrace_litellm.openmetrics.names import families
from tests.openmetrics.measured import FOLDER, needs_data
from tests.openmetrics.pages import as_text, counter, gauge, histogram, of_text

REQUESTS = "litellm_proxy_total_requests_metric"
LATENCY = "litellm_request_total_latency_metric"
NOW = 2000.0


def sent(*pages, rules=None):
    """Return the records of the last of several pages."""
    rules = rules or LabelRules()
    deltas, gauges = Deltas(1000.0), Gauges(rules)
    return [records(deltas.read(page, NOW), rules, gauges, NOW) for page in pages][-1]


def test_counter():
    """A counter is a count of what was added since the page before, with its labels as tags and its unit."""
    pages = [counter(value, family=REQUESTS, created=1.0, route="/r", team="None") for value in (5, 8)]
    assert sent(*pages) == [
        Record("litellm.proxy.total_requests.metric.count", "count", 3.0, ("route:/r", "team:None"), "request")
    ]
    assert sent(*pages, pages[-1]) == []


def test_histogram():
    """A histogram is three counts: only the sum has a unit, only buckets have a bound, cumulative as on the page."""
    pages = [
        histogram({"0.5": 1, "1.0": 1, "+Inf": 1}, 0.4, family=LATENCY, created=1.0, model="m"),
        histogram({"0.5": 1, "1.0": 2, "+Inf": 3}, 3.4, family=LATENCY, created=1.0, model="m"),
    ]
    name = "litellm.request.total_latency.metric"
    assert sent(*pages) == [
        Record(f"{name}.count", "count", 2.0, ("model:m",)),
        Record(f"{name}.sum", "count", 3.0, ("model:m",), "second"),
        Record(f"{name}.bucket", "count", 1.0, ("model:m", "upper_bound:1.0")),
    ]
    renamed = sent(*pages, rules=LabelRules(rename={"upper_bound": "le"}, tags=("a:b",)))
    assert renamed[2].tags == ("model:m", "a:b", "le:1.0")


def test_summary():
    """A summary's quantiles are gauges under a name of their own."""
    (sample,) = gauge(0.2, family="litellm_new")
    (record,) = sent([sample._replace(type="summary", bound="0.5")])
    assert (record.name, record.type, record.tags) == ("litellm.new.quantile", "gauge", ("quantile:0.5",))


def test_gauges():
    """A gauge is sent as it is, of each page; the time when the process started as its age."""
    page = [*gauge(3.0, family="litellm_in_flight_requests"), *gauge(500.0, family="process_start_time_seconds")]
    expected = [
        Record("litellm.in_flight_requests", "gauge", 3.0, (), "request"),
        Record("litellm.process.uptime.seconds", "gauge", 1500.0, (), "second"),
    ]
    assert sent(page) == expected
    assert sent(page, page) == expected


def test_what_is_no_number():
    """NaN and infinity, which a budget without a limit is, are nothing to send, and no error."""
    page = [
        sample
        for value in (nan, inf, -inf)
        for sample in [*gauge(value, model=str(value)), *counter(value, family=REQUESTS, route=str(value))]
    ]
    assert sent(page, page) == []
    assert [totals(page).counters, totals(page).gauges] == [[], []]


def test_label_rules():
    """Labels that are left out make several series one, whose steps add up; a label may be the host."""
    rules = LabelRules(exclude=frozenset({"user"}), hostname_label="team")
    first, second = (
        [s for user in "ab" for s in counter(value, family=REQUESTS, created=1.0, user=user, team="t")]
        for value in (1, 3)
    )
    (record,) = sent(first, second, rules=rules)
    assert (record.value, record.tags, record.hostname) == (4.0, ("team:t",), "t")


def test_other_families():
    """What is not LiteLLM's is not sent; what is, but is not in the table, is sent under a name by the rule."""
    pages = [
        [
            *counter(value, family="python_gc_collections", created=1.0),
            *histogram({"+Inf": value}, value, family="http_seconds", created=1.0),
            *gauge(value, family="up"),
            *counter(value, family="litellm_deployment_novelty", created=1.0),
        ]
        for value in (1, 2)
    ]
    assert [record.name for record in sent(*pages)] == ["litellm.deployment.novelty.count"]
    noted = {}
    assert list(noting(pages[0], noted)) == pages[0]
    assert noted == {
        "python_gc_collections": "counter",
        "http_seconds": "histogram",
        "up": "gauge",
        "litellm_deployment_novelty": "counter",
    }
    found = census(noted)
    assert [(metric.family, metric.name) for metric in found.by_rule] == [
        ("litellm_deployment_novelty", "litellm.deployment.novelty")
    ]
    assert found.ignored == ("http_seconds", "python_gc_collections", "up")


def test_times_of_creation_are_no_families():
    """Text 0.0.4 has them as gauges; a gauge that only has such a name is one. A type without use is ignored."""
    noted = {}
    list(noting(as_text(counter(1.0, family=REQUESTS, created=1.0)), noted))
    assert set(noted) == {REQUESTS, f"{REQUESTS}_created"}
    assert census(noted) == ((), ())
    found = census({"litellm_x_created": "gauge", "litellm_y": "info"})
    assert [metric.family for metric in found.by_rule] == ["litellm_x_created"]
    assert found.ignored == ("litellm_y",)


def test_totals():
    """Totals are all that was ever counted, where steps would be nothing."""
    page = [
        *counter(5.0, family=REQUESTS, created=1.0),
        *counter(0.0, family=REQUESTS, created=1.0, route="/r"),
        *histogram({"1.0": 1, "+Inf": 2}, 3.0, family=LATENCY, created=1.0),
        *gauge(1.0, family="litellm_in_flight_requests"),
    ]
    found = records(totals(page), LabelRules(), Gauges(LabelRules()), NOW)
    assert [(record.name.rpartition(".")[2], record.value) for record in found] == [
        ("count", 5.0),
        ("count", 2.0),
        ("sum", 3.0),
        ("bucket", 1.0),
        ("in_flight_requests", 1.0),
    ]


@needs_data
@pytest.mark.parametrize("name", ["metrics_1.106.txt", "metrics_1.109.txt", "metrics_1.106_multiproc_families.txt"])
def test_recorded_pages(name):
    """Of a real page every family of LiteLLM is in the table, and no two records have name and tags in common."""
    noted = {}
    samples = list(noting(of_text((FOLDER / name).read_text()), noted))
    found = records(totals(samples), LabelRules(), Gauges(LabelRules()), NOW)
    assert len({(record.name, record.tags) for record in found}) == len(found) > 100
    assert {record.type for record in found} == {"count", "gauge"}
    by_rule, ignored = census(noted)
    assert by_rule == ()
    assert all(family.startswith(("python_", "process_")) for family in ignored)
    known = {submission.name for metric in families().values() for submission in metric.submissions().values()}
    assert {record.name for record in found} <= known
