"""The chunks of a stream, put together once, at its end."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from ddtrace_litellm.extract.api import Arguments
from ddtrace_litellm.extract.choices import Assembled, Choice
from ddtrace_litellm.extract.content import Content, add_audio, add_images, content_from
from ddtrace_litellm.extract.fields import field, fields_of, hidden_params, sequence, text_of
from ddtrace_litellm.extract.tools import ToolCall
from ddtrace_litellm.extract.usage import StreamUsage

_CHOICE = itemgetter("index", "delta", "finish_reason")
_DELTA = itemgetter("content", "tool_calls", "function_call", "audio")
_USUAL_EXTRAS = 5
"""Fields that the extras of every delta have: those four and the role."""
_NOTICEABLE = ("content", "reasoning_content", "tool_calls", "function_call", "audio", "images", "refusal")


def assemble(chunks: Iterable[Any], arguments: Arguments) -> Assembled:
    """Put the chunks of a chat or a text stream together."""
    return Assembled(choices_from_chunks(chunks, audio_format(arguments)))


def audio_format(arguments: Arguments) -> str:
    """Return the format in which a request wants a spoken answer, ``""`` where it wants none."""
    return text_of(field(arguments["audio"], "format")) if "audio" in arguments else ""


def first_content_detector() -> Callable[[Any], bool]:
    """Return what finds the first content of a stream: here each chunk tells by itself."""
    return has_content


def choices_from_chunks(chunks: Iterable[Any], spoken_as: str = "") -> list[Choice]:
    """Put the chunks of a chat or a text stream together; a chunk without choices (usage, heartbeats) adds none."""
    builders: dict[int, _Builder] = {}
    append_text: Callable[[str], None] | None = None
    for chunk in chunks:
        if append_text is not None:
            # The usual chunk of a long stream has text and nothing else to say. Its choice and its delta keep their
            # fields in pydantic's extras (LiteLLM 1.60 to 1.109); three times as fast as the general way below.
            try:
                (choice,) = chunk.__dict__["choices"]
                index, delta, finish_reason = _CHOICE(choice.__pydantic_extra__)
                extras = delta.__pydantic_extra__
                text, calls, function_call, audio = _DELTA(extras)
                more = len(extras) > _USUAL_EXTRAS or len(delta.__dict__) > 1
                if type(text) is str and not (more or index or finish_reason or calls or function_call or audio):
                    append_text(text)
                    continue
            except (AttributeError, KeyError, TypeError, ValueError):
                pass
        for choice in sequence(field(chunk, "choices")):
            values = fields_of(choice)
            number = values.get("index")
            builders.setdefault(number if type(number) is int else 0, _Builder()).add(values)
        if 0 in builders:
            append_text = builders[0].content.append
    return [builders[index].build(spoken_as) for index in sorted(builders)]


def has_content(chunk: Any) -> bool:
    """Whether a reader would notice this chunk: text, reasoning, a tool call, sound or an image."""
    for choice in sequence(field(chunk, "choices")):
        values = fields_of(choice)
        delta = values.get("delta")
        if values.get("text") or (delta is not None and any(map(fields_of(delta).get, _NOTICEABLE))):
            return True
    return False


def reported_usage(chunks: Sequence[Any], kept: Sequence[Any], built: Any) -> StreamUsage:
    """Return the usage of a stream: LiteLLM's own ``Usage`` object.

    Args:
        chunks: what was read. With ``include_usage`` the usage is on the last, without in its hidden parameters.
        kept: what LiteLLM got from the provider, with all that it reports.
        built: the response that LiteLLM has made of it; of a native text stream it alone has the usage.
    """
    latest = next((chunk for chunk in reversed(kept) if _tokens(field(chunk, "usage")) or has_content(chunk)), None)
    # Anthropic's input tokens come with the first event.
    opening = next((usage for chunk in kept[:2] if (usage := _tokens(field(chunk, "usage")))), None)
    closing = _tokens(field(latest, "usage"))
    provider = closing or opening
    usage = _tokens(field(built, "usage")) or _tokens_read(chunks) or provider
    # 1.95 counts native text streams itself, whatever the provider reports.
    counted = closing is not None and field(usage, "completion_tokens") != field(closing, "completion_tokens")
    return StreamUsage(usage, provider is None or counted, closing is None and opening is not None)


def _tokens_read(chunks: Sequence[Any]) -> Any:
    for chunk in reversed(chunks[-3:]):
        for usage in (field(chunk, "usage"), hidden_params(chunk).get("usage")):
            if _tokens(usage):
                return usage
    return None


def _tokens(usage: Any) -> Any:
    """Return a usage, ``None`` where it has no tokens: 0 and 0 is LiteLLM's way to say that it does not know."""
    return usage if field(usage, "prompt_tokens") or field(usage, "completion_tokens") else None


class _Builder:
    """Collects one choice's pieces. Lists and one join: a stream has thousands of chunks."""

    __slots__ = ("calls", "content", "current", "finish_reason", "images", "reasoning", "role", "sound", "transcript")

    def __init__(self) -> None:
        self.role = ""
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.finish_reason = ""
        self.calls: list[list[str]] = []
        self.current: dict[Any, list[str]] = {}
        self.sound: list[str] = []
        self.transcript: list[str] = []
        self.images: list[Any] = []

    def add(self, choice: Mapping[str, Any]) -> None:
        if choice.get("finish_reason"):
            self.finish_reason = str(choice["finish_reason"])
        delta = choice.get("delta")
        values = choice if delta is None else fields_of(delta)
        if text := values.get("content") or values.get("text"):
            self.content.append(text if type(text) is str else content_from(text).text)
        if not self.role:
            self.role = text_of(values.get("role"))
        # Not thinking_blocks, as in a response: the last of them repeats the whole of it (LiteLLM 1.95).
        if reasoning := values.get("reasoning_content"):
            self.reasoning.append(text_of(reasoning))
        if calls := values.get("tool_calls"):
            self._add_tool_calls(sequence(calls))
        if function_call := values.get("function_call"):
            self._add_call("function_call", "", fields_of(function_call), "function")
        if audio := values.get("audio"):
            self.sound.append(text_of(field(audio, "data")))
            self.transcript.append(text_of(field(audio, "transcript")))
        if refusal := values.get("refusal"):
            self.content.append(text_of(refusal))
        if images := values.get("images"):
            self.images.extend(sequence(images))

    def _add_tool_calls(self, calls: Iterable[Any]) -> None:
        for position, raw in enumerate(calls):
            call = fields_of(raw)
            index = call.get("index")
            function = call.get("function") or call.get("custom")
            key = index if type(index) is int else position
            self._add_call(key, text_of(call.get("id")), fields_of(function), text_of(call.get("type")))

    def _add_call(self, key: Any, identifier: str, function: Mapping[str, Any], kind: str) -> None:
        """Add a fragment: id, name and type come once, the arguments in pieces.

        A name with an id of its own begins another call, whatever its number: Gemini's endpoint for OpenAI's API and
        vLLM give all calls the same one, or none.
        """
        name = text_of(function.get("name"))
        known = self.current.get(identifier) if identifier else None
        pieces = known or self.current.get(key)
        if pieces is None or (known is None and identifier and name and pieces[0]):
            pieces = ["", "", ""]
            self.calls.append(pieces)
        self.current[key] = pieces
        if identifier:
            self.current[identifier] = pieces
        pieces[0] = pieces[0] or identifier
        pieces[1] = pieces[1] or name
        pieces[2] = pieces[2] or kind
        pieces.append(text_of(function.get("arguments") or function.get("input")))

    def build(self, spoken_as: str) -> Choice:
        """Return the choice as a response that was not streamed would have it."""
        content = Content(text="".join(self.content) or "".join(self.transcript))
        add_images(content, self.images)
        if any(self.sound):
            add_audio(content, "".join(self.sound), spoken_as)
        calls = [
            ToolCall(name=name, arguments="".join(arguments), tool_id=identifier, type=kind or "function")
            for identifier, name, kind, *arguments in self.calls
        ]
        return Choice(self.role, content, "".join(self.reasoning), calls, self.finish_reason)
