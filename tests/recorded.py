"""Recorded provider traffic: the requests as calls of LiteLLM's, and what the providers answered, read on its own.

Nothing here uses the code under test: answers are parsed from the recorded JSON and server-sent events.
"""

import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import vcr
import yaml

_PROVIDERS = {
    "api.openai.com": "openai",
    "api.deepseek.com": "deepseek",
    "openrouter.ai": "openrouter",
    "api.anthropic.com": "anthropic",
}
_ANTHROPIC_REASONS = {"end_turn": "stop", "stop_sequence": "stop", "max_tokens": "length", "tool_use": "tool_calls"}


@dataclass
class Said:
    """What a provider answered.

    Attributes:
        texts: the text of each choice.
        tool_calls: name, parsed arguments and id of each call.
        server_tools: names of the tools that the provider ran itself.
        usage: token counts as LLM Observability names them; what was not reported is absent.
        cost: what the provider billed.
    """

    model: str = ""
    texts: list[str] = field(default_factory=list)
    reasoning: str = ""
    tool_calls: list[tuple[str, Any, str]] = field(default_factory=list)
    server_tools: set[str] = field(default_factory=set)
    finish_reason: str = ""
    usage: dict[str, int] = field(default_factory=dict)
    cost: float | None = None


class Recording:
    """One cassette with one exchange."""

    def __init__(self, path: Path) -> None:
        (exchange,) = load(path.read_text())["interactions"]
        self.path = path
        self.url = urlsplit(exchange["request"]["uri"])
        body = exchange["request"]["body"]
        self.body: dict[str, Any] = json.loads(body)
        self.status: int = exchange["response"]["status"]["code"]
        self.text = exchange["response"]["body"]["string"].decode()
        self.is_text = self.url.path.endswith("/completions") and "/chat/" not in self.url.path
        self.is_stream = self.text.startswith(("data:", "event:"))
        self.provider = _PROVIDERS.get(self.url.netloc, "azure_text" if self.is_text else "azure")

    @property
    def model(self) -> str:
        """The model as LiteLLM is asked for it."""
        if self.provider.startswith("azure"):
            return f"{self.provider}/{self.url.path.split('/deployments/')[1].partition('/')[0]}"
        prefix = "text-completion-openai" if self.is_text else self.provider
        return f"{prefix}/{self.body['model']}"

    def arguments(self) -> dict[str, Any]:
        """Return the call of LiteLLM's that asks the recorded question."""
        asked = {**self.body, "model": self.model, "api_key": "no-key", "max_retries": 0}
        if self.provider == "anthropic":
            asked |= _as_openai(self.body)
            asked.pop("system", None)
        if self.provider.startswith("azure"):
            version = parse_qs(self.url.query)["api-version"][0]
            asked |= {"api_base": f"https://{self.url.netloc}", "api_version": version}
        if self.provider == "deepseek":
            # LiteLLM's own default is the beta endpoint.
            asked["api_base"] = f"https://{self.url.netloc}"
        asked.pop("stream", None)
        return {**asked, "stream": True} if self.is_stream else asked

    def said(self) -> Said:
        """Return what the provider answered."""
        events = list(_events(self.text)) if self.is_stream else [json.loads(self.text)]
        if self.provider == "anthropic":
            return _anthropic(_anthropic_message(events) if self.is_stream else events[0])
        return _openai(_openai_response(events) if self.is_stream else events[0])


def player() -> vcr.VCR:
    """Return a VCR that only replays, from cassettes of every format that the recordings have."""
    found = vcr.VCR(record_mode="none", serializer="recorded", match_on=["method", "endpoint"])
    found.register_serializer("recorded", _Serializer)
    found.register_matcher("endpoint", _same_endpoint)
    return found


def load(text: str) -> dict[str, Any]:
    """Parse a cassette; bodies are plain bytes whatever their format and encoding were."""
    cassette: dict[str, Any] = yaml.safe_load(text)
    for exchange in cassette["interactions"]:
        response = exchange["response"]
        body = (response.get("body") or {}).get("string", response.pop("content", ""))
        raw = body if isinstance(body, bytes) else body.encode()
        response["body"] = {"string": gzip.decompress(raw) if raw.startswith(b"\x1f\x8b") else raw}
        response.setdefault("status", {"code": response.pop("status_code", None), "message": ""})
        names = ("content-encoding", "content-length", "transfer-encoding")
        response["headers"] = {
            name: value for name, value in response["headers"].items() if name.lower() not in names
        }  # fmt: skip
    return cassette


class _Serializer:
    @staticmethod
    def deserialize(text: str) -> dict[str, Any]:
        return load(text)

    @staticmethod
    def serialize(cassette: Mapping[str, Any]) -> str:
        raise NotImplementedError


def _same_endpoint(one: Any, other: Any) -> None:
    # Older SDKs put two slashes behind Azure's host.
    assert one.path.replace("//", "/") == other.path.replace("//", "/")


def _events(text: str) -> Iterator[dict[str, Any]]:
    for line in text.splitlines():
        name, _, data = line.partition(":")
        if name == "data" and data.strip() != "[DONE]":
            yield json.loads(data)


def _openai_response(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the events of a chat or a text stream together to the response that they are the pieces of."""
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


def _openai(response: Mapping[str, Any]) -> Said:
    said = Said(response.get("model") or "")
    for choice in response["choices"]:
        message = choice.get("message") or {}
        audio = message.get("audio") or {}
        said.texts.append(choice.get("text") or message.get("content") or audio.get("transcript") or "")
        said.reasoning += message.get("reasoning_content") or message.get("reasoning") or ""
        for call in message.get("tool_calls") or ():
            function = call.get("function") or {"name": call["custom"]["name"], "arguments": call["custom"]["input"]}
            said.tool_calls.append((function["name"], _parsed(function["arguments"]), call["id"]))
        if legacy := message.get("function_call"):
            said.tool_calls.append((legacy["name"], _parsed(legacy["arguments"]), ""))
    said.finish_reason = ",".join(filter(None, [choice.get("finish_reason") for choice in response["choices"]]))
    if usage := response.get("usage"):
        prompt = usage.get("prompt_tokens_details") or {}
        completion = usage.get("completion_tokens_details") or {}
        counts = {
            "input_tokens": usage["prompt_tokens"],
            "output_tokens": usage.get("completion_tokens") or 0,
            "cache_read_input_tokens": prompt.get("cached_tokens"),
            "cache_write_input_tokens": prompt.get("cache_write_tokens"),
            "reasoning_output_tokens": completion.get("reasoning_tokens"),
        }
        said.usage = {name: count for name, count in counts.items() if count}
        said.cost = usage.get("cost")
        if said.cost is not None and usage.get("is_byok"):
            said.cost += usage["cost_details"]["upstream_inference_cost"]
    return said


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return {"value": arguments}


def _anthropic_message(events: list[dict[str, Any]]) -> dict[str, Any]:
    """Put the events of a stream together to the message that they are the pieces of."""
    message: dict[str, Any] = {}
    for event in events:
        kind = event["type"]
        if kind == "message_start":
            message = event["message"]
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


def _anthropic(message: Mapping[str, Any]) -> Said:
    blocks: dict[str, list[Any]] = {}
    for block in message["content"]:
        blocks.setdefault(block["type"], []).append(block)
    usage = message["usage"]
    read, written = (usage.get(f"cache_{name}_input_tokens") or 0 for name in ("read", "creation"))
    by_ttl = usage.get("cache_creation") or {}
    counts = {
        "input_tokens": usage["input_tokens"] + read + written,
        "output_tokens": usage["output_tokens"],
        "cache_read_input_tokens": read,
        "cache_write_input_tokens": written,
        **{f"ephemeral_{ttl}_input_tokens": by_ttl.get(f"ephemeral_{ttl}_input_tokens") for ttl in ("5m", "1h")},
    }
    return Said(
        model=message["model"],
        texts=["".join(block["text"] for block in blocks.get("text", ()))],
        reasoning="".join(block["thinking"] for block in blocks.get("thinking", ())),
        tool_calls=[(block["name"], block["input"], block["id"]) for block in blocks.get("tool_use", ())],
        server_tools={block["name"] for block in blocks.get("server_tool_use", ())},
        finish_reason=_ANTHROPIC_REASONS[message["stop_reason"]],
        usage={name: count for name, count in counts.items() if count},
    )


def _as_openai(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return an Anthropic request's messages and tools in the words that LiteLLM takes."""
    messages = [{"role": "system", "content": body["system"]}] if "system" in body else []
    for message in body["messages"]:
        messages += _messages(message if isinstance(message, dict) else {"role": "user", "content": str(message)})
    tools = [_tool(tool) for tool in body.get("tools", ())]
    return {"messages": messages, **({"tools": tools} if tools else {})}


def _messages(message: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    content = message["content"]
    blocks: dict[str, list[Any]] = {}
    for block in content if isinstance(content, list) else ():
        blocks.setdefault(block["type"], []).append(block)
    for block in blocks.get("tool_result", ()):
        yield {"role": "tool", "tool_call_id": block["tool_use_id"], "content": block["content"]}
    said: dict[str, Any] = {"role": message["role"], "content": blocks.get("text") if blocks else content}
    if "thinking" in blocks:
        said["thinking_blocks"] = blocks["thinking"]
    if "tool_use" in blocks:
        said["tool_calls"] = [
            {
                "id": block["id"],
                "type": "function",
                "function": {"name": block["name"], "arguments": json.dumps(block["input"])},
            }
            for block in blocks["tool_use"]
        ]
    if "tool_result" not in blocks:
        yield said


def _tool(tool: Mapping[str, Any]) -> Any:
    if "input_schema" not in tool:
        return tool
    function = {"name": tool["name"], "description": tool["description"], "parameters": tool["input_schema"]}
    return {"type": "function", "function": function}
