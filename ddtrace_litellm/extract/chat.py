"""Chat: messages of a request, choices of a response or of a stream's chunks."""

from collections.abc import Iterable
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.content import Content, add_audio, clip, content_from, images_from
from ddtrace_litellm.extract.fields import field, sequence, text_field
from ddtrace_litellm.extract.tools import ToolCall, tool_calls_from

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
    content: Content = dataclass_field(default_factory=Content)
    reasoning: str = ""
    tool_calls: list[ToolCall] = dataclass_field(default_factory=list)
    finish_reason: str = ""


def input_messages(messages: Any, capture: CaptureConfig) -> list[Message]:
    """Return a request's ``messages``; reasoning that is sent back is a message of its own, as in an output."""
    found: list[Message] = []
    for message in sequence(messages):
        role = text_field(message, "role")
        content = content_from(field(message, "content"))
        if role in {"tool", "function"}:
            result = {
                "name": text_field(message, "name"),
                "result": clip(content.text, capture),
                "tool_id": text_field(message, "tool_call_id"),
                "type": "tool_result",
            }
            found.append({"role": role, "content": "", "tool_results": [result]})
            continue
        if role == "assistant":
            content.text = content.text or text_field(message, "refusal")
            _append_reasoning(found, _reasoning(message), capture)
        found.append(_message(role, content, tool_calls_from(message), capture))
    return found


def tool_result_ids(messages: Any) -> list[str]:
    """Return the ids of the tool calls whose results this request hands in."""
    return [identifier for message in sequence(messages) if (identifier := text_field(message, "tool_call_id"))]


def choices_from_response(response: Any, audio_format: str = "") -> list[Choice]:
    """Return the choices of a ``ModelResponse``. ``audio_format`` is the request's, for spoken answers."""
    return [_choice(choice, audio_format) for choice in sequence(field(response, "choices"))]


def _choice(choice: Any, audio_format: str) -> Choice:
    message = field(choice, "message")
    content = content_from(field(message, "content"))
    content.text = content.text or text_field(message, "refusal")
    images_from(message, content)
    audio = field(message, "audio")
    if audio:
        add_audio(content, field(audio, "data"), audio_format)
        content.text = content.text or text_field(audio, "transcript")
    return Choice(
        role=text_field(message, "role"),
        content=content,
        reasoning=_reasoning(message),
        tool_calls=tool_calls_from(message),
        finish_reason=text_field(choice, "finish_reason"),
    )


def output_messages(choices: Iterable[Choice], capture: CaptureConfig) -> list[Message]:
    """Return what the model said, reasoning first, one or two messages a choice."""
    found: list[Message] = []
    for choice in choices:
        _append_reasoning(found, choice.reasoning, capture)
        found.append(_message(choice.role or "assistant", choice.content, choice.tool_calls, capture))
    return found


def finish_reasons(choices: Iterable[Choice]) -> str:
    """Return the reasons in the order of the choices, joined with commas as ddtrace's openai integration does."""
    return ",".join(choice.finish_reason for choice in choices if choice.finish_reason)


def _message(role: str, content: Content, tool_calls: list[ToolCall], capture: CaptureConfig) -> Message:
    message: Message = {"role": role, "content": clip(content.text, capture)}
    if tool_calls:
        message["tool_calls"] = [call.as_message_part() for call in tool_calls]
    if content.image_parts:
        message["image_parts"] = content.image_parts
    if content.audio_parts:
        message["audio_parts"] = content.audio_parts
    return message


def _append_reasoning(found: list[Message], reasoning: str, capture: CaptureConfig) -> None:
    if reasoning:
        found.append({"role": "reasoning", "content": clip(reasoning, capture)})


def _reasoning(message: Any) -> str:
    """Return the reasoning text, from the provider-independent field or else from Anthropic's blocks."""
    text = text_field(message, "reasoning_content")
    if text:
        return text
    return "".join(text_field(block, "thinking") for block in sequence(field(message, "thinking_blocks")))
