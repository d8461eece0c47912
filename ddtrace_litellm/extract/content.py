"""The content of a message: a string, or a list of parts with text, images, audio and files."""

import re
from collections.abc import Callable
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.fields import field, sequence, text_field

_DATA_URL = re.compile(r"^\s*data:(?P<mime>[\w.+-]+/[\w.+-]+)(?:;[\w.=+-]+)*;base64,", re.IGNORECASE)
_RENDERABLE_IMAGES = frozenset({"image/jpeg", "image/png", "image/gif", "image/webp"})
# An event over 5 MB loses its whole input and output (ddtrace.md 2.3), so one attachment leaves room for the rest.
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
    image_parts: list[dict[str, str]] = dataclass_field(default_factory=list)
    audio_parts: list[dict[str, str]] = dataclass_field(default_factory=list)


def clip(text: str, capture: CaptureConfig) -> str:
    """Cut ``text`` to the configured length, with a mark that says how much is missing."""
    limit = capture.max_chars
    if limit is None or len(text) <= limit:
        return text
    return f"{text[:limit]}... [{len(text) - limit} more characters]"


def content_from(raw: Any) -> Content:
    """Read a message's ``content``: ``None``, a string, or a list of strings and parts."""
    if raw is None:
        return Content()
    if isinstance(raw, str):
        return Content(text=raw)
    if not isinstance(raw, (list, tuple)):
        return Content(text=str(raw))
    content = Content()
    content.text = "\n".join(filter(None, (_part_text(part, content) for part in raw)))
    return content


def _part_text(part: Any, content: Content) -> str:
    """Return what one part says in words; a part that can be attached is added to ``content`` instead."""
    if not isinstance(part, dict):
        return str(part)
    kind = text_field(part, "type")
    read = _PART_READERS.get(kind)
    return read(part, content) if read is not None else f"[{kind or 'part'}]"


def _written(part: Any, _content: Content) -> str:
    return text_field(part, "text") or text_field(part, text_field(part, "type"))


def _image(part: Any, content: Content) -> str:
    return _image_text(field(part, "image_url"), content)


def _audio(part: Any, content: Content) -> str:
    audio = field(part, "input_audio")
    return add_audio(content, field(audio, "data"), text_field(audio, "format"))


def _file(part: Any, _content: Content) -> str:
    file = field(part, "file") or part
    name = text_field(file, "filename") or text_field(file, "file_id") or text_field(file, "title")
    return f"[file: {name}]" if name and not name.startswith("data:") else "[file]"


def _result(part: Any, _content: Content) -> str:
    return content_from(field(part, "content")).text


_PART_READERS: dict[str, Callable[[Any, Content], str]] = {
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


def _image_text(image: Any, content: Content) -> str:
    url = image if isinstance(image, str) else text_field(image, "url")
    return add_image(content, url)


def add_image(content: Content, url: str) -> str:
    """Attach an image given as a data URL; return the marker for one that cannot be attached, ``""`` otherwise."""
    match = _DATA_URL.match(url)
    if match is None:
        # Only what is not a data URL is text: a payload must never land in the message.
        return f"[image: {_without_query(url)}]" if url and not url.lstrip().lower().startswith("data:") else "[image]"
    mime_type = match["mime"].lower()
    if mime_type not in _RENDERABLE_IMAGES:
        return f"[image: {mime_type}]"
    if len(url) - match.end() > _MAX_ATTACHMENT_CHARS:
        return f"[image: {mime_type}, too large]"
    content.image_parts.append({"mime_type": mime_type, "content": url[match.end() :]})
    return ""


def add_audio(content: Content, data: Any, audio_format: str) -> str:
    """Attach base64 audio; return the marker for audio that cannot be attached, ``""`` otherwise."""
    mime_type = _AUDIO_MIME_TYPES.get(audio_format, f"audio/{audio_format or 'wav'}")
    if not isinstance(data, str) or not data:
        return "[audio]"
    if len(data) > _MAX_ATTACHMENT_CHARS:
        return f"[audio: {mime_type}, too large]"
    content.audio_parts.append({"mime_type": mime_type, "content": data})
    return ""


def _without_query(url: str) -> str:
    """Drop what may authorise: signed image URLs carry their key in the query."""
    return url.split("?", 1)[0]


def images_from(message: Any, content: Content) -> None:
    """Attach the images that a model generated (``message.images``, LiteLLM 1.77)."""
    for image in sequence(field(message, "images")):
        marker = _image_text(field(image, "image_url"), content)
        content.text = "\n".join(filter(None, (content.text, marker)))
