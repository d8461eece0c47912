import re
import subprocess
import sys
from pathlib import Path

import pytest

import ddtrace_litellm
from ddtrace_litellm.openmetrics.names import (
    Metric,
    Submission,
    families,
    metric_for,
    name_by_rule,
    table,
)
from tests.openmetrics.measured import PAGES, families_on, needs_data, official, rows
from tests.openmetrics.measured import families as measured_families

# Of the units that Datadog's validator knows.
UNITS = {
    "",
    "byte",
    "dollar",
    "error",
    "event",
    "file",
    "fraction",
    "garbage collection",
    "hit",
    "hour",
    "invocation",
    "item",
    "job",
    "miss",
    "object",
    "request",
    "response",
    "row",
    "run",
    "second",
    "token",
    "unit",
    "user",
}
NORMAL_NAME = re.compile(r"litellm(\.[a-z0-9]+(_[a-z0-9]+)*)+")


def _version(text):
    return tuple(map(int, text.split(".")))


def _sent(family, type_, **options):
    metric = metric_for(family, type_, **options)
    return None if metric is None else {made.name: made.type for made in metric.submissions().values()}


@pytest.mark.parametrize(
    ("family", "type_", "expected"),
    [
        ("litellm_spend_metric", "counter", {"litellm.spend.metric.count": "count"}),
        ("litellm_deployment_state", "gauge", {"litellm.deployment.state": "gauge"}),
        (
            "litellm_llm_api_latency_metric",
            "histogram",
            {
                "litellm.llm.api.latency.metric.bucket": "count",
                "litellm.llm.api.latency.metric.sum": "count",
                "litellm.llm.api.latency.metric.count": "count",
            },
        ),
        (
            "litellm_new_latency",
            "summary",
            {
                "litellm.new.latency.quantile": "gauge",
                "litellm.new.latency.sum": "count",
                "litellm.new.latency.count": "count",
            },
        ),
        ("litellm_new_thing", "unknown", {}),
    ],
)
def test_samples_are_named_by_the_type_of_their_family(family, type_, expected):
    """A counter, a gauge, a histogram and a summary become the metrics that the Agent's check makes of them."""
    assert _sent(family, type_) == expected


def test_a_sample_is_named_by_its_suffix():
    """The suffix of a sample says which of the family's metrics it is, and its time of creation is none of them."""
    latency = metric_for("litellm_auth_latency", "histogram")
    assert latency.submissions()["_sum"] == Submission("litellm.auth.latency.sum", "count", "second")
    assert latency.submissions()["_bucket"] == Submission("litellm.auth.latency.bucket", "count", "")
    assert "_created" not in latency.submissions()


def test_the_page_decides_on_the_type():
    """A known family that a page declares with another type keeps its name and is sent as the page says."""
    assert _sent("litellm_remaining_tokens_metric", "counter") == {"litellm.remaining_tokens.metric.count": "count"}


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("litellm_input_tokens", "litellm.input.tokens"),
        ("litellm_input_tokens_metric", "litellm.input_tokens.metric"),
        ("litellm_total_tokens", "litellm.total.tokens"),
        ("litellm_total_tokens_metric", "litellm.total.tokens"),
    ],
)
def test_renamed_families_have_the_names_of_the_check(family, name):
    """Families that LiteLLM has renamed go where the Agent's check sends the old and the new one."""
    assert metric_for(family, "counter").name == name


def test_a_foreign_family_is_not_ours():
    """Families of the user's own code on the same page become no metrics."""
    assert metric_for("http_requests", "counter") is None
    assert metric_for("mylitellm_requests", "counter") is None
    assert metric_for("litellm_", "counter") is None


def test_an_unknown_family_is_named_by_rule():
    """A family of a newer LiteLLM is sent under a name made of its own, and can be told from the known ones."""
    metric = metric_for("litellm_redis_monthly_queue_size", "gauge")
    assert (metric.name, metric.type, metric.known) == ("litellm.redis.monthly_queue.size", "gauge", False)
    assert metric_for("litellm_redis_spend_update_queue_size", "gauge").known


@pytest.mark.parametrize(
    ("family", "name"),
    [
        ("litellm_new_thing", "litellm.new_thing"),
        ("litellm_new_thing_metric", "litellm.new_thing.metric"),
        ("litellm_in_memory_new_queue_size", "litellm.in_memory.new_queue.size"),
        ("litellm_anthropic_wif_cache_total_requests", "litellm.anthropic_wif_cache.total_requests"),
        ("litellm_anthropic_wif_total_requests", "litellm.anthropic_wif.total_requests"),
        ("litellm_with_guardrails_latency", "litellm.with_guardrails_latency"),
        ("litellm_with_guardrails_latency_metric", "litellm.with_guardrails_latency.metric"),
        ("litellm_new:thing", "litellm.new_thing"),
        ("litellm_redis__metric", "litellm.redis.metric"),
        ("litellm_new_thing_é", "litellm.new_thing"),
    ],
)
def test_the_rule_splits_off_group_and_measure(family, name):
    """The rule sets the service before and the measure behind a name apart, and leaves only what Datadog accepts."""
    assert name_by_rule(family) == name


def test_the_families_of_the_runtime_are_an_option():
    """prometheus_client's own nine families are sent on request only, and the time since the start always."""
    assert metric_for("process_open_fds", "gauge") is None
    assert _sent("process_open_fds", "gauge", runtime=True) == {"litellm.process.open_fds": "gauge"}
    assert sum(metric.of_runtime for metric in families().values()) == 9


def test_the_start_is_sent_as_time_since():
    """The process's start becomes its uptime, as in the Agent's check."""
    uptime = metric_for("process_start_time_seconds", "gauge")
    assert (uptime.name, uptime.transformer) == ("litellm.process.uptime.seconds", "time_elapsed")
    assert [metric.family for metric in table() if metric.transformer] == ["process_start_time_seconds"]


def test_every_family_has_one_row():
    """No family is in the table twice, and its rows are sorted."""
    names = [metric.family for metric in table() if metric.family]
    assert names == sorted(set(names))
    assert len(names) == 169


def test_only_total_tokens_has_two_sources():
    """No two families share a Datadog name, but for the total of tokens, whose family was renamed."""
    by_name = {}
    for metric in table():
        by_name.setdefault(metric.name, []).append(metric.family)
    assert [sources for sources in by_name.values() if len(sources) > 1] == [
        ["litellm_total_tokens", "litellm_total_tokens_metric"]
    ]


def test_names_and_units_are_datadogs():
    """Every name is one that Datadog stores unchanged, and every unit one that it knows."""
    assert [metric.name for metric in table() if not NORMAL_NAME.fullmatch(metric.name)] == []
    assert {metric.unit for metric in table()} <= UNITS


def test_durations_are_seconds():
    """Every histogram of LiteLLM observes seconds."""
    assert {metric.unit for metric in table() if metric.type == "histogram"} == {"second"}


def test_the_names_need_the_standard_library_only():
    """Looking names up imports nothing that an Agent lacks, and nothing of the tracing."""
    program = (
        "import sys; from ddtrace_litellm.openmetrics.names import metric_for;"
        "assert metric_for('litellm_spend_metric', 'counter').official;"
        "print(sorted({name.split('.')[0] for name in sys.modules} & {'ddtrace', 'wrapt', 'litellm', 'datadog'}))"
    )
    # Without site-packages no .pth file imports anything either.
    path = f"import sys; sys.path.insert(0, {str(Path(ddtrace_litellm.__file__).parents[1])!r});"
    done = subprocess.run([sys.executable, "-S", "-c", path + program], capture_output=True, text=True, check=False)
    assert (done.stdout.strip(), done.stderr) == ("[]", "")


def test_the_longest_name():
    """Datadog takes 200 characters, so a longer name by the rule is cut, and stays another than its like."""
    first, second = (name_by_rule("litellm_" + "x" * 300 + end) for end in "ab")
    assert first != second
    for name in (first, second):
        submissions = Metric(name, "summary", name).submissions().values()
        assert max(len(submission.name) for submission in submissions) == 200
    assert len(name_by_rule("litellm_" + "x" * 183)) == 191 > len(name_by_rule("litellm_" + "x" * 182))


@needs_data
def test_every_official_name_and_type_is_kept():
    """The metrics of the Agent's check are ours under the same names and types, and only those are official."""
    theirs = {row["datadog_name"]: row["metric_type"] for row in official()}
    ours = {made.name: made.type for metric in table() if metric.official for made in metric.submissions().values()}
    assert ours == theirs


@needs_data
def test_every_official_family_becomes_what_it_was():
    """Each family of the Agent's check has the type and the name that the check gives it."""
    for row in official():
        if row["prometheus_name"] in families():
            assert row["datadog_name"] in _sent(row["prometheus_name"], row["prometheus_type"])


@needs_data
def test_official_units_are_kept_but_for_the_wrong_ones():
    """A unit that the check's metadata gives is ours, except that milliseconds are seconds."""
    units = {made.name: made.unit for metric in table() for made in metric.submissions().values()}
    for row in official():
        if row["unit"] or row["first_version"] == "1.0.0":
            assert units[row["datadog_name"]] == row["unit"].replace("millisecond", "second"), row["datadog_name"]


@needs_data
def test_every_measured_family_is_in_the_table():
    """Of LiteLLM 1.74 to 1.109 every family is mapped, with the type it has there; 99 % are demanded."""
    measured = {row["family"]: row["type"] for row in measured_families()}
    mapped = {metric.family: metric.type for metric in table()}
    assert sorted(family for family, type_ in measured.items() if mapped.get(family) != type_) == []
    assert len(measured) == 150


@needs_data
def test_releases_agree_with_those_measured():
    """A family is there from its first measured release at the latest, and until its last at the earliest."""
    for row in measured_families():
        metric = families()[row["family"]]
        assert _version(metric.since) <= _version(row["first_seen"])
        assert bool(metric.until) == bool(row["last_seen"])
        assert not metric.until or _version(metric.until) >= _version(row["last_seen"])


@needs_data
def test_labels_are_those_that_were_measured():
    """Every label that a family has in some release is in the table, and no other."""
    for row in measured_families():
        assert ",".join(families()[row["family"]].labels) == row["labels"]


@needs_data
def test_gaps_have_the_names_proposed():
    """What the Agent's check leaves out has the name that the rule or the check's own names for keys and teams give."""
    for row in rows("check_coverage_gap.csv"):
        name = row["proposed_datadog_name"].removesuffix(".count")
        assert families()[row["prometheus_name"]].name == name


@needs_data
def test_how_much_of_the_official_names_the_rule_gives():
    """The rule gives 60 of the 83 official names, all ten of the newest, and every name of ours but nine of budgets."""
    theirs = [m for m in families().values() if m.official and m.family.startswith("litellm_")]
    assert (len(theirs), sum(name_by_rule(metric.family) == metric.name for metric in theirs)) == (83, 60)
    newest = {row["prometheus_name"] for row in official() if row["first_version"].startswith(">2.6.0")}
    assert len(newest) == 10
    assert all(name_by_rule(family) == families()[family].name for family in newest)
    own = [m for m in families().values() if not m.official and not m.of_runtime and name_by_rule(m.family) != m.name]
    assert len(own) == 9
    assert all("budget" in metric.family for metric in own)


@needs_data
@pytest.mark.parametrize("page", PAGES)
def test_every_family_of_a_real_page_is_known(page):
    """No family on a real page is unknown, prometheus_client's own included, and each has the table's type."""
    found = dict(families_on(page))
    assert len([family for family in found if family.startswith("litellm_")]) > 3
    strangers = [
        family
        for family, type_ in found.items()
        if (metric := metric_for(family, type_, runtime=True)) is None or metric != families().get(family)
    ]
    assert strangers == []
