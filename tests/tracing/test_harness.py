"""LiteLLM's own agents: an ``agent`` for each turn, with its rounds and tools beneath it."""

import asyncio

import litellm
import pytest

from ddtrace_litellm.telemetry import snapshot
from tests.provider import Script, ToolCall, Usage

litellm.suppress_debug_info = True
pytestmark = pytest.mark.usefixtures("clean_slate")


@pytest.fixture
def agent(provider, tmp_path):
    """Return what an agent is made of: one tool, which the model asks for before it answers."""
    harness = pytest.importorskip("litellm.harness", reason="this LiteLLM has no agents (before 1.108)")
    provider.behaviours["asks"] = Script(tool_calls=(ToolCall("c", "look_up", '{"what": "cats"}'),), usage=Usage(9, 5))

    def look_up(what: str) -> str:
        """Look something up."""
        provider.behaviours["asks"] = Script(text="Cats purr.", usage=Usage(9, 5))
        return f"{what} purr"

    return {
        "harness": harness.Harness.TOOL_LOOP,
        "prompt": "What do cats do?",
        "sandbox": litellm.sandbox.local(tmp_path),
        "model": "openai/asks",
        "api_base": f"{provider.url}/v1",
        "api_key": "sk-local",
        "tools": [look_up],
    }


def _sync(agent):
    return litellm.agent(**agent).text


def _async(agent):
    return asyncio.run(litellm.aagent(**agent)).text


def _stream(agent):
    async def main():
        return [event async for event in litellm.aagent(**agent, stream=True)]

    return asyncio.run(main())[-1].result.text


def _of_kind(recorder, kind):
    return [event for event in recorder.events if event["meta"]["span"]["kind"] == kind]


@pytest.mark.parametrize("ask", [_sync, _async, _stream], ids=["sync", "async", "stream"])
def test_turn_of_an_agent(ask, agent, provider, recorder):
    """The turn is an agent; its rounds are the leaves, and the tool between them is linked to both."""
    assert ask(agent) == "Cats purr."
    (turn,), (tool,), rounds = (_of_kind(recorder, kind) for kind in ("agent", "tool", "llm"))
    assert len(rounds) == len(provider.requests) == 2
    assert turn["name"] == "tool_loop"
    assert "What do cats do?" in turn["meta"]["input"]["value"]
    assert "Cats purr." in turn["meta"]["output"]["value"]
    assert (tool["name"], tool["meta"]["output"]["value"]) == ("look_up", "cats purr")
    assert {event["parent_id"] for event in (tool, *rounds)} == {turn["span_id"]}
    assert [link["span_id"] for link in tool["span_links"]] == [rounds[0]["span_id"]]
    assert [link["span_id"] for link in rounds[1]["span_links"]] == [tool["span_id"]]
    assert not {"input_tokens", "total_cost"} & turn["metrics"].keys()
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


def test_tool_of_an_agent_that_raises(agent, provider, recorder):
    """The agent tells the model and goes on; the tool's event is an error."""

    def look_up(what: str) -> str:
        """Look something up."""
        provider.behaviours["asks"] = Script(text="I do not know.")
        raise LookupError(what)

    assert _async({**agent, "tools": [look_up]}) == "I do not know."
    (tool,) = _of_kind(recorder, "tool")
    assert (tool["status"], tool["meta"]["error"]["type"]) == ("error", "ToolError")
    assert tool["meta"]["error"]["message"] == "LookupError: cats"
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


def test_turn_that_fails(agent, provider, recorder):
    """A turn whose model cannot be asked raises nothing; its event is an error all the same."""
    provider.behaviours["asks"] = Script(status=401, error="No.", error_type="invalid_key")
    _async(agent)
    (turn,), (asked,) = _of_kind(recorder, "agent"), _of_kind(recorder, "llm")
    assert (turn["status"], turn["meta"]["error"]["type"]) == ("error", "runtime_error")
    assert (asked["status"], asked["parent_id"]) == ("error", turn["span_id"])
    assert recorder.still_open() == []
    assert not snapshot().internal_errors
