"""OpenAI's Responses."""

from collections.abc import Mapping
from typing import Any

from tests.recorded.recording import Recording
from tests.recorded.said import Said, counted, parsed

_CALLS = {"function_call": "arguments", "custom_tool_call": "input"}


def said(recording: Recording) -> Said:
    """Return what was answered; the last event of a stream holds all of it."""
    response = recording.answers[-1]["response"] if recording.is_stream else recording.answers[0]
    found = Said(response["model"], finish_reason=_finish_reason(response))
    for item in response["output"]:
        kind = item["type"]
        if kind == "reasoning":
            found.reasoning += "".join(part["text"] for part in item["summary"])
            continue
        found.texts.append("".join(part["text"] for part in item.get("content", ())))
        if kind in _CALLS:
            found.tool_calls.append((item["name"], parsed(item[_CALLS[kind]]), item["call_id"]))
    usage = response["usage"]
    found.usage = counted(
        input_tokens=usage["input_tokens"],
        output_tokens=usage["output_tokens"],
        cache_read_input_tokens=usage["input_tokens_details"]["cached_tokens"],
        cache_write_input_tokens=usage["input_tokens_details"].get("cache_write_tokens"),
        reasoning_output_tokens=usage["output_tokens_details"]["reasoning_tokens"],
    )
    return found


def _finish_reason(response: Mapping[str, Any]) -> str:
    return response["incomplete_details"]["reason"] if response["incomplete_details"] else response["status"]
