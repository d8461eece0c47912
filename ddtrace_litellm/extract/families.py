"""The API families: how each reads its requests, responses and streams. A new family is one entry and one module."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract import chat, chunks, text
from ddtrace_litellm.extract.fields import field, text_of
from ddtrace_litellm.extract.metadata import CHAT_PARAMETERS, TEXT_PARAMETERS
from ddtrace_litellm.extract.tools import ToolCall, tool_definitions_from

Arguments = Mapping[str, Any]
"""A call's arguments by name, positional ones included."""


class Input(NamedTuple):
    """What a request asks.

    Attributes:
        annotations: what to annotate on the span: ``input_messages`` and ``tool_definitions``, or ``input_documents``.
        tool_result_ids: ids of the tool calls that it answers.
    """

    annotations: dict[str, Any]
    tool_result_ids: Sequence[str] = ()


class Output(NamedTuple):
    """What a response says.

    Attributes:
        annotations: what to annotate on the span: ``output_messages``, or ``output_documents``.
        finish_reason: why the model stopped, ``""`` where it did not say.
        tool_calls: what the model asked for.
        written: of a stream, all that the model wrote, for counting its tokens where nobody reported them.
    """

    annotations: dict[str, Any]
    finish_reason: str = ""
    tool_calls: Sequence[ToolCall] = ()
    written: str = ""


@dataclass(frozen=True, slots=True)
class Family:
    """One API family.

    Attributes:
        name: calls of one name delegate to each other inside LiteLLM; such a call is not a call of its own.
        kind: LLM Observability's kind of a span that reached the provider.
        parameters: the request parameters that may go into metadata.
        read_input: reads the arguments of a call.
        read_response: reads what a call returned; ``None`` stands for nothing, after an error.
        read_chunks: reads what a stream gave.
        has_content: whether a chunk is one that a reader would notice, for the time to first token.
    """

    name: str
    kind: str
    parameters: frozenset[str]
    read_input: Callable[[Arguments, CaptureConfig], Input]
    read_response: Callable[[Any, Arguments, CaptureConfig], Output]
    read_chunks: Callable[[Sequence[Any], Arguments, CaptureConfig], Output]
    has_content: Callable[[Any], bool]


def _chat_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    messages = arguments.get("messages")
    annotations: dict[str, Any] = {"input_messages": chat.input_messages(messages, capture) if capture.input else []}
    tools, functions = arguments.get("tools"), arguments.get("functions")
    if tools or functions:
        annotations["tool_definitions"] = tool_definitions_from(tools, functions)
    return Input(annotations, chat.tool_result_ids(messages))


def _text_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    return Input({"input_messages": text.input_messages(arguments.get("prompt"), capture) if capture.input else []})


def _output(choices: Sequence[chat.Choice], capture: CaptureConfig) -> Output:
    return Output(
        {"output_messages": chat.output_messages(choices, capture) if capture.output else []},
        chat.finish_reasons(choices),
        [call for choice in choices for call in choice.tool_calls],
    )


def _chat_response(response: Any, arguments: Arguments, capture: CaptureConfig) -> Output:
    return _output(chat.choices_from_response(response, _audio_format(arguments)), capture)


def _text_response(response: Any, _arguments: Arguments, capture: CaptureConfig) -> Output:
    return _output(text.choices_from_response(response), capture)


def _stream(received: Sequence[Any], arguments: Arguments, capture: CaptureConfig) -> Output:
    choices = chunks.choices_from_chunks(received, _audio_format(arguments))
    return _output(choices, capture)._replace(written="".join(map(chat.all_text, choices)))


def _audio_format(arguments: Arguments) -> str:
    return text_of(field(arguments["audio"], "format")) if "audio" in arguments else ""


CHAT = Family(
    name="completion",
    kind="llm",
    parameters=CHAT_PARAMETERS,
    read_input=_chat_input,
    read_response=_chat_response,
    read_chunks=_stream,
    has_content=chunks.has_content,
)
TEXT = Family(
    # The same name: text_completion() is a completion() beneath.
    name="completion",
    kind="llm",
    parameters=TEXT_PARAMETERS,
    read_input=_text_input,
    read_response=_text_response,
    read_chunks=_stream,
    has_content=chunks.has_content,
)
