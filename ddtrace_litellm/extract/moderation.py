"""Moderation: what was checked, and what was found in it."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.content import clip, content_from
from ddtrace_litellm.extract.family import Arguments, Input, Output
from ddtrace_litellm.extract.fields import field, fields_of, number, sequence
from ddtrace_litellm.extract.text import prompts_from

PARAMETERS = frozenset({"custom_llm_provider", "timeout"})


def read_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Read the texts and images, one message each."""
    given = prompts_from(arguments.get("input")) if capture.input else []
    messages = []
    for part in given:
        content = content_from(part if isinstance(part, str) else [part])
        message: dict[str, Any] = {"role": "user", "content": clip(content.text, capture)}
        if content.image_parts:
            message["image_parts"] = list(content.image_parts)
        messages.append(message)
    return Input({"input_messages": messages})


def read_response(response: Any, _arguments: Arguments, capture: CaptureConfig) -> Output:
    """Say of each text whether it was flagged, and for which categories with which score."""
    results = [_verdict(fields_of(result)) for result in sequence(field(response, "results"))]
    messages = [{"role": "assistant", "content": clip(verdict, capture)} for verdict in results]
    return Output({"output_messages": messages if capture.output else []})


def _verdict(result: Mapping[str, Any]) -> str:
    if not result.get("flagged"):
        return "not flagged"
    scores = fields_of(result.get("category_scores"))
    flagged = [name for name, found in fields_of(result.get("categories")).items() if found is True]
    return f"flagged: {', '.join(_with_score(name, scores) for name in flagged)}"


def _with_score(name: str, scores: Mapping[str, Any]) -> str:
    score = number(scores.get(name))
    return name if score is None else f"{name} ({score:.2f})"
