"""Calls that are as large as a caller or a provider likes, for the tests and for ``benchmarks/large_requests.py``."""

import json

from ddtrace_litellm.extract import chat, embeddings, generate_content, messages, moderation, rerank, responses, search
from ddtrace_litellm.extract.api import Api

ASK = {"messages": [{"role": "user", "content": "hello"}]}
SAID = {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}]}


def _call(number):
    return {"id": f"call_{number}", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}


def _several(items, make):
    return [make(number) for number in range(items)]


def large_calls(items: int) -> dict[str, tuple[Api, dict, dict]]:
    """Return, by name: the API, what is asked, and what is answered."""
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    part = {"type": "text", "text": "some text of a part"}
    message = {"role": "user", "content": "some text of a message"}
    parts = [dict(part) for _ in range(items)]
    calls = _several(items, _call)
    hundred = items // 100
    nested = {f"group {n}": {f"name {number}": number for number in range(hundred)} for n in range(100)}
    return {
        "messages": (chat.API, {"messages": [dict(message) for _ in range(items)]}, SAID),
        "parts": (chat.API, {"messages": [{"role": "user", "content": parts}]}, SAID),
        "parts of 100 messages": (
            chat.API,
            {"messages": [{"role": "user", "content": parts[:hundred]} for _ in range(100)]},
            SAID,
        ),
        "tool calls sent": (chat.API, {"messages": [{"role": "assistant", "tool_calls": calls}]}, SAID),
        "tool results": (
            chat.API,
            {"messages": _several(items, lambda n: {"role": "tool", "tool_call_id": f"call_{n}", "content": "3"})},
            SAID,
        ),
        "tools": (chat.API, {**ASK, "tools": [dict(tool) for _ in range(items)]}, SAID),
        "tool schema": (
            chat.API,
            {**ASK, "tools": [{"function": {"name": "f", "parameters": {f"p{n}": {} for n in range(items)}}}]},
            SAID,
        ),
        "response format, nested": (chat.API, {**ASK, "response_format": nested}, SAID),
        "stop sequences": (chat.API, {**ASK, "stop": _several(items, str)}, SAID),
        "metadata": (chat.API, {**ASK, "metadata": {f"name {n}": n for n in range(items)}}, SAID),
        "tool calls answered": (
            chat.API,
            ASK,
            {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": calls}}]},
        ),
        "choices": (chat.API, ASK, {"choices": SAID["choices"] * items}),
        "long arguments": (
            chat.API,
            ASK,
            {"choices": [{"message": {"tool_calls": [_call(0) | {"function": {"arguments": json.dumps(nested)}}]}}]},
        ),
        "megabytes of text": (chat.API, {"messages": [{"role": "user", "content": "é" * (items * 100)}]}, SAID),
        "embedding inputs": (
            embeddings.API,
            {"input": _several(items, lambda n: f"text {n}")},
            {"data": [{"embedding": [0.1]} for _ in range(items)]},
        ),
        "token ids": (embeddings.API, {"input": list(range(items))}, {"data": [{"embedding": [0.1]}]}),
        "documents": (
            rerank.API,
            {"query": "q", "documents": _several(items, lambda n: f"text {n}")},
            {"results": _several(items, lambda n: {"index": n, "relevance_score": 0.5})},
        ),
        "search results": (search.API, {"query": "q"}, {"results": [{"snippet": "text"} for _ in range(items)]}),
        "moderation": (
            moderation.API,
            {"input": _several(items, str)},
            {"results": [{"flagged": False} for _ in range(items)]},
        ),
        "items": (
            responses.API,
            {"input": [dict(message) for _ in range(items)]},
            {"output": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}] * items},
        ),
        "blocks": (
            messages.API,
            {"messages": [{"role": "user", "content": parts}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}] * items},
        ),
        "contents": (
            generate_content.API,
            {"contents": [{"role": "user", "parts": [{"text": "text"}]} for _ in range(items)]},
            {"candidates": [{"content": {"role": "model", "parts": [{"text": "text"}]}}] * items},
        ),
    }
