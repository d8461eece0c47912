"""Images that a model makes: generation, edits and variations."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.content import Content, add_image, clip
from ddtrace_litellm.extract.family import Arguments, Input, Output
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of

PARAMETERS = frozenset(
    {
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
    """Read the prompt; an image to be changed is a marker: reading the caller's file would use it up."""
    if not capture.input:
        return Input({"input_messages": []})
    given = arguments.get("image")
    images = given if isinstance(given, (list, tuple)) else [given] if given is not None else []
    lines = [text_of(arguments.get("prompt")), *["[image]"] * len(images)]
    if arguments.get("mask") is not None:
        lines.append("[mask]")
    return Input({"input_messages": [{"role": "user", "content": clip("\n".join(filter(None, lines)), capture)}]})


def read_response(response: Any, _arguments: Arguments, capture: CaptureConfig) -> Output:
    """Read an ``ImageResponse``: each image is a message, attached where it came as data, named where it is a URL."""
    kind = text_of(field(response, "output_format")) or "png"
    made = [_message(fields_of(image), kind, capture) for image in sequence(field(response, "data"))]
    return Output({"output_messages": made if capture.output else []})


def _message(image: Mapping[str, Any], kind: str, capture: CaptureConfig) -> dict[str, Any]:
    content = Content(text_of(image.get("revised_prompt")))
    data = image.get("b64_json")
    marker = add_image(content, f"data:image/{kind};base64,{data}" if data else text_of(image.get("url")))
    text = "\n".join(filter(None, [content.text, marker]))
    message: dict[str, Any] = {"role": "assistant", "content": clip(text, capture)}
    if content.image_parts:
        message["image_parts"] = list(content.image_parts)
    return message
