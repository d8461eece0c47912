"""What the local provider says: one deterministic answer for a request, whatever API asked."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

# Words of a tool's name or description that say nothing about its purpose.
_MIN_PURPOSE_WORD = 4


@dataclass(frozen=True)
class Tool:
    """A function the caller offers.

    Attributes:
        name: what the model calls it.
        description: the caller's words for what it does, ``""`` when it gave none.
        schema: the JSON schema of its arguments.
    """

    name: str
    description: str
    schema: Mapping[str, Any]


@dataclass(frozen=True)
class ToolCall:
    """A call of a tool that the model asks for. ``arguments`` is JSON text."""

    call_id: str
    name: str
    arguments: str


@dataclass(frozen=True)
class Usage:
    """Token counts. A token is a word here, so that a reader can check every number.

    Attributes:
        input: tokens of the request that were neither read from nor written to a prompt cache.
        output: tokens of the answer, reasoning included.
        cache_read: tokens of the request that came from a prompt cache.
        cache_write: tokens of the request that were written to a prompt cache.
        reasoning: the part of ``output`` that was reasoning.
    """

    input: int
    output: int
    cache_read: int = 0
    cache_write: int = 0
    reasoning: int = 0


@dataclass(frozen=True)
class Answer:
    """What the model answers, in no API's words yet.

    Attributes:
        text: the answer's text, ``""`` when there is none.
        tool_calls: the tools to call.
        finish_reason: in OpenAI's words: ``stop``, ``length``, ``tool_calls``, ``content_filter``.
        usage: what it cost in tokens.
        reasoning: the thoughts before the answer.
        extra: more members for the message, in the words of the API that is asked.
    """

    text: str
    usage: Usage
    tool_calls: tuple[ToolCall, ...] = ()
    finish_reason: str = "stop"
    reasoning: str = ""
    extra: Mapping[str, Any] = field(default_factory=dict)


def plain_text(content: Any) -> str:
    """Return the text of a message's content: a string, a list of parts, or nothing."""
    if isinstance(content, str):
        return content
    if isinstance(content, Sequence):
        return " ".join(part.get("text", "") for part in content if isinstance(part, Mapping))
    return ""


def words(text: str) -> int:
    """Count the tokens of ``text``."""
    return len(text.split())


def pieces(text: str) -> Iterator[str]:
    """Cut ``text`` into what a stream sends one at a time: words with the space behind them."""
    return iter(re.findall(r"\s*\S+\s*", text))


def called_tools(
    tools: Sequence[Tool], messages: Sequence[Mapping[str, Any]], *, forced: str | None, parallel: bool
) -> tuple[ToolCall, ...]:
    """Choose the tools to call for the last message.

    Args:
        tools: what the caller offers.
        messages: the conversation; only a last message of the user calls tools.
        forced: a tool that has to be called whatever the message says, ``"*"`` for the first one.
        parallel: whether several may be called at once.

    Returns:
        The forced tool, else the tools whose name or description shares a word with the user's message.
    """
    last = messages[-1] if messages else {}
    asked = plain_text(last.get("content"))
    if forced is not None:
        chosen = [tool for tool in tools if forced in ("*", tool.name)][:1]
    elif last.get("role") == "user":
        said = set(_content_words(asked))
        chosen = [tool for tool in tools if said.intersection(_content_words(f"{tool.name} {tool.description}"))]
    else:
        chosen = []
    return tuple(
        ToolCall(f"call_{number}", tool.name, json.dumps(_arguments(tool.schema, asked)))
        for number, tool in enumerate(chosen if parallel else chosen[:1])
    )


def truncated(answer: Answer, max_tokens: int | None) -> Answer:
    """Return ``answer`` as a model gives it that may not say more than ``max_tokens`` words."""
    spoken = answer.text.split()
    if max_tokens is None or len(spoken) <= max_tokens:
        return answer
    usage = Usage(input=answer.usage.input, output=max_tokens)
    return Answer(" ".join(spoken[:max_tokens]), usage, finish_reason="length", extra=answer.extra)


def _content_words(text: str) -> list[str]:
    return [word for word in re.findall(r"[a-z]+", text.lower()) if len(word) >= _MIN_PURPOSE_WORD]


def _arguments(schema: Mapping[str, Any], asked: str) -> dict[str, Any]:
    last_word = (re.findall(r"\w+", asked) or [""])[-1]
    samples: dict[str, Any] = {
        "string": last_word,
        "integer": 1,
        "number": 1.5,
        "boolean": True,
        "array": [],
        "object": {},
    }
    return {
        name: property_["enum"][0] if property_.get("enum") else samples.get(str(property_.get("type")))
        for name, property_ in schema.get("properties", {}).items()
    }
