import sys
import time
from math import inf, nan

import pytest

from ddtrace_litellm.metrics.batch import Record
from ddtrace_litellm.openmetrics.names import families
from ddtrace_litellm.openmetrics.pipeline.collector import Collector
from ddtrace_litellm.openmetrics.pipeline.deltas import EmptyPageError
from tests.openmetrics.measured import FOLDER, needs_data
from tests.openmetrics.options_of import options_of
from tests.openmetrics.pages import as_text, broken, counter, gauge, histogram, of_text

REQUESTS = "litellm_proxy_total_requests_metric"
LATENCY = "litellm_request_total_latency_metric"
COUNT = "litellm.proxy.total_requests.metric.count"
SECONDS = "litellm.request.total_latency.metric"
NOW = 2000.0


def scraped(*pages, started=1000.0, **options):
    """Return what becomes of the last of several pages, read every 10 seconds."""
    collector = Collector(options_of(options), started=started)
    return [collector.collect(page, NOW + 10 * number) for number, page in enumerate(pages)][-1]


def sent(*pages, **options):
    """Return the records of the last of several pages."""
    return scraped(*pages, **options).records


def values(records):
    """Return the values by name and tags."""
    return {(record.name, *record.tags): record.value for record in records}


def test_counter():
    """A counter is a count of what was added since the page before, with its labels as tags and its unit."""
    pages = [counter(value, family=REQUESTS, created=1.0, route="/r", team="None") for value in (5, 8)]
    assert sent(*pages) == [Record(COUNT, "count", 3.0, ("route:/r", "team:None"), "request")]
    assert sent(*pages, pages[-1]) == []


def test_first_zero():
    """A counter and a histogram's count are 0 once when they are new, as nothing can be watched that never was."""
    page = [
        *counter(5, family=REQUESTS, created=1.0, user="a"),
        *counter(0, family=REQUESTS, created=1500.0, user="b"),
        *histogram({"1.0": 1, "+Inf": 2}, 3.0, family=LATENCY, created=1.0),
    ]
    collector = Collector(options_of({"exclude_labels": ["user"]}), started=1000.0)
    zeros = collector.collect(page, NOW).records
    assert zeros == [Record(COUNT, "count", 0.0, (), "request"), Record(f"{SECONDS}.count", "count", 0.0, ())]
    assert collector.collect(page, NOW).records == []
    later = counter(0, family=REQUESTS, created=2500.0, user="c")
    assert collector.collect([*page, *later], NOW).records == []
    moved = counter(2, family=REQUESTS, created=2600.0, user="d")
    assert values(collector.collect([*page, *moved], NOW).records) == {(COUNT,): 2.0}


def test_histogram():
    """A histogram is three counts: only the sum has a unit, only buckets have a bound, cumulative as on the page."""
    pages = [
        histogram({"0.5": 1, "1.0": 1, "+Inf": 1}, 0.4, family=LATENCY, created=1.0, model="m"),
        histogram({"0.5": 1, "1.0": 2, "+Inf": 3}, 3.4, family=LATENCY, created=1.0, model="m"),
    ]
    assert sent(*pages) == [
        Record(f"{SECONDS}.count", "count", 2.0, ("model:m",)),
        Record(f"{SECONDS}.sum", "count", 3.0, ("model:m",), "second"),
        Record(f"{SECONDS}.bucket", "count", 1.0, ("model:m", "upper_bound:1.0")),
    ]
    renamed = sent(*pages, rename_labels={"upper_bound": "le"}, tags=["a:b"])
    assert renamed[2].tags == ("model:m", "a:b", "le:1.0")


BUCKETS = [
    histogram({"0.5": 1, "1.0": 1, "+Inf": 1}, 0.4, family=LATENCY, created=1.0),
    histogram({"0.5": 2, "1.0": 4, "+Inf": 7}, 30.4, family=LATENCY, created=1.0),
]
TOTALS = {(f"{SECONDS}.count",): 6.0, (f"{SECONDS}.sum",): 30.0}


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"collect_histogram_buckets": False}, TOTALS),
        ({"exclude_labels": ["upper_bound"]}, TOTALS),
        (
            {"include_labels": ["model"], "exclude_metrics_by_labels": {"upper_bound": ["0.5"]}},
            {**TOTALS, (f"{SECONDS}.bucket", "upper_bound:1.0"): 3.0},
        ),
        (
            {"non_cumulative_histogram_buckets": True},
            {
                **TOTALS,
                (f"{SECONDS}.bucket", "upper_bound:0.5", "lower_bound:0"): 1.0,
                (f"{SECONDS}.bucket", "upper_bound:1.0", "lower_bound:0.5"): 2.0,
            },
        ),
        ({"histogram_buckets_as_distributions": True}, {}),
        ({"collect_histograms_as_distributions": True, "collect_counters_with_distributions": True}, TOTALS),
    ],
)
def test_counts_of_a_histogram(options, expected):
    """The options say which counts there are of a histogram, none of them where it is a distribution alone."""
    assert values(sent(*BUCKETS, **options)) == expected


def test_distributions():
    """A histogram is one distribution, or one for each bucket with its bounds as tags."""
    found = scraped(*BUCKETS, collect_histograms_as_distributions=True).distributions
    assert [(each.name, each.tags, each.buckets) for each in found] == [
        (SECONDS, (), ((0.0, 0.5, 1.0), (0.5, 1.0, 2.0), (1.0, inf, 3.0)))
    ]
    found = scraped(*BUCKETS, histogram_buckets_as_distributions=True, tags=["a:b"]).distributions
    assert [(each.tags, each.buckets) for each in found] == [
        (("a:b", "upper_bound:0.5", "lower_bound:0"), ((0.0, 0.5, 1.0),)),
        (("a:b", "upper_bound:1.0", "lower_bound:0.5"), ((0.5, 1.0, 2.0),)),
        (("a:b", "upper_bound:inf", "lower_bound:1.0"), ((1.0, inf, 3.0),)),
    ]


def test_summary():
    """A summary's quantiles are gauges under a name of their own."""
    (sample,) = gauge(0.2, family="litellm_new")
    (record,) = sent([sample._replace(type="summary", bound="0.5")])
    assert (record.name, record.type, record.tags) == ("litellm.new.quantile", "gauge", ("quantile:0.5",))


def test_gauges():
    """A gauge is sent as it is, of each page; the time when the process started as its age."""
    page = [*gauge(3.0, family="litellm_in_flight_requests"), *gauge(500.0, family="process_start_time_seconds")]
    assert sent(page) == [
        Record("litellm.in_flight_requests", "gauge", 3.0, (), "request"),
        Record("litellm.process.uptime.seconds", "gauge", 1500.0, (), "second"),
    ]
    assert [record.value for record in sent(page, page)] == [3.0, 1510.0]


@pytest.mark.parametrize("value", [inf, -inf, nan, float(sys.maxsize), 1.7e308], ids=repr)
def test_limit_that_is_none(value):
    """LiteLLM's infinities and ``sys.maxsize`` say "no limit": they are not sent, and the other gauges are."""
    family = "litellm_remaining_requests_metric"
    page = [*gauge(value, family=family, model="a"), *gauge(2.0**53, family=family, model="b")]
    assert [record.value for record in sent(page)] == [2.0**53]


def test_what_is_no_number():
    """NaN and infinity, which a budget without a limit is, are nothing to send, and no error."""
    page = [
        sample
        for value in (nan, inf, -inf)
        for sample in [*gauge(value, model=str(value)), *counter(value, family=REQUESTS, route=str(value))]
    ]
    assert sent(page) == []
    assert sent(page, page) == []
    assert Collector(options_of({})).totals(page, NOW).records == []


def test_labels():
    """Labels that are left out make several series one, whose steps add up; a label may be the host."""
    first, second = (
        [s for user in "ab" for s in counter(value, family=REQUESTS, created=1.0, user=user, team="t")]
        for value in (1, 3)
    )
    (record,) = sent(first, second, exclude_labels=["user"], hostname_label="team")
    assert (record.value, record.tags, record.hostname) == (4.0, ("team:t",), "t")


def test_tags():
    """The endpoint is a tag of everything where there is one and it is not switched off."""
    page = gauge(1.0)
    for endpoint, options, expected in (
        ("http://h/metrics", {}, ("a:b", "endpoint:http://h/metrics")),
        ("http://h/metrics", {"tag_by_endpoint": False}, ("a:b",)),
        ("", {}, ("a:b",)),
    ):
        collector = Collector(options_of({"tags": ["a:b"], **options}), endpoint=endpoint)
        assert collector.tags == collector.collect(page, NOW).records[0].tags == expected


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
    found = scraped(*pages)
    assert [record.name for record in found.records] == ["litellm.deployment.novelty.count"]
    assert [*found.unmapped.by_rule.items()] == [("litellm_deployment_novelty", "litellm.deployment.novelty")]
    assert found.unmapped.ignored == ("http_seconds", "python_gc_collections", "up")
    found = scraped(*pages, collect_runtime_metrics=True, exclude_metrics=["up", "^litellm_"])
    assert {record.name for record in found.records} == {"litellm.python.gc.collections.count"}
    assert found.unmapped == ({}, ("http_seconds",))


@pytest.mark.parametrize("options", [{}, {"extra_metrics": [{REQUESTS: {"type": "gauge"}}, "litellm_.*"]}])
def test_times_of_creation_are_no_metrics(options):
    """Text 0.0.4 has them as gauges, next to their family or not, whatever the options make of that."""
    page = as_text(counter(1.0, family=REQUESTS, created=1.0))
    far = [page[0], *gauge(1.0), page[1]]
    for each in (page, far):
        found = scraped(each, **options)
        assert not any("created" in record.name for record in found.records)
        assert not any("created" in family for family in found.unmapped.by_rule)
    assert [record.name for record in sent(gauge(1.0, family="litellm_x_created"))] == ["litellm.x_created"]


def test_a_type_without_use_is_ignored():
    """What Datadog has no type for is not sent, but said to be there."""
    (sample,) = gauge(1.0, family="litellm_y")
    found = scraped([sample._replace(type="info", suffix="_info")])
    assert (found.records, found.unmapped) == ([], ({}, ("litellm_y",)))


def typed(value, type_, family="litellm_x", **labels):
    """Return a gauge's sample under another type."""
    (sample,) = gauge(value, family=family, **labels)
    return sample._replace(type=type_)


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"type": "counter"}, {("litellm.n.count",): 3.0}),
        ({"type": "gauge"}, {("litellm.n",): 8.0}),
        ({"type": "time_elapsed"}, {("litellm.n",): 2002.0}),
        ({"type": "rate"}, {("litellm.n",): 0.3}),
        ({"type": "temporal_percent", "scale": "millisecond"}, {("litellm.n",): 0.03}),
        ({"type": "temporal_percent", "scale": 10}, {("litellm.n",): 3.0}),
        ({"type": "counter_gauge"}, {("litellm.n.count",): 3.0, ("litellm.n.total",): 8.0}),
        ({"type": "histogram"}, {}),
        ({"type": "summary"}, {}),
        ({"type": "service_check", "status_map": {8: "critical"}}, {}),
    ],
)
@pytest.mark.parametrize("type_", ["unknown", "gauge", "counter"])
def test_typed_entries(entry, type_, expected):
    """An entry's type holds over the page's: the deltas count what the page does not call a counter."""
    pages = [[*gauge(1.0, family="up"), typed(value, type_)] for value in (5.0, 8.0)]
    found = sent(*pages, metrics=[{"litellm_x": {"name": "n", **entry}}])
    assert values(found) == pytest.approx(expected)


def test_a_type_that_does_not_fit():
    """Of a histogram that is declared to be a counter or a gauge there is nothing to send, and the rest is."""
    pages = [[*gauge(1.0, family="up"), *page] for page in BUCKETS]
    for type_ in ("counter", "gauge", "rate", "summary"):
        names = {record.name for record in sent(*pages, extra_metrics=[{LATENCY: {"type": type_}}])}
        assert names <= {f"litellm.{LATENCY}.count", f"litellm.{LATENCY}.sum"}


def test_rates():
    """A rate is 0 where nothing moved, none where it has not begun, and adds up what labels told apart."""
    metrics = [{"litellm_x": {"name": "n", "type": "rate"}}]
    first = [s for user in "ab" for s in counter(5, created=1.0, user=user)]
    assert sent(first, metrics=metrics) == []
    assert values(sent(first, first, metrics=metrics)) == {
        ("litellm.n", "user:a"): 0.0,
        ("litellm.n", "user:b"): 0.0,
    }
    later = [s for user in "ab" for s in counter(10, created=1.0, user=user)]
    new = counter(7, created=NOW + 5, user="c")
    (record,) = sent(first, [*later, *new], metrics=metrics, exclude_labels=["user"])
    assert (record.value, record.type) == (1.7, "gauge")


def test_service_checks():
    """A service check has the status of its value, and only the tags of everything."""
    entry = {"name": "up", "type": "service_check", "status_map": {1: "OK", "0": "critical"}}
    page = [s for value, model in ((1.0, "a"), (0.0, "b"), (7.0, "c"), (nan, "d")) for s in gauge(value, model=model)]
    found = scraped(page, metrics=[{"litellm_g": entry}], tags=["a:b"], hostname_label="model")
    assert found.records == []
    assert [(check.name, check.status.name, check.tags, check.hostname) for check in found.checks] == [
        ("litellm.up", "OK", ("a:b",), "a"),
        ("litellm.up", "CRITICAL", ("a:b",), "b"),
        ("litellm.up", "UNKNOWN", ("a:b",), "c"),
    ]


def test_metadata():
    """Where an Agent is there to take it, a label's value says something of the proxy."""
    entry = {"name": "version", "type": "metadata", "label": "v", "scheme": "semver"}
    options = options_of({"metrics": [{"litellm_g": entry}]}, in_agent=True)
    found = Collector(options, in_agent=True).collect([*gauge(1.0, v="1.2.3"), *gauge(1.0, w="no")], NOW)
    assert found.records == []
    assert found.metadata == [("version", "1.2.3", {"scheme": "semver"})]


def test_entries_and_regular_expressions():
    """Exact entries come first, then official names, then regular expressions, then names of ours and by the rule."""
    page = [
        *gauge(1.0, family="litellm_novelty"),
        *gauge(2.0, family="litellm_in_flight_requests"),
        *gauge(3.0, family="process_start_time_seconds"),
        *gauge(4.0, family="litellm_active_users"),
        *gauge(5.0, family="litellm_admission_queued_requests"),
        *gauge(6.0, family="up"),
    ]
    options = {"extra_metrics": [{"litellm_active_users": "users"}, "litellm_.*", {"^up$": {"name": "ignored"}}]}
    assert {record.name for record in sent(page, **options)} == {
        "litellm.litellm_novelty",
        "litellm.in_flight_requests",
        "litellm.process.uptime.seconds",
        "litellm.users",
        "litellm.litellm_admission_queued_requests",
        "litellm.up",
    }
    assert {record.name for record in sent(page, metrics=["litellm_.*"])} == {
        "litellm.litellm_novelty",
        "litellm.litellm_in_flight_requests",
        "litellm.litellm_active_users",
        "litellm.litellm_admission_queued_requests",
    }
    assert sent(page, metrics=[]) == []


def test_metric_patterns():
    """Names in full are included and excluded, of each kind of sample its own."""
    patterns = {"include": ["total_latency"], "exclude": ["bucket$", "sum$"]}
    assert values(sent(*BUCKETS, metric_patterns=patterns)) == {(f"{SECONDS}.count",): 6.0}
    assert scraped(*BUCKETS, metric_patterns={"exclude": [SECONDS]}, collect_histograms_as_distributions=True) == (
        [],
        ({}, ()),
        [],
        [],
        0,
        [],
        False,
    )


def test_raw_metric_prefix():
    """A prefix is taken off before anything else sees the name."""
    pages = [counter(value, family=f"my_{REQUESTS}", created=1.0) for value in (5, 8)]
    assert values(sent(*pages, raw_metric_prefix="my_")) == {(COUNT,): 3.0}
    assert sent(*pages, raw_metric_prefix="my_", exclude_metrics=[REQUESTS]) == []


def shared(page, share, **options):
    """Return the tags of a counter, of the second page, where others share their labels."""
    later = [sample._replace(value=9.0) if sample.family == REQUESTS else sample for sample in page]
    (found,) = [each for each in sent(page, later, share_labels=share, **options) if each.name == COUNT]
    return found.tags


STEADY = counter(1.0, family=REQUESTS, model="m", created=None)


@pytest.mark.parametrize(
    ("share", "expected"),
    [
        (True, ("model:m", "zone:z", "team:t")),
        ({"labels": ["zone"]}, ("model:m", "zone:z")),
        ({"match": ["model"]}, ("model:m", "zone:z", "team:t")),
        ({"match": ["model"], "labels": ["team"]}, ("model:m", "team:t")),
        ({"match": ["zone"]}, ("model:m",)),
        ({"values": [1, "2"]}, ("model:m", "zone:z", "team:t")),
        ({"values": [3]}, ("model:m",)),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_shared_labels(share, expected, before):
    """Series get the labels of another family, wherever on the page it is."""
    process, info = gauge(500.0, family="process_start_time_seconds"), gauge(1.0, model="m", zone="z", team="t")
    page = [*process, *info, *STEADY] if before else [*process, *STEADY, *info]
    assert shared(page, {"litellm_g": share}) == expected


def test_shared_labels_are_found_once_or_on_every_page():
    """What was shared once holds, or only for its page; a page that is not whole shares nothing."""
    process = gauge(500.0, family="process_start_time_seconds")
    for cache, expected in ((True, ("zone:1",)), (False, ("zone:2",))):
        collector = Collector(options_of({"share_labels": {"litellm_g": True}, "cache_shared_labels": cache}))
        with pytest.raises(ConnectionError):
            collector.collect(broken([*process, *gauge(1.0, zone="0")]), NOW)
        for zone in "12":
            info = gauge(1.0, zone=zone)
            records = collector.collect([*process, *info, *gauge(1.0, family="litellm_x")], NOW).records
        assert [record.tags for record in records if record.name == "litellm.x"] == [expected]
        records = collector.collect([*process, *gauge(1.0, family="litellm_x")], NOW).records
        assert [record.tags for record in records if record.name == "litellm.x"] == [expected if cache else ()]


@pytest.mark.parametrize("type_", ["gauge", "info"])
def test_target_info(type_):
    """The target's labels are everyone's, of each page anew; what is shared by name holds over them."""
    options = options_of({"target_info": True, "share_labels": {"litellm_g": {"labels": ["b"]}}})
    collector = Collector(options)
    for zone in "12":
        (target,) = gauge(1.0, family="target_info", zone=zone, b="target")
        if type_ == "info":
            target = target._replace(family="target", type="info", suffix="_info")
        page = [*gauge(1.0, family="litellm_x"), target, *gauge(1.0, b="named")]
        found = values(collector.collect(page, NOW).records)
        assert found["litellm.x", f"zone:{zone}", "b:named"] == 1.0


def test_telemetry():
    """What was read, used and excluded is counted where that is wanted."""
    page = [
        *as_text(counter(1.0, family=REQUESTS, created=1.0)),
        *gauge(nan),
        *gauge(2.0, family="up"),
        *gauge(2.0, family="litellm_novelty"),
    ]
    found = values(sent(page, page, telemetry=True, exclude_metrics=["litellm_novelty"], tags=["a:b"]))
    assert found == {
        ("litellm.telemetry.metrics.input.count", "a:b"): 5.0,
        ("litellm.telemetry.metrics.processed.count", "a:b"): 1.0,
        ("litellm.telemetry.metrics.ignored.count", "a:b"): 1.0,
    }


def test_series_above_the_limit():
    """Those that were first keep their place, a histogram being all its buckets; the rest is counted."""
    collector = Collector(options_of({"max_returned_metrics": 4}), started=1000.0)

    def page(n):
        return [
            *counter(n, family=REQUESTS, created=1.0),
            *histogram({"1.0": n, "2.0": n, "+Inf": n}, n, family=LATENCY, created=1.0),
            *gauge(n),
            *gauge(n, model="m"),
            *gauge(n, model="n"),
            *gauge(n, model="o"),
        ]

    first = collector.collect(page(1), NOW)
    assert (first.dropped, len(first.records)) == (2, 4)
    second = collector.collect([*page(2), *gauge(5, family="litellm_in_flight_requests")], NOW)
    assert second.dropped == 3
    assert [(record.name, record.tags) for record in second.records] == [
        (record.name, record.tags) for record in first.records
    ]


def test_a_place_is_lost_by_what_is_not_seen_for_long():
    """Twice an hour after it was last seen, a series makes room for another."""
    collector = Collector(options_of({"max_returned_metrics": 1}))
    old, new = gauge(1.0, model="old"), gauge(1.0, model="new")
    dropped = [
        collector.collect(page, NOW + at).dropped for page, at in ((old, 0), (new, 3000), (new, 3700), (new, 7400))
    ]
    assert dropped == [0, 1, 1, 0]


def test_totals():
    """Totals are all that was ever counted, where steps would be nothing."""
    page = [
        *counter(5.0, family=REQUESTS, created=1.0),
        *counter(0.0, family=REQUESTS, created=1.0, route="/r"),
        *histogram({"1.0": 1, "+Inf": 2}, 3.0, family=LATENCY, created=1.0),
        *gauge(1.0, family="litellm_in_flight_requests"),
    ]
    found = Collector(options_of({})).totals(page, NOW).records
    assert [(record.name.rpartition(".")[2], record.value) for record in found] == [
        ("count", 5.0),
        ("count", 2.0),
        ("sum", 3.0),
        ("bucket", 1.0),
        ("in_flight_requests", 1.0),
    ]


def test_pages_that_are_none():
    """An empty page is an error; of one that breaks off nothing remains, and the next adds what both would have."""
    collector = Collector(options_of({}))
    for collect in (collector.collect, collector.totals):
        with pytest.raises(EmptyPageError):
            collect([], NOW)
    first, second = (counter(value, family=REQUESTS, created=1.0) for value in (5, 8))
    collector.collect(first, NOW)
    with pytest.raises(ConnectionError):
        collector.collect(broken(second), NOW + 1)
    assert [record.value for record in collector.collect(second, NOW + 2).records] == [3.0]


def test_when_watching_began(monkeypatch):
    """Without a start, it is when the collector was made, on the page's clock; what was inherited is not counted."""
    collector = Collector(options_of({}))
    made = time.monotonic()
    series = counter(5, family=REQUESTS, created=NOW - 50)
    monkeypatch.setattr(time, "monotonic", lambda: made + 60)  # the pages before could not be read
    assert [record.value for record in collector.collect(series, NOW).records] == [5.0]
    late = Collector(options_of({}))
    assert [record.value for record in late.collect(series, NOW).records] == [0.0]
    series = counter(5, family=REQUESTS, created=NOW + 1)
    inherited = counter(2, family=REQUESTS)
    for started in (NOW, None):
        collector = Collector(options_of({}), started=started, inherited=inherited)
        assert [record.value for record in collector.collect(series, NOW).records] == [3.0]


@needs_data
@pytest.mark.parametrize("name", ["metrics_1.106.txt", "metrics_1.109.txt", "metrics_1.106_multiproc_families.txt"])
def test_recorded_pages(name):
    """Of a real page every family of LiteLLM is in the table, and no two records have name and tags in common."""
    samples = of_text((FOLDER / name).read_text())
    found, unmapped, *_ = Collector(options_of({})).totals(samples, NOW)
    assert len({(record.name, record.tags) for record in found}) == len(found) > 100
    assert {record.type for record in found} == {"count", "gauge"}
    assert unmapped.by_rule == {}
    assert all(family.startswith(("python_", "process_")) for family in unmapped.ignored)
    known = {submission.name for metric in families().values() for submission in metric.submissions().values()}
    assert {record.name for record in found} <= known
