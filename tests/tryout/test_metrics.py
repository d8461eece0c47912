import io
import socket
from urllib.parse import urlsplit

from rich.console import Console

from ddtrace_litellm.metrics.batch import Status
from ddtrace_litellm.tryout.metrics import DogStatsD, Metrics, Point, Totals
from ddtrace_litellm.tryout.render_metrics import render_metrics
from ddtrace_litellm.tryout.report import as_json


def of(*packets):
    """Return what becomes of packets."""
    totals = Totals()
    for packet in packets:
        totals.add(packet)
    return totals.metrics


def shown(metrics, *, full=False, width=120):
    """Return the lines that are rendered, without colours and with single spaces."""
    target = io.StringIO()
    render_metrics(Console(file=target, width=width, highlight=False), metrics, full=full)
    return [" ".join(line.split()) for line in target.getvalue().splitlines() if line]


def test_counts_are_summed_and_gauges_replaced():
    """Of a count the sum is kept, also of values on one line or sampled ones; of a gauge the last value."""
    metrics = of(
        b"litellm.a.count:1|c|#model:m\nlitellm.g:5|g\n",
        b"litellm.a.count:2:3|c|#model:m\nlitellm.a.count:1|c|@0.25|#model:n\nlitellm.g:-4|g\n",
    )
    assert [(record.name, record.type, record.value, record.tags) for record in metrics.records] == [
        ("litellm.a.count", "count", 6, ("model:m",)),
        ("litellm.a.count", "count", 4, ("model:n",)),
        ("litellm.g", "gauge", -4, ()),
    ]


def test_what_came_is_kept_by_the_second():
    """Of each name it is known what came when, of all series together; of a long run the last part."""
    now = [100.2]
    totals = Totals(clock=lambda: now[0])
    totals.add(b"litellm.a.count:1|c|#model:m\nlitellm.a.count:2|c|#model:n\nlitellm.g:4|g")
    for now[0] in range(101, 400):
        totals.add(b"litellm.a.count:5|c")
    points = totals.metrics.points
    assert points["gauge", "litellm.g"] == (Point(100, 4, 1),)
    assert (len(points["count", "litellm.a.count"]), points["count", "litellm.a.count"][-1]) == (180, Point(399, 5, 1))
    first = Totals(clock=lambda: 7.9)
    first.add(b"litellm.a.count:1|c|#model:m\nlitellm.a.count:2|c|#model:n")
    assert first.metrics.points["count", "litellm.a.count"] == (Point(7, 3, 2),)


def test_distribution_counts_its_values():
    """Of a distribution it is told how many values there were."""
    (record,) = of(b"litellm.d:1:2|d|@0.3333333333333333\nlitellm.d:3|d").records
    assert (record.type, record.value) == ("distribution", 7)


def test_service_check_is_the_last_one():
    """A check's last status counts, with its message."""
    line = b"_sc|litellm.openmetrics.health|%d|d:1764000000|#endpoint:e|m:no page"
    (check,) = of(line % 0, line % 2).checks
    assert (check.name, check.status, check.tags, check.message) == (
        "litellm.openmetrics.health",
        Status.CRITICAL,
        ("endpoint:e",),
        "no page",
    )


def test_what_is_not_litellms_or_broken_is_left_out():
    """Metrics of others, events and lines that cannot be read do not matter."""
    assert not of(
        b"runtime.python.cpu:1|c\n_e{1,1}:a|b\nlitellm.x\nlitellm.x:y|c\nlitellm.x:1|zz\nlitellm.x:1|c|@0\n"
        b"_sc|other|0\n_sc|litellm.x|9\n\xff\n"
    )


def test_all_that_was_sent_before_is_there():
    """What was sent before the question has been received."""
    with DogStatsD() as receiver, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
        address = urlsplit(receiver.url)
        for _ in range(500):
            sender.sendto(b"litellm.a.count:1|c" + b"\n" * 1000, (address.hostname, address.port))
        (record,) = receiver.metrics().records
    assert record.value == 500


PAGE = of(
    b"litellm.g:5|g|#b:c\nlitellm.h.bucket:1|c|#m:1,upper_bound:0.1,env:dev\nlitellm.x:1|c|#m:1\nlitellm.x:2|c|#m:2",
    b"litellm.h.bucket:2|c|#m:1,upper_bound:inf,env:dev\n_sc|litellm.openmetrics.health|2|m:no page\x1b[2J",
    b"litellm.e:1|g|#m:1\nlitellm.e:0.25|g|#m:2",
)


def test_each_name_is_a_line():
    """Counts come first and are summed up, of gauges the smallest and the largest is shown, of buckets how many."""
    assert shown(PAGE) == [
        "Metrics: 3 counts, 3 gauges, 1 service check",
        "litellm.h.bucket count x2",
        "litellm.x count 3",
        "litellm.e gauge 0.25 ... 1",
        "litellm.g gauge 5",
        "litellm.openmetrics.health check critical",
        r"no page\x1b[2J",
    ]


def test_full_has_each_series_with_its_tags():
    """Tags are beneath their series; buckets are one, even with the client's tags behind the bound."""
    lines = shown(PAGE, full=True)
    bucket = lines.index("litellm.h.bucket count x2")
    assert lines[bucket + 1].startswith("m:1, env:dev, upper_bound:")
    assert lines[bucket + 2 : bucket + 6] == ["litellm.x count 1", "m:1", "litellm.x count 2", "m:2"]
    assert lines[-4:] == ["litellm.g gauge 5", "b:c", "litellm.openmetrics.health check critical", r"no page\x1b[2J"]


def test_names_and_tags_are_whole_at_80_columns():
    """A narrow terminal breaks no name and no tag."""
    name, tag = "litellm.redis.daily_team_spend_update_queue.failed_requests.count", "api_key_alias:" + "k" * 50
    lines = shown(of(f"{name}:1|c|#{tag},user:{'u' * 40}".encode()), full=True, width=80)
    assert lines[1:] == [f"{name} count 1", f"{tag},", f"user:{'u' * 40}"]


def test_nothing_is_shown_of_nothing():
    """Without metrics of LiteLLM the report is what it was."""
    assert shown(Metrics()) == []


def test_json_has_them():
    """The JSON form has metrics and checks, lists that are empty where there are none."""
    report = as_json((), 0, of(b"litellm.g:5|g|#b:c\n_sc|litellm.openmetrics.health|0"))
    assert report["metrics"] == [{"name": "litellm.g", "type": "gauge", "value": 5.0, "tags": ["b:c"]}]
    assert report["service_checks"] == [
        {"name": "litellm.openmetrics.health", "status": "ok", "message": "", "tags": []}
    ]
    assert as_json((), 0, Metrics())["metrics"] == []
