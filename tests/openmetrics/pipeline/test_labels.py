import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddtrace_litellm.openmetrics.options.models import PageModel
from ddtrace_litellm.openmetrics.pipeline.deltas import CounterStep, Deltas, HistogramStep, Observations
from ddtrace_litellm.openmetrics.pipeline.labels import (
    Context,
    Gauge,
    Gauges,
    LabelRules,
    add_counters,
    add_histograms,
)
from ddtrace_litellm.openmetrics.pipeline.series import GaugeValue
from tests.openmetrics.measured import FOLDER, needs_data
from tests.openmetrics.pages import gauge, of_text


def rules_of(tags=(), **options):
    """Return what these options make of labels."""
    return LabelRules(PageModel(**options), tags)


@pytest.mark.parametrize(
    ("api_base", "shown"),
    [
        ("https://user:secret@host.example/v1?key=secret#secret", "https://host.example/v1"),
        (
            "https://us.googleapis.example/models/claude@20240620",
            "https://us.googleapis.example/models/claude@20240620",
        ),
        ("http://user:12/secret@host/v1", "***"),
        ("user:secret@host", "***"),
        ("None", "None"),
        ("", ""),
    ],
)
def test_base_urls_without_what_may_authorise(api_base, shown):
    """A provider's URL is a tag, or a host, without user, password and query; series so made one add up."""
    rules = rules_of(rename_labels={"api_base": "url"}, hostname_label="api_base")
    assert rules.context((("api_base", api_base),)) == Context((f"url:{shown}",), shown)
    steps = [("f", (("api_base", api_base),), 1.0), ("f", (("api_base", api_base),), 2.0)]
    assert list(add_counters(steps, rules.context).values()) == [3.0]


LABELS = (("model", "gpt"), ("team", "None"), ("user", ""))


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        pytest.param(rules_of(), ("model:gpt", "team:None", "user:"), id="as the page has them"),
        pytest.param(rules_of(exclude_labels=["team"]), ("model:gpt", "user:"), id="exclude"),
        pytest.param(rules_of(include_labels=["team"]), ("team:None",), id="include"),
        pytest.param(rules_of(include_labels=["team", "user"], exclude_labels=["user"]), ("team:None",), id="both"),
        pytest.param(
            rules_of(rename_labels={"team": "t"}, include_labels=["team"]), ("t:None",), id="rename comes last"
        ),
        pytest.param(rules_of(rename_labels={"team": "t"}, include_labels=["t"]), (), id="include: the page's names"),
        pytest.param(rules_of(exclude_metrics_by_labels={"team": ["^N"]}), None, id="drop by a label's value"),
        pytest.param(rules_of(exclude_metrics_by_labels={"user": True}), None, id="drop by a label, its value empty"),
        pytest.param(
            rules_of(exclude_metrics_by_labels={"team": ["x"]}, include_labels=["user"]), ("user:",), id="kept"
        ),
        pytest.param(
            rules_of(exclude_metrics_by_labels={"team": ["N"]}, exclude_labels=["team"]),
            None,
            id="drop by what is not sent",
        ),
        pytest.param(rules_of(exclude_labels=["model", "team", "user"], tags=("a:b",)), ("a:b",), id="constant tags"),
    ],
)
def test_tags_of_a_series(rules, expected):
    """Which labels become tags, what they are called, and when the series is dropped."""
    found = rules.context(LABELS)
    assert found == (None if expected is None else Context(expected))


def test_a_label_that_is_the_host_may_be_no_tag():
    """``hostname_label`` is read though it is excluded, and put into the format."""
    rules = rules_of(hostname_label="model", hostname_format="llm-<HOSTNAME>", exclude_labels=["model"])
    assert rules.context(LABELS) == Context(("team:None", "user:"), "llm-gpt")


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (r"say \"hi\"", 'say "hi"'),
        (r"C:\\new", r"C:\new"),
        (r"C:\new", r"C:\new"),
        ("a:b", "a:b"),
    ],
)
def test_takes_back_the_escapes_that_litellm_itself_adds(value, expected):
    """LiteLLM escapes what prometheus_client escapes again; other backslashes are the value's own."""
    assert rules_of().context((("k", value),)) == Context((f"k:{expected}",))


def test_steps_of_series_that_look_alike_afterwards_are_added():
    """Two users' steps are one count where the user is no tag, and stay two names' counts."""
    steps = [CounterStep(family, (("user", user),), 2.0) for family in ("x", "y") for user in "ab"]
    without = rules_of(exclude_labels=["user"])
    assert add_counters(steps, without.context) == {("x", Context(())): 4.0, ("y", Context(())): 4.0}
    assert len(add_counters(steps, rules_of().context)) == 4


@given(st.lists(st.tuples(st.sampled_from("ab"), st.sampled_from("cd"), st.integers(1, 9))))
def test_filters_keep_the_sum(steps):
    """Whatever labels are left out, nothing is lost and nothing is doubled."""
    steps = [CounterStep("x", (("k", k), ("l", label)), float(value)) for k, label, value in steps]
    for exclude in (frozenset(), frozenset("k"), frozenset("kl")):
        assert sum(add_counters(steps, rules_of(exclude_labels=[*exclude]).context).values()) == sum(
            step.value for step in steps
        )


def test_histograms_are_added_bucket_by_bucket():
    """Two users' observations are one histogram where the user is no tag."""
    steps = [
        HistogramStep("h", (("user", "a"),), Observations(3, 4.5, ("1", "+Inf"), (1, 3))),
        HistogramStep("h", (("user", "b"),), Observations(2, 1.5, ("1", "+Inf"), (2, 2))),
    ]
    added = add_histograms(steps, rules_of(exclude_labels=["user"]).context)
    assert added == {("h", Context(())): Observations(5, 6.0, ("1", "+Inf"), (3, 5))}
    assert add_histograms(steps, rules_of(exclude_metrics_by_labels={"user": ["a"]}).context).keys() == {
        ("h", Context(("user:b",)))
    }


def test_histograms_of_other_bounds_share_those_they_have_in_common():
    """Workers before and after a change of the buckets agree on count, sum, and the bounds that both have."""
    steps = [
        HistogramStep("h", (("user", "a"),), Observations(3, 4.5, ("1", "2", "+Inf"), (1, 2, 3))),
        HistogramStep("h", (("user", "b"),), Observations(2, 1.5, ("2", "5", "+Inf"), (1, 2, 2))),
    ]
    added = add_histograms(steps, rules_of(exclude_labels=["user"]).context)
    assert added == {("h", Context(())): Observations(5, 6.0, ("2", "+Inf"), (3, 5))}


@pytest.mark.parametrize(
    ("family", "expected"),
    [
        ("litellm_in_flight_requests", 6.0),
        ("litellm_in_memory_spend_update_queue_size", 6.0),
        ("litellm_redis_spend_update_queue_size", 1.0),
        ("litellm_deployment_state", 3.0),
        ("litellm_accounting_pending", 3.0),
        ("litellm_spend_log_storage_bytes", 3.0),
        ("litellm_remaining_team_budget_metric", 1.0),
        ("some_other_gauge", 1.0),
    ],
)
@pytest.mark.parametrize("label", ["pid", "excluded"])
def test_gauges_that_look_alike_afterwards_follow_the_familys_rule(family, expected, label):
    """The sum of what each worker has, the worst state, or the last word on what they all speak of; never a pid."""
    values = [GaugeValue(family, ((label, str(i)),), "", value) for i, value in enumerate((2.0, 3.0, 1.0))]
    collapsed = Gauges(rules_of(exclude_labels=["excluded"]).context).collapse(values)
    assert collapsed == {(Gauge(family), Context(())): expected}


def test_the_gauge_that_was_set_last_is_the_one_that_moved():
    """A dead worker's value stands still wherever the page has it; while none moves, the last that did remains."""
    gauges = Gauges(rules_of().context)
    pages = [(9, 8, 7), (9, 6, 7), (9, 6, 7), (5, 4, 7), (5, 4, 7), (3, 4, 7)]
    collapsed = [
        gauges.collapse(GaugeValue("budget", (("pid", str(pid)),), "", value) for pid, value in enumerate(page))
        for page in pages
    ]
    assert [list(page.values()) for page in collapsed] == [[7], [6], [6], [4], [4], [3]]


def test_a_gauge_of_several_tags_is_not_collapsed():
    """Only values with the same tags and host are one."""
    values = [GaugeValue("litellm_in_flight_requests", (("k", k),), "", 1.0) for k in "ab"]
    assert Gauges(rules_of(exclude_metrics_by_labels={"k": ["b"]}).context).collapse(values) == {
        (Gauge("litellm_in_flight_requests"), Context(("k:a",))): 1.0
    }
    assert len(Gauges(rules_of(hostname_label="k", exclude_labels=["k"]).context).collapse(values)) == 2


def test_a_quantile_is_a_tag_of_its_own_gauge():
    """A summary's quantiles are told apart from each other and from a gauge."""
    values = [GaugeValue("s", (), quantile, 1.0) for quantile in ("0.50", "1")]
    assert Gauges(rules_of(tags=("a:b",)).context).collapse(values) == {
        (Gauge("s", is_quantile=True), Context(("a:b", "quantile:0.5"))): 1.0,
        (Gauge("s", is_quantile=True), Context(("a:b", "quantile:1.0"))): 1.0,
    }


@needs_data
def test_a_recorded_page_of_two_workers_has_no_pid():
    """Of what two workers of a real proxy report, one value is left, and no tag says whose."""
    samples = of_text((FOLDER / "metrics_1.106_multiproc_families.txt").read_text())
    gauges = Deltas(0.0).read([*samples, *gauge(1.0, family="g")], 0.0).gauges
    assert any(name == "pid" for value in gauges for name, _ in value.labels)
    collapsed = Gauges(rules_of().context).collapse(gauges)
    assert not any(tag.startswith("pid:") for _, where in collapsed for tag in where.tags)
    assert len(collapsed) < len(gauges)
