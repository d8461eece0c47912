"""LiteLLM's loops of a model and tools: an ``agent`` with the rounds and the tools beneath it."""

import asyncio

import litellm
import pytest

from ddtrace_litellm.telemetry import snapshot
from tests.provider import Script, ToolCall, Usage
from tests.tracing.scenarios import ASK, to

litellm.suppress_debug_info = True
pytestmark = [
    pytest.mark.usefixtures("clean_slate"),
    pytest.mark.skipif(not hasattr(litellm, "run_tool_loop"), reason="this LiteLLM has no loop (before 1.108)"),
]
TOOLS = [
    {"type": "function", "function": {"name": name, "parameters": {"type": "object"}}} for name in ("look_up", "add")
]
ROUNDS = [
    [ToolCall("call_1", "look_up", '{"what": "cats"}'), ToolCall("call_2", "add", '{"to": 1}')],
    [ToolCall("call_3", "add", '{"to": 2}')],
    [],
]


def _scripted(provider):
    """Make the provider ask for the tools of a round at each request, and answer in the last; return the executor."""
    left = [list(chosen) for chosen in ROUNDS]
    waiting = []

    def next_round():
        chosen = left.pop(0)
        waiting[:] = chosen
        provider.behaviours["asks"] = Script(text="Done.", tool_calls=tuple(chosen), usage=Usage(10, 5))

    def execute(tool_call):
        waiting.pop()
        if not waiting:
            next_round()
        return {"role": "tool", "tool_call_id": tool_call.id, "content": f"{tool_call.function.name} says 3"}

    next_round()
    return execute


def _loop(provider, execute, *, asynchronous, **more):
    asked = {"model": "openai/asks", "messages": ASK, "tools": TOOLS, "api_base": f"{provider.url}/v1", **more}
    if not asynchronous:
        return litellm.run_tool_loop(execute_tool=execute, api_key="sk-local", **asked)

    async def aexecute(tool_call):
        await asyncio.sleep(0)
        return execute(tool_call)

    return asyncio.run(litellm.arun_tool_loop(execute_tool=aexecute, api_key="sk-local", **asked))


def _of_kind(recorder, kind):
    return [event for event in recorder.events if event["meta"]["span"]["kind"] == kind]


both = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


@both
def test_three_rounds(asynchronous, provider, recorder):
    """The loop is an agent; beneath it are its rounds and tools, each tool linked to who chose and who used it."""
    answer = _loop(provider, _scripted(provider), asynchronous=asynchronous, max_rounds=5)
    assert answer == "Done."
    (agent,) = _of_kind(recorder, "agent")
    rounds, tools = _of_kind(recorder, "llm"), _of_kind(recorder, "tool")
    assert len(rounds) == len(provider.requests) == 3
    assert [(tool["name"], tool["meta"]["input"]["value"]) for tool in tools] == [
        ("look_up", '{"what": "cats"}'),
        ("add", '{"to": 1}'),
        ("add", '{"to": 2}'),
    ]
    assert {tool["meta"]["output"]["value"] for tool in tools} == {"look_up says 3", "add says 3"}
    assert {event["parent_id"] for event in (*rounds, *tools)} == {agent["span_id"]}
    assert [event["trace_id"] for event in recorder.events] == [agent["trace_id"]] * 7
    assert [_linked(tool) for tool in tools] == [[rounds[0]["span_id"]]] * 2 + [[rounds[1]["span_id"]]]
    assert [_linked(each) for each in rounds] == [[], [tool["span_id"] for tool in tools[:2]], [tools[2]["span_id"]]]
    assert "Say something short" in agent["meta"]["input"]["value"]
    assert "Done." in agent["meta"]["output"]["value"]
    assert agent["meta"]["metadata"]["max_rounds"] == 5
    assert not agent["metrics"]
    manifest = agent["meta"]["metadata"]["_dd"]["agent_manifest"]
    tools = [{"name": "look_up"}, {"name": "add"}]
    assert manifest == {"framework": "LiteLLM", "model": "openai/asks", "max_iterations": 5, "tools": tools}
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


def _linked(event):
    return [link["span_id"] for link in event.get("span_links", [])]


@both
def test_tool_that_raises(asynchronous, provider, recorder):
    """What a tool raises is its own error, and as it ends the loop the loop's."""

    class NoSuchPlaceError(Exception):
        pass

    def execute(tool_call):
        raise NoSuchPlaceError(tool_call.function.name)

    _scripted(provider)
    with pytest.raises(NoSuchPlaceError):
        _loop(provider, execute, asynchronous=asynchronous)
    (agent,), (tool,) = _of_kind(recorder, "agent"), _of_kind(recorder, "tool")
    for event in (agent, tool):
        assert event["status"] == "error"
        assert event["meta"]["error"]["type"].endswith("NoSuchPlaceError")
    assert len(_of_kind(recorder, "llm")) == len(provider.requests) == 1
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


def test_loop_that_is_cancelled(provider, recorder):
    """A loop that is cancelled while a tool works ends as an error, and so does the tool."""

    async def execute(_tool_call):
        await asyncio.sleep(30)

    async def main():
        asked = {"model": "openai/asks", "messages": ASK, "tools": TOOLS, **to(provider)}
        await asyncio.wait_for(litellm.arun_tool_loop(execute_tool=execute, **asked), 1)

    _scripted(provider)
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(main())
    for kind in ("agent", "tool"):
        (event,) = _of_kind(recorder, kind)
        assert (event["status"], event["meta"]["error"]["type"]) == ("error", "asyncio.exceptions.CancelledError")
    assert recorder.still_open() == []
    assert not snapshot().internal_errors
