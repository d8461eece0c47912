"""The chunks of a stream, put together once, at its end."""

from collections.abc import Iterable
from typing import Any

from ddtrace_litellm.extract.chat import Choice
from ddtrace_litellm.extract.content import Content, add_audio, images_from
from ddtrace_litellm.extract.fields import field, text_field
from ddtrace_litellm.extract.tools import ToolCall

_NOTICEABLE = ("content", "reasoning_content", "tool_calls", "function_call", "audio", "images", "refusal")


def choices_from_chunks(chunks: Iterable[Any], audio_format: str = "") -> list[Choice]:
    """Put the chunks of a chat or a text stream together; a chunk without choices (usage, heartbeats) adds none."""
    builders: dict[int, _Builder] = {}
    for chunk in chunks:
        for choice in field(chunk, "choices") or ():
            values = _values(choice)
            index = values.get("index") or 0
            builder = builders.get(index)
            if builder is None:
                builder = builders[index] = _Builder()
            builder.add(values)
    return [builders[index].build(audio_format) for index in sorted(builders)]


def has_content(chunk: Any) -> bool:
    """Whether a reader would notice this chunk: text, reasoning, a tool call, sound or an image."""
    for choice in field(chunk, "choices") or ():
        values = _values(choice)
        delta = values.get("delta")
        if values.get("text") or (delta is not None and any(map(_values(delta).get, _NOTICEABLE))):
            return True
    return False


def _values(model: Any) -> dict[str, Any]:
    """Return all fields of a dict or a pydantic object; LiteLLM keeps most of a chunk's in pydantic's extras."""
    if isinstance(model, dict):
        return model
    declared: dict[str, Any] = model.__dict__
    extras: dict[str, Any] | None = model.__pydantic_extra__
    if not extras:
        return declared
    return {**declared, **extras} if declared else extras


class _Builder:
    """Collects one choice's pieces. Lists and one join: a stream has thousands of chunks."""

    __slots__ = ("calls", "content", "finish_reason", "images", "reasoning", "role", "sound", "transcript")

    def __init__(self) -> None:
        self.role = ""
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.finish_reason = ""
        self.calls: dict[Any, list[str]] = {}
        self.sound: list[str] = []
        self.transcript: list[str] = []
        self.images: list[Any] = []

    def add(self, choice: dict[str, Any]) -> None:
        if choice.get("finish_reason"):
            self.finish_reason = str(choice["finish_reason"])
        delta = choice.get("delta")
        values = choice if delta is None else _values(delta)
        if text := values.get("content") or values.get("text"):
            self.content.append(text)
        if not self.role:
            self.role = values.get("role") or ""
        # Most chunks end here: these are absent, or None, on all but the few that carry them.
        if reasoning := values.get("reasoning_content"):
            self.reasoning.append(reasoning)
        if calls := values.get("tool_calls"):
            self._add_tool_calls(calls)
        if function_call := values.get("function_call"):
            self._add_call("function_call", "", function_call, "function")
        if audio := values.get("audio"):
            self.sound.append(text_field(audio, "data"))
            self.transcript.append(text_field(audio, "transcript"))
        if refusal := values.get("refusal"):
            self.content.append(refusal)
        if images := values.get("images"):
            self.images.extend(images)

    def _add_tool_calls(self, calls: Iterable[Any]) -> None:
        for position, call in enumerate(calls):
            index = field(call, "index")
            function = field(call, "function") or field(call, "custom")
            key = position if index is None else index
            self._add_call(key, text_field(call, "id"), function, text_field(call, "type"))

    def _add_call(self, key: Any, identifier: str, function: Any, kind: str) -> None:
        """Add a fragment: id, name and type come once, the arguments in pieces."""
        pieces = self.calls.setdefault(key, ["", "", ""])
        pieces[0] = pieces[0] or identifier
        pieces[1] = pieces[1] or text_field(function, "name")
        pieces[2] = pieces[2] or kind
        pieces.append(text_field(function, "arguments") or text_field(function, "input"))

    def build(self, audio_format: str) -> Choice:
        """Return the choice as a response that was not streamed would have it."""
        content = Content(text="".join(self.content) or "".join(self.transcript))
        images_from({"images": self.images}, content)
        if any(self.sound):
            add_audio(content, "".join(self.sound), audio_format)
        calls = [
            ToolCall(name=name, arguments="".join(arguments), tool_id=identifier, type=kind or "function")
            for identifier, name, kind, *arguments in self.calls.values()
        ]
        return Choice(self.role, content, "".join(self.reasoning), calls, self.finish_reason)
