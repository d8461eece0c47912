"""The content of a message: a string, or a list of parts with text, images, audio and files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of
from ddtrace_litellm.extract.plain import abridged
from ddtrace_litellm.extract.urls import DATA_URL
from ddtrace_litellm.masking import strip_credentials

_RENDERABLE_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
# ddtrace blanks input and output of an event over 5 MB, so one attachment has to leave room for the rest.
_MAX_ATTACHMENT_CHARS = 3_500_000
_AUDIO_MIME_TYPES = {"mp3": "audio/mpeg", "wav": "audio/wav", "pcm16": "audio/pcm"}


@dataclass(slots=True)
class Content:
    """What a message says.

    Attributes:
        text: all text, parts one to a line; what cannot be shown is a marker in square brackets.
        image_parts, audio_parts: attachments as LLM Observability takes them, ``{mime_type, content}`` with base64.
    """

    text: str = ""
    image_parts: tuple[dict[str, str], ...] = ()
    audio_parts: tuple[dict[str, str], ...] = ()


ATTACHMENTS = ("image_parts", "audio_parts")
"""The fields of a message of LLM Observability's that hold attachments."""


def without_attachments(message: Mapping[str, Any]) -> dict[str, Any]:
    """Return a message of LLM Observability's with a marker in place of each attachment."""
    return with_attachments_up_to(message, 0)[0]


def with_attachments_up_to(message: Mapping[str, Any], room: int) -> tuple[dict[str, Any], int]:
    """Return a message with the attachments that fit, a marker in place of each other, and the room that is left.

    Args:
        message: of LLM Observability's.
        room: for how many characters of base64.
    """
    said = {name: value for name, value in message.items() if name not in ATTACHMENTS}
    markers: list[str] = []
    for name in ATTACHMENTS:
        kept = []
        for part in message.get(name, ()):
            if (size := len(part["content"])) < room:
                kept.append(part)
                room -= size
            else:
                markers.append(_sized_marker(part["mime_type"], size))
        if kept:
            said[name] = kept
    if markers:
        said["content"] = "\n".join(filter(None, [said["content"], *markers]))
    return said, room


def _sized_marker(mime_type: str, chars: int) -> str:
    """Return the marker of data that is not attached, with the bytes that its base64 stands for."""
    return f"[{mime_type.partition('/')[0]}: {mime_type}, {chars * 3 // 4:,} bytes]"


def content_from(raw: Any) -> Content:
    """Read a message's ``content``: ``None``, a string, or a list of strings and parts."""
    if isinstance(raw, str):
        return Content(raw)
    if raw is None:
        return Content()
    if not isinstance(raw, (list, tuple)):
        return Content(text_of(raw))
    content = Content()
    content.text = "\n".join(filter(None, [_part_text(part, content) for part in abridged(raw, "content")]))
    return content


def _part_text(raw: Any, content: Content) -> str:
    """Return what one part says in words; a part that can be attached is added to ``content`` instead."""
    part = fields_of(raw)
    if not part:
        return "" if part is raw else text_of(raw)
    kind = text_of(part.get("type"))
    read = _PART_READERS.get(kind)
    return read(part, content) if read is not None else f"[{kind or 'part'}]"


def _written(part: Mapping[str, Any], _content: Content) -> str:
    return text_of(part.get("text") or part.get(text_of(part.get("type"))))


def _image(part: Mapping[str, Any], content: Content) -> str:
    return add_image(content, part.get("image_url"))


def _audio(part: Mapping[str, Any], content: Content) -> str:
    audio = fields_of(part.get("input_audio"))
    return add_audio(content, audio.get("data"), text_of(audio.get("format")))


def _file(part: Mapping[str, Any], _content: Content) -> str:
    file = fields_of(part.get("file") or part)
    name = text_of(file.get("filename") or file.get("file_id") or file.get("title"))
    return f"[file: {name}]" if name and not DATA_URL.match(name) else "[file]"


def _result(part: Mapping[str, Any], _content: Content) -> str:
    return content_from(part.get("content")).text


_PART_READERS: dict[str, Callable[[Mapping[str, Any], Content], str]] = {
    "document": _file,
    "file": _file,
    "image_url": _image,
    "input_audio": _audio,
    "input_file": _file,
    "input_image": _image,
    "input_text": _written,
    "output_text": _written,
    "refusal": _written,
    "text": _written,
    "thinking": _written,
    "tool_result": _result,
}


def add_images(content: Content, images: Any) -> None:
    """Attach the images that a model made (``message.images``, LiteLLM 1.77)."""
    for image in sequence(images):
        marker = add_image(content, field(image, "image_url"))
        content.text = "\n".join(filter(None, [content.text, marker]))


def add_image(content: Content, image: Any) -> str:
    """Attach an image, a URL or ``{"url": ...}``; return the marker of one that cannot be attached, else ``""``."""
    url = image if isinstance(image, str) else text_of(field(image, "url"))
    data = DATA_URL.match(url)
    if data is None:
        reference = strip_credentials(url)
        return f"[image: {reference}]" if reference else "[image]"
    if not data["mime"] or not data["base64"]:
        return "[image]"  # a payload must never land in the text
    mime_type = data["mime"].lower()
    if mime_type not in _RENDERABLE_IMAGES:
        return f"[image: {mime_type}]"
    if (size := len(url) - data.end()) > _MAX_ATTACHMENT_CHARS:
        return _sized_marker(mime_type, size)
    content.image_parts += ({"mime_type": mime_type, "content": url[data.end() :]},)
    return ""


def add_audio(content: Content, data: Any, audio_format: str) -> str:
    """Attach base64 audio; return the marker of audio that cannot be attached, else ``""``."""
    mime_type = _AUDIO_MIME_TYPES.get(audio_format, f"audio/{audio_format or 'wav'}")
    if not isinstance(data, str) or not data:
        return "[audio]"
    if len(data) > _MAX_ATTACHMENT_CHARS:
        return _sized_marker(mime_type, len(data))
    content.audio_parts += ({"mime_type": mime_type, "content": data},)
    return ""
