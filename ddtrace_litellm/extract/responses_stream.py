"""The events of a Responses stream: the response in its last one, or as much of a response as there is."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter
from typing import Any

from ddtrace_litellm.extract.api import Arguments
from ddtrace_litellm.extract.fields import field, fields_of, hidden_params, text_of

_FINAL = frozenset({"response.completed", "response.incomplete", "response.failed"})
_ADDED, _DONE = "response.output_item.added", "response.output_item.done"
_TEXT = "response.output_text.delta"
_TEXT_DELTA = itemgetter("type", "output_index", "content_index", "delta")


@dataclass(frozen=True, eq=False, slots=True)
class _Place:
    """Where in an item a delta belongs.

    Attributes:
        item_type: of items that have such deltas.
        field: the item's field.
        part_type: of the field's parts, ``""`` where the field is plain text.
        index: the event's field with the number of the part.
    """

    item_type: str
    field: str
    part_type: str = ""
    index: str = ""


_PLACES = {
    _TEXT: _Place("message", "content", "output_text", "content_index"),
    "response.refusal.delta": _Place("message", "content", "refusal", "content_index"),
    "response.reasoning_summary_text.delta": _Place("reasoning", "summary", "summary_text", "summary_index"),
    "response.reasoning_text.delta": _Place("reasoning", "content", "reasoning_text", "content_index"),
    "response.function_call_arguments.delta": _Place("function_call", "arguments"),
    "response.custom_tool_call_input.delta": _Place("custom_tool_call", "input"),
    "response.mcp_call_arguments.delta": _Place("mcp_call", "arguments"),
    "response.code_interpreter_call_code.delta": _Place("code_interpreter_call", "code"),
}


def assemble(chunks: Sequence[Any], _arguments: Arguments) -> Any:
    """Return the response that the stream ended in; of one that broke off, a dict of that shape without a status."""
    final = next((field(event, "response") for event in reversed(chunks) if is_last(event)), None)
    if field(final, "output"):
        return final
    opening, items = _received(chunks)
    if final is None:
        broken = {**opening, "status": None, "output": items}
        error = next((event for event in reversed(chunks) if _type(event) == "error"), None)
        return broken if error is None else {**broken, "error": field(error, "error") or error}
    # An event that LiteLLM made from another API's may come without the output.
    return {**fields_of(final), "output": items, "_hidden_params": hidden_params(final)} if items else final


def is_last(event: Any) -> bool:
    """Whether an event says that the response is whole, or will never be."""
    return _type(event) in _FINAL


def first_content_detector() -> Callable[[Any], bool]:
    """Return the function that says of each event whether a reader would notice it; it needs to remember nothing."""
    return _has_content


def _has_content(event: Any) -> bool:
    kind = _type(event)
    if kind.endswith(".delta"):
        return bool(field(event, "delta"))
    if kind in {_ADDED, _DONE}:
        return text_of(field(field(event, "item"), "type")).endswith("_call")
    return kind in _FINAL and bool(field(field(event, "response"), "output"))


def _type(event: Any) -> str:
    return text_of(field(event, "type"))


def _received(events: Iterable[Any]) -> tuple[Mapping[str, Any], list[dict[str, Any]]]:
    """Return the response as it was at the start, and the output items, whole or in part."""
    opening: Mapping[str, Any] = {}
    items: defaultdict[tuple[str, str], _Item] = defaultdict(_Item)
    append: Callable[[str], None] | None = None
    append_to = (None, None)
    for event in events:
        if append is not None:
            # Most events of a long stream are more of the same text: three times as fast as the general way below.
            try:
                kind, index, part, delta = _TEXT_DELTA(event.__dict__)
                if kind == _TEXT and (index, part) == append_to and type(delta) is str:
                    append(delta)
                    continue
            except (AttributeError, KeyError):
                pass
        values = fields_of(event)
        kind = values.get("type")
        if (place := _PLACES.get(text_of(kind))) is not None:
            pieces = items[_key(place.item_type, values)].pieces[place, values.get(place.index)]
            pieces.append(text_of(values.get("delta")))
            if kind == _TEXT:
                append, append_to = pieces.append, (values.get("output_index"), values.get("content_index"))
        elif kind == _ADDED:
            added = fields_of(values.get("item"))
            items[_key(added.get("type"), values)].added = added
        elif kind == _DONE:
            done = fields_of(values.get("item"))
            items[_key(done.get("type"), values)].done = done
        elif kind == "response.created":
            # A second one is LiteLLM's fallback, or its next turn with an MCP server; its items count from 0 again.
            opening = fields_of(values.get("response"))
            items.clear()
            append = None
    return opening, [item.build() for item in items.values()]


def _key(item_type: Any, event: Mapping[str, Any]) -> tuple[str, str]:
    """Return what tells an item from the others. Its place does not: two may have number 0 (LiteLLM's bridge, 1.95)."""
    index = event.get("output_index")
    if index is None:
        index = event.get("item_id") or field(event.get("item"), "id")
    return text_of(item_type), text_of(index)


class _Item:
    """Collects what is known of an output item."""

    __slots__ = ("added", "done", "pieces")

    def __init__(self) -> None:
        self.added: Mapping[str, Any] = {}
        self.done: Mapping[str, Any] = {}
        self.pieces: defaultdict[tuple[_Place, Any], list[str]] = defaultdict(list)

    def build(self) -> dict[str, Any]:
        """Return the item; what its last event says goes before what was collected."""
        item: dict[str, Any] = {}
        for (place, _), pieces in self.pieces.items():
            item.setdefault("type", place.item_type)
            text = "".join(pieces)
            if place.part_type:
                item.setdefault(place.field, []).append({"type": place.part_type, "text": text})
            else:
                item[place.field] = text
        done = {name: value for name, value in self.done.items() if value}
        return {**self.added, **item, **done}
