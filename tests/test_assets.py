import csv
import json
import re
from importlib.resources import files
from math import isfinite, nan

import pytest

from ddtrace_litellm.cli import main
from ddtrace_litellm.extract.metadata import COST_TAGS
from ddtrace_litellm.openmetrics import names
from ddtrace_litellm.openmetrics.pipeline.histograms import number
from tests.openmetrics.measured import families, needs_data

DATA = files("ddtrace_litellm.openmetrics") / "data"
ASSETS = files("ddtrace_litellm.assets")
MONITORS = {path.name: json.loads(path.read_text()) for path in (ASSETS / "monitors").iterdir()}
DASHBOARDS = {path.name: json.loads(path.read_text()) for path in (ASSETS / "dashboards").iterdir()}
CALLS = "litellm_calls.json"
ALL = MONITORS | {name: dashboard for name, dashboard in DASHBOARDS.items() if name != CALLS}
"""Those that are made of LiteLLM's own metrics."""
SHARES = [name for name, monitor in MONITORS.items() if "/" in re.sub(r"\{.*?\}", "", monitor["query"])]

# What the sender or the Agent adds to a series of any family.
EVERYWHERE = {"host", "endpoint", "env", "service"}
WIDGETS = {"group", "note", "query_value", "timeseries", "toplist", "check_status", "list_stream"}

QUERY = re.compile(r"(sum|avg|min|max|p95):([a-z0-9_.]+)\{([^{}]*)\}(?: by \{([^{}]*)\})?(\.as_count\(\))?")
MENTION = re.compile(r"\blitellm(?:\.[a-z0-9_]+)+")


def metadata():
    """Return the type of every metric there is, by name."""
    rows = csv.DictReader((DATA / "metadata.csv").read_text().splitlines())
    return {row["metric_name"]: row["metric_type"] for row in rows}


def checks():
    """Return the groups of every service check there is, by name."""
    return {check["check"]: check["groups"] for check in json.loads((DATA / "service_checks.json").read_text())}


def labels():
    """Return the labels of every metric there is, by name."""
    known = {}
    for metric in names.table():
        for sent in [*metric.submissions().values(), names.Submission(metric.name, "gauge", "")]:
            more = {"upper_bound"} if sent.name.endswith(".bucket") else set()
            known.setdefault(sent.name, set()).update(metric.labels, more)
    return known


def walk(value):
    """Yield every dict within a JSON value."""
    if isinstance(value, dict):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from walk(inner)


def texts(value):
    """Return every text within a JSON value."""
    return [
        text
        for each in walk(value)
        for field in each.values()
        for text in (field if isinstance(field, list) else [field])
        if isinstance(text, str)
    ]


def queries(asset):
    """Return the queries of an asset and its prose: aggregation, metric, keys of the scope, groups, as count."""
    found = []
    for text in texts(asset):
        for aggregation, metric, scope, by, as_count in QUERY.findall(text):
            terms = [] if scope == "*" else scope.split(",")
            keys = [term.lstrip("!$").partition(":")[0] for term in terms]
            found.append((aggregation, metric, keys, by.split(",") if by else [], bool(as_count)))
    return found


@pytest.mark.parametrize("name", ALL)
def test_metrics_exist(name):
    """Every metric that is named, in queries and in prose, is one that is sent, or the stem of several."""
    known = metadata()
    for mention in {mention for text in texts(ALL[name]) for mention in MENTION.findall(text)}:
        assert mention in known or f"{mention}.count" in known or mention in checks(), mention
    assert all(metric in known for _, metric, *_ in queries(ALL[name]))


@pytest.mark.parametrize("name", ALL)
def test_tags_exist(name):
    """Every tag in a scope or a group is a label of that metric, or one that every metric may have."""
    known = labels()
    for _, metric, scope, by, _ in queries(ALL[name]):
        assert {*scope, *by} <= known[metric] | EVERYWHERE, metric


@pytest.mark.parametrize("name", ALL)
def test_counts_are_counted(name):
    """A count is a sum as count, as it is a rate where it came through DogStatsD; a gauge is neither."""
    types = metadata()
    for aggregation, metric, _, _, as_count in queries(ALL[name]):
        assert as_count == (types[metric] == "count"), metric
        assert aggregation == "sum" or not as_count, metric


@pytest.mark.parametrize("name", ALL)
def test_bounds_are_written_as_sent(name):
    """A bucket's bound is the text that the tag has."""
    bounds = re.findall(r"upper_bound:([^,}\s]+)", " ".join(texts(ALL[name])))
    assert all(number(bound) == bound for bound in bounds)


@needs_data
def test_bounds_exist():
    """A bucket's bound is one that LiteLLM has for that histogram."""
    by_name = {names.families()[row["family"]].name: row["buckets"] for row in families() if row["buckets"]}
    for asset in ALL.values():
        for text in texts(asset):
            for _, metric, scope, *_ in QUERY.findall(text):
                if bound := re.search(r"upper_bound:([^,}]+)", scope):
                    existing = map(number, by_name[metric.removesuffix(".bucket")].split(","))
                    assert bound[1] in existing, (metric, bound[1])


def evaluate(expression, values):
    """Return what an expression is worth; ``nan`` where it has no value. ``values``: by metric or name of a query."""

    def value(name):
        return values.get(name, nan)

    def default_zero(number):
        return number if isfinite(number) else 0.0

    expression = QUERY.sub(lambda match: f'value("{match[2].removeprefix("litellm.")}")', expression)
    try:
        return eval(expression, {"value": value, "default_zero": default_zero, **values})
    except ZeroDivisionError:
        return nan


PROXY, FALLBACK = "proxy.{}_requests.metric.count", "deployment.{}_fallbacks.count"


@pytest.mark.parametrize(
    ("name", "values", "expected"),
    [
        ("request_failures", {PROXY.format("failed"): 1, PROXY.format("total"): 4}, 25),
        ("request_failures", {PROXY.format("failed"): 4, PROXY.format("total"): 4}, 100),
        ("request_failures", {PROXY.format("total"): 4}, 0),
        ("request_failures", {}, nan),
        ("fallback_failures", {FALLBACK.format("failed"): 3, FALLBACK.format("successful"): 1}, 75),
        ("fallback_failures", {FALLBACK.format("failed"): 3}, 100),
        ("fallback_failures", {FALLBACK.format("successful"): 1}, 0),
        ("fallback_failures", {}, nan),
        ("rate_limits", {"deployment.failure_responses.count": 1, "deployment.total_requests.count": 10}, 10),
        ("rate_limits", {"deployment.total_requests.count": 10}, 0),
        ("database_failures", {"postgres.failed_requests.count": 1, "postgres.total_requests.count": 2}, 50),
        ("database_failures", {"postgres.total_requests.count": 2}, 0),
        *[
            (name, {f"{histogram}.count": 20, **buckets}, expected)
            for name, histogram in [
                ("latency_p95", "request.total_latency.metric"),
                ("time_to_first_token_p95", "llm.api.time_to_first_token.metric"),
                ("queue_time_p95", "request_queue_time_seconds"),
            ]
            for buckets, expected in [({f"{histogram}.bucket": 18}, 10), ({f"{histogram}.bucket": 20}, 0), ({}, 100)]
        ],
        ("team_budget", {"remaining.team_budget.metric": 5, "team.max_budget.metric": 100}, 5),
        ("team_budget", {"remaining.team_budget.metric": -1, "team.max_budget.metric": 100}, -1),
        ("team_budget", {"remaining.team_budget.metric": 5}, nan),
        ("api_key_budget", {"remaining.api_key.budget.metric": 5, "api.key.max_budget.metric": 100}, 5),
    ],
)
def test_what_shares_are(name, values, expected):
    """A share is right where something has not occurred, and so has no points: neither no failure nor no success."""
    query = MONITORS[f"{name}.json"]["query"]
    expression = re.fullmatch(r"\w+\(last_\w+\):(.*) [<>]=? [\d.]+", query)[1]
    assert evaluate(expression, values) == pytest.approx(expected, nan_ok=True)


def test_all_shares_are_tested():
    """No monitor divides without being among those whose values are tested."""
    (mark,) = [mark for mark in test_what_shares_are.pytestmark if mark.name == "parametrize"]
    assert {f"{name}.json" for name, *_ in mark.args[1]} == {*SHARES}
    assert len(SHARES) == 9


@pytest.mark.parametrize("name", MONITORS)
def test_monitor(name):
    """A monitor is what Datadog's API and its import dialog take, and its threshold is that of its query."""
    definition = MONITORS[name]
    assert definition.keys() == {"name", "type", "query", "message", "tags", "options"}
    assert definition["tags"] == ["integration:litellm"]
    assert len(definition["name"]) <= 80
    thresholds = definition["options"]["thresholds"]
    if definition["type"] == "service check":
        check, by, last = re.fullmatch(
            r'"([\w.]+)"\.over\("\*"\)\.by\((.*)\)\.last\((\d+)\)\.count_by_status\(\)', definition["query"]
        ).groups()
        assert {*json.loads(f"[{by}]")} <= {*checks()[check]}
        assert max(thresholds.values()) < int(last)
    else:
        assert definition["type"] == "query alert"
        window, aggregation, comparison = re.fullmatch(
            r"(sum|avg|min)\(last_\w+\):(.*?) ([<>]=? [\d.]+)", definition["query"]
        ).groups()
        assert float(comparison.split()[1]) == thresholds["critical"]
        # A monitor that adds up points after dividing them would have a percentage for each of them.
        counts = ".as_count()" in aggregation and "anomalies(" not in aggregation
        assert (window == "sum") == counts
    blocks = re.findall(r"\{\{([#/])(\w+)\}\}", definition["message"])
    assert [name for mark, name in blocks if mark == "#"] == [name for mark, name in blocks if mark == "/"]
    groups = {group for *_, by, _ in queries({"query": definition["query"]}) for group in by}
    named = {*re.findall(r"\{\{(\w+)\.name\}\}", definition["message"])}
    assert named <= groups or definition["type"] == "service check"


def test_what_is_watched():
    """There is a monitor of each thing that matters to who runs a proxy."""
    assert {name.removesuffix(".json") for name in MONITORS} >= {
        "api_key_budget",
        "deployment_outage",
        "fallback_failures",
        "latency_p95",
        "queue_time_p95",
        "rate_limits",
        "request_failures",
        "scrape_health",
        "spend_anomaly",
        "team_budget",
        "time_to_first_token_p95",
    }


@pytest.mark.parametrize("name", DASHBOARDS)
def test_dashboard(name):
    """A dashboard has what Datadog's validator and its API ask for; every widget is of a kind that exists."""
    dashboard = DASHBOARDS[name]
    assert {"title", "description", "layout_type", "template_variables", "widgets"} <= dashboard.keys()
    assert dashboard["layout_type"] == "ordered"
    definitions = [each["definition"] for each in walk(dashboard) if "definition" in each]
    assert {definition["type"] for definition in definitions} <= WIDGETS
    assert all(definition.get("title") for definition in definitions if definition["type"] != "note")
    assert all(each["check"] in checks() for each in definitions if each["type"] == "check_status")
    variables = {variable["name"] for variable in dashboard["template_variables"]}
    assert all(variable["prefix"] == variable["name"] for variable in dashboard["template_variables"])
    assert {name for text in texts(dashboard) for name in re.findall(r"\$(\w+)", text)} == variables


@pytest.mark.parametrize("name", DASHBOARDS)
def test_formulas(name):
    """A formula uses all of the queries beside it, and has a value where there are no failures or small values."""
    requests = [each for each in walk(DASHBOARDS[name]) if "formulas" in each]
    assert len(requests) > 20
    for request in requests:
        scalar = request["response_format"] == "scalar"
        asked = [query for query in request["queries"] if query["data_source"] == "metrics"]
        assert all(("aggregator" in query) == scalar for query in asked)
        metrics = dict.fromkeys((query["name"] for query in request["queries"]), "") | {
            query["name"]: QUERY.fullmatch(query["query"])[2] for query in asked
        }
        used = [re.findall(r"\b(?!default_zero\b)[a-z]\w*", formula["formula"]) for formula in request["formulas"]]
        assert {each for formula in used for each in formula} == metrics.keys()
        rare = re.compile(r"\.bucket$|fail|fallbacks|error|cache_read")
        for formula in request["formulas"]:
            if "/" in formula["formula"]:
                some = {each: nan if rare.search(metric) else 1.0 for each, metric in metrics.items()}
                if len({*some.values()}) > 1:
                    assert isfinite(evaluate(formula["formula"], some)), formula
                for absent in (each for each, metric in metrics.items() if rare.search(metric)):
                    values = {each: nan if each == absent else 1.0 for each in metrics}
                    assert isfinite(evaluate(formula["formula"], values)), formula


# What LLM Observability makes of all spans, with the tags of each: Datadog's page "LLM Observability metrics".
SPAN_TAGS = {"env", "error", "ml_app", "model_name", "model_provider", "service", "span_kind", "version"}
TOKEN_TAGS = SPAN_TAGS - {"span_kind"}
DATADOG_METRICS = {
    "ml_obs.span": SPAN_TAGS,
    "ml_obs.span.duration": SPAN_TAGS,
    "ml_obs.span.error": SPAN_TAGS,
    "ml_obs.span.llm.input.cache_read.tokens": TOKEN_TAGS,
    "ml_obs.span.llm.input.tokens": TOKEN_TAGS,
    "ml_obs.span.llm.output.tokens": TOKEN_TAGS,
    "ml_obs.span.llm.total.tokens": TOKEN_TAGS,
    "ml_obs.span.llm.total.cost": TOKEN_TAGS | COST_TAGS,
    "trace.litellm.request": {"env", "resource_name", "service", "version"},
    "trace.litellm.request.errors": {"env", "resource_name", "service", "version"},
}
COUNTS = {"ml_obs.span", "ml_obs.span.error", "trace.litellm.request.errors"}


def test_the_metrics_of_calls():
    """The dashboard of calls asks for metrics and tags that Datadog makes of our spans, counts as counts."""
    found = queries(DASHBOARDS[CALLS])
    assert len(found) > 20
    for _, metric, scope, by, as_count in found:
        assert {*scope, *by} <= DATADOG_METRICS[metric], metric
        assert as_count == (metric in COUNTS), metric


def test_the_command_writes_what_the_package_has(tmp_path, capsys):
    """`assets --to` writes every dashboard and monitor, what Terraform needs to import them, and says where."""
    written = tmp_path / "new" / "directory"
    assert main(["assets", "--to", str(written)]) == 0
    assert {*capsys.readouterr().out.split()} == {str(path) for path in written.rglob("*") if path.is_file()}
    assert {path.name: json.loads(path.read_text()) for path in written.rglob("*.json")} == DASHBOARDS | MONITORS
    folders = re.findall(r'fileset\("\$\{path.module\}/(\w+)"', (written / "litellm.tf").read_text())
    assert {path.parent.name for path in written.rglob("*.json")} == {*folders}


def test_where_nothing_can_be_written(tmp_path, capsys):
    """A place that cannot be written to is named, with the reason."""
    (tmp_path / "file").touch()
    assert main(["assets", "--to", str(tmp_path / "file")]) == 1
    assert re.search(r"cannot write .*file.*: .+", capsys.readouterr().err)
