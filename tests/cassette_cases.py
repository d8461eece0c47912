"""What the cassettes hold: what is asked, what the provider says to it, and the event that this becomes."""

from typing import Any, NamedTuple

from tests.provider import Script, ToolCall, Usage
from tests.provider.images_api import PNG

MESSAGES = [{"role": "user", "content": "What is the weather in Paris"}]
TOOL: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
HEARD = "The local provider heard: What is the weather in Paris"
CACHED = {"cache_read_input_tokens": 5, "cache_write_input_tokens": 11}
SCRIPTS = {
    "claude-3-haiku-20240307": Script(
        text="It is sunny.", reasoning="Let me see.", usage=Usage(20, 7, cache_read=5, cache_write=11)
    ),
    "claude-haiku-4-5-20251001": Script(
        reasoning="Let me see.",
        tool_calls=(ToolCall("toolu_7", "get_weather", '{"city": "Paris"}'),),
        usage=Usage(20, 9, cache_read=5, cache_write=11),
    ),
    "o4-mini": Script(
        reasoning="Let me see.",
        tool_calls=(ToolCall("call_7", "get_weather", '{"city": "Paris"}'),),
        usage=Usage(20, 9, cache_read=5, reasoning=4),
    ),
    "limited": Script(status=429, error="Slow down.", error_type="rate_limit_exceeded"),
}


class Case(NamedTuple):
    """A call, and the event that it becomes.

    Attributes:
        function, arguments: of LiteLLM's.
        provider: the model's.
        asked, said: the event's input and output.
        tokens: the token metrics.
        metadata: without what differs each time.
        kind: the span's.
        tools: the tool definitions.
    """

    function: str
    arguments: dict[str, Any]
    provider: str
    asked: dict[str, Any]
    said: dict[str, Any]
    tokens: dict[str, int]
    metadata: dict[str, Any]
    kind: str = "llm"
    tools: Any = None


def _message(role: str, content: str, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def _calling(call_id: str, kind: str) -> dict[str, Any]:
    call = {"name": "get_weather", "arguments": {"city": "Paris"}, "tool_id": call_id, "type": kind}
    return {"messages": [_message("reasoning", "Let me see."), _message("assistant", "", tool_calls=[call])]}


def _tokens(given: int, made: int, **more: int) -> dict[str, int]:
    return {"input_tokens": given, "output_tokens": made, "total_tokens": given + made, **more}


_ASKED: dict[str, Any] = {"messages": MESSAGES}
_FUNCTION = TOOL["function"]
_NAMED = {"name": _FUNCTION["name"], "description": _FUNCTION["description"]}
_DEFINITIONS = [{**_NAMED, "schema": _FUNCTION["parameters"]}]
_CLAUDE_TOOL = {**_NAMED, "input_schema": _FUNCTION["parameters"]}
_DOCUMENTS = ["dogs bark", "black cats purr", "cats purr"]
_MESSAGE = Case(
    "anthropic_messages",
    {
        "model": "anthropic/claude-haiku-4-5-20251001",
        "messages": MESSAGES,
        "max_tokens": 50,
        "tools": [_CLAUDE_TOOL],
    },
    "anthropic",
    _ASKED,
    _calling("toolu_7", "tool_use"),
    _tokens(36, 9, **CACHED),
    {"max_tokens": 50, "finish_reason": "tool_use"},
    tools=_DEFINITIONS,
)
_STREAMED = {"stream": True, "stream_completed": True, "token_source": "reported"}
CASES = {
    "response": Case(
        "responses",
        {"model": "openai/o4-mini", "input": MESSAGES[0]["content"], "tools": [{"type": "function", **_FUNCTION}]},
        "openai",
        _ASKED,
        _calling("call_7", "function"),
        _tokens(25, 9, cache_read_input_tokens=5, reasoning_output_tokens=4),
        {"finish_reason": "completed"},
        tools=_DEFINITIONS,
    ),
    "response_stream": Case(
        "responses",
        {"model": "openai/gpt-4o-mini", "input": MESSAGES[0]["content"], "instructions": "Be short.", "stream": True},
        "openai",
        {"messages": [_message("system", "Be short."), *MESSAGES]},
        {"messages": [_message("assistant", HEARD)]},
        _tokens(8, 10),
        {**_STREAMED, "finish_reason": "completed"},
    ),
    "message": _MESSAGE,
    "message_stream": _MESSAGE._replace(
        arguments={**_MESSAGE.arguments, "stream": True}, metadata={**_MESSAGE.metadata, **_STREAMED}
    ),
    "embedding": Case(
        "embedding",
        {"model": "openai/text-embedding-3-small", "input": ["one two", "three"]},
        "openai",
        {"documents": [{"text": "one two"}, {"text": "three"}]},
        {"value": "2 embeddings of 3 dimensions"},
        _tokens(3, 0),
        {},
        kind="embedding",
    ),
    "rerank": Case(
        "rerank",
        {"model": "cohere/rerank-v3.5", "query": "black cats", "documents": _DOCUMENTS, "top_n": 2},
        "cohere",
        {"value": "black cats"},
        {
            "documents": [
                {"text": "black cats purr", "id": "1", "score": 1.0},
                {"text": "cats purr", "id": "2", "score": 0.5},
            ]
        },
        {},
        {"top_n": 2, "search_units": 1},
        kind="retrieval",
    ),
    "image": Case(
        "image_generation",
        {"model": "openai/gpt-image-1", "prompt": "a black cat"},
        "openai",
        {"messages": [_message("user", "a black cat")]},
        {"messages": [_message("assistant", "", image_parts=[{"mime_type": "image/png", "content": PNG}])]},
        _tokens(3, 16),
        {},
    ),
    "moderation": Case(
        "moderation",
        {"model": "omni-moderation-latest", "input": "They kill."},
        "openai",
        {"messages": [_message("user", "They kill.")]},
        {"messages": [_message("assistant", "flagged: violence (0.75)")]},
        {},
        {},
    ),
    "transcription": Case(
        "transcription",
        {"model": "openai/gpt-4o-mini-transcribe", "file": ("day.wav", b"RIFF")},
        "openai",
        {"messages": [_message("user", "[audio: day.wav]")]},
        {"messages": [_message("assistant", "The local provider heard a recording.")]},
        _tokens(30, 6),
        {},
    ),
}
