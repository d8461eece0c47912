"""Anthropic's Messages API: what a request asks and a response says, block by block."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from ddtrace_litellm.extract import turn
from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output, Streaming
from ddtrace_litellm.extract.choices import Message
from ddtrace_litellm.extract.content import Content, add_image
from ddtrace_litellm.extract.fields import field, fields_of, number, sequence, text_of
from ddtrace_litellm.extract.messages_stream import assemble, first_content_detector
from ddtrace_litellm.extract.plain import abridged
from ddtrace_litellm.extract.tools import ToolCall, tool_definitions_from
from ddtrace_litellm.extract.turn import Result, Turn
from ddtrace_litellm.extract.usage import Usage
from ddtrace_litellm.masking import strip_credentials

# Not metadata, system or mcp_servers: people, prompts and authorization tokens.
PARAMETERS = CALL_PARAMETERS | {
    "cache_control",
    "container",
    "context_management",
    "inference_geo",
    "max_tokens",
    "output_config",
    "output_format",
    "reasoning_effort",
    "service_tier",
    "speed",
    "stop_sequences",
    "stream",
    "temperature",
    "thinking",
    "tool_choice",
    "top_k",
    "top_p",
}
"""Request parameters that may go into metadata."""

_PROGRAM_CALL = "tool_use"
# What the results of the provider's tools show of themselves; the rest is encrypted, or repeats the request.
_SHOWN = ("text", "title", "url", "stdout", "stderr", "error_code")


def read_input(arguments: Arguments) -> Input:
    """Read the system prompt, the messages and the tools of a request."""
    messages = sequence(arguments.get("messages"))
    annotations: dict[str, Any] = {"input_messages": _input_messages(arguments.get("system"), messages)}
    if tools := arguments.get("tools"):
        annotations["tool_definitions"] = tool_definitions_from(tools, None)
    return Input(annotations, _tool_result_ids(messages))


def read_response(response: Any, arguments: Arguments) -> Output:  # noqa: ARG001
    """Read a message, or what a stream's events make up."""
    message = fields_of(response)
    if message.get("content") is None:
        return turn.output((), _PROGRAM_CALL)
    said = _turn(text_of(message.get("role")) or "assistant", message["content"], {})
    said.finish_reason = text_of(message.get("stop_reason"))
    return turn.output((said,), _PROGRAM_CALL)


def read_usage(response: Any) -> Usage | None:
    """Read the tokens. Anthropic's ``input_tokens`` are those that have nothing to do with the cache."""
    usage = fields_of(field(response, "usage"))
    read, written = number(usage.get("cache_read_input_tokens")), number(usage.get("cache_creation_input_tokens"))
    input_tokens = (number(usage.get("input_tokens")) or 0) + (read or 0) + (written or 0)
    output_tokens = number(usage.get("output_tokens"))
    if not input_tokens and not output_tokens:
        return None
    by_ttl = fields_of(usage.get("cache_creation"))
    written_5m, written_1h = by_ttl.get("ephemeral_5m_input_tokens"), by_ttl.get("ephemeral_1h_input_tokens")
    return Usage(input_tokens, output_tokens, read, written, number(written_5m), number(written_1h))


def _input_messages(system: Any, messages: "list[Any] | tuple[Any, ...]") -> list[Message]:
    names: dict[str, str] = {}
    turns = [_turn("system", system, names)] if system else []
    for raw in messages:
        message = fields_of(raw)
        turns.append(_turn(text_of(message.get("role")), message.get("content"), names))
    return [message for said in turns for message in said.messages()]


def _tool_result_ids(messages: "list[Any] | tuple[Any, ...]") -> list[str]:
    return [
        text_of(field(block, "tool_use_id"))
        for message in messages
        for block in sequence(field(message, "content"))
        if field(block, "type") == "tool_result"
    ]


def _turn(role: str, content: Any, names: dict[str, str]) -> Turn:
    """Read the content of one message. ``names``: of the calls so far, by id; a result has the id only."""
    said = Turn(role)
    for raw in abridged(content, "content") or (content,):
        if isinstance(raw, str):
            said.texts.append(raw)
            continue
        block = fields_of(raw)
        kind = text_of(block.get("type"))
        if kind.endswith("tool_use"):
            call = _call(block, kind)
            names[call.tool_id] = call.name
            said.calls.append(call)
        elif kind.endswith("tool_result"):
            tool_id = text_of(block.get("tool_use_id"))
            said.results.append(Result(names.get(tool_id, ""), tool_id, kind, _result(block.get("content"))))
        elif kind == "thinking":
            said.reasoning.append(text_of(block.get("thinking")))
        elif kind == "redacted_thinking":
            said.reasoning.append("[redacted_thinking]")
        elif block:
            said.texts.append(_shown(block, said.content))
    return said


def _call(block: Mapping[str, Any], kind: str) -> ToolCall:
    asked = block.get("input")
    arguments = text_of(asked) if asked is None or isinstance(asked, str) else json.dumps(asked, default=str)
    return ToolCall(text_of(block.get("name")), arguments, text_of(block.get("id")), kind)


def _shown(block: Mapping[str, Any], content: Content) -> str:
    """Return what a block says in words; one that can be attached is added to ``content`` instead."""
    kind = text_of(block.get("type"))
    read = _BLOCK_READERS.get(kind)
    return read(block, content) if read is not None else f"[{kind or 'block'}]"


def _text(block: Mapping[str, Any], _content: Content) -> str:
    return text_of(block.get("text"))


def _image(block: Mapping[str, Any], content: Content) -> str:
    source = fields_of(block.get("source"))
    if isinstance(data := source.get("data"), str):
        return add_image(content, f"data:{source.get('media_type')};base64,{data}")
    return add_image(content, source.get("url"))


def _document(block: Mapping[str, Any], content: Content) -> str:
    source = fields_of(block.get("source"))
    if source.get("type") == "text":
        return text_of(source.get("data"))
    if source.get("type") == "content":
        inner = source.get("content")
        return inner if isinstance(inner, str) else _joined(inner, content)
    name = text_of(block.get("title") or source.get("file_id")) or strip_credentials(text_of(source.get("url")))
    return f"[file: {name}]" if name else "[file]"


_BLOCK_READERS: dict[str, Callable[[Mapping[str, Any], Content], str]] = {
    "document": _document,
    "image": _image,
    "text": _text,
}


def _joined(blocks: Any, content: Content) -> str:
    return "\n".join(filter(None, [_shown(fields_of(block), content) for block in sequence(blocks)]))


def _result(raw: Any) -> Content:
    """Read a tool's result: text or blocks of the program's, whatever shape of one of the provider's tools."""
    if isinstance(raw, str):
        return Content(raw)
    content = Content()
    found: list[str] = []
    for part in map(fields_of, abridged(raw, "content") or (raw,)):
        if not part:
            continue
        known = part.get("type") in _BLOCK_READERS
        shown = [part[name] for name in _SHOWN if part.get(name) and isinstance(part[name], str)]
        found.append("\n".join(shown) if shown and not known else _shown(part, content))
    content.text = "\n".join(filter(None, found))
    return content


API = Api(
    name="anthropic_messages",
    kind="llm",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
    read_usage=read_usage,
    serves_other_apis=True,
    streaming=Streaming(assemble, first_content_detector),
)
