"""Interactions that are not with a model of Google's: agents, jobs in the background, and other providers."""

import asyncio
import contextlib

import litellm
import pytest

from ddtrace_litellm import get_version
from ddtrace_litellm.telemetry import snapshot
from tests.provider import Script
from tests.tracing.entry_points import aread

pytestmark = pytest.mark.usefixtures("clean_slate")
AGENT = "deep-research-pro-preview-12-2025"
both = pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])


@pytest.fixture
def interactions():
    """LiteLLM's module (1.85)."""
    return pytest.importorskip("litellm.interactions")


def _asks(provider, base="", **asked):
    return {"input": "Do cats purr?", "api_base": provider.url + base, "api_key": "sk-local", **asked}


def _ask(interactions, **asked):
    async def main():
        return await aread(await interactions.acreate(**asked))

    return asyncio.run(main())


@both
def test_agent(stream, interactions, provider, recorder):
    """Google's agent is an agent with its name, what was said and the tokens; LiteLLM has no price for it."""
    _ask(interactions, **_asks(provider, agent=AGENT, stream=stream))
    event = recorder.event
    assert len(provider.requests) == 1
    assert (event["meta"]["span"]["kind"], event["name"]) == ("agent", AGENT)
    assert "Do cats purr?" in event["meta"]["input"]["value"]
    assert "heard: Do cats purr?" in event["meta"]["output"]["value"]
    assert (event["metrics"]["input_tokens"], event["metrics"]["output_tokens"]) == (3, 7)
    assert "total_cost" not in event["metrics"]
    assert event["meta"]["metadata"]["model_provider"] == "gemini"
    assert ("time_to_first_token" in event["metrics"]) is stream
    assert not snapshot().internal_errors


def test_agent_that_fails(interactions, provider, recorder):
    """It is an agent still, with the error that the program got."""
    provider.otherwise = Script(status=500, error="The server is down.")
    with pytest.raises(Exception, match="The server is down") as raised:
        _ask(interactions, **_asks(provider, agent=AGENT))
    event = recorder.event
    assert (event["meta"]["span"]["kind"], event["status"]) == ("agent", "error")
    assert event["meta"]["error"]["message"] == str(raised.value)
    assert event["metrics"] == {}


def test_stream_of_an_agent_that_breaks_off(interactions, provider, recorder):
    """Nobody counts its tokens: what an agent reads and writes is far more than what one sees."""
    provider.otherwise = Script(cut_after=4)
    with contextlib.suppress(Exception):  # 1.85 raises nothing
        _ask(interactions, **_asks(provider, agent=AGENT, stream=True))
    assert recorder.event["metrics"].keys() == {"time_to_first_token"}


def test_background(interactions, provider, recorder):
    """A job that has begun is an event without tokens; to look at it, or to delete it, is none."""
    begun = _ask(interactions, **_asks(provider, agent=AGENT, background=True))
    more = _asks(provider)
    del more["input"]
    with contextlib.suppress(Exception):  # the provider keeps nothing
        interactions.get(interaction_id=begun.id, **more)
    event = recorder.event
    assert event["meta"]["metadata"]["finish_reason"] == "in_progress"
    assert event["meta"]["metadata"]["background"] is True
    assert event["metrics"] == {}


@both
def test_model_of_another_provider(stream, interactions, provider, recorder):
    """LiteLLM asks it over Responses: that is the leaf, whole though LiteLLM does not read to its end."""
    _ask(interactions, **_asks(provider, "/v1", model="openai/gpt-4o-mini", stream=stream))
    leaf, outer = recorder.events
    assert [event["meta"]["span"]["kind"] for event in (leaf, outer)] == ["llm", "workflow"]
    assert leaf["parent_id"] == outer["span_id"]
    assert leaf["metrics"]["total_cost"] > 0
    assert "total_cost" not in outer["metrics"]
    assert "heard: Do cats purr?" in outer["meta"]["output"]["value"]
    for event in recorder.events:
        assert event["meta"]["metadata"].get("stream_completed") is (True if stream else None)
    assert recorder.still_open() == []


def test_router(interactions, provider, recorder):  # noqa: ARG001
    """A Router's call of an agent is a workflow with the agent beneath."""
    if get_version().startswith("1.85."):
        pytest.skip("the Router of LiteLLM 1.85 asks no agent")
    router = litellm.Router(model_list=[])
    asyncio.run(router.acreate_interaction(**_asks(provider, agent=AGENT)))
    leaf, outer = recorder.events
    assert [event["meta"]["span"]["kind"] for event in (leaf, outer)] == ["agent", "workflow"]
    assert leaf["parent_id"] == outer["span_id"]
