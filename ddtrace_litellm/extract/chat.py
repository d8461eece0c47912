"""Chat: messages of a request, choices of a response or of a stream's chunks."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any, NamedTuple

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.api import Arguments, Input, Output
from ddtrace_litellm.extract.content import Content, add_audio, add_images, clip, content_from
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of
from ddtrace_litellm.extract.tools import ToolCall, tool_calls_from, tool_definitions_from

COMMON_PARAMETERS = frozenset(
    {
        "api_version",
        "custom_llm_provider",
        "frequency_penalty",
        "logit_bias",
        "logprobs",
        "max_tokens",
        "n",
        "num_retries",
        "presence_penalty",
        "seed",
        "stop",
        "stream",
        "stream_options",
        "temperature",
        "timeout",
        "top_p",
        "user",
    }
)
"""Request parameters of chat and text completions that may go into metadata."""
PARAMETERS = COMMON_PARAMETERS | {
    "deployment_id",
    "function_call",
    "max_completion_tokens",
    "max_retries",
    "modalities",
    "parallel_tool_calls",
    "prediction",
    "reasoning_effort",
    "response_format",
    "safety_identifier",
    "service_tier",
    "thinking",
    "tool_choice",
    "top_k",
    "top_logprobs",
    "verbosity",
    "web_search_options",
}

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


class Assembled(NamedTuple):
    """What the chunks of a chat or a text stream make up."""

    choices: Sequence[Choice]


_ROLE_AND_TEXT = 2
"""Fields of most messages, which need no further look."""


def read_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Read the messages and the tools of a chat request."""
    messages = arguments.get("messages")
    annotations: dict[str, Any] = {"input_messages": input_messages(messages, capture) if capture.input else []}
    tools, functions = arguments.get("tools"), arguments.get("functions")
    if tools or functions:
        annotations["tool_definitions"] = tool_definitions_from(tools, functions)
    return Input(annotations, tool_result_ids(messages))


def read_response(response: Any, arguments: Arguments, capture: CaptureConfig) -> Output:
    """Read a ``ModelResponse``, or what a stream's chunks make up."""
    if type(response) is Assembled:
        return output(response.choices, capture, written=True)
    return output(choices_from_response(response, audio_format(arguments)), capture)


def output(choices: Sequence[Choice], capture: CaptureConfig, *, written: bool = False) -> Output:
    """Return what the choices say; ``written`` asks for all of the text as well."""
    return Output(
        {"output_messages": output_messages(choices, capture) if capture.output else []},
        finish_reasons(choices),
        [call for choice in choices for call in choice.tool_calls],
        "".join(map(all_text, choices)) if written else "",
    )


def audio_format(arguments: Arguments) -> str:
    """Return the format in which a request wants a spoken answer, ``""`` where it wants none."""
    return text_of(field(arguments["audio"], "format")) if "audio" in arguments else ""


def input_messages(messages: Any, capture: CaptureConfig) -> list[Message]:
    """Return a request's ``messages``; reasoning that is sent back is a message of its own, as in an output."""
    found: list[Message] = []
    uncut = capture.max_chars is None
    for raw in sequence(messages):
        message = raw if type(raw) is dict else fields_of(raw)
        role = text_of(message.get("role"))
        if len(message) == _ROLE_AND_TEXT and type(text := message.get("content")) is str:
            found.append({"role": role, "content": text if uncut else clip(text, capture)})
            continue
        content = content_from(message.get("content"))
        if role in {"tool", "function"}:
            result = {
                "name": text_of(message.get("name")),
                "result": clip(content.text, capture),
                "tool_id": text_of(message.get("tool_call_id")),
                "type": "tool_result",
            }
            found.append({"role": role, "content": "", "tool_results": [result]})
            continue
        if role == "assistant":
            content.text = content.text or text_of(message.get("refusal"))
            if reasoning := _reasoning(message):
                found.append(_reasoning_message(reasoning, capture))
        found.append(message_of(role, content, tool_calls_from(message), capture))
    return found


def tool_result_ids(messages: Any) -> list[str]:
    """Return the ids of the tool calls whose results this request hands in."""
    found: list[str] = []
    for message in sequence(messages):
        if type(message) is dict and len(message) == _ROLE_AND_TEXT:
            continue
        if identifier := field(message, "tool_call_id"):
            found.append(str(identifier))
    return found


def choices_from_response(response: Any, audio_format: str = "") -> list[Choice]:
    """Return the choices of a ``ModelResponse``. ``audio_format`` is the request's, for spoken answers."""
    return [_choice(fields_of(choice), audio_format) for choice in sequence(field(response, "choices"))]


def _choice(choice: Mapping[str, Any], audio_format: str) -> Choice:
    message = fields_of(choice.get("message"))
    raw = message.get("content")
    content = Content(raw) if type(raw) is str else content_from(raw)
    if not content.text and message.get("refusal"):
        content.text = text_of(message["refusal"])
    if message.get("images"):
        add_images(content, message["images"])
    if message.get("audio"):
        audio = fields_of(message["audio"])
        add_audio(content, audio.get("data"), audio_format)
        content.text = content.text or text_of(audio.get("transcript"))
    asks = message.get("tool_calls") or message.get("function_call")
    return Choice(
        text_of(message.get("role")),
        content,
        _reasoning(message),
        tool_calls_from(message) if asks else [],
        text_of(choice.get("finish_reason")),
    )


def output_messages(choices: Iterable[Choice], capture: CaptureConfig) -> list[Message]:
    """Return what the model said, reasoning first, one or two messages a choice."""
    found: list[Message] = []
    for choice in choices:
        if choice.reasoning:
            found.append(_reasoning_message(choice.reasoning, capture))
        found.append(message_of(choice.role or "assistant", choice.content, choice.tool_calls, capture))
    return found


def all_text(choice: Choice) -> str:
    """Return all that the model wrote for a choice: reasoning, text, and the calls it asked for."""
    calls = [f"{call.name}{call.arguments}" for call in choice.tool_calls]
    return "".join([choice.reasoning, choice.content.text, *calls])


def finish_reasons(choices: Iterable[Choice]) -> str:
    """Return the reasons in the order of the choices, joined with commas as ddtrace's openai integration does."""
    return ",".join([choice.finish_reason for choice in choices if choice.finish_reason])


def message_of(role: str, content: Content, tool_calls: Sequence[ToolCall], capture: CaptureConfig) -> Message:
    """Return a message that says ``content``, its attachments beside the text."""
    message: Message = {"role": role, "content": clip(content.text, capture)}
    if tool_calls:
        message["tool_calls"] = [call.as_message_part() for call in tool_calls]
    if content.image_parts:
        message["image_parts"] = list(content.image_parts)
    if content.audio_parts:
        message["audio_parts"] = list(content.audio_parts)
    return message


def _reasoning_message(reasoning: str, capture: CaptureConfig) -> Message:
    return {"role": "reasoning", "content": clip(reasoning, capture)}


def _reasoning(message: Mapping[str, Any]) -> str:
    """Return the reasoning text, from the provider-independent field or else from Anthropic's blocks."""
    if message.get("reasoning_content"):
        return text_of(message["reasoning_content"])
    blocks = message.get("thinking_blocks")
    return "".join([text_of(field(block, "thinking")) for block in sequence(blocks)]) if blocks else ""
