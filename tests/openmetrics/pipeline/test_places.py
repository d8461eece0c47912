import tracemalloc

import pytest

from ddtrace_litellm.metrics.batch import Record
from ddtrace_litellm.openmetrics.pipeline.collector import Collector
from ddtrace_litellm.openmetrics.pipeline.deltas import FORGET_AFTER
from ddtrace_litellm.openmetrics.pipeline.places import MOST_SAMPLES, MOST_SERIES, Places, TooManySamplesError
from ddtrace_litellm.openmetrics.samples import Sample
from ddtrace_litellm.openmetrics.text.parser import parse
from tests.openmetrics.options_of import options_of
from tests.openmetrics.pages import as_text, counter, gauge, histogram, process

STARTED = 1000.0
NOW = 2000.0


def collector(most=4, **options):
    """Return one that remembers so many series."""
    one = Collector(options_of(options), started=STARTED)
    one._places = Places(most)
    return one


def counts(scraped):
    """Return the values of counters by user."""
    return {record.tags[0]: record.value for record in scraped.records if record.name == "litellm.x.count"}


def users(values, created=None):
    """Return a page with a counter for each user."""
    return [sample for user, value in values.items() for sample in counter(value, created=created, user=user)]


@pytest.mark.parametrize("created", [None, 1.0])
@pytest.mark.parametrize("form", [list, as_text])
def test_what_is_kept_stays_right(form, created):
    """Series with a place keep it, wherever on the page others appear, with exact steps; the rest is counted."""
    one = collector()
    dated = [1.0] if created else [None]
    page = [*process(500.0), *users({"a": 1, "b": 1, "c": 1}, *dated)]
    assert one.collect(form(page), NOW).dropped == 0
    more = [*process(500.0), *users({"new": 7, "newer": 8, "a": 3, "b": 1, "c": 6}, *dated)]
    scraped = one.collect(form(more), NOW + 10)
    assert counts(scraped) == {"user:a": 2, "user:c": 5}
    assert scraped.dropped == (4 if created and form is as_text else 2)
    assert counts(one.collect(form([*process(500.0), *users({"new": 9, "a": 4}, *dated)]), NOW + 20)) == {"user:a": 1}


def test_a_restart_is_seen():
    """A process that starts anew has the same series, which keep their places and count from 0."""
    one = collector()
    kept, all_of_them = {"a": 5, "b": 5, "c": 5}, {"a": 5, "b": 5, "c": 5, "d": 5, "e": 5}
    one.collect([*process(500.0), *users(all_of_them, 600.0)], NOW)
    restarted = one.collect([*process(NOW + 1), *users(dict.fromkeys(all_of_them, 2), NOW + 2)], NOW + 10)
    assert counts(restarted) == dict.fromkeys((f"user:{user}" for user in kept), 2)


def test_an_emptied_shared_directory_is_seen():
    """Without a process start, a value that fell tells that every total began again: also among what is kept."""
    one = collector(4)
    worker = gauge(1, pid="7")
    for number, values in enumerate([{"a": 9, "b": 5, "c": 5, "d": 5}, {"a": 1, "b": 6, "c": 5, "d": 1}]):
        scraped = one.collect([*worker, *users(values)], NOW + 10 * number)
    assert counts(scraped) == {"user:a": 1, "user:b": 1}
    later = one.collect([*worker, *users({"a": 1, "b": 6, "c": 5, "d": 9})], NOW + 20)
    assert counts(later) == {"user:b": 5, "user:c": 5}


@pytest.mark.parametrize(("created", "counted"), [(None, {}), (600.0, {}), (1500.0, {"user:c": 7.0})])
def test_one_that_gets_a_place_late(created, counted):
    """It counts what it had before only if that is known to be of since we watch; undated, it is a baseline."""
    one = collector(3)
    page = [*gauge(1), *users({"a": 1, "b": 1}, created)]
    one.collect([*page, *users({"c": 5}, created)], NOW)
    for wait in (0.6, 1.2, 1.8):  # b is not seen, and so loses its place
        one.collect([*gauge(1), *users({"a": 1}, created)], NOW + wait * FORGET_AFTER)
    late = one.collect([*gauge(1), *users({"a": 1, "c": 7}, created)], NOW + 1.9 * FORGET_AFTER)
    assert (late.dropped, {user: count for user, count in counts(late).items() if count}) == (0, counted)


def test_gauges_have_places_too():
    """A page of gauges is bounded as well, and those that were there stay."""
    one = collector(2)
    one.collect([*gauge(1, user="a"), *gauge(1, user="b")], NOW)
    scraped = one.collect([*gauge(1, user="c"), *gauge(2, user="a"), *gauge(3, user="b")], NOW + 10)
    assert scraped.records == [
        Record("litellm.g", "gauge", 2, ("user:a",)),
        Record("litellm.g", "gauge", 3, ("user:b",)),
    ]
    assert scraped.dropped == 1


def test_series_without_end():
    """A series with more buckets than anybody has makes the page one that cannot be read."""
    buckets = {str(bound): 1.0 for bound in range(MOST_SAMPLES)}
    with pytest.raises(TooManySamplesError, match="more than 1000 samples"):
        collector().collect(histogram(buckets, 1.0), NOW)


def test_families_without_end():
    """Families take places as series do: those of a page that has too many are left out, and remembered nowhere."""
    page = b"".join(b"# TYPE f%d gauge\nf%d 1\n" % (number, number) for number in range(10_000)) + b"# EOF\n"
    found = collector(500).collect(parse([page], "application/openmetrics-text"), NOW)
    assert (found.dropped, len(found.unmapped.ignored)) == (9500, 500)


@pytest.mark.parametrize("kind", ["counter", "gauge"])
@pytest.mark.parametrize("options", [{}, {"telemetry": True, "share_labels": {"litellm_x": True}}])
def test_memory_has_a_bound(kind, options):
    """A page of ten times as many series takes about the same memory, in the end and meanwhile."""

    def page(size):
        return (Sample("litellm_x", kind, "", (("user", f"{user:040d}"),), "", 1.0) for user in range(size))

    def measured(size):
        one = collector(500, **options)
        tracemalloc.start()
        try:
            for number in range(2):
                assert one.collect(page(size), NOW + 10 * number).dropped == size - 500
            return tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()

    (held, peak), (more_held, more_peak) = measured(2_000), measured(20_000)
    assert more_held - held < 100_000
    assert more_peak - peak < 100_000


@pytest.mark.parametrize(
    ("options", "most"),
    [({}, MOST_SERIES), ({"max_returned_metrics": 10}, MOST_SERIES), ({"max_returned_metrics": 300_000}, 300_000)],
)
def test_the_bound_follows_what_is_sent(options, most):
    """Who has more sent has more remembered; only without any limit there is none."""

    def bound(options, **where):
        return Collector(options_of(options), **where)._places._known._most

    assert bound(options) == bound(options, in_agent=True) == most
    assert bound({"max_returned_metrics": 0}) is None
    assert bound({"max_returned_metrics": 0}, in_agent=True) == MOST_SERIES
