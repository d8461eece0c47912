"""What of a configuration becomes scrapers, in this process."""

import sys
import tempfile
import threading

import pytest
from prometheus_client import REGISTRY, Counter

from ddtrace_litellm.config import OpenMetricsConfig
from ddtrace_litellm.metrics import sinks
from ddtrace_litellm.metrics.sinks.api import ApiSink
from ddtrace_litellm.metrics.sinks.dogstatsd import DogStatsDSink
from ddtrace_litellm.openmetrics.process import build
from ddtrace_litellm.openmetrics.sources.http import HttpSource
from ddtrace_litellm.openmetrics.sources.registry import RegistrySource
from tests.openmetrics.servers import Server

URL = "http://localhost:4000/metrics/"
PAGE = b"# TYPE litellm_x counter\nlitellm_x_total 1\n# EOF\n"


@pytest.fixture
def process():
    """Return a process that has not scraped yet."""
    return build.Process(RegistrySource(), 0.0, forked=False, no_fork=threading.Lock())


@pytest.fixture
def counter():
    """Return a counter of LiteLLM's, in the registry for the time of the test."""
    made = Counter("litellm_build_test", "x", ["team"])
    yield made
    REGISTRY.unregister(made)


@pytest.fixture(autouse=True)
def _locks_of_its_own(tmp_path, monkeypatch):
    """Who scrapes an endpoint is agreed upon among the test's own scrapers only."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_the_registry(process):
    """Without an endpoint it is the registry, read while no fork may happen, as soon as it holds something."""
    (scraper,) = build.scrapers(OpenMetricsConfig(interval=7), process)
    assert scraper._source is process.registry
    assert isinstance(scraper._sink, DogStatsDSink)
    assert scraper._options.interval == 7
    assert scraper._options.guard is process.no_fork
    assert scraper._options.wanted == process.registry.available
    assert scraper._options.health_check


def test_an_endpoint(process):
    """It is asked with the token, by one process of several, and is a tag of everything."""
    with Server(lambda handler: handler.reply(PAGE)) as server:
        scrapers = [build.scrapers(OpenMetricsConfig(server.url, token="sk-1"), process)[0] for _ in range(2)]
        assert [scraper.scrape() for scraper in scrapers] == [True, True]
    ((_, headers),) = server.requests
    assert headers["Authorization"] == "Bearer sk-1"
    assert isinstance(scrapers[0]._source, HttpSource)
    assert scrapers[0]._collector().tags == (f"endpoint:{server.url}",)


def test_a_token_in_a_file(process, tmp_path):
    """It is read for each page."""
    file = tmp_path / "token"
    with Server(lambda handler: handler.reply(PAGE)) as server:
        (scraper,) = build.scrapers(OpenMetricsConfig(server.url, token_file=str(file)), process)
        for token in ("one", "two"):
            file.write_text(f"{token}\n")
            scraper.scrape()
    assert [headers["Authorization"] for _, headers in server.requests] == ["Bearer one", "Bearer two"]


def test_an_agents_file(process, tmp_path, caplog):
    """Every instance is one scraper with its own options; what has no effect is said once."""
    file = tmp_path / "conf.yaml"
    file.write_text(f"""
init_config:
instances:
  - openmetrics_endpoint: {URL}
    min_collection_interval: 30
    enable_health_service_check: false
    ignore_connection_errors: true
    litellm_health_endpoint: http://localhost:4000/health
    tags: ["team:a"]
    namespace: mine
  - {{}}
""")
    remote, own = build.scrapers(OpenMetricsConfig(conf=str(file)), process)
    options = remote._options
    assert (options.interval, options.health_check, options.ignore_connection_errors) == (30, False, True)
    assert options.extra.__self__._endpoint.url == "http://localhost:4000/health"
    assert set(options.extra.__self__._tags) == {"team:a", f"endpoint:{URL}"}
    assert own._source is process.registry
    (warning,) = caplog.messages
    assert "namespace" in warning


@pytest.mark.parametrize(
    ("config", "parts"),
    [
        (OpenMetricsConfig("localhost"), ("DD_LITELLM_OPENMETRICS_ENDPOINT", "is no URL")),
        (OpenMetricsConfig(URL, token="hidd en"), ("DD_LITELLM_OPENMETRICS_ENDPOINT", "token")),
        (OpenMetricsConfig("http://u:hidden@host/metrics"), ("DD_LITELLM_OPENMETRICS_ENDPOINT", "user or a password")),
        (OpenMetricsConfig(conf="/no/such.yaml"), ("DD_LITELLM_OPENMETRICS_CONFIG", "/no/such.yaml", "cannot be read")),
        (OpenMetricsConfig(agentless=True), ("DD_API_KEY",)),
    ],
    ids=str,
)
def test_what_cannot_be_used(config, parts, process, caplog, monkeypatch):
    """It is one error message that names the variable and the reason, no secret, and no scraper."""
    monkeypatch.delenv("DD_API_KEY", raising=False)
    assert build.scrapers(config, process) == []
    ((level, message),) = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert level == "ERROR"
    assert all(part in message for part in parts)
    assert "hidd" not in message


@pytest.mark.parametrize(
    ("package", "config"), [("datadog", OpenMetricsConfig()), ("yaml", OpenMetricsConfig(conf="conf.yaml"))]
)
def test_a_package_that_is_missing(package, config, process, caplog, monkeypatch):
    """It is one error message with the command that installs it."""
    for name in [name for name in sys.modules if name.split(".")[0] == package]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    for name in ("dogstatsd", "paced"):
        monkeypatch.delitem(sys.modules, f"ddtrace_litellm.metrics.sinks.{name}")
    monkeypatch.delattr(sinks, "dogstatsd")
    assert build.scrapers(config, process) == []
    ((level, message),) = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert level == "ERROR"
    assert "not installed" in message
    assert "ddtrace-litellm[openmetrics]" in message


@pytest.mark.parametrize(("forked", "tagged"), [(False, False), (True, True)])
def test_agentless(forked, tagged, process, monkeypatch):
    """Datadog itself keeps one of several workers' counts, so they are told apart by a tag; one alone has none."""
    monkeypatch.setenv("DD_API_KEY", "k")
    monkeypatch.setattr(build.os, "getpid", lambda: 77)
    process = process._replace(forked=forked)
    (own,) = build.scrapers(OpenMetricsConfig(agentless=True), process)
    assert isinstance(own._sink, ApiSink)
    assert ("worker:77" in own._sink._sender.tags) is tagged
    (remote,) = build.scrapers(OpenMetricsConfig(URL, agentless=True), process)
    assert "worker:77" not in remote._sink._sender.tags


def test_what_was_sent_before_a_stop_is_not_sent_again(process, counter):
    """A registry that is scraped again counts from the stop on."""
    counter.labels("a").inc(5)
    sent = []
    for since, expected in ((0.0, 5), (4e9, 0)):
        (scraper,) = build.scrapers(OpenMetricsConfig(), process._replace(since=since))
        scraper._sink.send = lambda scraped, _now: sent.append(
            sum(each.value for each in scraped.records if each.name == "litellm.build_test.count")
        )
        scraper.scrape()
        assert sent.pop() == expected
