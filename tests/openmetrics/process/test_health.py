"""The proxy's own health check (``litellm_health_endpoint``)."""

import json
import logging
import threading

import pytest

from ddtrace_litellm.metrics.batch import Record
from ddtrace_litellm.openmetrics.process.health import EndpointHealth, endpoint_gauges
from ddtrace_litellm.openmetrics.sources import SourceError
from ddtrace_litellm.openmetrics.sources.http import Endpoint
from tests.openmetrics.servers import Server, closed_url

ANSWER = {
    "healthy_endpoints": [
        {"model": "openai/gpt-4o-mini", "model_id": "1"},
        {"model": "mistralai/Mistral-7B", "custom_llm_provider": "huggingface"},
        {"model": "gpt-4o"},
    ],
    "unhealthy_endpoints": [
        {"model": "anthropic/claude-4", "error": "litellm.AuthenticationError: no key\nstack trace"},
        {"model": "anthropic/claude-4", "error": "litellm.AuthenticationError: no key\nanother one"},
        {"error": "out of order"},
    ],
    "healthy_count": 3,
    "unhealthy_count": 3,
}
URL = "http://proxy:4000/health"
WHERE = f"health_endpoint:{URL}", "team:a"
HEALTHY, UNHEALTHY = "endpoint_health:healthy", "endpoint_health:unhealthy"


def info(*tags):
    """Return the gauge of one model endpoint."""
    return Record("litellm.endpoint.info", "gauge", 1, (*tags, *WHERE))


def test_the_three_gauges():
    """Each model endpoint is one gauge of 1 with its health, error and provider; each tag is there once."""
    assert endpoint_gauges(ANSWER, URL, ("team:a",)) == [
        info("llm_model:openai/gpt-4o-mini", "custom_llm_provider:openai", HEALTHY),
        info("llm_model:mistralai/Mistral-7B", "custom_llm_provider:huggingface", HEALTHY),
        info("llm_model:gpt-4o", "custom_llm_provider:unknown", HEALTHY),
        info(
            "llm_model:anthropic/claude-4",
            "custom_llm_provider:anthropic",
            UNHEALTHY,
            "endpoint_error:AuthenticationError",
        ),
        info("llm_model:unknown", "custom_llm_provider:unknown", UNHEALTHY, "endpoint_error:unknown"),
        Record("litellm.endpoint.healthy_count", "gauge", 3, WHERE),
        Record("litellm.endpoint.unhealthy_count", "gauge", 3, WHERE),
    ]


def test_an_answer_without_counts():
    """What the proxy does not count is counted here; what is no endpoint is passed over."""
    gauges = endpoint_gauges({"healthy_endpoints": [{"model": "a"}, None], "unhealthy_endpoints": None}, URL, ())
    assert [(gauge.name, gauge.value) for gauge in gauges] == [
        ("litellm.endpoint.info", 1),
        ("litellm.endpoint.healthy_count", 1),
        ("litellm.endpoint.unhealthy_count", 0),
    ]


@pytest.mark.parametrize("answer", [None, [], "ok", {}, {"status": "connected"}])
def test_something_else(answer):
    """JSON that is no such answer is an error that names the URL."""
    with pytest.raises(SourceError, match=URL):
        endpoint_gauges(answer, URL, ())


class Clock:
    """Monotonic seconds that the test moves."""

    now = 0.0

    def __call__(self):
        return self.now


def answering(body):
    """Return what answers each request with JSON."""
    return Server(lambda handler: handler.reply(body, Content_Type="application/json"))


def asked(health):
    """Have it ask, and return the answer's gauges, which the next call has."""
    assert health.collect() == []
    for thread in threading.enumerate():
        if thread.name == "ddtrace-litellm-health":
            thread.join()
    return health.collect()


def test_it_is_asked_with_the_pages_key_and_seldom():
    """The first time at once, then only when the interval is over; with the key, and for JSON."""
    clock = Clock()
    with answering(json.dumps(ANSWER).encode()) as server:
        url = server.url.replace("/metrics", "/health")
        page = Endpoint(server.url, token="sk-1", headers={"X-Team": "a"})
        health = EndpointHealth(page, url, 300, ("team:a",), clock)
        assert len(asked(health)) == 7
        clock.now = 299
        assert asked(health) == []
        clock.now = 300
        assert f"health_endpoint:{url}" in asked(health)[0].tags
    (path, headers), _ = server.requests
    assert path == "/health"
    assert (headers["Authorization"], headers["X-Team"]) == ("Bearer sk-1", "a")
    assert "application/json" in headers["Accept"]


def test_it_is_not_waited_for():
    """While the models are asked there are no gauges, and no second question."""
    clock, answer = Clock(), threading.Event()

    def slowly(handler):
        answer.wait(10)
        handler.reply(json.dumps(ANSWER).encode(), Content_Type="application/json")

    with Server(slowly) as server:
        health = EndpointHealth(Endpoint(server.url), server.url, 10, (), clock)
        for clock.now in (0, 10, 20):
            assert health.collect() == []
        answer.set()
        assert len(asked(health)) == 7
    assert len(server.requests) == 1


@pytest.mark.parametrize("body", [b"<html>", b'{"healthy_endpoints": [', b"", b"[]"])
def test_an_answer_that_cannot_be_used(body, caplog):
    """It is one warning however often it comes, no gauge and no exception; then one line when it is over."""
    caplog.set_level(logging.INFO)
    clock = Clock()
    bodies = [body, body, json.dumps(ANSWER).encode()]
    with Server(lambda handler: handler.reply(bodies.pop(0), Content_Type="application/json")) as server:
        health = EndpointHealth(Endpoint(server.url), server.url, 10, (), clock)
        found = []
        for clock.now in (0, 10, 20):
            found.append(len(asked(health)))
    assert found == [0, 0, 7]
    assert [record.levelname for record in caplog.records] == ["WARNING", "INFO"]


def test_no_query_in_tags_and_messages(caplog):
    """What may authorise is asked for, and in no tag nor message."""
    bodies = [json.dumps(ANSWER).encode(), b"[]"]
    clock = Clock()
    with Server(lambda handler: handler.reply(bodies.pop(0), Content_Type="application/json")) as server:
        health = EndpointHealth(Endpoint(server.url), f"{server.url}?key=secret", 10, (), clock)
        found = asked(health)
        clock.now = 10
        asked(health)
    assert server.paths == ["/metrics?key=secret"] * 2
    assert all(f"health_endpoint:{server.url}" in record.tags for record in found)
    assert f"{server.url} does not answer with the health" in caplog.text
    assert "secret" not in caplog.text


def test_a_proxy_that_is_not_there(caplog):
    """It is one warning."""
    url = closed_url()
    assert asked(EndpointHealth(Endpoint(url), url, 10, ())) == []
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_url_that_is_none():
    """It is an error at the start."""
    with pytest.raises(ValueError, match="is no URL"):
        EndpointHealth(Endpoint("http://proxy/metrics"), "health", 10, ())
