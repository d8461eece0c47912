"""Gemini's generateContent as the tests' provider speaks it, plain and as server-sent events."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ddtrace_litellm.demo import openai_api
from ddtrace_litellm.demo.answers import Answer, Tool, Usage, called_tools, pieces, plain_text, truncated, words

_Json = Mapping[str, Any]

_FINISH_REASONS = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}
_STATUSES = {
    "invalid_request_error": (400, "INVALID_ARGUMENT"),
    "authentication_error": (401, "UNAUTHENTICATED"),
    "permission_error": (403, "PERMISSION_DENIED"),
    "not_found_error": (404, "NOT_FOUND"),
    "rate_limit_error": (429, "RESOURCE_EXHAUSTED"),
}


def answer(request: _Json, text: str | None) -> Answer:
    """Decide what to say to a ``generateContent`` body."""
    messages = [
        {"role": content.get("role", "user"), "content": content.get("parts", ())}
        for content in request.get("contents", ())
    ]
    instruction = request.get("systemInstruction") or request.get("system_instruction") or {}
    tokens_in = sum(words(plain_text(message["content"])) for message in messages)
    tokens_in += words(plain_text(instruction.get("parts", ())))
    calls = called_tools(_tools(request), messages, forced=_forced_tool(request), parallel=True)
    if calls:
        return Answer("", Usage(tokens_in, sum(words(call.arguments) + 1 for call in calls)), calls, "tool_calls")
    asked = plain_text(messages[-1]["content"]) if messages else ""
    said = f"The local provider heard: {asked}" if text is None else text
    limit = (request.get("generationConfig") or {}).get("maxOutputTokens")
    return truncated(Answer(said, Usage(tokens_in, words(said))), limit)


def body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return the plain answer of ``generateContent``."""
    thoughts = [{"text": answer.reasoning, "thought": True}] if answer.reasoning else []
    texts = [{"text": answer.text}] if answer.text else []
    return _response(request, answer, [*thoughts, *texts, *_calls(answer)], last=True)


def events(request: _Json, answer: Answer) -> Iterator[bytes]:
    """Yield the events of ``streamGenerateContent?alt=sse``; usage is on each, and there is no end mark."""
    parts = [{"text": piece, "thought": True} for piece in pieces(answer.reasoning)]
    parts += [{"text": piece} for piece in pieces(answer.text)]
    parts += _calls(answer)
    for part in parts:
        yield openai_api.sse(_response(request, answer, [part], last=False))
    yield openai_api.sse(_response(request, answer, [{"text": ""}], last=True))


def error_body(message: str, error_type: str) -> dict[str, Any]:
    """Return an error in Google's words; ``error_type`` is in OpenAI's."""
    code, status = _STATUSES.get(error_type, (500, "INTERNAL"))
    return {"error": {"code": code, "message": message, "status": status}}


def _response(request: _Json, answer: Answer, parts: Sequence[_Json], *, last: bool) -> dict[str, Any]:
    usage = answer.usage
    prompt = usage.input + usage.cache_read + usage.cache_write
    end = {"finishReason": _FINISH_REASONS.get(answer.finish_reason, "OTHER"), **answer.extra} if last else {}
    return {
        "candidates": [{"index": 0, "content": {"role": "model", "parts": parts}, **end}],
        # Thoughts are not part of the candidates' tokens here, as they are of the completion's in OpenAI's words.
        "usageMetadata": {
            "promptTokenCount": prompt,
            "candidatesTokenCount": usage.output - usage.reasoning,
            "totalTokenCount": prompt + usage.output,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": prompt}],
            **({"cachedContentTokenCount": usage.cache_read} if usage.cache_read else {}),
            **({"thoughtsTokenCount": usage.reasoning} if usage.reasoning else {}),
        },
        "modelVersion": request.get("model", ""),
        "responseId": "gemini-local",
    }


def _calls(answer: Answer) -> list[dict[str, Any]]:
    return [
        {"functionCall": {"name": call.name, "args": json.loads(call.arguments or "{}")}} for call in answer.tool_calls
    ]


def _tools(request: _Json) -> list[Tool]:
    return [
        Tool(function["name"], function.get("description", ""), _schema(function))
        for tool in request.get("tools") or ()
        for function in tool.get("functionDeclarations") or tool.get("function_declarations") or ()
    ]


def _schema(function: _Json) -> dict[str, Any]:
    given = function.get("parameters") or function.get("parametersJsonSchema") or {}
    properties = given.get("properties", {})
    # Google writes types in upper case.
    return {
        **given,
        "properties": {
            name: {**property_, "type": str(property_.get("type")).lower()} for name, property_ in properties.items()
        },
    }


def _forced_tool(request: _Json) -> str | None:
    calling = (request.get("toolConfig") or {}).get("functionCallingConfig") or {}
    return "*" if calling.get("mode") == "ANY" else None
