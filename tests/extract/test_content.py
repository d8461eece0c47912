from types import SimpleNamespace

import pytest

from ddtrace_litellm.extract.content import (
    _MAX_ATTACHMENT_CHARS,
    Content,
    add_audio,
    add_image,
    content_from,
    without_attachments,
)

PNG = "data:image/png;base64,aGk="
TOO_LONG = "A" * (_MAX_ATTACHMENT_CHARS + 1)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (None, ""),
        ("", ""),
        ("hello", "hello"),
        (7, "7"),
        ([], ""),
        (["a", "b"], "a\nb"),
        ([{"type": "text", "text": "a"}, {"type": "text", "text": "b"}], "a\nb"),
        ([SimpleNamespace(type="text", text="a")], "a"),
        (({"type": "input_text", "text": "a"}, {"type": "output_text", "text": "b"}), "a\nb"),
        ([{"type": "refusal", "refusal": "no"}], "no"),
        ([{"type": "thinking", "thinking": "hm"}], "hm"),
        ([{"type": "tool_result", "content": [{"type": "text", "text": "21 degrees"}]}], "21 degrees"),
        ([{"type": "file", "file": {"filename": "a.pdf", "file_data": "data:application/pdf;base64,SECRET"}}],
         "[file: a.pdf]"),
        ([{"type": "file", "file": {"file_id": "file-1"}}], "[file: file-1]"),
        ([{"type": "file", "file": {"file_id": "data:application/pdf;base64,SECRET"}}], "[file]"),
        ([{"type": "file", "file": {"file_data": "SECRET"}}], "[file]"),
        ([{"type": "input_file", "filename": "b.pdf"}], "[file: b.pdf]"),
        ([{"type": "document", "title": "report", "source": {"data": "SECRET"}}], "[file: report]"),
        ([{"type": "video_url", "video_url": {"url": "https://host/v.mp4"}}], "[video_url]"),
        ([{"text": "without a type"}], "[part]"),
        ([{"type": ["odd"]}], "[['odd']]"),
        ([{"type": "text", "text": None}, None, {}, 7], "7"),
        ([{"type": "text", "text": ["odd"]}], "['odd']"),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_text_of_a_content(raw, text):
    """Strings and parts are lines of text; what cannot be shown is a marker, never its payload."""
    content = content_from(raw)
    assert content == Content(text)


@pytest.mark.parametrize(
    ("image", "marker"),
    [
        ("https://host/a.png", "[image: https://host/a.png]"),
        ({"url": "https://host/a.png?X-Amz-Signature=secret#f"}, "[image: https://host/a.png]"),
        ({"url": "https://user:secret@host:8443/a.png"}, "[image: https://host:8443/a.png]"),
        ({"url": "gs://bucket/a.png"}, "[image: gs://bucket/a.png]"),
        ({"url": "data:image/svg+xml;base64,secret"}, "[image: image/svg+xml]"),
        ({"url": "data:image/png,secret"}, "[image]"),
        ({"url": f"data:image/png;base64,{TOO_LONG}"}, "[image: image/png, 2,625,000 bytes]"),
        ({}, "[image]"),
        (None, "[image]"),
        (7, "[image]"),
        ({"url": 7}, "[image: 7]"),
    ],
    ids=lambda value: str(value)[:50],
)
def test_image_that_is_not_attached_is_a_marker(image, marker):
    """A URL is shown without what may authorise, and no payload is ever in the text."""
    content = Content()
    assert add_image(content, image) == marker
    assert content == Content()


@pytest.mark.parametrize("url", [PNG, PNG.upper().replace("AGK=", "aGk="), f"  {PNG}", PNG.replace(";", ";x=y;", 1)])
@pytest.mark.parametrize("kind", ["image_url", "input_image"])
@pytest.mark.parametrize("wrapped", [True, False], ids=["object", "text"])
def test_inline_image_is_attached(url, kind, wrapped):
    """Base64 images become parts, beside the text."""
    image = {"url": url, "detail": "low"} if wrapped else url
    content = content_from([{"type": "text", "text": "look"}, {"type": kind, "image_url": image}])
    assert content == Content("look", image_parts=({"mime_type": "image/png", "content": "aGk="},))


@pytest.mark.parametrize(
    ("audio_format", "mime_type"),
    [("mp3", "audio/mpeg"), ("wav", "audio/wav"), ("", "audio/wav"), ("pcm16", "audio/pcm"), ("flac", "audio/flac")],
)
def test_audio_is_attached(audio_format, mime_type):
    """Base64 audio becomes a part with the type of its format."""
    content = content_from([{"type": "input_audio", "input_audio": {"data": "aGk=", "format": audio_format}}])
    assert content == Content(audio_parts=({"mime_type": mime_type, "content": "aGk="},))


@pytest.mark.parametrize(
    ("data", "marker"),
    [(None, "[audio]"), ("", "[audio]"), (7, "[audio]"), (TOO_LONG, "[audio: audio/wav, 2,625,000 bytes]")],
    ids=["none", "empty", "odd", "too large"],
)
def test_audio_that_is_not_attached_is_a_marker(data, marker):
    """No payload is ever in the text."""
    content = Content()
    assert add_audio(content, data, "wav") == marker
    assert content == Content()


@pytest.mark.parametrize("part", [{"type": "input_audio"}, {"type": "input_audio", "input_audio": "odd"}], ids=str)
def test_odd_audio_part_is_a_marker(part):
    """A part that lacks its payload is said to be one."""
    assert content_from([part]) == Content("[audio]")


def test_message_without_its_attachments():
    """Each attachment is a marker behind the text; nothing else changes."""
    part = {"mime_type": "image/png", "content": "aGk="}
    sound = {"mime_type": "audio/mpeg", "content": "aGk="}
    message = {"role": "user", "content": "look", "image_parts": [part], "audio_parts": [sound]}
    markers = "[image: image/png, 3 bytes]\n[audio: audio/mpeg, 3 bytes]"
    assert without_attachments(message) == {"role": "user", "content": f"look\n{markers}"}
    assert (
        without_attachments({**message, "content": "", "audio_parts": []})["content"] == "[image: image/png, 3 bytes]"
    )
    assert without_attachments({"role": "user", "content": "hi"}) == {"role": "user", "content": "hi"}
