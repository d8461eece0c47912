"""Google's Interactions API as the tests' provider speaks it, plain and as server-sent events."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ddtrace_litellm.demo import openai_api
from ddtrace_litellm.demo.answers import Answer, Usage, pieces, plain_text, words

_Json = Mapping[str, Any]


def answer(request: _Json, text: str | None) -> Answer:
    """Decide what to say to a body."""
    asked = request.get("input", "")
    steps = asked if isinstance(asked, list) else [{"content": asked}]
    last = plain_text(steps[-1].get("content", ""))
    said = f"The local provider heard: {last}" if text is None else text
    tokens = sum(words(plain_text(step.get("content", ""))) for step in steps)
    return Answer(said, Usage(tokens, words(said)))


def body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return the interaction, whole; of one in the background that it has begun."""
    if request.get("background"):
        return _interaction(request, "in_progress")
    status = "requires_action" if answer.tool_calls else "completed"
    return {**_interaction(request, status), "steps": _steps(answer), "usage": _usage(answer), **answer.extra}


def events(request: _Json, answer: Answer) -> Iterator[bytes]:
    """Yield the events of a streamed interaction, which ends in its status and its usage, and no steps."""
    yield _event("interaction.created", interaction=_interaction(request, "in_progress"))
    for index, step in enumerate(_steps(answer)):
        kind = step["type"]
        if kind == "thought":
            yield _event("step.start", index=index, step={"type": kind})
            for piece in pieces(answer.reasoning):
                delta = {"type": "thought_summary", "content": {"type": "text", "text": piece}}
                yield _event("step.delta", index=index, delta=delta)
            yield _event("step.delta", index=index, delta={"type": "thought_signature", "signature": "c2ln"})
        elif kind == "function_call":
            yield _event("step.start", index=index, step={**step, "arguments": {}})
            for piece in pieces(json.dumps(step["arguments"])):
                yield _event("step.delta", index=index, delta={"type": "arguments_delta", "arguments": piece})
        else:
            yield _event("step.start", index=index, step={"type": kind})
            for piece in pieces(answer.text):
                yield _event("step.delta", index=index, delta={"type": "text", "text": piece})
        yield _event("step.stop", index=index)
    status = "requires_action" if answer.tool_calls else "completed"
    whole = {**_interaction(request, status), "usage": _usage(answer)}
    yield _event("interaction.completed", interaction=whole)


def _event(event_type: str, **fields: Any) -> bytes:
    return openai_api.sse({"event_type": event_type, **fields})


def _interaction(request: _Json, status: str) -> dict[str, Any]:
    named = {name: request[name] for name in ("model", "agent") if name in request}
    return {"id": "interaction-local", "object": "interaction", "status": status, **named}


def _steps(answer: Answer) -> list[dict[str, Any]]:
    summary = [{"type": "text", "text": answer.reasoning}]
    steps: list[dict[str, Any]] = [{"type": "thought", "summary": summary}] if answer.reasoning else []
    if answer.text:
        steps.append({"type": "model_output", "content": [{"type": "text", "text": answer.text}]})
    for call in answer.tool_calls:
        called = {"id": call.call_id, "name": call.name, "arguments": json.loads(call.arguments)}
        steps.append({"type": "function_call", **called})
    return steps


def _usage(answer: Answer) -> dict[str, int]:
    """Count thoughts apart from the output, and what is read from a cache within the input, as Google does."""
    usage = answer.usage
    read = usage.input + usage.cache_read
    return {
        "total_input_tokens": read,
        "total_cached_tokens": usage.cache_read,
        "total_output_tokens": usage.output - usage.reasoning,
        "total_thought_tokens": usage.reasoning,
        "total_tokens": read + usage.output,
    }
