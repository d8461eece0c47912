import asyncio
import re

import anthropic.types
import litellm
import pytest

from ddtrace_litellm import get_version
from ddtrace_litellm.extract.messages import PARAMETERS, read_input, read_response, read_usage
from ddtrace_litellm.extract.messages_stream import assemble
from ddtrace_litellm.extract.metadata import parameters
from ddtrace_litellm.extract.tools import ToolCall
from ddtrace_litellm.extract.usage import Usage
from tests.provider import Script
from tests.provider import ToolCall as ScriptedCall
from tests.provider import Usage as ScriptedUsage

CALL = {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Paris"}}
CALL_PART = {"name": "weather", "arguments": {"city": "Paris"}, "tool_id": "toolu_1", "type": "tool_use"}
SEARCH = {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "x"}}
IMAGE = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "aGk="}}
IMAGE_PART = {"mime_type": "image/png", "content": "aGk="}


def tool_message(result, tool_id="toolu_1", kind="tool_result", name="", **more):
    """Return the message of one result."""
    part = {"name": name, "result": result, "tool_id": tool_id, "type": kind}
    return {"role": "tool", "content": "", "tool_results": [part], **more}


def results_of(kind, content, tool_id="toolu_1"):
    """Return a request's message with one result."""
    return {"role": "user", "content": [{"type": kind, "tool_use_id": tool_id, "content": content}]}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "user", "content": "hi"}, [{"role": "user", "content": "hi"}]),
        (
            {"role": "user", "content": [{"type": "text", "text": "a"}, "b", {"type": "text", "text": "c"}]},
            [{"role": "user", "content": "a\nb\nc"}],
        ),
        (
            {"role": "user", "content": [IMAGE, {"type": "text", "text": "look"}]},
            [{"role": "user", "content": "look", "image_parts": [IMAGE_PART]}],
        ),
        (
            {"role": "user", "content": [{"type": "image", "source": {"type": "url", "url": "https://h/a.png?k=s"}}]},
            [{"role": "user", "content": "[image: https://h/a.png]"}],
        ),
        (
            {"role": "user", "content": [{"type": "image", "source": {"type": "file", "file_id": "f"}}]},
            [{"role": "user", "content": "[image]"}],
        ),
        (
            {
                "role": "user",
                "content": [{"type": "document", "title": "t", "source": {"type": "base64", "data": "x"}}],
            },
            [{"role": "user", "content": "[file: t]"}],
        ),
        (
            {"role": "user", "content": [{"type": "document", "source": {"type": "url", "url": "https://h/a?k=s"}}]},
            [{"role": "user", "content": "[file: https://h/a]"}],
        ),
        (
            {"role": "user", "content": [{"type": "document", "source": {"type": "base64", "data": "x"}}]},
            [{"role": "user", "content": "[file]"}],
        ),
        (
            {"role": "user", "content": [{"type": "document", "source": {"type": "text", "data": "words"}}]},
            [{"role": "user", "content": "words"}],
        ),
        (
            {
                "role": "user",
                "content": [
                    {
                        "type": "document",
                        "source": {"type": "content", "content": [IMAGE, {"type": "text", "text": "a"}]},
                    }
                ],
            },
            [{"role": "user", "content": "a", "image_parts": [IMAGE_PART]}],
        ),
        (
            {"role": "assistant", "content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}, CALL]},
            [{"role": "assistant", "content": "Hello", "tool_calls": [CALL_PART]}],
        ),
        (
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "hm", "signature": "x"},
                    {"type": "redacted_thinking", "data": "secret"},
                    {"type": "text", "text": "yes"},
                ],
            },
            [
                {"role": "reasoning", "content": "hm\n[redacted_thinking]"},
                {"role": "assistant", "content": "yes"},
            ],
        ),
        (results_of("tool_result", "21"), [tool_message("21")]),
        (results_of("tool_result", None), [tool_message("")]),
        (
            results_of("tool_result", [{"type": "text", "text": "21"}, IMAGE, {"type": "search_result"}]),
            [tool_message("21\n[search_result]", image_parts=[IMAGE_PART])],
        ),
        (
            {"role": "user", "content": [*results_of("tool_result", "21")["content"], {"type": "text", "text": "so?"}]},
            [tool_message("21"), {"role": "user", "content": "so?"}],
        ),
        (
            {
                "role": "assistant",
                "content": [
                    SEARCH,
                    {
                        "type": "web_search_tool_result",
                        "tool_use_id": "srv_1",
                        "content": [
                            {"type": "web_search_result", "title": "t", "url": "u", "encrypted_content": "secret"}
                        ],
                    },
                    {"type": "text", "text": "found"},
                ],
            },
            [
                {
                    "role": "assistant",
                    "content": "found",
                    "tool_calls": [
                        {
                            "name": "web_search",
                            "arguments": {"query": "x"},
                            "tool_id": "srv_1",
                            "type": "server_tool_use",
                        }
                    ],
                },
                tool_message("t\nu", "srv_1", "web_search_tool_result", "web_search"),
            ],
        ),
        (
            results_of("code_execution_tool_result", {"type": "code_execution_result", "stdout": "1", "stderr": "w"}),
            [tool_message("1\nw", kind="code_execution_tool_result")],
        ),
        (
            results_of("web_search_tool_result", {"type": "web_search_tool_result_error", "error_code": "too_many"}),
            [tool_message("too_many", kind="web_search_tool_result")],
        ),
        (
            results_of("web_fetch_tool_result", {"type": "web_fetch_result", "content": {}}),
            [tool_message("[web_fetch_result]", kind="web_fetch_tool_result")],
        ),
        ({"role": "user", "content": [{"type": "new_thing", "x": 1}]}, [{"role": "user", "content": "[new_thing]"}]),
        (
            {"role": "assistant", "content": [anthropic.types.TextBlock(type="text", text="hi")]},
            [{"role": "assistant", "content": "hi"}],
        ),
        (
            {"role": "assistant", "content": [anthropic.types.ToolUseBlock(**CALL)]},
            [{"role": "assistant", "content": "", "tool_calls": [CALL_PART]}],
        ),
        ({"role": "user", "content": None}, [{"role": "user", "content": ""}]),
        ({"role": "user", "content": []}, [{"role": "user", "content": ""}]),
        ({"role": "user", "content": [None, 7, {}]}, [{"role": "user", "content": ""}]),
        (
            {"role": "user", "content": [{"type": "image"}, {"type": "document", "source": 7}, {"no": "type"}]},
            [{"role": "user", "content": "[image]\n[file]\n[block]"}],
        ),
    ],
    ids=lambda value: str(value)[:70],
)
def test_messages_of_a_request(message, expected):
    """Every block, as LLM Observability's messages; a result without a call that is known has no name."""
    assert read_input({"messages": [message]}).annotations["input_messages"] == expected


def test_a_conversation_with_tools():
    """The system prompt comes first, results have the names of their calls, and only the program's are handed in."""
    messages = [
        {"role": "assistant", "content": [CALL, SEARCH]},
        results_of("tool_result", "21"),
        results_of("web_search_tool_result", [], "srv_1"),
        {"role": "user", "content": "hi"},
    ]
    system = [{"type": "text", "text": "be", "cache_control": {"type": "ephemeral"}}, {"type": "text", "text": "nice"}]
    found = read_input({"messages": messages, "system": system})
    contents = found.annotations["input_messages"]
    assert contents[0] == {"role": "system", "content": "be\nnice"}
    assert contents[2:4] == [
        tool_message("21", name="weather"),
        tool_message("", "srv_1", "web_search_tool_result", "web_search"),
    ]
    assert found.tool_result_ids == ["toolu_1"]
    assert "tool_definitions" not in found.annotations
    assert read_input({"system": "be nice"}).annotations["input_messages"] == [contents[0] | {"content": "be nice"}]


def test_tools_of_a_request():
    """Functions with their schema, the provider's tools by name."""
    tools = [
        {"name": "weather", "description": "of a city", "input_schema": {"type": "object"}},
        {"type": "web_search_20250305", "name": "web_search", "max_uses": 1},
    ]
    found = read_input({"messages": [results_of("tool_result", "21")], "tools": tools})
    assert found.annotations["tool_definitions"] == [
        {"name": "weather", "description": "of a city", "schema": {"type": "object"}},
        {"name": "web_search", "description": "", "schema": {}},
    ]
    assert found.tool_result_ids == ["toolu_1"]


@pytest.mark.parametrize("messages", [None, "odd", 7, {}, [None, 7, "odd"]], ids=repr)
def test_malformed_requests_do_not_raise(messages):
    """Nothing is read where there is nothing to read."""
    found = read_input({"messages": messages, "system": 7, "tools": 7})
    assert not any(message["content"] for message in found.annotations["input_messages"])
    assert found.tool_result_ids == []


RESPONSE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-haiku-4-5-20251001",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "x"},
        {"type": "text", "text": "Hello"},
        SEARCH,
        CALL,
    ],
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 20, "output_tokens": 7},
}


@pytest.mark.parametrize("response", [RESPONSE, anthropic.types.Message(**RESPONSE)], ids=["dict", "object"])
def test_what_a_response_says(response):
    """Reasoning first, then text and calls; those of the provider's own tools are not for the program."""
    found = read_response(response, {})
    reasoning, said = found.annotations["output_messages"]
    assert reasoning == {"role": "reasoning", "content": "hm"}
    assert said["role"], said["content"] == ("assistant", "Hello")
    assert [call["type"] for call in said["tool_calls"]] == ["server_tool_use", "tool_use"]
    assert found.finish_reason == "tool_use"
    assert found.tool_calls == [ToolCall("weather", '{"city": "Paris"}', "toolu_1", "tool_use")]
    assert found.all_text == 'hmHelloweb_search{"query": "x"}weather{"city": "Paris"}'
    assert read_usage(response) == Usage(20, 7)


@pytest.mark.parametrize(
    "response", [None, {}, "odd", 7, {"content": None, "usage": None}, {"usage": 7}, {"usage": {"input_tokens": "x"}}]
)
def test_responses_without_content(response):
    """After an error, and of what is no response."""
    found = read_response(response, {})
    assert found.annotations == {"output_messages": []}
    assert (found.finish_reason, found.tool_calls, found.all_text) == ("", [], "")
    assert read_usage(response) is None


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"input_tokens": 20, "output_tokens": 7}, Usage(20, 7)),
        (
            {
                "input_tokens": 20,
                "output_tokens": 7,
                "cache_read_input_tokens": 5,
                "cache_creation_input_tokens": 11,
                "cache_creation": {"ephemeral_5m_input_tokens": 8, "ephemeral_1h_input_tokens": 3},
                "service_tier": "standard",
            },
            Usage(36, 7, 5, 11, 8, 3),
        ),
        ({"input_tokens": 0, "cache_read_input_tokens": 5, "output_tokens": None}, Usage(5, None, 5)),
        ({"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0}, None),
        ({}, None),
    ],
    ids=str,
)
def test_usage(usage, expected):
    """Input tokens include what was read from and written to the cache; all zero is not known."""
    assert read_usage({"usage": usage}) == expected


def test_parameters():
    """Settings go into metadata; prompts, people and tokens do not."""
    secret = {
        "metadata": {"user_id": "u"},
        "mcp_servers": [{"authorization_token": "s"}],
        "system": "s",
        "api_key": "s",
    }
    settings = {"max_tokens": 9, "thinking": {"type": "enabled", "budget_tokens": 1024}, "top_k": 3}
    assert parameters({**secret, **settings}, PARAMETERS, contents=True) == settings


@pytest.mark.parametrize("model", ["anthropic/claude-haiku-4-5-20251001", "openai/gpt-4o-mini", "mistral/m"])
@pytest.mark.parametrize("stream", [False, True], ids=["response", "stream"])
def test_what_litellm_returns(provider, model, stream):
    """LiteLLM's own results, of Anthropic and of the APIs that it translates."""
    usage = ScriptedUsage(20, 7, 5, 11)
    provider.otherwise = Script(
        text="Hello there",
        reasoning="hm",
        usage=usage,
        tool_calls=(ScriptedCall("toolu_1", "weather", '{"city": "Paris"}'),),
    )
    arguments = {
        "max_tokens": 100,
        "messages": [{"role": "user", "content": "hi"}],
        "model": model,
        "custom_llm_provider": model.partition("/")[0],
        "api_base": provider.url if "claude" in model else f"{provider.url}/v1",
        "api_key": "sk-local",
        "stream": stream,
        "tools": [{"name": "weather", "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}}}],
    }

    async def call():
        response = await litellm.anthropic_messages(**arguments)
        if not stream:
            return response
        return assemble([chunk async for chunk in response], arguments)

    try:
        response = asyncio.run(call())
    except (ModuleNotFoundError, ValueError) as error:
        # Native streams import it, up to 1.109; 1.72 loses the address of other providers.
        if not re.search("fastapi|non-Anthropic", str(error)):
            raise
        pytest.skip(str(error))
    if tuple(map(int, get_version().split(".")[:2])) < (1, 95) and "claude" not in model:
        pytest.skip(f"litellm {get_version()} drops some of what another provider says")
    found = read_response(response, arguments)
    assert found.annotations["output_messages"] == [
        {"role": "reasoning", "content": "hm"},
        {"role": "assistant", "content": "Hello there", "tool_calls": [CALL_PART]},
    ]
    assert found.finish_reason == "tool_use"
    counted_by_litellm = stream and model == "mistral/m"
    if not counted_by_litellm:
        assert read_usage(response)[:2] == (36, 7)
