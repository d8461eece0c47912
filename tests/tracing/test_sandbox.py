"""Code that LiteLLM runs in a sandbox: a ``tool`` event for each run."""

import asyncio
import json

import litellm
import pytest

from ddtrace_litellm.telemetry import snapshot
from tests.provider import Script

KEY = "sandbox-secret-6b5a4c3d2e1f"
RAN = [{"type": "stdout", "text": "42\n"}, {"type": "result", "results": {"text": "43"}}]
FAILED = [{"type": "error", "error": {"ename": "NameError", "evalue": "name 'x' is not defined", "traceback": []}}]


@pytest.fixture
def run(provider):
    """Runs code in a sandbox that the provider stands in for."""
    base = pytest.importorskip("litellm.llms.base_llm.sandbox.transformation")
    pytest.importorskip("litellm.llms.opensandbox")
    container = base.ContainerHandle(id="box", provider="opensandbox", domain=provider.url)
    container._hidden_params = {"execd_endpoint": provider.url, "api_base": provider.url}

    def made(answered, **script):
        sent = "".join(f"data: {json.dumps(event)}\n\n" for event in answered).encode()
        provider.otherwise = Script(reply_body=sent, **script)
        where = {"container": container, "api_base": provider.url, "api_key": KEY}
        return litellm.arun_code(provider="opensandbox", code="print(6 * 7)", **where)

    return made


def test_run(run, provider, recorder):
    """It is a tool with the code and what came of it, without a model, tokens or a key."""
    result = asyncio.run(run(RAN))
    assert (result.stdout, [request.path for request in provider.requests]) == ("42\n", ["/code"])
    event = recorder.event
    assert (event["meta"]["span"]["kind"], event["name"], event["status"]) == ("tool", "run_code", "ok")
    assert event["meta"]["input"]["value"] == "print(6 * 7)"
    assert event["meta"]["output"]["value"] == "42\n\n43"
    assert "sandbox_provider:opensandbox" in event["tags"]
    assert event["metrics"] == {}
    assert KEY not in str([event, event["span"].get_tags()])
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


def test_code_that_raises(run, recorder):
    """Its error is the tool's, though LiteLLM raises nothing."""
    asyncio.run(run(FAILED))
    error = recorder.event["meta"]["error"]
    assert (recorder.event["status"], error["type"], error["message"]) == (
        "error",
        "NameError",
        "name 'x' is not defined",
    )


def test_sandbox_that_is_down(run, recorder):
    """The tool has the error that the program got."""
    with pytest.raises(Exception, match="500") as raised:
        asyncio.run(run(RAN, status=500))
    assert recorder.event["meta"]["error"]["message"] == str(raised.value)


def test_cancelled(run, provider, recorder):
    """A run that takes too long for its caller ends as an error."""
    provider.routes = {"/code": provider.routes["/search"]}  # what has no route is refused at once
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(asyncio.wait_for(run(RAN, delay=3), 1))
    assert recorder.event["meta"]["error"]["type"] == "asyncio.exceptions.CancelledError"
    assert recorder.still_open() == []
