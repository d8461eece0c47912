"""Typed answers about a text: extraction, decisions and systemone, which are given fields or questions."""

from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output
from ddtrace_litellm.extract.choices import Message, message_of
from ddtrace_litellm.extract.content import Content, add_image, content_from
from ddtrace_litellm.extract.fields import field, fields_of, number, sequence, text_of
from ddtrace_litellm.extract.plain import plain
from ddtrace_litellm.extract.tools import json_text
from ddtrace_litellm.extract.usage import Usage


def read_input(arguments: Arguments) -> Input:
    """Read the text with its images, and what is asked about it, as JSON."""
    content = _content(arguments.get("input") or arguments.get("state"))
    for image in sequence(arguments.get("images")):
        data = fields_of(image)
        url = f"data:{text_of(data.get('content_type'))};base64,{text_of(data.get('base64'))}" if data else image
        content.text = "\n".join(filter(None, [content.text, add_image(content, url)]))
    messages: list[Message] = [message_of("user", content)]
    if asked := arguments.get("questions") or arguments.get("fields"):
        messages.append(message_of("user", Content(json_text(plain(asked)))))
    return Input({"input_messages": messages})


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Read the answers, as JSON."""
    answers = field(response, "answers")
    given: Any = [_given(answer) for answer in sequence(answers)]
    given = given or {name: _given(answer) for name, answer in fields_of(answers).items()}
    said = [message_of("assistant", Content(json_text(plain(given))))] if given else []
    return Output({"output_messages": said}, "truncated" if field(response, "truncated") is True else "")


def read_usage(response: Any) -> Usage | None:
    """Read the tokens, also those that a provider's cache had."""
    usage = fields_of(field(response, "usage"))
    input_tokens, output_tokens = number(usage.get("input_tokens")), number(usage.get("output_tokens"))
    if not input_tokens and not output_tokens:
        return None
    read, written = number(usage.get("cached_tokens")), number(usage.get("cache_write_tokens"))
    return Usage(input_tokens, output_tokens, cache_read_tokens=read or None, cache_write_tokens=written or None)


def _given(answer: Any) -> Any:
    """Return an answer without what LiteLLM's types have of other kinds of answers."""
    known = fields_of(answer)
    return {name: value for name, value in known.items() if value is not None} if known else answer


def _content(given: Any) -> Content:
    """Return a text, the parts of messages, or any other value as JSON."""
    messages = [fields_of(item) for item in sequence(given)]
    if messages and all("content" in message for message in messages):
        parts = [part for message in messages for part in sequence(message["content"]) or (message["content"],)]
        return content_from(parts)
    return Content(given if isinstance(given, str) else json_text(plain(given)))


API = Api(
    name="typed answers",
    kind="llm",
    parameters=CALL_PARAMETERS | {"reference_date", "safety_identifier"},
    read_input=read_input,
    read_response=read_response,
    read_usage=read_usage,
)
