"""What a model answered, one choice for each answer, and LLM Observability's messages of it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from ddtrace_litellm.extract.api import Output
from ddtrace_litellm.extract.content import Content
from ddtrace_litellm.extract.plain import abridged
from ddtrace_litellm.extract.tools import TOOL_RESULT, ToolCall, tool_result

Message = dict[str, Any]
"""LLM Observability's message: ``role``, ``content`` and, where there are any, ``tool_calls``, ``tool_results``,
``image_parts``, ``audio_parts``."""


@dataclass(slots=True)
class Choice:
    """One answer of the model.

    Attributes:
        role: ``assistant`` as a rule.
        content: text and attachments; a refusal is text.
        reasoning: reasoning text, ``""`` where the provider shows none.
        tool_calls: calls the model asked for, in order.
        finish_reason: why the model stopped, ``""`` where it did not say or the stream broke off.
    """

    role: str = ""
    content: Content = field(default_factory=Content)
    reasoning: str = ""
    tool_calls: list[ToolCall] = field(default_factory=list)
    finish_reason: str = ""


class Assembled(NamedTuple):
    """What the chunks of a chat or a text stream make up, and the error that one of them reports."""

    choices: Sequence[Choice]
    error: Any = None


def output(choices: Sequence[Choice], *, streamed: bool = False) -> Output:
    """Return what the choices say; of a stream all of the text as well."""
    return Output(
        {"output_messages": output_messages(choices)},
        finish_reasons(choices),
        [call for choice in choices for call in choice.tool_calls],
        "".join(map(all_text, choices)) if streamed else "",
    )


def output_messages(choices: Iterable[Choice]) -> list[Message]:
    """Return what the model said, reasoning first, one or two messages a choice."""
    found: list[Message] = []
    for choice in choices:
        if choice.reasoning:
            found.append({"role": "reasoning", "content": choice.reasoning})
        found.append(message_of(choice.role or "assistant", choice.content, choice.tool_calls))
    return found


def countable(messages: Iterable[Message]) -> list[Mapping[str, Any]]:
    """Return the texts of messages, for LiteLLM's tokenizer."""
    return [{"text": "\n".join(message["content"] for message in messages)}]


def all_text(choice: Choice) -> str:
    """Return all that the model wrote for a choice: reasoning, text, and the calls it asked for."""
    calls = [f"{call.name}{call.arguments}" for call in choice.tool_calls]
    return "".join([choice.reasoning, choice.content.text, *calls])


def finish_reasons(choices: Iterable[Choice]) -> str:
    """Return the reasons in the order of the choices, joined with commas as ddtrace's openai integration does."""
    return ",".join([choice.finish_reason for choice in choices if choice.finish_reason])


def message_of(role: str, content: Content, tool_calls: Sequence[ToolCall] = ()) -> Message:
    """Return a message that says ``content``, its attachments beside the text."""
    message: Message = {"role": role, "content": content.text}
    if tool_calls:
        message["tool_calls"] = [call.as_message_part() for call in abridged(tool_calls, "tool_calls", _named)]
    if content.image_parts:
        message["image_parts"] = list(content.image_parts)
    if content.audio_parts:
        message["audio_parts"] = list(content.audio_parts)
    return message


def _named(text: str) -> ToolCall:
    return ToolCall(text, "")


def result_message(content: Content, name: str, tool_id: str, kind: str = TOOL_RESULT) -> Message:
    """Return the message of a tool's result, its images beside it."""
    message: Message = {"role": "tool", "content": "", "tool_results": [tool_result(content.text, name, tool_id, kind)]}
    if content.image_parts:
        message["image_parts"] = list(content.image_parts)
    return message
