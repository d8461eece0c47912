"""A call of each entry point in each of its forms, and the event that it is to become."""

from typing import Any, NamedTuple

from tests.provider import Script, ToolCall, Usage
from tests.provider.calls import HEARD, Call
from tests.provider.images_api import PNG
from tests.tracing.entry_points import ENTRY_POINTS

_SAYS = "Say something short, please."
_ANSWERS = f"The local provider heard: {_SAYS}"
_IMAGE = {"role": "assistant", "content": "", "image_parts": [{"mime_type": "image/png", "content": PNG}]}
_CLAUDE = ("claude-haiku-4-5-20251001", "anthropic")
_MINI = ("gpt-4o-mini", "openai")
_FLASH = ("gemini-2.5-flash", "gemini")
_TOOL = ToolCall("call_1", "add", '{"a": 1, "b": 2}')
_SCHEMA = {"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}}
_ADD = {"name": "add", "description": "Adds."}
_ADDED = [{**_ADD, "schema": _SCHEMA}]


class Case(NamedTuple):
    """A call and the event that it is to become.

    Attributes:
        call: what is called.
        model: its model and provider.
        asked, said: the event's input and output.
        tokens: the token metrics.
        metadata: without what differs each time.
        script: what the provider does.
        kind: the span's.
        tools: the tool definitions.
        fastapi: LiteLLM cannot make the call without it.
    """

    call: Call
    model: tuple[str, str]
    asked: Any
    said: Any
    tokens: dict[str, int]
    metadata: dict[str, Any]
    script: Script = Script()
    kind: str = "llm"
    tools: Any = None
    fastapi: bool = False


def call_with(name: str, **more: Any) -> Call:
    """Return the call with more arguments."""
    call = ENTRY_POINTS[name]
    return call._replace(arguments=lambda: {**call.arguments(), **more})


def _tokens(given: int, made: int, **more: int) -> dict[str, int]:
    return {"input_tokens": given, "output_tokens": made, "total_tokens": given + made, **more}


def _user(text: str) -> Any:
    return {"messages": [{"role": "user", "content": text}]}


def _model(text: str) -> Any:
    return {"messages": [{"role": "assistant", "content": text}]}


def _reasons(text: str) -> Any:
    return {"messages": [{"role": "reasoning", "content": "Let me think."}, {"role": "assistant", "content": text}]}


def _uses(kind: str, call_id: str) -> Any:
    called = {"name": "add", "arguments": {"a": 1, "b": 2}, "type": kind, "tool_id": call_id}
    return {"messages": [{"role": "assistant", "content": "", "tool_calls": [called]}]}


def _both(name: str, model: tuple[str, str], said: Any, tokens: dict[str, int], reason: str, **more: Any) -> Any:
    """Yield a call of a family that streams, plain and streamed: the event is the same but for what streams have."""
    asks, script, tools = more.pop("asks", {}), more.pop("script", Script()), more.pop("tools", None)
    text = "Good day" if name == "Gemini" else _SAYS
    parameters = {**more, "finish_reason": reason}
    google = name == "Gemini"
    for streamed in (False, True):
        call = call_with(f"{name}{' stream' if streamed else ''}", **asks)
        facts = {"stream_completed": True, "token_source": "reported"} if streamed else {}
        facts |= {"stream": True} if streamed and not google else {}
        fastapi = google or (streamed and name == "message")
        yield Case(
            call, model, _user(text), said, tokens, {**parameters, **facts}, script, tools=tools, fastapi=fastapi
        )


_RESPONSE = {"cache_read_input_tokens": 0, "reasoning_output_tokens": 0}
_MESSAGE = {"cache_read_input_tokens": 0, "cache_write_input_tokens": 0}
_CALLS_ADD = Script(tool_calls=(_TOOL,), usage=Usage(9, 5))
_THINKS = Script(reasoning="Let me think.", text="Done.", usage=Usage(4, 9, reasoning=3))
_TTL = {"ephemeral_5m_input_tokens": 3, "ephemeral_1h_input_tokens": 4}
_CACHED = Script(
    extra={
        "usage": {
            "input_tokens": 5,
            "output_tokens": 8,
            "cache_read_input_tokens": 100,
            "cache_creation_input_tokens": 7,
            "cache_creation": _TTL,
        }
    }
)
_OPENAI_TOOL = {"type": "function", **_ADD, "parameters": _SCHEMA}
_CLAUDE_TOOL = {**_ADD, "input_schema": _SCHEMA}
_FAMILIES = {
    "response": _both("response", _MINI, _model(_ANSWERS), _tokens(4, 8, **_RESPONSE), "completed"),
    "response with a tool": _both(
        "response",
        _MINI,
        _uses("function", "call_1"),
        _tokens(9, 5, **_RESPONSE),
        "completed",
        asks={"tools": [_OPENAI_TOOL]},
        script=_CALLS_ADD,
        tools=_ADDED,
    ),
    "response with reasoning": _both(
        "response",
        ("o4-mini", "openai"),
        _reasons("Done."),
        _tokens(4, 9, **{**_RESPONSE, "reasoning_output_tokens": 3}),
        "completed",
        asks={"model": "openai/o4-mini", "reasoning": {"effort": "low"}},
        script=_THINKS,
        reasoning={"effort": "low"},
    ),
    "message": _both("message", _CLAUDE, _model(_ANSWERS), _tokens(4, 8, **_MESSAGE), "end_turn", max_tokens=50),
    "message with thinking": _both(
        "message",
        _CLAUDE,
        _reasons("Done."),
        _tokens(4, 9, **_MESSAGE),
        "end_turn",
        asks={"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}},
        script=_THINKS,
        max_tokens=2000,
        thinking={"type": "enabled", "budget_tokens": 1024},
    ),
    "message with a tool": _both(
        "message",
        _CLAUDE,
        _uses("tool_use", "call_1"),
        _tokens(9, 5, **_MESSAGE),
        "tool_use",
        asks={"tools": [_CLAUDE_TOOL]},
        script=_CALLS_ADD,
        tools=_ADDED,
        max_tokens=50,
    ),
    "message with a cache": _both(
        "message",
        _CLAUDE,
        _model(_ANSWERS),
        _tokens(112, 8, cache_read_input_tokens=100, cache_write_input_tokens=7, **_TTL),
        "end_turn",
        script=_CACHED,
        max_tokens=50,
    ),
    "Gemini": _both("Gemini", _FLASH, _model("The local provider heard: Good day"), _tokens(2, 6), "STOP"),
    "Gemini with a tool": _both(
        "Gemini",
        _FLASH,
        _uses("function_call", ""),
        _tokens(9, 5),
        "STOP",
        asks={"tools": [{"functionDeclarations": [{**_ADD, "parameters": _SCHEMA}]}]},
        script=_CALLS_ADD,
        tools=_ADDED,
    ),
    "interaction": _both("interaction", _FLASH, _model(_ANSWERS), _tokens(4, 8, **_RESPONSE), "completed"),
    "interaction with thoughts": _both(
        "interaction",
        _FLASH,
        _reasons("Done."),
        _tokens(4, 9, **{**_RESPONSE, "reasoning_output_tokens": 3}),
        "completed",
        asks={"generation_config": {"temperature": 0.5, "thinking_level": "low"}},
        script=_THINKS,
        temperature=0.5,
        thinking_level="low",
    ),
    "interaction with a tool": _both(
        "interaction",
        _FLASH,
        _uses("function_call", "call_1"),
        _tokens(9, 5, **_RESPONSE),
        "requires_action",
        asks={"tools": [_OPENAI_TOOL]},
        script=_CALLS_ADD,
        tools=_ADDED,
    ),
}
CASES = {
    **{
        f"{name}{', streamed' if number else ''}": case
        for name, pair in _FAMILIES.items()
        for number, case in enumerate(pair)
    },
    "embedding": Case(
        call_with("embedding", dimensions=3),
        ("text-embedding-3-small", "openai"),
        {"documents": [{"text": "one two"}, {"text": "three"}]},
        {"value": "2 embeddings of 3 dimensions"},
        _tokens(3, 0),
        {"dimensions": 3},
        kind="embedding",
    ),
    "compaction": Case(
        call_with("compaction"),
        _MINI,
        _user("Good day"),
        {"messages": [*_user("Good day")["messages"], *_model("[compaction: cmp_0]")["messages"]]},
        _tokens(2, 6, **_RESPONSE),
        {},
    ),
    "rerank": Case(
        call_with("rerank"),
        ("rerank-v3.5", "cohere"),
        {"value": "black cats"},
        {
            "documents": [
                {"text": "black cats purr", "id": "1", "score": 1.0},
                {"text": "cats purr", "id": "2", "score": 0.5},
            ]
        },
        {},
        {"top_n": 2, "return_documents": True, "search_units": 1},
        kind="retrieval",
    ),
    "search": Case(
        call_with("search"),
        ("", "tavily"),
        {"value": "cats"},
        {
            "documents": [
                {"text": "About: cats", "name": f"Page {page}", "id": f"https://pages.example/{page}"}
                for page in (0, 1)
            ]
        },
        {},
        {"search_provider": "tavily"},
        kind="retrieval",
    ),
    "image as data": Case(
        call_with("GPT image"),
        ("gpt-image-1", "openai"),
        _user("a black cat"),
        {"messages": [_IMAGE, _IMAGE]},
        _tokens(3, 32),
        {"n": 2},
    ),
    "image as a URL": Case(
        call_with("DALL-E image"),
        ("dall-e-3", "openai"),
        _user("a black cat"),
        _model("a black cat\n[image: https://images.example/0.png]"),
        {},
        {},
    ),
    "image edit": Case(
        call_with("image edit"),
        ("gpt-image-1", "openai"),
        _user("a hat\n[image]"),
        {"messages": [_IMAGE]},
        _tokens(18, 16),
        {},
    ),
    "image variation": Case(
        call_with("image variation"),
        ("dall-e-2", "openai"),
        _user("[image: cat.png]"),
        _model("[image: https://images.example/0.png]"),
        {},
        {},
    ),
    "speech": Case(
        call_with("speech"),
        ("tts-1", "openai"),
        _user("Good day"),
        _model("[audio: mp3]"),
        {},
        {"voice": "alloy"},
    ),
    "Whisper": Case(
        call_with("Whisper", language="en"),
        ("whisper-1", "openai"),
        _user("[audio: day.wav]"),
        _model(HEARD),
        {},
        {"language": "en", "audio_seconds": 3.0},
    ),
    "transcription": Case(
        call_with("transcription", prompt="A greeting."),
        ("gpt-4o-mini-transcribe", "openai"),
        _user("A greeting.\n[audio: day.wav]"),
        _model(HEARD),
        _tokens(30, 6),
        {},
    ),
    "OCR": Case(
        call_with("OCR"),
        ("mistral-ocr-latest", "mistral"),
        _user("[document: https://docs.example/a.pdf]"),
        {"messages": _model("# The local provider\n\nread a page.")["messages"] * 2},
        {},
        {"pages_processed": 2},
    ),
    "video": Case(
        call_with("video"),
        ("sora-2", "openai"),
        _user("a black cat"),
        _model("[video: its id, queued]"),
        {},
        {"seconds": "8", "finish_reason": "queued"},
    ),
}
"""The calls by name."""
