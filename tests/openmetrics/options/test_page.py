import re

import pytest

from ddtrace_litellm.openmetrics.options.entries import TYPES, Entry, Families
from ddtrace_litellm.openmetrics.options.fields import OptionError, Share
from ddtrace_litellm.openmetrics.options.models import MOST_CONTEXTS, InstanceModel
from ddtrace_litellm.openmetrics.pipeline.histograms import HistogramRules
from ddtrace_litellm.openmetrics.pipeline.labels import LabelRules
from ddtrace_litellm.openmetrics.pipeline.transformers import TRANSFORMERS
from tests.openmetrics.options_of import options_of


def test_defaults():
    """Without options, and with options that have no value, everything is as it is by default."""
    assert options_of({}) == InstanceModel()
    assert options_of(dict.fromkeys(InstanceModel.model_fields), {}) == InstanceModel()


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (
            {"exclude_labels": ["a"], "include_labels": ["b"]},
            {"exclude_labels": frozenset("a"), "include_labels": frozenset("b")},
        ),
        ({"rename_labels": {"a": "b"}}, {"rename_labels": {"a": "b"}}),
        (
            {"exclude_metrics_by_labels": {"a": True, "b": ["x", "y$"], "c": []}},
            {"exclude_metrics_by_labels": {"a": re.compile(""), "b": re.compile("x|y$"), "c": re.compile("")}},
        ),
        ({"tags": ["a:b", "pod:x"], "ignore_tags": ["^pod:"]}, {"tags": ("a:b",)}),
        ({"service": "s", "tags": ["a:b"]}, {"tags": ("a:b", "service:s")}),
        (
            {"hostname_label": "h", "hostname_format": "x-<HOSTNAME>"},
            {"hostname_label": "h", "hostname_format": "x-<HOSTNAME>"},
        ),
        ({"hostname_format": "useless without a label"}, {"hostname_format": "useless without a label"}),
    ],
)
def test_labels(given, expected):
    """The options about labels and tags."""
    options = options_of(given)
    assert {name: getattr(options, name) for name in expected} == expected


def test_service_of_all_instances():
    """The service of all instances holds where an instance has none of its own."""
    assert options_of({}, {"service": "all"}).tags == ("service:all",)
    assert options_of({"service": "one"}, {"service": "all"}).tags == ("service:one",)


def test_generic_tags():
    """Generic names get LiteLLM's in front, whether a label or a tag has them, after they were renamed."""
    options = options_of(
        {
            "disable_generic_tags": True,
            "rename_labels": {"team": "env", "host": "machine"},
            "tags": ["version:1", "cluster", "a:env"],
            "service": "s",
        }
    )
    assert options.tags == ("litellm_version:1", "litellm_cluster", "a:env", "litellm_service:s")
    labels = (("team", "t"), ("host", "h"), ("env", "e"), ("model", "m"))
    assert LabelRules(options).context(labels).tags == ("litellm_env:t", "machine:h", "litellm_env:e", "model:m")


def test_in_an_agent():
    """What an Agent applies to everything that is submitted is left to it."""
    given = {
        "disable_generic_tags": True,
        "metric_patterns": {"include": ["a"]},
        "service": "s",
        "tags": ["env:e"],
    }
    options = options_of(given, {"service": "all"}, in_agent=True)
    assert (options.tags, options.rename_labels) == (("env:e",), {})
    assert options.metric_patterns == InstanceModel().metric_patterns


def test_names():
    """The options about names: exact ones, and regular expressions, which are what escaping would change."""
    options = options_of(
        {
            "metrics": ["a", {"b": "c", "d.*": "ignored"}, {"e": {"type": "gauge"}}],
            "extra_metrics": [{"a": {"name": "f", "type": "counter"}}, {"g$": {"type": "rate"}}],
            "exclude_metrics": ["h", "i.+", "^j"],
            "metric_patterns": {"include": ["k", "", "l"], "exclude": [""]},
        }
    )
    assert options.metrics.families == {"a": Entry("a"), "b": Entry("c"), "e": Entry("e", "gauge")}
    assert options.metrics.patterns == {re.compile("d.*"): Entry()}
    assert options.extra_metrics.families == {"a": Entry("f", "counter")}
    assert options.extra_metrics.patterns == {re.compile("g$"): Entry(type="rate")}
    assert options.exclude_metrics == Families(frozenset("h"), re.compile("i.+|^j"))
    assert (options.metric_patterns.include, options.metric_patterns.exclude) == (re.compile("k|l"), None)


def test_every_type_is_a_class():
    """The types that an entry may have are those that there are transformers of."""
    assert TRANSFORMERS.keys() == TYPES


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"collect_histogram_buckets": False}, {"buckets": False}),
        ({"non_cumulative_histogram_buckets": "yes"}, {"non_cumulative": True}),
        ({"histogram_buckets_as_distributions": True}, {"distributions": True, "counters": False}),
        ({"collect_counters_with_distributions": True}, {"distributions": True}),
        (
            {"collect_histograms_as_distributions": 1},
            {"distributions": True, "bound_tags": False, "counters": False},
        ),
    ],
)
def test_histograms(given, expected):
    """The options about histograms, of which some imply others."""
    assert vars(HistogramRules(options_of(given))) == vars(HistogramRules(options_of({}))) | expected


def test_sharing():
    """The options about shared labels; values may be texts."""
    options = options_of(
        {"share_labels": {"a": True, "b": {"labels": ["c"], "match": ["d"], "values": [1, "2"]}, "e": {"labels": []}}}
    )
    several = Share(labels=["c"], match=["d"], values=[1, 2])
    assert options.share_labels == {"a": Share(), "b": several, "e": Share()}


def test_the_limit():
    """In process there is one by default; 0 is none."""
    assert options_of({}).max_returned_metrics == MOST_CONTEXTS
    assert options_of({"max_returned_metrics": 0}).max_returned_metrics == 0


@pytest.mark.parametrize("text", ["yes", "True", "1", "Y", "on", True, 1])
def test_booleans_of_an_agent(text):
    """An Agent takes several texts for true."""
    assert options_of({"telemetry": text}).telemetry is True
    assert options_of({"tag_by_endpoint": "off"}).tag_by_endpoint is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"telemetry": "maybe"}, "telemetry: 'maybe' is not true or false"),
        ({"telemetry": 2}, "telemetry: 2 is not true or false"),
        ({"telemetry": 1.0}, "telemetry: 1.0 is not true or false"),
        ({"raw_metric_prefix": 3}, "raw_metric_prefix: its value (a int) is not a text"),
        ({"exclude_labels": "a"}, "exclude_labels: its value (a str) is not a list"),
        ({"tags": ["a", 1]}, "tags: its value (a list) is not a list of texts"),
        ({"rename_labels": ["a"]}, "rename_labels: its value (a list) is not a mapping"),
        ({"rename_labels": {"a": 1}}, "rename_labels: its value (a dict) renames a to what is not a text"),
        ({"rename_labels": {1: "a"}}, "rename_labels: its value (a dict) has a key that is not a text"),
        ({"exclude_metrics": ["("]}, "exclude_metrics: entry 1 is not a regular expression, see its character 1"),
        ({"ignore_tags": ["*"]}, "ignore_tags: entry 1 is not a regular expression"),
        (
            {"exclude_metrics_by_labels": {"a": 1}},
            "exclude_metrics_by_labels: its value (a dict) has neither",
        ),
        ({"exclude_metrics_by_labels": {"a": [1]}}, "exclude_metrics_by_labels: its value (a dict) has neither"),
        ({"metric_patterns": ["a"]}, "metric_patterns: its value (a list) is not a mapping"),
        ({"metric_patterns": {"include": "a"}}, "metric_patterns.include: its value (a str) is not a list"),
        ({"metric_patterns": {"exclude": ["["]}}, "metric_patterns.exclude: entry 1 is not a regular expression"),
        (
            {"hostname_label": "a", "hostname_format": "b"},
            "hostname_format: its value (a str) does not contain",
        ),
        ({"max_returned_metrics": -1}, "max_returned_metrics: -1 is not a whole number from 0 on"),
        ({"max_returned_metrics": True}, "max_returned_metrics: True is not a whole number from 0 on"),
        ({"share_labels": {"a": 1}}, "share_labels.a: a int is neither true nor a mapping"),
        ({"share_labels": {"a": {"labels": "b"}}}, "share_labels.a.labels: its value (a str) is not a list"),
        (
            {"share_labels": {"a": {"values": ["x"]}}},
            "share_labels.a.values: its value (a list) is not a list of",
        ),
        (
            {"share_labels": {"a": {"values": 1}}},
            "share_labels.a.values: its value (a int) is not a list of",
        ),
        ({"metrics": {"a": "b"}}, "metrics: its value (a dict) is not a list"),
        ({"metrics": [1]}, "metrics: an entry (a int) is neither a name nor a mapping of names"),
        ({"metrics": [{1: "a"}]}, "metrics: an entry (a dict) is neither a name nor a mapping of names"),
        ({"metrics": ["("]}, "metrics: entry 1 is not a regular expression"),
        ({"extra_metrics": ["("]}, "extra_metrics: entry 1 is not a regular expression"),
        ({"metrics": [{"a": 1}]}, "metrics: a: a int is neither a name nor a mapping of name and type"),
        ({"metrics": [{"a": {"name": 1}}]}, "metrics: a: its name (a int) is not a text"),
        ({"extra_metrics": [{"a": {"type": "odd"}}]}, "extra_metrics: a: there is no type 'odd', only counter, "),
        ({"metrics": [{"a": {"type": ["rate"]}}]}, "metrics: a: there is no type (a list), only counter, "),
        ({"metrics": [{"a": {"type": "metadata", "label": "b"}}]}, "metrics: the type metadata sends a label's"),
        ({"metrics": [{"a": {"type": "service_check"}}]}, "metrics: a: it has no status_map"),
        (
            {"metrics": [{"a": {"type": "service_check", "status_map": {1: "bad"}}}]},
            "metrics: a: its status_map is not one of whole numbers to OK, WARNING, CRITICAL, UNKNOWN",
        ),
        (
            {"metrics": [{"a": {"type": "service_check", "status_map": {"x": "ok"}}}]},
            "metrics: a: its status_map",
        ),
        ({"metrics": [{"a": {"type": "service_check", "status_map": {1: 1}}}]}, "metrics: a: its status_map"),
        ({"metrics": [{"a": {"type": "temporal_percent"}}]}, "metrics: a: None is no scale: one of second, "),
        ({"metrics": [{"a": {"type": "temporal_percent", "scale": 0}}]}, "metrics: a: 0 is no scale"),
        ({"metrics": [{"a": {"type": "temporal_percent", "scale": "year"}}]}, "metrics: a: 'year' is no scale"),
    ],
)
def test_what_cannot_be_used(options, message):
    """A wrong type or value is an error that names the option, and the value only where that should be a short word."""
    with pytest.raises(OptionError, match=f"^{re.escape(message)}"):
        options_of(options)


def test_metadata_needs_a_label():
    """In an Agent too, an entry of this type has to say which label."""
    with pytest.raises(OptionError, match=r"^metrics: a: it has no label"):
        options_of({"metrics": [{"a": {"type": "metadata"}}]}, in_agent=True)
