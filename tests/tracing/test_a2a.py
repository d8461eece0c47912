"""Agents of others, asked over A2A: an ``agent`` event for each message."""

import asyncio
import importlib
import uuid

import litellm
import pytest

from ddtrace_litellm.telemetry import snapshot
from tests.a2a_agent import NAME, a2a_agent

litellm.suppress_debug_info = True
pytestmark = pytest.mark.usefixtures("clean_slate")
SECRET = "a2a-secret-9c8b7a6f5e4d"


@pytest.fixture(scope="module")
def agent():
    """The agent."""
    with a2a_agent() as running:
        yield running


@pytest.fixture
def a2a():
    """LiteLLM's functions for agents."""
    try:
        found = importlib.import_module("litellm.a2a_protocol.main")
    except (ImportError, TypeError):  # TypeError: without the A2A SDK
        found = None
    # LiteLLM 1.85 cannot load an SDK of today.
    return found if getattr(found, "A2A_SDK_AVAILABLE", False) else pytest.skip("this LiteLLM has no A2A SDK to use")


def _request(text, *, streamed):
    types = importlib.import_module("a2a.compat.v0_3.types")
    spoken = {"role": "user", "messageId": uuid.uuid4().hex, "parts": [{"kind": "text", "text": text}]}
    params = types.MessageSendParams(message=spoken)
    made = types.SendStreamingMessageRequest if streamed else types.SendMessageRequest
    return made(id=uuid.uuid4().hex, params=params)


def _ask(a2a, agent, text, *, streamed):
    asked = {
        "request": _request(text, streamed=streamed),
        "api_base": agent.url,
        "agent_extra_headers": {"Authorization": f"Bearer {SECRET}"},
        "litellm_params": {"cost_per_query": 0.05},
    }

    async def main():
        if streamed:
            return [chunk async for chunk in a2a.asend_message_streaming(**asked)]
        return await a2a.asend_message(**asked)

    return asyncio.run(main())


def _nothing_is_left_open(recorder):
    # But for the span of the agent itself, which may still be at work when its client has left.
    assert [name for name in recorder.still_open() if name != "POST /"] == []
    assert not snapshot().internal_errors
    assert SECRET not in str([(event, event["span"].get_tags()) for event in recorder.events])


both = pytest.mark.parametrize("streamed", [False, True], ids=["plain", "stream"])


@both
@pytest.mark.parametrize("text", ["Hello", "task Hello"], ids=["message", "task"])
def test_message_to_an_agent(text, streamed, a2a, agent, recorder):
    """It is one event with the agent's name, what was said and answered, and its price; the trace goes along."""
    _ask(a2a, agent, text, streamed=streamed)
    event = recorder.event
    assert (event["meta"]["span"]["kind"], event["name"]) == ("agent", NAME)
    assert text in event["meta"]["input"]["value"]
    assert f"Heard: {text}" in event["meta"]["output"]["value"].replace("Heard: \\n", "Heard: ")
    assert event["metrics"]["total_cost"] == 0.05
    assert ("time_to_first_token" in event["metrics"]) is streamed
    assert agent.headers["x-datadog-trace-id"] == str(event["span"].trace_id & (2**64 - 1))
    _nothing_is_left_open(recorder)


@both
def test_task_that_fails(streamed, a2a, agent, recorder):
    """A task that the agent gives up is the event's error, with what the agent says of it."""
    _ask(a2a, agent, "fail, please", streamed=streamed)
    event = recorder.event
    assert (event["status"], event["meta"]["error"]["type"]) == ("error", "task failed")
    assert event["meta"]["error"]["message"] == "It is over."
    _nothing_is_left_open(recorder)


def test_agent_that_nobody_serves(a2a, recorder):
    """An agent that cannot be reached is an error."""
    asked = {"request": _request("Hello", streamed=False), "api_base": "http://127.0.0.1:9/"}
    with pytest.raises(Exception, match=r".") as raised:
        asyncio.run(a2a.asend_message(**asked))
    event = recorder.event
    assert event["status"] == "error"
    assert event["meta"]["error"]["type"].endswith(type(raised.value).__name__)
    _nothing_is_left_open(recorder)


def test_message_that_is_cancelled(a2a, agent, recorder):
    """A call that is cancelled while the agent works ends as an error."""

    async def main():
        asked = {"request": _request("wait", streamed=False), "api_base": agent.url}
        await asyncio.wait_for(a2a.asend_message(**asked), 2)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(main())
    event = recorder.event
    assert (event["status"], event["meta"]["error"]["type"]) == ("error", "asyncio.exceptions.CancelledError")
    _nothing_is_left_open(recorder)


def test_stream_that_is_closed(a2a, agent, recorder):
    """A stream of which only the beginning is read is no error, and has what had come by then."""

    async def main():
        stream = a2a.asend_message_streaming(request=_request("task Hello", streamed=True), api_base=agent.url)
        async for _ in stream:
            break
        await stream.aclose()

    asyncio.run(main())
    assert recorder.event["status"] == "ok"
    assert recorder.event["meta"]["metadata"]["stream_completed"] is False
    _nothing_is_left_open(recorder)
