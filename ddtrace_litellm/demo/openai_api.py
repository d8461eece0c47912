"""OpenAI's chat and text completions as the local provider speaks them: answers to JSON and to events."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ddtrace_litellm.demo.answers import Answer, Tool, Usage, called_tools, pieces, plain_text, truncated, words

# A fixed time of creation keeps bodies the same from run to run.
_CREATED = 1_700_000_000
# Long enough that the arguments of an ordinary tool call arrive in more than one event.
_ARGUMENTS_PIECE = 8

_Json = Mapping[str, Any]


def chat_answer(request: _Json, text: str | None) -> Answer:
    """Decide what to say to a ``/v1/chat/completions`` body; ``text`` takes the place of the default answer."""
    messages: Sequence[_Json] = request.get("messages", ())
    tokens_in = sum(words(plain_text(message.get("content"))) for message in messages)
    calls = called_tools(
        _tools(request),
        messages,
        forced=_forced_tool(request.get("tool_choice")),
        parallel=request.get("parallel_tool_calls", True) is not False,
    )
    if calls and request.get("tool_choice") != "none":
        spent = Usage(tokens_in, sum(words(call.arguments) + 1 for call in calls))
        return Answer("", spent, calls, "tool_calls")
    asked = plain_text(messages[-1].get("content")) if messages else ""
    said = f"The local provider heard: {asked}" if text is None else text
    limit = request.get("max_completion_tokens") or request.get("max_tokens")
    return truncated(Answer(said, Usage(tokens_in, words(said))), limit)


def chat_body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return the plain answer of ``/v1/chat/completions``, with ``n`` choices."""
    message: dict[str, Any] = {"role": "assistant", "content": answer.text or None}
    if answer.reasoning:
        message["reasoning_content"] = answer.reasoning
    if answer.tool_calls:
        message["tool_calls"] = [
            {"id": call.call_id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in answer.tool_calls
        ]
    message.update(answer.extra)
    count = _choices(request)
    return {
        **_head(request, "chat.completion", "chatcmpl-local"),
        "choices": [
            {"index": index, "message": message, "finish_reason": answer.finish_reason, "logprobs": None}
            for index in range(count)
        ],
        "usage": usage_body(answer.usage, count),
    }


def chat_events(request: _Json, answer: Answer) -> Iterator[bytes]:
    """Yield the events of a streamed chat completion; the usage chunk only when ``include_usage`` asks for it."""
    head = _head(request, "chat.completion.chunk", "chatcmpl-local")
    count = _choices(request)
    for index in range(count):
        for delta in _deltas(answer):
            yield _chunk(head, {"index": index, "delta": delta, "finish_reason": None})
        yield _chunk(head, {"index": index, "delta": {}, "finish_reason": answer.finish_reason})
    if (request.get("stream_options") or {}).get("include_usage"):
        yield sse({**head, "choices": [], "usage": usage_body(answer.usage, count)})
    yield b"data: [DONE]\n\n"


def text_answer(request: _Json, text: str | None) -> Answer:
    """Decide what to say to a ``/v1/completions`` body: the same continuation for every prompt."""
    said = " and so it went on." if text is None else text
    answer = truncated(Answer(said, Usage(0, words(said))), request.get("max_tokens"))
    tokens_in = sum(_prompt_tokens(prompt) for prompt in _prompts(request))
    return Answer(answer.text, Usage(tokens_in, answer.usage.output), finish_reason=answer.finish_reason)


def text_body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return the plain answer of ``/v1/completions``: ``n`` choices for each prompt."""
    count = len(_prompts(request)) * _choices(request)
    return {
        **_head(request, "text_completion", "cmpl-local"),
        "choices": [
            {"index": index, "text": answer.text, "finish_reason": answer.finish_reason, "logprobs": None}
            for index in range(count)
        ],
        "usage": usage_body(answer.usage, count),
    }


def text_events(request: _Json, answer: Answer) -> Iterator[bytes]:
    """Yield the events of a streamed text completion."""
    head = _head(request, "text_completion", "cmpl-local")
    count = len(_prompts(request)) * _choices(request)
    for index in range(count):
        for piece in pieces(answer.text):
            yield _chunk(head, {"index": index, "text": piece, "finish_reason": None, "logprobs": None})
        yield _chunk(head, {"index": index, "text": "", "finish_reason": answer.finish_reason, "logprobs": None})
    if (request.get("stream_options") or {}).get("include_usage"):
        yield sse({**head, "choices": [], "usage": usage_body(answer.usage, count)})
    yield b"data: [DONE]\n\n"


def usage_body(usage: Usage, choices: int = 1) -> dict[str, Any]:
    """Return ``usage`` in OpenAI's words: cached tokens are part of the prompt's, each choice is paid for."""
    prompt = usage.input + usage.cache_read + usage.cache_write
    completion = usage.output * choices
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": usage.cache_read},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def error_body(message: str, error_type: str) -> dict[str, Any]:
    """Return an error in OpenAI's words."""
    return {"error": {"message": message, "type": error_type, "param": None, "code": None}}


def sse(data: _Json) -> bytes:
    """Return ``data`` as one server-sent event without a name."""
    return b"data: " + json.dumps(data).encode() + b"\n\n"


def _head(request: _Json, kind: str, identifier: str) -> dict[str, Any]:
    return {"id": identifier, "object": kind, "created": _CREATED, "model": request.get("model", "")}


def _chunk(head: _Json, choice: _Json) -> bytes:
    return sse({**head, "choices": [choice]})


def _deltas(answer: Answer) -> Iterator[dict[str, Any]]:
    # Real streams open with the role and an empty content too: the first chunk is not the first token.
    yield {"role": "assistant", "content": "" if answer.text else None, **answer.extra}
    for piece in pieces(answer.reasoning):
        yield {"reasoning_content": piece}
    for piece in pieces(answer.text):
        yield {"content": piece}
    for index, call in enumerate(answer.tool_calls):
        function = {"name": call.name, "arguments": ""}
        yield {"tool_calls": [{"index": index, "id": call.call_id, "type": "function", "function": function}]}
        for start in range(0, len(call.arguments), _ARGUMENTS_PIECE):
            piece = call.arguments[start : start + _ARGUMENTS_PIECE]
            yield {"tool_calls": [{"index": index, "function": {"arguments": piece}}]}


def _choices(request: _Json) -> int:
    return int(request.get("n") or 1)


def _tools(request: _Json) -> list[Tool]:
    functions = [tool.get("function", {}) for tool in request.get("tools") or ()]
    return [
        Tool(function.get("name", ""), function.get("description", ""), function.get("parameters", {}))
        for function in functions
    ]


def _forced_tool(choice: Any) -> str | None:
    if choice == "required":
        return "*"
    return str(choice["function"]["name"]) if isinstance(choice, Mapping) else None


def _prompts(request: _Json) -> list[Any]:
    prompt = request.get("prompt", "")
    # A flat list of numbers is one prompt, given as tokens.
    return prompt if isinstance(prompt, list) and not all(isinstance(item, int) for item in prompt) else [prompt]


def _prompt_tokens(prompt: Any) -> int:
    return len(prompt) if isinstance(prompt, list) else words(prompt)
