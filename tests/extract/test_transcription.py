import io
from typing import Any

import pytest
from litellm.types.utils import TranscriptionResponse

from ddtrace_litellm.extract.transcription import read_input, read_response


def _asked(**arguments: Any) -> Any:
    return read_input(arguments).annotations["input_messages"]


def _said(response: Any) -> Any:
    return read_response(response, {}).annotations["output_messages"]


@pytest.mark.parametrize(
    ("arguments", "content"),
    [
        ({"file": ("day.wav", b"RIFF")}, "[audio: day.wav]"),
        ({"file": ("day.wav", b"RIFF"), "prompt": "Ann, Bob"}, "Ann, Bob\n[audio: day.wav]"),
        ({"file": io.BytesIO(b"RIFF")}, "[audio]"),
        ({"file": None, "prompt": None}, "[audio]"),
        ({"prompt": 7}, "7\n[audio]"),
    ],
)
def test_recording(arguments, content):
    """The hint, and the file by name."""
    assert _asked(**arguments) == [{"role": "user", "content": content}]


def test_a_recording_is_not_read():
    """LiteLLM sends it from where it stands."""
    file = io.BytesIO(b"RIFF")
    file.seek(2)
    _asked(file=file)
    assert file.tell() == 2


def _verbose() -> TranscriptionResponse:
    response = TranscriptionResponse(text="Good day")
    response.language, response.duration = "english", 3.0
    response.segments = [{"id": 0, "start": 0.0, "end": 3.0, "text": "Good day"}]
    return response


@pytest.mark.parametrize(
    "response",
    [{"text": "Good day"}, TranscriptionResponse(text="Good day"), _verbose()],
    ids=["dict", "litellm", "verbose_json"],
)
def test_transcript(response):
    """The text; the segments of ``verbose_json`` say the same once more."""
    assert _said(response) == [{"role": "assistant", "content": "Good day"}]


@pytest.mark.parametrize("response", [None, {}, {"text": None}, TranscriptionResponse(), 7, b"odd"], ids=repr)
def test_no_transcript(response):
    """There is no message."""
    assert _said(response) == []
