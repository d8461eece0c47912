import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ddtrace_litellm.openmetrics.options.models import PageModel
from ddtrace_litellm.openmetrics.pipeline.deltas import Observations
from ddtrace_litellm.openmetrics.pipeline.histograms import (
    Bucket,
    Count,
    HistogramRules,
    buckets_of,
    counts,
    number,
    without_bounds,
)

OBSERVED = Observations(7, 9.5, ("0.5", "1.0", "2.0", "+Inf"), (0, 3, 5, 7))


@st.composite
def observations(draw):
    """Draw what a histogram of any bounds may have observed."""
    bounds = sorted(draw(st.sets(st.floats(-10, 600, width=16), max_size=20)))
    inside = [float(value) for value in draw(st.lists(st.integers(0, 100), min_size=len(bounds) + 1, max_size=21))]
    inside = inside[: len(bounds) + 1]
    cumulative = tuple(sum(inside[: i + 1]) for i in range(len(inside)))
    return Observations(cumulative[-1], draw(st.floats(0, 1e6)), (*map(str, bounds), "+Inf"), cumulative)


def test_counts_of_cumulative_buckets():
    """The count, the sum, and each bound's bucket but infinity's; nothing that is zero."""
    assert list(counts(OBSERVED)) == [
        Count("count", (), 7),
        Count("sum", (), 9.5),
        Count("bucket", ("upper_bound:1.0",), 3),
        Count("bucket", ("upper_bound:2.0",), 5),
    ]


def test_counts_of_buckets_that_do_not_contain_each_other():
    """Each bucket counts what is above its lower bound, which is a tag too."""
    assert list(counts(OBSERVED, non_cumulative=True, upper_bound="le"))[2:] == [
        Count("bucket", ("le:1.0", "lower_bound:0.5"), 3),
        Count("bucket", ("le:2.0", "lower_bound:1.0"), 2),
    ]


def test_counts_without_buckets():
    """``collect_histogram_buckets: false`` leaves the count and the sum."""
    assert [count.suffix for count in counts(OBSERVED, buckets=False)] == ["count", "sum"]


def test_a_summary_has_no_buckets():
    """What has no bounds is a count and a sum."""
    assert [count.suffix for count in counts(Observations(1, 2, (), ()))] == ["count", "sum"]


@pytest.mark.parametrize(
    ("bounds", "lower"), [(("1", "+Inf"), 0.0), (("0", "+Inf"), 0.0), (("-1", "+Inf"), float("-inf"))]
)
def test_the_first_bucket_begins_at_zero_or_has_no_lower_end(bounds, lower):
    """Below a negative bound there is no end, below any other there is zero."""
    assert next(buckets_of(Observations(1, 1, bounds, (1, 1)))) == Bucket(lower, float(bounds[0]), 1)


def test_buckets_that_contradict_each_other_are_never_negative():
    """A lower bucket with more than the one that contains it leaves that one empty."""
    buckets = buckets_of(Observations(2, 1, ("1", "2", "+Inf"), (3, 2, 2)))
    assert [bucket.value for bucket in buckets] == [3, 0, 0]


@pytest.mark.parametrize(
    ("text", "expected"), [("0.005", "0.005"), ("2", "2.0"), ("0.0", "0"), ("+Inf", "inf"), ("1e3", "1000.0")]
)
def test_a_bound_is_written_as_the_agent_writes_it(text, expected):
    """One bound is one tag, however the page writes it."""
    assert number(text) == expected


@pytest.mark.parametrize(
    ("options", "histogram", "summary"),
    [
        ({}, 5, 2),
        ({"non_cumulative_histogram_buckets": True}, 5, 2),
        ({"collect_histogram_buckets": False}, 2, 2),
        ({"histogram_buckets_as_distributions": True}, 4, 2),
        ({"collect_histograms_as_distributions": True, "collect_counters_with_distributions": True}, 3, 2),
    ],
)
def test_how_many_metrics_it_is(options, histogram, summary):
    """As many as what is sent of it has names and tags, if every bucket has values."""
    rules = HistogramRules(PageModel(**options))
    assert (rules.metrics(OBSERVED), rules.metrics(Observations(1, 2, (), ()))) == (histogram, summary)


def test_buckets_that_are_left_out():
    """What a bucket left out has counts for the next one, where buckets do not contain each other."""
    observed = without_bounds(OBSERVED, re.compile(r"^1\.0$|inf"))
    assert observed == Observations(7, 9.5, ("0.5", "2.0"), (0, 5))
    assert [bucket.value for bucket in buckets_of(observed)] == [0, 5]
    assert without_bounds(OBSERVED, re.compile("")) == Observations(7, 9.5, (), ())


@given(observations())
def test_buckets_have_all_observations(observed):
    """Buckets that do not contain each other add up to the count."""
    assert sum(bucket.value for bucket in buckets_of(observed)) == observed.count


@given(observations())
def test_agrees_with_the_agents_check(observed):
    """Bounds and values are those that the check's own code finds."""
    utils = pytest.importorskip("datadog_checks.base.checks.openmetrics.v2.utils", reason="needs datadog-checks-base")
    from prometheus_client.samples import Sample as Official

    official = [
        (Official("h_bucket", {"upper_bound": number(bound)}, value), [f"upper_bound:{number(bound)}"], None)
        for bound, value in zip(observed.bounds, observed.buckets, strict=True)
    ]
    decumulated = [
        (tuple(tags), sample.value)
        for sample, tags, _ in utils.decumulate_histogram_buckets(official)
        if not sample.labels["upper_bound"].endswith("inf") and sample.value
    ]
    ours = [count for count in counts(observed, non_cumulative=True) if count.suffix == "bucket"]
    assert [(count.tags, count.value) for count in ours] == decumulated
