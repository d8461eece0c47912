"""Anthropic's Messages: as they are, and in the words of a chat, in which LiteLLM takes and hands on most of them."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from tests.recorded.recording import Recording
from tests.recorded.said import Said, counted

_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}
_TTLS = ("5m", "1h")


def said(recording: Recording) -> Said:
    """Return what was answered."""
    message = _assembled(recording.answers) if recording.is_stream else recording.answers[0]
    found = Said(message["model"], texts=[""], finish_reason=message["stop_reason"], usage=_usage(message["usage"]))
    names: dict[str, str] = {}
    for block in message["content"]:
        kind = block["type"]
        if kind == "text":
            found.texts[0] += block["text"]
        elif kind == "thinking":
            found.reasoning += block["thinking"]
        elif kind.endswith("tool_use"):
            names[block["id"]] = block["name"]
            found.tool_calls.append((block["name"], block["input"], block["id"]))
            found.server_tools |= {block["name"]} - ({block["name"]} if kind == "tool_use" else set())
        else:
            found.results.append((names[block["tool_use_id"]], block["tool_use_id"]))
    return found


def said_by_chat(recording: Recording) -> Said:
    """Return what was answered, without what a chat has no place for."""
    found = said(recording)
    calls = [call for call in found.tool_calls if call[0] not in found.server_tools]
    return replace(found, tool_calls=calls, results=[], finish_reason=_REASONS[found.finish_reason])


def chat_arguments(recording: Recording) -> dict[str, Any]:
    """Return the chat call that asks the recorded question."""
    body = recording.body
    messages = [{"role": "system", "content": body["system"]}] if "system" in body else []
    for message in body["messages"]:
        messages += _messages(message if isinstance(message, dict) else {"role": "user", "content": str(message)})
    tools = [_tool(tool) for tool in body.get("tools", ())]
    asked = {**recording.arguments(), "messages": messages, **({"tools": tools} if tools else {})}
    asked.pop("system", None)
    return asked


def _assembled(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the events of a stream together to the message that they are the pieces of."""
    message: dict[str, Any] = {}
    for event in events:
        kind = event["type"]
        if kind == "message_start":
            message = {**event["message"], "content": []}
        elif kind == "content_block_start":
            message["content"].append({**event["content_block"], "json": ""})
        elif kind == "content_block_delta":
            block, delta = message["content"][event["index"]], event["delta"]
            for name, piece in (("text", "text"), ("thinking", "thinking"), ("json", "partial_json")):
                if piece in delta:
                    block[name] += delta[piece]
        elif kind == "content_block_stop":
            block = message["content"][event["index"]]
            if block["json"]:
                block["input"] = json.loads(block["json"])
        elif kind == "message_delta":
            message |= event["delta"]
            message["usage"] = {**message["usage"], **event["usage"]}
    return message


def _usage(usage: Mapping[str, Any]) -> dict[str, int]:
    read, written = (usage.get(f"cache_{name}_input_tokens") or 0 for name in ("read", "creation"))
    by_ttl = usage.get("cache_creation") or {}
    return counted(
        input_tokens=usage["input_tokens"] + read + written,
        output_tokens=usage["output_tokens"],
        cache_read_input_tokens=read,
        cache_write_input_tokens=written,
        **{f"ephemeral_{ttl}_input_tokens": by_ttl.get(f"ephemeral_{ttl}_input_tokens") for ttl in _TTLS},
    )


def _messages(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    content = message["content"]
    blocks: dict[str, list[Any]] = {}
    for block in content if isinstance(content, list) else ():
        blocks.setdefault(block["type"], []).append(block)
    for block in blocks.get("tool_result", ()):
        yield {"role": "tool", "tool_call_id": block["tool_use_id"], "content": block["content"]}
    written: dict[str, Any] = {"role": message["role"], "content": blocks.get("text") if blocks else content}
    if "thinking" in blocks:
        written["thinking_blocks"] = blocks["thinking"]
    if "tool_use" in blocks:
        written["tool_calls"] = [
            {
                "id": block["id"],
                "type": "function",
                "function": {"name": block["name"], "arguments": json.dumps(block["input"])},
            }
            for block in blocks["tool_use"]
        ]
    if "tool_result" not in blocks:
        yield written


def _tool(tool: Mapping[str, Any]) -> Any:
    if "input_schema" not in tool:
        return tool
    function = {"name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]}
    return {"type": "function", "function": function}
