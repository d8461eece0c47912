"""The events of a streamed message of Anthropic's, put together once, at its end."""

import json
from collections.abc import Callable, Sequence
from typing import Any

from ddtrace_litellm.extract.api import Arguments
from ddtrace_litellm.extract.fields import field, fields_of, text_of
from ddtrace_litellm.extract.sse import event_detector, events_from

# Of a delta: its field, the block's field that it adds to, and the type of a block that was not announced. What no span
# shows (signatures, citations) is not among them.
_GROWING = (("text", "text", "text"), ("thinking", "thinking", "thinking"), ("partial_json", "input", "tool_use"))
_NOTICEABLE = ("text", "thinking", "partial_json", "name", "data", "content")


def assemble(chunks: Sequence[Any], arguments: Arguments) -> dict[str, Any]:  # noqa: ARG001
    """Return the message that the events make up; one that broke off has no ``stop_reason``.

    An event that reports an error, which LiteLLM hands on like any other, leaves it under ``error``.
    """
    message: dict[str, Any] = {}
    usage: dict[str, Any] = {}
    blocks: list[_Block] = []
    open_blocks: dict[Any, _Block] = {}
    for raw in events_from(chunks):
        event = fields_of(raw)
        kind, index = event.get("type"), event.get("index")
        if kind == "content_block_delta":
            delta = fields_of(event.get("delta"))
            if (block := open_blocks.get(index)) is None:
                block = open_blocks[index] = _Block({})
                blocks.append(block)
            block.grow(delta)
        elif kind == "content_block_start":
            # By place, not by index: a message that LiteLLM goes on with elsewhere starts at 0 again (1.95).
            open_blocks[index] = _Block(dict(fields_of(event.get("content_block"))))
            blocks.append(open_blocks[index])
        elif kind == "message_start":
            start = fields_of(event.get("message"))
            message.update(start)
            # Its output tokens are a placeholder until message_delta brings the count.
            _update(usage, {**fields_of(start.get("usage")), "output_tokens": None})
        elif kind == "message_delta":
            message.update({name: value for name, value in fields_of(event.get("delta")).items() if value is not None})
            _update(usage, event.get("usage"))
        elif error := event.get("error"):
            message["error"] = error
    if blocks:
        message["content"] = [block.build() for block in blocks]
    if usage:
        message["usage"] = usage
    return message


def first_content_detector() -> Callable[[Any], bool]:
    """Return what finds the first content of a stream, chunk by chunk."""
    return event_detector(_has_content)


def _has_content(event: Any) -> bool:
    news = fields_of(field(event, "delta") or field(event, "content_block"))
    return any(map(news.get, _NOTICEABLE))


def _update(usage: dict[str, Any], reported: Any) -> None:
    """Add what an event reports: totals so far. A 0 does not take back what an earlier one has counted."""
    for name, value in fields_of(reported).items():
        if value or name not in usage:
            usage[name] = value


class _Block:
    """Collects a block's pieces. Lists and one join: a stream has thousands of events."""

    __slots__ = ("opening", "pieces")

    def __init__(self, opening: dict[str, Any]) -> None:
        self.opening = opening
        self.pieces: dict[str, list[str]] = {}

    def grow(self, delta: Any) -> None:
        for name, target, kind in _GROWING:
            if piece := delta.get(name):
                self.opening.setdefault("type", kind)
                self.pieces.setdefault(target, []).append(text_of(piece))
                return

    def build(self) -> dict[str, Any]:
        """Return the block as a response that was not streamed would have it."""
        block = self.opening
        for name, pieces in self.pieces.items():
            written = "".join(pieces)
            block[name] = _parsed(written) if name == "input" else text_of(block.get(name)) + written
        return block


def _parsed(written: str) -> Any:
    """Return a tool's input; what broke off is its text."""
    try:
        return json.loads(written)
    except (ValueError, RecursionError):
        return written
