"""Faults of the Agent's own check on LiteLLM's pages: what it makes of them, and what ours does."""

import random
import time
from dataclasses import replace

import pytest

pytest.importorskip("datadog_checks.base", reason="needs the packages of an Agent: pip install datadog-checks-base")

from ddtrace_litellm.openmetrics.check import LiteLLMCheck
from tests.openmetrics.agent_check.checks import OfficialCheck, Run, served
from tests.openmetrics.servers import closed_url

OPENMETRICS = "application/openmetrics-text; version=1.0.0"
OK, CRITICAL = 0, 2


class XCheck(OfficialCheck):
    """Knows the one metric of these tests, which ours names by its rule."""

    NAMES = {"litellm_x": "x"}  # noqa: RUF012


@pytest.fixture
def both():
    """Return a function that makes an endpoint's two checks, and one that runs them on a page."""
    with served() as (page, server):

        def make(**options):
            theirs, ours = (
                Run(check, server.url, tag_by_endpoint=False, **options) for check in (XCheck, LiteLLMCheck)
            )

            def scrape(text, *, status=200, content_type=page.content_type):
                page.text, page.status, page.content_type = text, status, content_type
                return [outcome(run) for run in (theirs, ours)]

            return scrape

        yield make


def outcome(run):
    """Return the values of the metric, whether the run failed, and the state of the service check."""
    commit = run()
    return commit.named("litellm.x.count"), bool(run.error), commit.service_checks[-1][1]


def values(scrape, *texts, **options):
    """Return what both make of several pages."""
    outcomes = [scrape(text, **options) for text in texts]
    return [[each[0] for each in of_one] for of_one in zip(*outcomes, strict=True)]


def page(*lines):
    """Return a page with a counter."""
    return "\n".join(["# TYPE litellm_x_total counter", *lines, ""])


def created(value, began):
    """Return a page with a counter that says when it began."""
    return page(f"litellm_x_total {value}", "# TYPE litellm_x_created gauge", f"litellm_x_created {began}")


def test_several_workers_without_a_shared_directory(both):
    """F1: a page is one of four workers'. The Agent takes each change of worker for a restart: 10 times too much."""
    random.seed(3)
    scrape, workers, seen = both(), [0] * 4, {}
    sums = [0.0, 0.0]
    for _ in range(240):
        workers = [worker + random.randint(5, 15) for worker in workers]
        answering = random.randrange(4)
        first = seen.setdefault(answering, [workers[answering], 0])[0]
        seen[answering] = [first, workers[answering]]
        for i, (counts, *_) in enumerate(scrape(created(workers[answering], 1.7e9 + answering))):
            sums[i] += sum(counts)
    truth = sum(last - first for first, last in seen.values())
    assert sums[0] > 10 * truth
    assert sums[1] == truth


def test_excluded_label(both):
    """F2: series that only differ in a label that is left out are one count, not one counter's successive values."""
    scrape = both(exclude_labels=["user"])
    pages = [page(f'litellm_x_total{{user="a"}} {a}', 'litellm_x_total{user="b"} 1000') for a in (100, 110, 120, 130)]
    theirs, ours = values(scrape, *pages)
    assert theirs == [[900], [1000], [1000], [1000]]
    assert ours == [[0], [10], [10], [10]]


@pytest.mark.parametrize("character", ["\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85"])
def test_character_that_ends_lines_elsewhere(both, character):
    """F3: one request with a User-Agent such as Ångström/1.0 makes the Agent blind, and its service check stays ok."""
    scrape = both()
    theirs, ours = zip(
        *[scrape(page(f'litellm_x_total{{user_agent="a{character}b"}} {n}')) for n in (1, 3)], strict=True
    )
    assert theirs == (([], True, OK), ([], True, OK))
    assert ours == (([0], False, OK), ([2], False, OK))


def test_times_of_creation_in_openmetrics(both):
    """F4: `_created` is no value of the counter."""
    pages = [f"# TYPE litellm_x counter\nlitellm_x_total {v}\nlitellm_x_created 1.7e9\n# EOF\n" for v in (5, 7, 9)]
    theirs, ours = values(both(use_latest_spec=True), *pages, content_type=OPENMETRICS)
    assert theirs[1] == theirs[2] == [1.7e9]
    assert ours == [[0], [2], [2]]


def test_latest_spec_where_the_proxy_answers_with_the_old_one(both):
    """F4: with `headers` LiteLLM is not asked for OpenMetrics. The page's type says what it is."""
    scrape = both(use_latest_spec=True, headers={"Authorization": "Bearer sk-1"})
    pages = [page(f"litellm_x_total {v}") for v in (5, 7)]
    theirs, ours = zip(*map(scrape, pages), strict=True)
    assert theirs == (([], True, OK), ([], True, OK))
    assert ours == (([0], False, OK), ([2], False, OK))


def test_page_behind_an_empty_one(both):
    """F5: an empty page says nothing about what comes next; the first page is the baseline."""
    scrape = both()
    assert scrape("") == [([], False, OK), ([], True, CRITICAL)]
    assert scrape(page("litellm_x_total 100")) == [([100], False, OK), ([0], False, OK)]


def test_page_behind_a_connection_error_that_is_ignored():
    """F5: neither does a proxy that is not up yet."""
    runs = [Run(check, closed_url(), ignore_connection_errors=True) for check in (XCheck, LiteLLMCheck)]
    assert [outcome(run) for run in runs] == [([], False, CRITICAL), ([], False, CRITICAL)]
    with served() as (served_page, server):
        served_page.text = page("litellm_x_total 100")
        for run in runs:
            for scraper in run.check.scrapers.values():
                _lead(scraper, server.url)
        assert [outcome(run)[0] for run in runs] == [[100], [0]]


def _lead(scraper, url):
    """Let a scraper find its proxy at another port."""
    if hasattr(scraper, "endpoint"):
        scraper.endpoint = url
    else:
        scraper._source._request = replace(scraper._source._request, url=url)


def test_restart_that_has_overtaken(both):
    """F6: restarted after 12, and at 25 when it is read again: 25 were counted since, not 13."""
    soon = time.time() + 1000
    theirs, ours = values(both(), created(10, 1.7e9), created(12, 1.7e9), created(25, soon))
    assert theirs == [[], [2], [13]]
    assert ours == [[0], [2], [25]]


def test_restart_behind_a_failed_scrape(both):
    """F7: what a restarted proxy counted while it could not be read is not lost."""
    scrape = both()
    for value in (100, 110):
        scrape(page(f"litellm_x_total {value}"))
    assert [failed for _, failed, _ in scrape("", status=500)] == [True, True]
    assert [counts for counts, *_ in scrape(page("litellm_x_total 5"))] == [[0], [5]]


@pytest.mark.parametrize(
    "text", ["<html>login</html>", "{}", page("litellm_x_total 5", "litellm_x{"), page("litellm_x_total 5")[:-1]]
)
def test_page_that_cannot_be_read(both, text):
    """F8: the service check is ok only where the page was read to its end, and half a page is not submitted."""
    scrape = both()
    before, after = page("litellm_x_total 3"), page("litellm_x_total 8")
    scrape(before)
    theirs, ours = scrape(text)
    assert theirs[2] == OK
    assert ours == ([], True, CRITICAL)
    assert scrape(after)[1] == ([5], False, OK)
