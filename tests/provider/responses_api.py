"""OpenAI's Responses API as the tests' provider speaks it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ddtrace_litellm.demo.answers import Answer, Tool, Usage, called_tools, pieces, plain_text, words

_Json = Mapping[str, Any]

_STORED_MODEL = "gpt-4o-mini"
_NOTHING = Answer("", Usage(0, 0))


def answer(request: _Json, text: str | None) -> Answer:
    """Decide what to say to a ``/v1/responses`` body."""
    given = request.get("input", "")
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else given
    tokens_in = words(plain_text(request.get("instructions")))
    tokens_in += sum(words(plain_text(message.get("content"))) for message in messages)
    tools = [
        Tool(tool["name"], tool.get("description") or "", tool.get("parameters") or {})
        for tool in request.get("tools") or ()
        if tool.get("type") == "function"
    ]
    calls = called_tools(tools, messages, forced=None, parallel=True)
    if calls:
        return Answer("", Usage(tokens_in, sum(words(call.arguments) + 1 for call in calls)), calls, "tool_calls")
    asked = plain_text(messages[-1].get("content")) if messages else ""
    said = f"The local provider heard: {asked}" if text is None else text
    return Answer(said, Usage(tokens_in, words(said)))


def body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return the plain answer of ``/v1/responses``."""
    return _response(request, answer, "completed", _items(answer))


def events(request: _Json, answer: Answer) -> Iterator[bytes]:
    """Yield the events of a streamed response."""
    sequence = 0

    def event(name: str, **data: Any) -> bytes:
        nonlocal sequence
        sequence += 1
        return f"event: {name}\ndata: {json.dumps({'type': name, 'sequence_number': sequence, **data})}\n\n".encode()

    opening = {**_response(request, answer, "in_progress", []), "usage": None}
    yield event("response.created", response=opening)
    yield event("response.in_progress", response=opening)
    for index, item in enumerate(_items(answer)):
        at = {"output_index": index, "item_id": item["id"]}
        if item["type"] == "message":
            yield event("response.output_item.added", output_index=index, item={**item, "content": []})
            part = item["content"][0]
            yield event("response.content_part.added", **at, content_index=0, part={**part, "text": ""})
            for piece in pieces(answer.text):
                yield event("response.output_text.delta", **at, content_index=0, delta=piece)
            yield event("response.output_text.done", **at, content_index=0, text=answer.text)
            yield event("response.content_part.done", **at, content_index=0, part=part)
        elif item["type"] == "function_call":
            yield event("response.output_item.added", output_index=index, item={**item, "arguments": ""})
            yield event("response.function_call_arguments.delta", **at, delta=item["arguments"])
            yield event("response.function_call_arguments.done", **at, arguments=item["arguments"])
        else:
            yield event("response.output_item.added", output_index=index, item={**item, "summary": []})
            for piece in pieces(answer.reasoning):
                yield event("response.reasoning_summary_text.delta", **at, summary_index=0, delta=piece)
        yield event("response.output_item.done", output_index=index, item=item)
    yield event("response.completed", response=_response(request, answer, "completed", _items(answer)))


def stored_answer(_: _Json, text: str | None) -> Answer:
    """Decide what a stored response says; that of every id is the same."""
    said = "The local provider remembers." if text is None else text
    return Answer(said, Usage(8, words(said)))


def stored_body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return a finished response under the id that was asked for."""
    stored = _response({"model": _STORED_MODEL}, answer, "completed", _items(answer))
    return {**stored, "id": request.get("model")}


def cancelled_body(request: _Json, _: Answer) -> dict[str, Any]:
    """Return a background response that was cancelled before it had said anything."""
    cancelled = _response({"model": _STORED_MODEL}, _NOTHING, "cancelled", [])
    return {**cancelled, "id": request.get("model"), "background": True, "usage": None}


def compacted_body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return what ``/v1/responses/compact`` leaves of a conversation: the user's messages, and the rest encrypted."""
    given = request.get("input", "")
    messages = [{"role": "user", "content": given}] if isinstance(given, str) else given
    kept = [
        {
            "type": "message",
            "id": f"msg_{number}",
            "role": "user",
            "status": "completed",
            "content": [{"type": "input_text", "text": plain_text(message.get("content"))}],
        }
        for number, message in enumerate(messages)
        if message.get("role") == "user"
    ]
    return {
        "id": "resp_local",
        "object": "response.compaction",
        "created_at": 1_700_000_000,
        "output": [*kept, {"type": "compaction", "id": "cmp_0", "encrypted_content": "bG9jYWw="}],
        "usage": _usage(answer.usage),
    }


def _items(answer: Answer) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    if answer.reasoning:
        items.append(
            {"type": "reasoning", "id": "rs_0", "summary": [{"type": "summary_text", "text": answer.reasoning}]}
        )
    if answer.text:
        part = {"type": "output_text", "text": answer.text, "annotations": [], "logprobs": []}
        items.append({"type": "message", "id": "msg_0", "role": "assistant", "status": "completed", "content": [part]})
    items.extend(
        {
            "type": "function_call",
            "id": f"fc_{number}",
            "call_id": call.call_id,
            "name": call.name,
            "arguments": call.arguments,
            "status": "completed",
        }
        for number, call in enumerate(answer.tool_calls)
    )
    return items


def _response(request: _Json, answer: Answer, status: str, output: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": "resp_local",
        "object": "response",
        "created_at": 1_700_000_000,
        "status": status,
        "model": request.get("model", ""),
        "output": output,
        "instructions": request.get("instructions"),
        "metadata": {},
        "parallel_tool_calls": True,
        "temperature": request.get("temperature"),
        "top_p": request.get("top_p"),
        "tool_choice": "auto",
        "tools": request.get("tools") or [],
        "error": None,
        "incomplete_details": None,
        # LiteLLM 1.72 refuses a response without these.
        "max_output_tokens": request.get("max_output_tokens"),
        "previous_response_id": request.get("previous_response_id"),
        "reasoning": {"effort": None, "summary": None},
        "text": {"format": {"type": "text"}},
        "truncation": "disabled",
        "user": request.get("user"),
        "usage": _usage(answer.usage),
    }


def _usage(usage: Usage) -> dict[str, Any]:
    tokens_in = usage.input + usage.cache_read + usage.cache_write
    return {
        "input_tokens": tokens_in,
        "input_tokens_details": {"cached_tokens": usage.cache_read},
        "output_tokens": usage.output,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning},
        "total_tokens": tokens_in + usage.output,
    }
