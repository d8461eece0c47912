"""Ours and the Agent's own check submit the same of real pages, but for the differences listed here."""

import re
import sys
from collections import defaultdict
from collections.abc import Callable
from typing import NamedTuple
from zlib import crc32

import pytest

pytest.importorskip("datadog_checks.base", reason="needs the packages of an Agent: pip install datadog-checks-base")

from datadog_checks.base import __version__

from ddtrace_litellm.openmetrics.check import LiteLLMCheck
from tests.openmetrics.agent_check.checks import OfficialLiteLLMCheck, Run, official_names, served
from tests.openmetrics.measured import FOLDER, PAGES, needs_data

pytestmark = needs_data

_SAMPLE = re.compile(r"([^{ ]+)(\{.*\})? (\S+)")
_BOUND = re.compile(r'le="[^"]*",?')


def versions_of(text):
    """Return a page three times: with two thirds of its series, with all and twice the totals, with three times those.

    What is new on the second began after the first.
    """
    return [_version(text, factor, complete=factor > 1) for factor in (1, 2, 3)]


def _version(text, factor, *, complete):
    lines, type_, family = [], "", ""
    for line in text.splitlines():
        if line.startswith("# TYPE"):
            family, type_ = line.split()[2:]
        match = None if line.startswith("#") else _SAMPLE.fullmatch(line)
        if match is None or not family.startswith("litellm_"):
            lines.append(line)
            continue
        name, labels, value = match.groups()
        is_date = type_ == "gauge" and family.endswith("_created")
        is_new = (is_date or type_ != "gauge") and not crc32(_BOUND.sub("", labels or "").encode()) % 3
        if is_new and not complete:
            continue
        if is_date and is_new:
            value = "4e9"
        elif type_ != "gauge":
            value = repr(float(value) * factor)
        lines.append(f"{name}{labels or ''} {value}")
    return "\n".join(lines) + "\n"


class Difference(NamedTuple):
    """Something that ours does otherwise on purpose.

    Attributes:
        why: what, and the reason.
        holds: whether this is it: called with a context, type and value there in theirs and in ours, None for nothing,
            and all contexts of theirs.
    """

    why: str
    holds: Callable


def _is_official(context):
    names = {f"litellm.{name if isinstance(name, str) else name['name']}" for name in official_names().values()}
    return bool(names & {context.name, context.name.rpartition(".")[0]})


def _has_pid(context):
    return any(tag.startswith("pid:") for tag in context.tags)


def _without_pid(context):
    return context._replace(tags=tuple(tag for tag in context.tags if not tag.startswith("pid:")))


def _unescaped(context):
    return context._replace(tags=tuple(tag.replace("\\\\", "\\") for tag in context.tags))


NO_LIMIT = ("gauge", float(sys.maxsize))

DIFFERENCES = [
    Difference(
        "the official map lacks half of the families",
        lambda context, theirs, _ours, _all: theirs is None and not _is_official(context),
    ),
    Difference(
        "a count that stands still is sent as 0 once, when it is new, and not again: nothing is gained by more",
        lambda _context, theirs, ours, _all: theirs == ("count", 0.0) and ours is None,
    ),
    Difference(
        "and it is new on the first page too, where the Agent waits for the second",
        lambda context, theirs, ours, _all: theirs is None and ours == ("count", 0.0) and _is_official(context),
    ),
    Difference(
        "the proxy's age is counted on its own clock, whose header has whole seconds",
        lambda context, theirs, ours, _all: (
            context.name == "litellm.process.uptime.seconds" and abs(theirs[1] - ours[1]) < 3
        ),
    ),
    Difference(
        "gauges have no tag for the worker's pid, with one series for every worker there ever was",
        lambda context, theirs, _ours, _all: (
            theirs not in (None, NO_LIMIT) and theirs[0] == "gauge" and _has_pid(context)
        ),
    ),
    Difference(
        "instead they are one, as a rule by family says",
        lambda context, theirs, ours, everything: (
            theirs is None and ours[0] == "gauge" and context in map(_without_pid, filter(_has_pid, everything))
        ),
    ),
    Difference(
        "what LiteLLM escapes once more than the page needs is not sent with the backslashes",
        lambda context, _theirs, ours, _all: ours is None and _unescaped(context) != context,
    ),
    Difference(
        "and so it has another tag",
        lambda context, theirs, _ours, everything: (
            theirs is None and context in [_unescaped(each) for each in everything if _unescaped(each) != each]
        ),
    ),
    Difference(
        "when a counter began is no metric, even where a regular expression for metrics finds it",
        lambda context, theirs, ours, _all: ours is None and theirs[0] == "gauge" and context.name.endswith("_created"),
    ),
    Difference(
        "a limit of sys.maxsize is LiteLLM's way to say that there is none, and no number to draw",
        lambda _context, theirs, ours, _all: ours is None and theirs == NO_LIMIT,
    ),
    Difference(
        "telemetry counts the samples of more families as processed",
        lambda context, *_: context.name == "litellm.telemetry.metrics.processed.count",
    ),
]

MADE = """\
# TYPE litellm_spend_metric_total counter
litellm_spend_metric_total{user="\\\\\\\\n"} 0.5
# TYPE litellm_team_max_budget_metric gauge
litellm_team_max_budget_metric{team="free"} +Inf
litellm_team_max_budget_metric{team="a,b}"} NaN
litellm_team_max_budget_metric{team="ä # b"} 1e3
"""

OPTIONS = {
    "none": {},
    "tags": {"tags": ["team_name:a", "b"], "tag_by_endpoint": False},
    "ignore_tags": {"tags": ["team_name:a", "b"], "ignore_tags": ["^team", "endpoint"]},
    "rename_labels": {"rename_labels": {"model": "llm", "upper_bound": "le", "requested_model": "asked"}},
    "exclude_metrics": {"exclude_metrics": ["litellm_spend_metric", "^litellm_deployment_.*_responses$"]},
    "exclude_metrics_by_labels": {"exclude_metrics_by_labels": {"model": ["^gpt-4o$"], "exception_class": True}},
    "hostname_label": {"hostname_label": "model", "hostname_format": "h-<HOSTNAME>"},
    "collect_histogram_buckets": {"collect_histogram_buckets": False},
    "non_cumulative_histogram_buckets": {"non_cumulative_histogram_buckets": True},
    "histogram_buckets_as_distributions": {"histogram_buckets_as_distributions": True},
    "collect_counters_with_distributions": {"collect_counters_with_distributions": True},
    "collect_histograms_as_distributions": {"collect_histograms_as_distributions": True},
    "share_labels, match": {
        "share_labels": {"litellm_deployment_state": {"match": ["model_id"], "labels": ["litellm_model_name"]}}
    },
    "share_labels, all": {"share_labels": {"python_info": True}},
    "share_labels, values": {
        "share_labels": {"python_info": {"labels": ["version"], "values": [1]}},
        "cache_shared_labels": False,
    },
    "extra_metrics": {
        "extra_metrics": [
            "python_info",
            {"process_open_fds": "fds", "litellm_spend_metric": {"name": "money"}},
            {"^process_.*_bytes$": {"type": "gauge"}},
        ]
    },
    "metrics": {"metrics": [{"litellm_spend_metric": "money"}, "litellm_requests_metric", "^litellm_llm"]},
    "metrics, type": {"metrics": [{"^litellm_llm": {"type": "histogram"}}]},
    "raw_metric_prefix": {"raw_metric_prefix": "litellm_", "metrics": [{"spend_metric": "money"}]},
    "metric_patterns": {"metric_patterns": {"include": ["spend", "latency"], "exclude": ["bucket$"]}},
    "telemetry": {"telemetry": True},
    "raw_line_filters": {"raw_line_filters": ["^litellm_deployment", "python"], "telemetry": True},
    "disable_generic_tags": {
        "disable_generic_tags": True,
        "rename_labels": {"model": "service", "team": "host"},
        "tags": ["env:prod"],
    },
    "namespace": {"namespace": "other"},
    "enable_health_service_check": {"enable_health_service_check": False},
    "types": {
        "extra_metrics": [
            {
                "litellm_spend_metric": {"name": "s", "type": "counter_gauge"},
                "litellm_in_flight_requests": {
                    "name": "up",
                    "type": "service_check",
                    "status_map": {"0": "OK", "1": "WARNING"},
                },
                "litellm_requests_metric": {"name": "asked", "type": "gauge"},
            }
        ]
    },
}


def text_of(name):
    """Return a page by its name."""
    return MADE if name == "made" else (FOLDER / name).read_text()


def compare(text, options):
    """Run both on the versions of a page; return why they differ, and which contexts were equal."""
    reasons, equal = set(), set()
    with served() as (page, server):
        runs = [Run(check, server.url, **options) for check in (OfficialLiteLLMCheck, LiteLLMCheck)]
        for page.text in versions_of(text):
            theirs, ours = (run() for run in runs)
            assert [run.error for run in runs] == ["", ""]
            assert sorted(theirs.service_checks) == sorted(ours.service_checks)
            for context in theirs.values.keys() | ours.values.keys():
                pair = theirs.values.get(context), ours.values.get(context)
                if pair[0] == pair[1]:
                    equal.add(context)
                    continue
                why = [difference.why for difference in DIFFERENCES if difference.holds(context, *pair, theirs.values)]
                assert len(why) == 1, (context, *pair, why)
                reasons.update(why)
    return reasons, equal


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("name", ["metrics_1.106.txt", "metrics_1.106_multiproc_families.txt"])
def test_options(name, options):
    """With every option the same names, types, tags, hosts and values come out, but for the listed differences."""
    newer = "collect_histograms_as_distributions" in options or "match" in str(options)
    if newer and int(__version__.partition(".")[0]) < 38:
        pytest.skip("before 38 datadog-checks-base does not have the option, or only shares with what comes behind")
    _, equal = compare(text_of(name), options)
    assert equal


def test_every_page_and_every_difference():
    """Of each page most is equal, and each of the listed differences is there."""
    reasons = set()
    for name in PAGES:
        found, equal = compare(text_of(name), {"telemetry": True})
        assert len(equal) > 100
        reasons |= found
    reasons |= compare(MADE, {})[0]
    reasons |= compare(text_of(PAGES[0]), OPTIONS["metrics"])[0]
    assert reasons == {difference.why for difference in DIFFERENCES}


_EXCLUDED = {"api_key_alias", "hashed_api_key", "model", "requested_model", "route"}


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"exclude_labels": sorted(_EXCLUDED)}, lambda name: name not in _EXCLUDED),
        ({"include_labels": ["model", "route", "upper_bound"]}, lambda name: name in {"model", "route", "upper_bound"}),
    ],
    ids=["exclude_labels", "include_labels"],
)
@pytest.mark.parametrize("name", PAGES[:2])
def test_label_filters(name, options, kept):
    """With labels left out our counts are the sums of what the Agent's check counts with them; its own are not."""
    with served() as (page, server):
        runs = [
            Run(OfficialLiteLLMCheck, server.url),
            Run(OfficialLiteLLMCheck, server.url, **options),
            Run(LiteLLMCheck, server.url, **options),
        ]
        differ = False
        for page.text in versions_of(text_of(name)):
            truth, theirs, ours = ({c: v for c, (type_, v) in run().values.items() if type_ == "count"} for run in runs)
            sums = defaultdict(float)
            for context, value in truth.items():
                tags = tuple(
                    tag for tag in context.tags if (label := tag.partition(":")[0]) == "endpoint" or kept(label)
                )
                sums[context._replace(tags=tags)] += value
            moved = {context: pytest.approx(value) for context, value in sums.items() if value}
            assert {context: value for context, value in ours.items() if value and _is_official(context)} == moved
            differ = differ or {context: value for context, value in theirs.items() if value} != moved
    assert differ
