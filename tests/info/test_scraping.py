"""What ``info`` says of the scraper is what the scraper would do."""

import sys

import pytest

from ddtrace_litellm.info.checks import problems
from ddtrace_litellm.info.facts import Facts
from ddtrace_litellm.info.processes import Seen
from ddtrace_litellm.info.scraping import look
from tests.openmetrics.servers import Server, closed_url

PAGE = b"# TYPE litellm_x counter\nlitellm_x_total 1\n# EOF\n"
NAME = "DD_LITELLM_OPENMETRICS_"


def environ(**variables):
    """Return the variables of the scraper."""
    return {f"{NAME}{name}": value for name, value in variables.items()}


def only_problem(variables):
    """Return the one thing that is wrong, and the remedy."""
    ((what, remedy),) = look(variables).problems
    return what, remedy


def test_nothing_is_asked_where_nothing_is_scraped():
    """Without the variables the scraper is off, and nothing is wrong about it."""
    assert look({}) == ("off", ())


def test_a_page_is_asked_for_once():
    """With a page that can be read, with the token of the file, everything is well."""
    with Server(lambda handler: handler.reply(PAGE)) as server:
        found = look(environ(ENDPOINT=server.url, TOKEN="sk-1", INTERVAL="20"))
    assert found == (f"{server.url} every 20 s, to the Agent's DogStatsD", ())
    ((_, headers),) = server.requests
    assert headers["Authorization"] == "Bearer sk-1"


@pytest.mark.parametrize(
    ("answer", "what", "remedy"),
    [
        (lambda h: h.reply(b"", status=401), "answers 401", "TOKEN_FILE"),
        (lambda h: h.reply(b"", status=404), 'callbacks: ["prometheus"]', "asks again"),
        (lambda h: h.reply(PAGE[:-6]), "# EOF", "asks again"),
    ],
)
def test_a_page_that_cannot_be_read(answer, what, remedy):
    """What keeps the page away is a problem with what to do about it, and names the page."""
    with Server(answer) as server:
        said = only_problem(environ(ENDPOINT=server.url))
    assert server.url in said[0]
    assert what in said[0]
    assert remedy in said[1]


def test_what_cannot_be_used(tmp_path):
    """An endpoint without a scheme, a token file that is not there and a proxy that is not up are found."""
    assert "ENDPOINT: openmetrics_endpoint" in only_problem(environ(ENDPOINT="localhost:4000/metrics"))[0]
    missing = tmp_path / "token.txt"
    said, _ = only_problem(environ(ENDPOINT="http://localhost:1/metrics", TOKEN_FILE=str(missing)))
    assert f"cannot read the token from {missing}" in said
    assert "start the proxy" in only_problem(environ(ENDPOINT=closed_url()))[1]


def test_options_of_a_file(tmp_path):
    """In a file, an option that is misspelt and a value that is none are found, each with the file."""
    file = tmp_path / "conf.yaml"
    file.write_text("instances: [{exclude_label: [a]}]")
    what, remedy = only_problem(environ(CONFIG=str(file)))
    assert "exclude_label: there is no such option; is it exclude_labels?" in what
    assert str(file) in remedy
    file.write_text("instances: [{tags: a}]")
    assert "instance 1: tags: its value (a str) is not a list" in only_problem(environ(CONFIG=str(file)))[0]


@pytest.mark.parametrize("package", ["datadog", "pydantic"])
def test_an_extra_that_is_missing(package, monkeypatch):
    """A package that the scraper needs is named, with the command that installs it."""
    ours = ("ddtrace_litellm.metrics", "ddtrace_litellm.openmetrics", "ddtrace_litellm.transport")
    for name in [name for name in sys.modules if name.split(".")[0] == package or name.startswith(ours)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    what, remedy = only_problem(environ(ENABLED="true"))
    assert f"{package} is not installed" in what
    assert "ddtrace-litellm[openmetrics]" in remedy


def test_they_are_problems_of_the_report():
    """Whatever keeps the scraper from its work is among the problems, so that the command returns 1."""
    scraping = look(environ(ENDPOINT=closed_url()))
    facts = Facts(
        {}, {"python": "3.12", "ddtrace": "4.16.0", "litellm": "1.110.2"}, Seen(None, (), "x"), scraping=scraping
    )
    assert scraping.problems[0] in problems(facts)
