"""Images that a model makes: generation, edits and variations."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output
from ddtrace_litellm.extract.choices import Message, message_of
from ddtrace_litellm.extract.content import Content, add_image
from ddtrace_litellm.extract.fields import field, fields_of, text_of
from ddtrace_litellm.extract.files import file_marker
from ddtrace_litellm.extract.plain import abridged
from ddtrace_litellm.extract.usage import openai_usage

PARAMETERS = CALL_PARAMETERS | {
    "background",
    "input_fidelity",
    "moderation",
    "n",
    "output_compression",
    "output_format",
    "partial_images",
    "quality",
    "response_format",
    "size",
    "style",
    "user",
}


def read_input(arguments: Arguments) -> Input:
    """Read the prompt, and name the images that are to be changed; several are a list, a tuple is one file."""
    given, mask = arguments.get("image"), arguments.get("mask")
    images = given if isinstance(given, list) else [given]
    lines = [text_of(arguments.get("prompt"))]
    lines += [file_marker("image", image) for image in images if image is not None]
    if mask is not None:
        lines.append(file_marker("mask", mask))
    return Input({"input_messages": [{"role": "user", "content": "\n".join(filter(None, lines))}]})


def read_response(response: Any, arguments: Arguments) -> Output:
    """Read an ``ImageResponse``: each image is a message, attached where it came as data, named where it is a URL.

    LiteLLM before 1.95 drops the format that the provider reports: it is the one that was asked for then.
    """
    kind = text_of(field(response, "output_format") or arguments.get("output_format")) or "png"
    made = abridged(field(response, "data"), "data")
    return Output({"output_messages": [_message(fields_of(image), kind) for image in made]})


def _message(image: Mapping[str, Any], kind: str) -> Message:
    content = Content(text_of(image.get("revised_prompt")))
    data = image.get("b64_json")
    marker = add_image(content, f"data:image/{kind};base64,{data}" if data else text_of(image.get("url")))
    content.text = "\n".join(filter(None, [content.text, marker]))
    return message_of("assistant", content)


API = Api(
    name="image",
    kind="llm",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
    read_usage=openai_usage,
)
