"""Anthropic's Messages API as the local provider speaks it: answers to JSON and to events."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ddtrace_litellm.demo.answers import Answer, Tool, Usage, called_tools, pieces, plain_text, truncated, words

# Long enough that the arguments of an ordinary tool call arrive in more than one event.
_ARGUMENTS_PIECE = 8
_STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use", "content_filter": "refusal"}
_ERROR_TYPES = {"server_error": "api_error", "rate_limit_exceeded": "rate_limit_error"}

_Json = Mapping[str, Any]


def answer(request: _Json, text: str | None) -> Answer:
    """Decide what to say to a ``/v1/messages`` body; ``text`` takes the place of the default answer."""
    messages: Sequence[_Json] = request.get("messages", ())
    tokens_in = words(plain_text(request.get("system")))
    tokens_in += sum(words(plain_text(message.get("content"))) for message in messages)
    choice = request.get("tool_choice") or {}
    calls = called_tools(
        [
            Tool(tool["name"], tool.get("description", ""), tool.get("input_schema", {}))
            for tool in request.get("tools") or ()
            if "input_schema" in tool
        ],
        # A tool result is a message of the user here; it is to be answered with text, as in every other API.
        [] if _is_tool_result(messages) else messages,
        forced={"any": "*", "tool": choice.get("name")}.get(choice.get("type", "")),
        parallel=not choice.get("disable_parallel_tool_use"),
    )
    if calls and choice.get("type") != "none":
        spent = Usage(tokens_in, sum(words(call.arguments) + 1 for call in calls))
        return Answer("", spent, calls, "tool_calls")
    asked = plain_text(messages[-1].get("content")) if messages else ""
    said = f"The local provider heard: {asked}" if text is None else text
    return truncated(Answer(said, Usage(tokens_in, words(said))), request.get("max_tokens"))


def body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return the plain answer of ``/v1/messages``."""
    return {
        **_message(request),
        "content": [*_whole_blocks(answer)],
        "stop_reason": _STOP_REASONS[answer.finish_reason],
        "usage": {**_input_usage(answer.usage), "output_tokens": answer.usage.output},
        **answer.extra,
    }


def events(request: _Json, answer: Answer) -> Iterator[bytes]:
    """Yield the events of a streamed message."""
    opening = {**_message(request), "usage": {**_input_usage(answer.usage), "output_tokens": 1}, **answer.extra}
    yield _event("message_start", {"message": opening})
    yield _event("ping", {})
    for index, (empty, deltas) in enumerate(_blocks(answer)):
        yield _event("content_block_start", {"index": index, "content_block": empty})
        for delta in deltas:
            yield _event("content_block_delta", {"index": index, "delta": delta})
        yield _event("content_block_stop", {"index": index})
    stop = {"stop_reason": _STOP_REASONS[answer.finish_reason], "stop_sequence": None}
    yield _event("message_delta", {"delta": stop, "usage": {"output_tokens": answer.usage.output}})
    yield _event("message_stop", {})


def error_body(message: str, error_type: str) -> dict[str, Any]:
    """Return an error in Anthropic's words."""
    return {"type": "error", "error": {"type": _ERROR_TYPES.get(error_type, error_type), "message": message}}


def _message(request: _Json) -> dict[str, Any]:
    return {
        "id": "msg_local",
        "type": "message",
        "role": "assistant",
        "model": request.get("model", ""),
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
    }


def _whole_blocks(answer: Answer) -> Iterator[dict[str, Any]]:
    if answer.reasoning:
        yield {"type": "thinking", "thinking": answer.reasoning, "signature": "c2lnbmF0dXJl"}
    if answer.text:
        yield {"type": "text", "text": answer.text}
    for call in answer.tool_calls:
        yield {"type": "tool_use", "id": call.call_id, "name": call.name, "input": json.loads(call.arguments)}


def _blocks(answer: Answer) -> Iterator[tuple[dict[str, Any], list[dict[str, Any]]]]:
    """Yield each block as a stream opens it, and the deltas that fill it."""
    if answer.reasoning:
        thoughts = [{"type": "thinking_delta", "thinking": piece} for piece in pieces(answer.reasoning)]
        signature = {"type": "signature_delta", "signature": "c2lnbmF0dXJl"}
        yield {"type": "thinking", "thinking": "", "signature": ""}, [*thoughts, signature]
    if answer.text:
        yield (
            {"type": "text", "text": ""},
            [{"type": "text_delta", "text": piece} for piece in pieces(answer.text)],
        )
    for call in answer.tool_calls:
        yield (
            {"type": "tool_use", "id": call.call_id, "name": call.name, "input": {}},
            [
                {"type": "input_json_delta", "partial_json": call.arguments[start : start + _ARGUMENTS_PIECE]}
                for start in range(0, len(call.arguments), _ARGUMENTS_PIECE)
            ],
        )


def _input_usage(usage: Usage) -> dict[str, int]:
    return {
        "input_tokens": usage.input,
        "cache_read_input_tokens": usage.cache_read,
        "cache_creation_input_tokens": usage.cache_write,
    }


def _is_tool_result(messages: Sequence[_Json]) -> bool:
    content = messages[-1].get("content") if messages else None
    return isinstance(content, list) and any(part.get("type") == "tool_result" for part in content)


def _event(name: str, data: _Json) -> bytes:
    return f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n".encode()
