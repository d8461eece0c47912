"""Images that a model makes: generation, edits and variations."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.api import Arguments, Input, Output
from ddtrace_litellm.extract.chat import Message, message_of
from ddtrace_litellm.extract.content import Content, add_image, clip
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of
from ddtrace_litellm.extract.files import file_marker

PARAMETERS = frozenset(
    {
        "api_version",
        "background",
        "custom_llm_provider",
        "input_fidelity",
        "moderation",
        "n",
        "num_retries",
        "output_compression",
        "output_format",
        "partial_images",
        "quality",
        "response_format",
        "size",
        "style",
        "timeout",
        "user",
    }
)


def read_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Read the prompt, and name the images that are to be changed; several are a list, a tuple is one file."""
    given, mask = arguments.get("image"), arguments.get("mask")
    images = given if isinstance(given, list) else [given]
    lines = [text_of(arguments.get("prompt"))]
    lines += [file_marker("image", image) for image in images if image is not None]
    if mask is not None:
        lines.append(file_marker("mask", mask))
    content = clip("\n".join(filter(None, lines)), capture)
    return Input({"input_messages": [{"role": "user", "content": content}] if capture.input else []})


def read_response(response: Any, arguments: Arguments, capture: CaptureConfig) -> Output:
    """Read an ``ImageResponse``: each image is a message, attached where it came as data, named where it is a URL.

    LiteLLM before 1.95 drops the format that the provider reports: it is the one that was asked for then.
    """
    kind = text_of(field(response, "output_format") or arguments.get("output_format")) or "png"
    made = sequence(field(response, "data")) if capture.output else ()
    return Output({"output_messages": [_message(fields_of(image), kind, capture) for image in made]})


def _message(image: Mapping[str, Any], kind: str, capture: CaptureConfig) -> Message:
    content = Content(text_of(image.get("revised_prompt")))
    data = image.get("b64_json")
    marker = add_image(content, f"data:image/{kind};base64,{data}" if data else text_of(image.get("url")))
    content.text = "\n".join(filter(None, [content.text, marker]))
    return message_of("assistant", content, (), capture)
