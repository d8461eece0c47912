"""OpenAI's chat and text completions, which other providers speak as well."""

from collections.abc import Mapping
from typing import Any

from tests.recorded.recording import Recording
from tests.recorded.said import Said, counted, parsed


def said(recording: Recording) -> Said:
    """Return what was answered."""
    response = _assembled(recording.answers) if recording.is_stream else recording.answers[0]
    found = Said(response.get("model") or "")
    for choice in response["choices"]:
        message = choice.get("message") or {}
        audio = message.get("audio") or {}
        found.texts.append(choice.get("text") or message.get("content") or audio.get("transcript") or "")
        found.reasoning += message.get("reasoning_content") or message.get("reasoning") or ""
        for call in message.get("tool_calls") or ():
            function = call.get("function") or {"name": call["custom"]["name"], "arguments": call["custom"]["input"]}
            found.tool_calls.append((function["name"], parsed(function["arguments"]), call["id"]))
        if legacy := message.get("function_call"):
            found.tool_calls.append((legacy["name"], parsed(legacy["arguments"]), ""))
    found.finish_reason = ",".join(filter(None, [choice.get("finish_reason") for choice in response["choices"]]))
    if usage := response.get("usage"):
        found.usage, found.cost = _usage(usage), _cost(usage)
    return found


def _assembled(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the events of a stream together to the response that they are the pieces of."""
    response: dict[str, Any] = {"choices": {}, "usage": None}
    for event in events:
        response["model"] = event.get("model") or response.get("model")
        response["usage"] = event.get("usage") or response["usage"]
        for piece in event["choices"]:
            empty = {"text": "", "message": {"content": "", "reasoning_content": "", "tool_calls": {}}}
            choice = response["choices"].setdefault(piece["index"], empty)
            choice["finish_reason"] = piece.get("finish_reason") or choice.get("finish_reason")
            choice["text"] += piece.get("text") or ""
            delta, message = piece.get("delta") or {}, choice["message"]
            for name in ("content", "reasoning_content"):
                message[name] += delta.get(name) or ""
            for part in delta.get("tool_calls") or ():
                call = message["tool_calls"].setdefault(part["index"], {"id": "", "function": {"arguments": ""}})
                call["id"] = call["id"] or part.get("id")
                call["function"]["name"] = call["function"].get("name") or part["function"].get("name")
                call["function"]["arguments"] += part["function"].get("arguments") or ""
    choices = [response["choices"][index] for index in sorted(response["choices"])]
    for choice in choices:
        choice["message"]["tool_calls"] = list(choice["message"]["tool_calls"].values())
    return {**response, "choices": choices}


def _usage(usage: Mapping[str, Any]) -> dict[str, int]:
    prompt = usage.get("prompt_tokens_details") or {}
    completion = usage.get("completion_tokens_details") or {}
    return counted(
        input_tokens=usage["prompt_tokens"],
        output_tokens=usage.get("completion_tokens"),
        cache_read_input_tokens=prompt.get("cached_tokens"),
        cache_write_input_tokens=prompt.get("cache_write_tokens"),
        reasoning_output_tokens=completion.get("reasoning_tokens"),
    )


def _cost(usage: Mapping[str, Any]) -> float | None:
    cost = usage.get("cost")
    if cost is not None and usage.get("is_byok"):
        cost += usage["cost_details"]["upstream_inference_cost"]
    return cost
