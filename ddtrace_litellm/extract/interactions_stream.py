"""The events of a streamed interaction: what it says at its end, with the steps that it has brought."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ddtrace_litellm.extract.api import Arguments
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of

_LATEST = ("error", "model", "outputs", "status", "steps", "usage")
_UNSEEN = frozenset({"text_annotation", "text_annotation_delta", "thought_signature"})
"""Deltas that add nothing to read."""


def assemble(events: Sequence[Any], _arguments: Arguments) -> Mapping[str, Any]:
    """Return the interaction that the events make up, one that broke off without a status."""
    told: dict[str, Any] = {}
    steps: dict[str, tuple[Mapping[str, Any], list[Mapping[str, Any]]]] = {}
    for event in map(fields_of, events):
        # LiteLLM's bridge from Responses has the fields on the event itself.
        interaction = fields_of(event.get("interaction")) or event
        told |= {name: interaction[name] for name in _LATEST if interaction.get(name)}
        if opening := fields_of(event.get("step") or event.get("content")):
            steps[text_of(event.get("index"))] = opening, []
        elif delta := fields_of(event.get("delta")):
            steps.setdefault(text_of(event.get("index")), ({}, []))[1].append(delta)
    if told.get("status") == "in_progress":
        del told["status"]
    received = [_step(opening, deltas) for opening, deltas in steps.values()]
    return told if told.get("steps") or told.get("outputs") or not received else {**told, "steps": received}


def first_content_detector() -> Callable[[Any], bool]:
    """Return what says of each event whether a reader would notice it; it needs to remember nothing."""
    return _has_content


def _has_content(event: Any) -> bool:
    if kind := text_of(field(field(event, "delta"), "type")):
        return kind not in _UNSEEN
    return text_of(field(field(event, "step") or field(event, "content"), "type")).endswith("_call")


def _step(opening: Mapping[str, Any], deltas: Sequence[Mapping[str, Any]]) -> Mapping[str, Any]:
    """Put a step together: texts and thoughts are in pieces, and so are the arguments of a function."""
    whole: dict[str, Any] = {**opening}
    texts, thoughts, pieces, others = [text_of(opening.get("text"))], list[str](), list[str](), list[Any]()
    for delta in deltas:
        kind = text_of(delta.get("type"))
        if kind == "text":
            texts.append(text_of(delta.get("text")))
        elif kind == "thought_summary":
            thoughts.append(text_of(field(delta.get("content"), "text")))
        elif kind == "arguments_delta":
            pieces.append(text_of(delta.get("arguments")))
        elif kind == opening.get("type"):
            whole |= {name: value for name, value in delta.items() if value is not None}
        elif kind not in _UNSEEN:
            others.append(delta)
    if pieces:
        whole["arguments"] = "".join(pieces)
    thought = {"type": "thought", "summary": [{"type": "text", "text": "".join(thoughts)}]}
    if opening.get("type") not in {None, "model_output", "text", "thought"}:
        return whole
    said = {"type": "text", "text": "".join(texts)}
    told = [thought] if thoughts else [whole] if opening.get("type") == "thought" else []
    return {"type": "model_output", "content": [*told, *sequence(opening.get("content")), said, *others]}
