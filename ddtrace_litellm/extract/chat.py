"""Chat: messages of a request, choices of a response or of a stream's chunks."""

from collections.abc import Mapping, Sequence
from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output, Streaming
from ddtrace_litellm.extract.chat_stream import assemble, audio_format, first_content_detector, reported_usage
from ddtrace_litellm.extract.choices import Assembled, Choice, Message, message_of, output
from ddtrace_litellm.extract.content import Content, add_audio, add_images, content_from
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of
from ddtrace_litellm.extract.plain import abridged
from ddtrace_litellm.extract.tools import tool_calls_from, tool_definitions_from, tool_result
from ddtrace_litellm.extract.usage import usage_of

COMMON_PARAMETERS = CALL_PARAMETERS | {
    "frequency_penalty",
    "logit_bias",
    "logprobs",
    "max_tokens",
    "n",
    "presence_penalty",
    "seed",
    "stop",
    "stream",
    "stream_options",
    "temperature",
    "top_p",
    "user",
}
"""Request parameters of chat and text completions that may go into metadata."""
PARAMETERS = COMMON_PARAMETERS | {
    "deployment_id",
    "function_call",
    "max_completion_tokens",
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

_ROLE_AND_TEXT = 2
"""Fields of most messages, which need no further look."""


def read_input(arguments: Arguments) -> Input:
    """Read the messages and the tools of a chat request."""
    found, tool_result_ids = _read_messages(arguments.get("messages"))
    annotations: dict[str, Any] = {"input_messages": found}
    tools, functions = arguments.get("tools"), arguments.get("functions")
    if tools or functions:
        annotations["tool_definitions"] = tool_definitions_from(tools, functions)
    return Input(annotations, tool_result_ids)


def read_response(response: Any, arguments: Arguments) -> Output:
    """Read a ``ModelResponse``, or what a stream's chunks make up."""
    if type(response) is Assembled:
        return output(response.choices, streamed=True)
    return output(choices_from_response(response, audio_format(arguments)))


def countable_input(arguments: Arguments) -> Sequence[Mapping[str, Any]]:
    """Return the messages and the tools, for LiteLLM's tokenizer."""
    return [{"messages": arguments.get("messages") or [], "tools": arguments.get("tools")}]


def input_messages(messages: Any) -> list[Message]:
    """Return a request's ``messages``; reasoning that is sent back is a message of its own, as in an output."""
    return _read_messages(messages)[0]


def _read_messages(messages: Any) -> tuple[list[Message], list[str]]:
    """Return the messages, and the ids of the tool calls whose results they hand in."""
    found: list[Message] = []
    tool_result_ids: list[str] = []
    for raw in sequence(messages):
        message = raw if type(raw) is dict else fields_of(raw)
        role = text_of(message.get("role"))
        if len(message) == _ROLE_AND_TEXT and type(text := message.get("content")) is str:
            found.append({"role": role, "content": text})
            continue
        if identifier := message.get("tool_call_id"):
            tool_result_ids.append(text_of(identifier))
        content = content_from(message.get("content"))
        if role in {"tool", "function"}:
            name, tool_id = text_of(message.get("name")), text_of(message.get("tool_call_id"))
            result = tool_result(content.text, name, tool_id)
            found.append({"role": role, "content": "", "tool_results": [result]})
            continue
        if role == "assistant":
            content.text = content.text or text_of(message.get("refusal"))
            if reasoning := _reasoning(message):
                found.append({"role": "reasoning", "content": reasoning})
        found.append(message_of(role, content, tool_calls_from(message)))
    return found, tool_result_ids


def choices_from_response(response: Any, audio_format: str = "") -> list[Choice]:
    """Return the choices of a ``ModelResponse``. ``audio_format`` is the request's, for spoken answers."""
    return [_choice(fields_of(choice), audio_format) for choice in abridged(field(response, "choices"), "choices")]


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


def _reasoning(message: Mapping[str, Any]) -> str:
    """Return the reasoning text, from the provider-independent field or else from Anthropic's blocks."""
    if message.get("reasoning_content"):
        return text_of(message["reasoning_content"])
    blocks = message.get("thinking_blocks")
    return "".join([text_of(field(block, "thinking")) for block in sequence(blocks)]) if blocks else ""


API = Api(
    name="completion",
    kind="llm",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
    read_usage=usage_of,
    serves_other_apis=True,
    streaming=Streaming(assemble, first_content_detector, reported_usage),
    countable_input=countable_input,
)
