"""The chunks of a streamed generateContent, put together once, at its end."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from ddtrace_litellm.extract.api import Arguments
from ddtrace_litellm.extract.fields import fields_of, number, sequence
from ddtrace_litellm.extract.sse import event_detector, events_from

# A chunk has the latest of each: totals so far, why a candidate ended, and the searches it is grounded on, which cost.
_LATEST = ("error", "usageMetadata", "usage_metadata", "promptFeedback", "prompt_feedback")
_LATEST_OF_CANDIDATE = ("finishReason", "finish_reason", "groundingMetadata")
_NOT_NOTICEABLE = frozenset({"thought", "thoughtSignature", "thought_signature"})


def assemble(chunks: Sequence[Any], arguments: Arguments) -> dict[str, Any]:  # noqa: ARG001
    """Return the response that the chunks make up; one that broke off has no finish reason."""
    response: dict[str, Any] = {}
    candidates: dict[float, dict[str, Any]] = {}
    for chunk in map(fields_of, events_from(chunks)):
        for name in _LATEST:
            if latest := chunk.get(name):
                response[name] = latest
        for raw in map(fields_of, sequence(chunk.get("candidates"))):
            index = number(raw.get("index")) or 0
            content = fields_of(raw.get("content"))
            candidate = candidates.setdefault(index, {"index": index, "content": {"role": "model", "parts": []}})
            candidate["content"]["parts"] += map(fields_of, sequence(content.get("parts")))
            candidate.update({name: raw[name] for name in _LATEST_OF_CANDIDATE if raw.get(name)})
    if candidates:
        response["candidates"] = [candidates[index] for index in sorted(candidates)]
    for candidate in candidates.values():
        candidate["content"]["parts"] = list(_joined(candidate["content"]["parts"]))
    return response


def first_content_detector() -> Callable[[Any], bool]:
    """Return what finds the first content of a stream, chunk by chunk."""
    return event_detector(_has_content)


def _has_content(chunk: Any) -> bool:
    return any(
        value and name not in _NOT_NOTICEABLE
        for candidate in sequence(fields_of(chunk).get("candidates"))
        for part in sequence(fields_of(fields_of(candidate).get("content")).get("parts"))
        for name, value in fields_of(part).items()
    )


def _joined(parts: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """Yield the parts, texts in a row as one; thoughts are texts of their own."""
    for (is_text, thought), group in groupby(parts, _kind):
        if is_text:
            yield {"text": "".join([part["text"] for part in group]), "thought": thought}
        else:
            yield from group


def _kind(part: Mapping[str, Any]) -> tuple[bool, bool]:
    return isinstance(part.get("text"), str), bool(part.get("thought"))
