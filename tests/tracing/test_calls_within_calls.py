"""Calls that ask the provider themselves and have other model calls beneath: every request has one leaf."""

import asyncio

import litellm
import pytest
from litellm.integrations.custom_logger import CustomLogger

from ddtrace_litellm.telemetry import snapshot
from tests.mcp_server import litellm_manager, mcp_server
from tests.provider import Script, ToolCall, Usage
from tests.tracing.scenarios import ASK, aread, deployment, router, to

litellm.suppress_debug_info = True
pytestmark = [
    pytest.mark.usefixtures("clean_slate"),
    pytest.mark.filterwarnings("ignore:Router.:DeprecationWarning"),  # LiteLLM 1.109
]
JUDGED = {"gpt-4o": Usage(100, 10), "gpt-4o-mini": Usage(7, 3)}
CHAT_TOOL = {"type": "function", "function": {"name": "look_up", "parameters": {"type": "object", "properties": {}}}}
MESSAGES_TOOL = {"name": "look_up", "input_schema": {"type": "object"}}


class Judge(CustomLogger):
    """A guardrail of the SDK that asks a small model about each request to a large one."""

    def __init__(self, ask):
        super().__init__()
        self.ask = ask

    async def async_pre_call_deployment_hook(self, kwargs, call_type):  # noqa: ARG002  # LiteLLM's signature
        if kwargs.get("model", "").endswith("gpt-4o"):
            await self.ask()
        return kwargs


class Loop(CustomLogger):
    """Answers a tool call with a second request, as LiteLLM's web search and code interpreter do."""

    def __init__(self, provider):
        super().__init__()
        self.provider = provider

    async def async_should_run_agentic_loop(self, response, messages, tools, **_more):
        return "look_up" in str(response) and bool(tools) and "found" not in str(messages), {"calls": 1}

    async def async_build_agentic_loop_plan(self, *_arguments, **keywords):
        custom_logger = pytest.importorskip("litellm.types.integrations.custom_logger")
        model = "mistral/final" if "claude" not in keywords["model"] else "anthropic/claude-final"
        patch = custom_logger.AgenticLoopRequestPatch(
            model=model, messages=[*keywords["messages"], {"role": "user", "content": "found"}]
        )
        return custom_logger.AgenticLoopPlan(run_agentic_loop=True, request_patch=patch)


def _tokens(leaves):
    return {
        leaf["meta"]["model_name"]: (leaf["metrics"]["input_tokens"], leaf["metrics"]["output_tokens"])
        for leaf in leaves
    }


@pytest.fixture
def judged(provider, monkeypatch):
    """A provider of both models, whose requests to the large one the small one is asked about."""
    provider.behaviours |= {model: Script(usage=usage) for model, usage in JUDGED.items()}

    async def ask():
        await litellm.acompletion("openai/gpt-4o-mini", ASK, **to(provider))

    monkeypatch.setattr(litellm, "callbacks", [Judge(ask)])
    return provider


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("routed", [False, True])
def test_judge_in_a_hook(stream, routed, judged, recorder):
    """A request and the guardrail's question about it have their own tokens and their own cost each."""
    streamed = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}

    async def main():
        if routed:
            made = router(judged, ("group", "openai/gpt-4o"))
            answer = await made.acompletion("group", ASK, **streamed)
        else:
            large = {"model": "openai/gpt-4o", "messages": ASK, **to(judged)}
            answer = await litellm.acompletion(**large, **streamed)
        if stream:
            await aread(answer)

    asyncio.run(main())
    if not hasattr(CustomLogger, "async_pre_call_deployment_hook") or len(judged.requests) == 1:
        pytest.skip("this LiteLLM has no such hook here")
    assert len(recorder.leaves) == len(judged.requests) == 2
    assert _tokens(recorder.leaves) == {model: (usage.input, usage.output) for model, usage in JUDGED.items()}
    assert all(leaf["metrics"]["total_cost"] > 0 for leaf in recorder.leaves)
    large = next(leaf for leaf in recorder.leaves if leaf["meta"]["model_name"] == "gpt-4o")
    small = next(leaf for leaf in recorder.leaves if leaf["meta"]["model_name"] == "gpt-4o-mini")
    assert small["parent_id"] == large["span_id"]
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


def test_agentic_loop_of_chat(provider, recorder, monkeypatch):
    """The first request, whose tool call LiteLLM answers itself, keeps its tokens beside those of the second."""
    if not hasattr(litellm.main, "maybe_run_chat_completion_agentic_loop"):
        pytest.skip("this LiteLLM runs no such loop over chat")
    monkeypatch.setattr(litellm, "callbacks", [Loop(provider)])
    provider.behaviours |= {
        "asks": Script(tool_calls=[ToolCall("call_1", "look_up", "{}")], usage=Usage(100, 10)),
        "final": Script(usage=Usage(7, 3)),
    }
    answer = asyncio.run(litellm.acompletion("mistral/asks", ASK, tools=[CHAT_TOOL], **to(provider)))
    assert answer.choices[0].message.content
    assert [request.body["model"] for request in provider.requests] == ["asks", "final"]
    assert _tokens(recorder.leaves) == {"asks": (100, 10), "final": (7, 3)}
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


def test_agentic_loop_of_messages(provider, recorder, monkeypatch):
    """The same over Anthropic's Messages."""
    handler = pytest.importorskip("litellm.llms.custom_httpx.llm_http_handler").BaseLLMHTTPHandler
    if not hasattr(handler, "_has_agentic_completion_hook"):
        pytest.skip("this LiteLLM runs no such plan over Messages")
    monkeypatch.setattr(litellm, "callbacks", [Loop(provider)])
    monkeypatch.setenv("ANTHROPIC_API_BASE", provider.url)  # which LiteLLM 1.95 does not hand on
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-local")
    provider.behaviours |= {
        "claude-asks": Script(tool_calls=[ToolCall("call_1", "look_up", "{}")], usage=Usage(100, 10)),
        "claude-final": Script(usage=Usage(7, 3)),
    }
    asyncio.run(
        litellm.anthropic_messages(
            model="anthropic/claude-asks",
            messages=ASK,
            max_tokens=50,
            tools=[MESSAGES_TOOL],
            api_base=provider.url,
            api_key="sk-local",
        )
    )
    assert [request.body["model"] for request in provider.requests] == ["claude-asks", "claude-final"]
    assert _tokens(recorder.leaves) == {"claude-asks": (100, 10), "claude-final": (7, 3)}
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


def _chat_with_mcp(provider, streamed, tools):
    async def main():
        usage = {"stream_options": {"include_usage": True}} if streamed else {}
        answer = await litellm.acompletion("openai/asks", ASK, tools=tools, **streamed, **usage, **to(provider))
        return await aread(answer) if streamed else answer.choices[0].message.content

    return main()


def _responses_with_mcp(provider, streamed, tools):
    async def main():
        where = {"api_base": f"{provider.url}/v1", "api_key": "sk-local"}
        answer = await litellm.aresponses("Hello", "openai/asks", tools=tools, **streamed, **where)
        if streamed:
            [_ async for _ in answer]
        return answer

    return main()


@pytest.mark.parametrize("streamed", [{}, {"stream": True}], ids=["plain", "stream"])
@pytest.mark.parametrize("ask", [_chat_with_mcp, _responses_with_mcp], ids=["chat", "Responses"])
def test_rounds_with_mcp_tools(ask, streamed, provider, recorder, monkeypatch):
    """A call whose MCP tools LiteLLM runs itself asks nobody: its rounds are the leaves, each with its own tokens."""
    pytest.importorskip("litellm.responses.mcp.chat_completions_handler", reason="LiteLLM 1.72 runs no MCP tools")
    manager = litellm_manager()
    monkeypatch.setattr(manager, "config_mcp_servers", {})
    provider.behaviours["asks"] = Script(
        tool_calls=[ToolCall("call_1", "weather-forecast", '{"city": "Paris"}')], usage=Usage(100, 10)
    )

    def forecast(city: str) -> str:
        provider.behaviours["asks"] = Script(usage=Usage(7, 3))
        return f"Rain in {city}."

    async def main(url):
        loaded = manager.load_servers_from_config(
            {"weather": {"url": url, "transport": "http", "allow_all_keys": True}}
        )
        if loaded is not None:  # not asynchronous in LiteLLM 1.85
            await loaded
        tools = [{"type": "mcp", "server_url": "litellm_proxy/mcp/weather", "require_approval": "never"}]
        return await ask(provider, streamed, tools)

    with mcp_server(forecast=forecast) as url:
        asyncio.run(main(url))
    assert "Rain in Paris." in str(provider.requests[-1].body)
    said = [(leaf["metrics"]["input_tokens"], leaf["metrics"]["output_tokens"]) for leaf in recorder.leaves]
    assert sorted(said) == [(7, 3), (100, 10)]
    assert len(provider.requests) == 2
    (outer,) = [event for event in recorder.events if event["meta"]["span"]["kind"] == "workflow"]
    assert {leaf["parent_id"] for leaf in recorder.leaves} == {outer["span_id"]}
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


def test_classifier_of_a_complexity_router_is_no_attempt(provider, recorder):
    """The question to the model that rates a request is a call of its own; the request has one attempt."""
    provider.behaviours["rates"] = Script(text='{"tier": "SIMPLE"}')
    settings = {
        "classifier_type": "llm",
        "classifier_llm_config": {"model": "classifier"},
        "tiers": dict.fromkeys(("SIMPLE", "MEDIUM", "COMPLEX", "REASONING"), "group"),
    }
    auto = {
        "model_name": "auto",
        "litellm_params": {"model": "auto_router/complexity_router", "complexity_router_config": settings},
    }
    members = [deployment(provider, "classifier", "mistral/rates"), deployment(provider, "group", "mistral/m")]
    try:
        made = litellm.Router(model_list=[auto, *members], num_retries=0, disable_cooldowns=True)
        asyncio.run(made.acompletion("auto", ASK))
    except Exception as error:  # of a Router that does not know it
        pytest.skip(f"this LiteLLM has no complexity router: {type(error).__name__}")
    if len(provider.requests) == 1:
        pytest.skip("this LiteLLM's complexity router asks no model")
    assert [request.body["model"] for request in provider.requests] == ["rates", "m"]
    assert len(recorder.leaves) == 2
    outer = next(event for event in recorder.events if _routes(event, "auto"))
    assert (outer["meta"]["metadata"]["attempts"], outer["meta"]["metadata"]["attempted_fallbacks"]) == (1, 0)
    if hasattr(litellm.types.utils, "StandardLoggingRoutingDecision"):
        decision = outer["meta"]["metadata"]["routing_decision"]
        assert (decision["tier"], decision["routed_model"], decision["classifier_model"]) == (
            "SIMPLE",
            "group",
            "classifier",
        )
        assert "cause" in decision
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


def test_silent_experiment_is_no_attempt(provider, recorder):
    """A silent experiment is a call of its own beneath the Router's span, whose only attempt is the first."""
    silent = deployment(provider, "group", "mistral/m")
    silent["litellm_params"]["silent_model"] = "experiment"
    made = litellm.Router(
        model_list=[silent, deployment(provider, "experiment", "mistral/other")], num_retries=0, disable_cooldowns=True
    )

    async def main():
        await made.acompletion("group", ASK)
        await asyncio.sleep(0.5)

    asyncio.run(main())
    if len(provider.requests) == 1:
        pytest.skip("this LiteLLM knows no silent experiments")
    primary = next(event for event in recorder.events if _routes(event, "group"))
    assert (primary["meta"]["metadata"]["attempts"], primary["meta"]["metadata"]["attempted_fallbacks"]) == (1, 0)
    assert len(recorder.leaves) == len(provider.requests) == 2
    assert recorder.still_open() == []


def _routes(event, group):
    return event["resource"] == "router.acompletion" and event["meta"]["metadata"]["model_group"] == group


def test_fastest_stream_keeps_its_contents(provider, recorder):
    """The stream of the fastest model is read after the batch has returned: text and tokens are the provider's."""
    provider.behaviours |= {"gpt-4o-mini": Script(usage=Usage(7, 3)), "gpt-4o": Script(delay=2.0)}
    made = router(provider, ("a", "openai/gpt-4o-mini"), ("b", "openai/gpt-4o"))

    async def main():
        stream = await made.abatch_completion_fastest_response(
            model="a, b", messages=ASK, stream=True, stream_options={"include_usage": True}
        )
        return await aread(stream)

    text = asyncio.run(main())
    winner = next(leaf for leaf in recorder.leaves if leaf["meta"]["model_name"] == "gpt-4o-mini")
    assert winner["meta"]["output"]["messages"][0]["content"] == text
    assert (winner["metrics"]["input_tokens"], winner["metrics"]["output_tokens"]) == (7, 3)
    assert winner["meta"]["metadata"]["stream_completed"] is True
    assert winner["meta"]["metadata"]["token_source"] == "reported"
    batch = next(event for event in recorder.events if event["resource"] == "router.abatch_completion_fastest_response")
    assert text in batch["meta"]["output"]["value"]
    assert recorder.still_open() == []
    assert not snapshot().internal_errors
