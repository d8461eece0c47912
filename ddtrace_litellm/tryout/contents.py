"""A span's input and output as lines of text."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

_SHORT_CHARS = 100


@dataclass(frozen=True)
class Line:
    """A message, document or value; ``speaker`` is a role or a document's name, ``""`` for a value."""

    speaker: str
    text: str


def lines(content: Mapping[str, Any]) -> tuple[Line, ...]:
    """Return the lines of an ``input`` or ``output``: messages, documents or a value."""
    return (
        *_messages_lines(content.get("messages") or ()),
        *(_document_line(document) for document in content.get("documents") or ()),
        *_value_lines(content.get("value")),
    )


def shortened(text: str, limit: int = _SHORT_CHARS) -> str:
    """Return ``text`` on one line of at most ``limit`` characters; a cut is marked with ``…`` and what is missing."""
    flat = " ".join(text.split())
    if len(flat) <= limit:
        return flat
    mark = f"… (+{len(flat) - limit} chars)"
    return flat[:limit].rstrip() + mark


def _messages_lines(messages: Sequence[Mapping[str, Any]]) -> Iterator[Line]:
    # A result in the form of OpenAI's has the id of its call, and not the tool's name.
    tools = {call.get("tool_id"): call.get("name") for message in messages for call in message.get("tool_calls") or ()}
    for message in messages:
        yield from _message_lines(message, tools)


def _message_lines(message: Mapping[str, Any], tools: Mapping[Any, Any]) -> Iterator[Line]:
    role = str(message.get("role") or "message")
    text = message.get("content")
    calls: Sequence[Mapping[str, Any]] = message.get("tool_calls") or ()
    results: Sequence[Mapping[str, Any]] = message.get("tool_results") or ()
    attachments = [
        f"[{name.removesuffix('_parts')} {part.get('mime_type', '')}]".replace(" ]", "]")
        for name in ("image_parts", "audio_parts", "file_parts")
        for part in message.get(name) or ()
    ]
    spoken = " ".join([*([_text(text)] if text else []), *attachments])
    # A failed call has an output of one message without anything in it: that is nobody saying nothing.
    if spoken or (message.get("role") and not (calls or results)):
        yield Line(role, spoken or "(empty)")
    for call in calls:
        yield Line(role, f"→ {call.get('name', '')}({_arguments(call.get('arguments'))})")
    for result in results:
        called = result.get("tool_id", "")
        yield Line(role, f"← {result.get('name') or tools.get(called) or called}: {_text(result.get('result'))}")


def _document_line(document: Mapping[str, Any]) -> Line:
    score = document.get("score")
    name = str(document.get("name") or document.get("id") or "document")
    return Line(name if score is None else f"{name} ({score:.3g})", str(document.get("text") or ""))


def _value_lines(value: Any) -> Iterator[Line]:
    if value is None:
        return
    parsed = _parsed(value)
    if isinstance(parsed, list) and parsed and all(isinstance(item, Mapping) and "role" in item for item in parsed):
        yield from _messages_lines(parsed)
        return
    yield Line("", _text(value))


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


def _arguments(arguments: Any) -> str:
    if not isinstance(arguments, Mapping):
        return _text(arguments)
    return ", ".join(f"{name}={json.dumps(value, ensure_ascii=False)}" for name, value in arguments.items())


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, ensure_ascii=False)
