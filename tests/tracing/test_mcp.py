"""Tools of MCP servers: a ``tool`` event for each call, however it is made."""

import asyncio
import importlib
import json
from contextlib import suppress

import litellm
import pytest
from ddtrace import config

from ddtrace_litellm.telemetry import snapshot
from tests.mcp_server import litellm_manager, mcp_server
from tests.provider import Script, ToolCall, Usage
from tests.tracing.scenarios import ASK, aread, to

litellm.suppress_debug_info = True
pytestmark = pytest.mark.usefixtures("clean_slate")
SECRET = "mcp-secret-8f7e6d5c4b3a"
MCP_TOOL = {"type": "mcp", "server_url": "litellm_proxy/mcp/weather", "require_approval": "never"}


_on_forecast = []
"""What the next call of the tool is to do besides."""


def forecast(city: str) -> str:
    """Tell the weather."""
    while _on_forecast:
        _on_forecast.pop()()
    if city == "Atlantis":
        raise ValueError("There is no Atlantis.")
    return f"Rain in {city}."


async def wait(seconds: float) -> str:
    """Come back late."""
    await asyncio.sleep(seconds)
    return "late"


@pytest.fixture
def server(recorder):  # noqa: ARG001  # ddtrace before 4.13 fails to be enabled once mcp 2 is imported
    """The URL of the server of both tools."""
    with mcp_server(forecast=forecast, wait=wait) as url:
        yield url


@pytest.fixture
def manager(server, monkeypatch):
    """Return a coroutine function: LiteLLM's manager, which knows the server and has a price for a tool."""
    found = litellm_manager()
    monkeypatch.setattr(found, "config_mcp_servers", {})
    config = {
        "url": server,
        "transport": "http",
        "allow_all_keys": True,
        "auth_type": "bearer_token",
        "auth_value": SECRET,
        "mcp_info": {
            "server_name": "weather",
            "mcp_server_cost_info": {"tool_name_to_cost_per_query": {"forecast": 0.01}},
        },
    }

    async def load():
        loaded = found.load_servers_from_config({"weather": config})
        if loaded is not None:  # not asynchronous in LiteLLM 1.85
            await loaded
        return found

    return load


def _client(url):
    for package in ("mcp_client", "experimental_mcp_client"):  # from 1.109, before
        with suppress(ImportError, AttributeError):
            return importlib.import_module(f"litellm.{package}.client").MCPClient(
                server_url=url, transport_type="http", auth_type="bearer_token", auth_value=SECRET
            )
    return pytest.skip("this LiteLLM has no client of MCP servers that can be loaded")


def _call(name, **arguments):
    return pytest.importorskip("mcp.types").CallToolRequestParams(name=name, arguments=arguments)


def _tools(recorder):
    """Return the events of calls of tools; the server in this process has its own of ddtrace (mcp 1)."""
    tools = [event for event in recorder.events if event["meta"]["span"]["kind"] == "tool"]
    return [event for event in tools if "mcp_tool_kind:server" not in event["tags"]]


def _is_root(event):
    return event["parent_id"] == "undefined"


def _nothing_is_left_open(recorder):
    # The server is in this process: what it works at when its client goes away has spans of the web framework, and of
    # ddtrace's integration of mcp 1.
    of_server = (" /mcp", "server_tool_call")
    assert [resource for resource in recorder.still_open() if not resource.endswith(of_server)] == []
    assert not snapshot().internal_errors
    assert SECRET not in str([(event, event["span"].get_tags()) for event in recorder.events])


def test_tool_of_a_client(server, recorder):
    """A call through LiteLLM's client is one event: the tool, the host, what it was asked and has said."""
    result = asyncio.run(_client(server).call_tool(_call("forecast", city="Paris")))
    assert result.content[0].text == "Rain in Paris."
    (event,) = _tools(recorder)
    assert event["name"] == "MCP Client Tool Call: forecast"
    assert (event["meta"]["input"]["value"], event["meta"]["output"]["value"]) == (
        '{"city": "Paris"}',
        "Rain in Paris.",
    )
    host = server.removeprefix("http://").removesuffix("/mcp")
    assert {"mcp_tool:forecast", "mcp_tool_kind:client", f"mcp_server_name:{host}"} <= set(event["tags"])
    assert event["status"] == "ok"
    assert "total_cost" not in event.get("metrics", {})
    assert event["duration"] > 0
    _nothing_is_left_open(recorder)


def test_tool_that_fails(server, recorder):
    """A result that says that it is an error is the event's error, though nothing was raised."""
    result = asyncio.run(_client(server).call_tool(_call("forecast", city="Atlantis")))
    said = result.content[0].text
    (event,) = _tools(recorder)
    assert (event["status"], event["meta"]["error"]["type"]) == ("error", "ToolError")
    assert said == event["meta"]["error"]["message"] == event["meta"]["output"]["value"]
    assert "Error executing tool forecast" in said
    _nothing_is_left_open(recorder)


def test_tool_that_is_cancelled(server, recorder):
    """A call that is cancelled while the server works ends as an error."""

    async def main():
        await asyncio.wait_for(_client(server).call_tool(_call("wait", seconds=30.0)), 3)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(main())
    (event,) = _tools(recorder)
    assert (event["status"], event["meta"]["error"]["type"]) == ("error", "asyncio.exceptions.CancelledError")
    _nothing_is_left_open(recorder)


def test_listing_tools_is_no_span(server, recorder):
    """Nor is anything else that a client asks."""
    tools = asyncio.run(_client(server).list_tools())
    assert {tool.name for tool in tools} == {"forecast", "wait"}
    assert recorder.litellm_spans == []
    assert _tools(recorder) == []


def _chat(provider, streamed, manager):
    async def main():
        await manager()
        usage = {"stream_options": {"include_usage": True}} if streamed else {}
        answer = await litellm.acompletion("openai/asks", ASK, tools=[MCP_TOOL], **streamed, **usage, **to(provider))
        if streamed:
            await aread(answer)

    return main()


def _responses(provider, streamed, manager):
    async def main():
        await manager()
        where = {"api_base": f"{provider.url}/v1", "api_key": "sk-local"}
        answer = await litellm.aresponses("Hello", "openai/asks", tools=[MCP_TOOL], **streamed, **where)
        if streamed:
            [_ async for _ in answer]

    return main()


@pytest.mark.parametrize("streamed", [{}, {"stream": True}], ids=["plain", "stream"])
@pytest.mark.parametrize("ask", [_chat, _responses], ids=["chat", "Responses"])
def test_tools_that_a_model_chose(ask, streamed, manager, provider, recorder):
    """What LiteLLM runs within a call is a tool between its rounds, linked to the one that chose and the one that used.

    It has the price that the configuration sets. Model requests and leaves are as many as before, each with its tokens.
    """
    pytest.importorskip("litellm.responses.mcp.chat_completions_handler", reason="LiteLLM 1.72 runs no MCP tools")
    chosen = ToolCall("call_1", "weather-forecast", '{"city":"Paris"}')
    provider.behaviours["asks"] = Script(tool_calls=[chosen], usage=Usage(100, 10))
    _on_forecast.append(lambda: provider.behaviours.update(asks=Script(usage=Usage(7, 3))))
    asyncio.run(ask(provider, streamed, manager))
    (tool,) = _tools(recorder)
    assert "mcp_server_name:weather" in tool["tags"]
    assert tool["meta"]["output"]["value"] == "Rain in Paris."
    assert tool["metrics"] == {"total_cost": 0.01}
    leaves = [event for event in recorder.leaves if event["meta"]["span"]["kind"] == "llm"]
    assert len(leaves) == len(provider.requests) == 2
    (outer,) = [event for event in recorder.events if event["span"].name == "litellm.request" and _is_root(event)]
    assert outer["meta"]["span"]["kind"] == "workflow"
    assert {event["parent_id"] for event in (tool, *leaves)} == {outer["span_id"]}
    first, second = sorted(leaves, key=lambda leaf: leaf["start_ns"])
    assert [leaf["metrics"]["input_tokens"] for leaf in (first, second)] == [100, 7]
    if ask is _responses:  # of a chat's stream LiteLLM runs the tool before it reads the usage (1.85 to 1.95)
        assert first["start_ns"] + first["duration"] <= tool["start_ns"]
    assert [link["span_id"] for link in tool["span_links"]] == [first["span_id"]]
    assert [link["span_id"] for link in second["span_links"]] == [tool["span_id"]]
    _nothing_is_left_open(recorder)


def test_two_tools_that_a_stream_chose(manager, provider, recorder):
    """Each is linked once to the round that chose both, and the next round once to each."""
    pytest.importorskip("litellm.responses.mcp.chat_completions_handler", reason="LiteLLM 1.72 runs no MCP tools")
    cities = ("Paris", "Oslo")
    chosen = [ToolCall(f"call_{city}", "weather-forecast", f'{{"city":"{city}"}}') for city in cities]
    provider.behaviours["asks"] = Script(tool_calls=chosen, usage=Usage(100, 10))
    _on_forecast.append(lambda: provider.behaviours.update(asks=Script(usage=Usage(7, 3))))
    asyncio.run(_chat(provider, {"stream": True}, manager))
    tools = _tools(recorder)
    leaves = [event for event in recorder.leaves if event["meta"]["span"]["kind"] == "llm"]
    first, second = sorted(leaves, key=lambda leaf: leaf["start_ns"])
    assert [[link["span_id"] for link in tool["span_links"]] for tool in tools] == [[first["span_id"]]] * 2
    assert sorted(link["span_id"] for link in second["span_links"]) == sorted(tool["span_id"] for tool in tools)
    _nothing_is_left_open(recorder)


def test_caller_of_a_tool(manager, recorder):
    """A call through the manager, as a gateway makes it, says who called; neither credentials nor headers are on it."""
    proxy_types = pytest.importorskip("litellm.proxy._types")
    caller = proxy_types.UserAPIKeyAuth(key_alias="app", team_id="t1", api_key=SECRET)
    headers = {"authorization": f"Bearer {SECRET}", "host": "gateway"}

    async def main():
        loaded = await manager()
        await loaded._initialize_tool_name_to_mcp_server_name_mapping()
        return await loaded.call_tool(
            server_name="weather",
            name="forecast",
            arguments={"city": "Paris"},
            user_api_key_auth=caller,
            raw_headers=headers,
        )

    asyncio.run(main())
    (event,) = _tools(recorder)
    assert event["status"] == "ok"
    assert {"api_key_alias:app", "team:t1", "mcp_server_name:weather"} <= set(event["tags"])
    assert event["span"].get_tag("litellm.request.host") == "gateway"
    _nothing_is_left_open(recorder)


def _loop(provider, execute, chosen):
    definition = {"type": "function", "function": {"name": "forecast", "parameters": {"type": "object"}}}
    asked = {"model": "openai/asks", "messages": ASK, "tools": [definition]}
    where = {"api_base": f"{provider.url}/v1", "api_key": "sk-local"}
    provider.behaviours["asks"] = Script(tool_calls=(chosen,))
    _on_forecast.append(lambda: provider.behaviours.update(asks=Script(text="Done.")))
    return asyncio.run(litellm.arun_tool_loop(execute_tool=execute, **asked, **where))


def _told(tool_call, result):
    return {"role": "tool", "tool_call_id": tool_call.id, "content": result.content[0].text}


needs_loop = pytest.mark.skipif(not hasattr(litellm, "run_tool_loop"), reason="this LiteLLM has no loop (before 1.108)")


@needs_loop
@pytest.mark.parametrize("city", ["Paris", "Atlantis"], ids=["answers", "fails"])
def test_tool_of_a_loop_at_a_server(city, server, provider, recorder):
    """It is one event, the loop's, with the server and its error: the client's call is an APM span beneath it."""

    async def execute(tool_call):
        asked = _call(tool_call.function.name, **json.loads(tool_call.function.arguments))
        return _told(tool_call, await _client(server).call_tool(asked))

    chosen = ToolCall("call_1", "forecast", json.dumps({"city": city}))
    _loop(provider, execute, chosen)
    (tool,) = _tools(recorder)
    assert tool["name"] == "forecast"
    assert {"mcp_tool:forecast", "mcp_tool_kind:client"} <= set(tool["tags"])
    assert any(tag.startswith("mcp_server_name:127.0.0.1") for tag in tool["tags"])
    assert (tool["status"] == "error") is (city == "Atlantis")
    (client,) = [span for span in recorder.litellm_spans if span.resource == "mcp.call_tool"]
    assert (client.parent_id, client.span_type) == (tool["span"].span_id, None)
    first, second = recorder.leaves
    assert [link["span_id"] for link in tool["span_links"]] == [first["span_id"]]
    assert [link["span_id"] for link in second["span_links"]] == [tool["span_id"]]
    _nothing_is_left_open(recorder)


@needs_loop
def test_other_tool_of_a_server_in_a_loop(server, provider, recorder):
    """A tool that asks a server something of its own is two events, one in the other."""

    async def execute(tool_call):
        return _told(tool_call, await _client(server).call_tool(_call("forecast", city="Rome")))

    _loop(provider, execute, ToolCall("call_1", "forecast", '{"city": "Paris"}'))
    inner, outer = _tools(recorder)
    assert inner["parent_id"] == outer["span_id"]
    assert (inner["name"], outer["name"]) == ("MCP Client Tool Call: forecast", "forecast")
    assert not [tag for tag in outer["tags"] if tag.startswith("mcp_")]


@pytest.fixture
def instrumented(server, monkeypatch):
    """Say that the server is behind a proxy that is traced, as DD_LLMOBS_INSTRUMENTED_PROXY_URLS does."""
    monkeypatch.setattr(config, "_llmobs_instrumented_proxy_urls", {f"{server.removesuffix('/mcp')}/v1"})


@pytest.mark.usefixtures("instrumented")
def test_tool_behind_a_traced_proxy(server, recorder):
    """The proxy has the tool: here the call is a workflow."""
    asyncio.run(_client(server).call_tool(_call("forecast", city="Paris")))
    assert _tools(recorder) == []
    (event,) = [event for event in recorder.events if event["name"] == "MCP Client Tool Call: forecast"]
    assert event["meta"]["span"]["kind"] == "workflow"


@needs_loop
@pytest.mark.usefixtures("instrumented")
def test_tool_of_a_loop_behind_a_traced_proxy(server, provider, recorder):
    """So is the loop's, which is linked to the calls around it still."""

    async def execute(tool_call):
        return _told(tool_call, await _client(server).call_tool(_call("forecast", city="Paris")))

    _loop(provider, execute, ToolCall("call_1", "forecast", '{"city": "Paris"}'))
    assert _tools(recorder) == []
    (tool,) = [event for event in recorder.events if event["name"] == "forecast"]
    assert tool["meta"]["span"]["kind"] == "workflow"
    first, second = recorder.leaves
    assert [link["span_id"] for link in tool["span_links"]] == [first["span_id"]]
    assert [link["span_id"] for link in second["span_links"]] == [tool["span_id"]]
