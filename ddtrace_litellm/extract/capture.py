"""What may be captured of contents: decided here, once, for every API."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.api import Output
from ddtrace_litellm.extract.plain import clip

_STRUCTURE = frozenset({"role", "score", "tool_id", "type"})
"""The fields of messages, calls, results and documents that say how many there are and of which kind, not what."""
_CLIPPED = frozenset({"content", "result", "text", "tool_results"})
"""The fields of messages, results and documents that hold text; the arguments of a call are whole, to be parsed."""


def captured_input(annotations: Mapping[str, Any], capture: CaptureConfig) -> Mapping[str, Any]:
    """Return what to annotate of a request; without its contents who speaks and which tools there are."""
    if capture.input:
        return annotations if capture.max_chars is None else _clipped(annotations, capture.max_chars)
    return {
        name: [{"name": tool["name"], "description": "", "schema": {}} for tool in value]
        if name == "tool_definitions"
        else _outline(value)
        for name, value in annotations.items()
    }


def captured_output(output: Output, capture: CaptureConfig) -> Mapping[str, Any]:
    """Return what to annotate of a response: its summary in any case, what it quotes only with the request.

    Without its contents it is an outline: roles, calls of tools by name and id, scores.
    """
    annotations: dict[str, Any] = output.annotations
    if not capture.output:
        annotations = {name: _outline(value) for name, value in annotations.items()}
    elif output.quotes_input and not capture.input:
        annotations = {name: _without_quotes(value) for name, value in annotations.items()}
    if capture.max_chars is not None:
        annotations = _clipped(annotations, capture.max_chars)
    return {**annotations, "output_value": output.summary} if output.summary else annotations


def _outline(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_outline, value))
    if not isinstance(value, dict):
        return ""
    outline = {name: value[name] for name in _STRUCTURE & value.keys()}
    if "text" in value:
        return {**outline, "text": ""}
    if "role" in value:
        parts = {name: _outline(value[name]) for name in ("tool_calls", "tool_results") if name in value}
        return {**outline, "content": "", **parts}
    return {**outline, "name": value["name"], **({"result": ""} if "result" in value else {"arguments": {}})}


def _without_quotes(value: Any) -> Any:
    if isinstance(value, list):
        return list(map(_without_quotes, value))
    if not isinstance(value, dict):
        return ""
    return {**value, "text": ""} if "text" in value else value


def _clipped(annotations: Mapping[str, Any], limit: int) -> dict[str, Any]:
    return {name: _with_texts_clipped(value, limit) for name, value in annotations.items()}


def _with_texts_clipped(value: Any, limit: int) -> Any:
    if isinstance(value, str):
        return clip(value, limit)
    if isinstance(value, list):
        return [_with_texts_clipped(item, limit) for item in value]
    return {name: _with_texts_clipped(item, limit) if name in _CLIPPED else item for name, item in value.items()}
