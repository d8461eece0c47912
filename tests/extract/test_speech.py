import io
from typing import Any

import httpx
import pytest
from litellm.types.llms.openai import HttpxBinaryResponseContent
from litellm.types.utils import TranscriptionResponse

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.speech import read_recording, read_speech, read_spoken, read_transcript

NOTHING = CaptureConfig(input=False, output=False)


def _input(read: Any, capture: CaptureConfig | None = None, **arguments: Any) -> Any:
    return read(arguments, capture or CaptureConfig()).annotations["input_messages"]


def _output(read: Any, response: Any, capture: CaptureConfig | None = None, **arguments: Any) -> Any:
    return read(response, arguments, capture or CaptureConfig()).annotations["output_messages"]


def test_text_to_be_spoken():
    """The text, and how it is to be spoken, which is text of the caller's as well."""
    assert _input(read_spoken, input="Good day") == [{"role": "user", "content": "Good day"}]
    assert _input(read_spoken, input="Good day", instructions="Be cheerful") == [
        {"role": "system", "content": "Be cheerful"},
        {"role": "user", "content": "Good day"},
    ]


@pytest.mark.parametrize(("given", "content"), [(7, "7"), (["odd"], "['odd']"), (b"odd", "b'odd'")], ids=repr)
def test_malformed_text_does_not_raise(given, content):
    """It is shown as it is."""
    assert _input(read_spoken, input=given) == [{"role": "user", "content": content}]


class _Unread(httpx.SyncByteStream):
    def __iter__(self):
        raise AssertionError("the body was read")


def test_speech_is_not_read():
    """LiteLLM hands out a body that can be read once; what there is to say is the format."""
    response = HttpxBinaryResponseContent(httpx.Response(200, stream=_Unread()))
    assert _output(read_speech, response) == [{"role": "assistant", "content": "[audio: mp3]"}]
    assert _output(read_speech, response, response_format="wav") == [{"role": "assistant", "content": "[audio: wav]"}]
    assert not response.response.is_stream_consumed


def test_no_speech():
    """After an error there is no message."""
    assert _output(read_speech, None) == []


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
    assert _input(read_recording, **arguments) == [{"role": "user", "content": content}]


def test_a_recording_is_not_read():
    """LiteLLM sends it from where it stands."""
    file = io.BytesIO(b"RIFF")
    file.seek(2)
    _input(read_recording, file=file)
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
    assert _output(read_transcript, response) == [{"role": "assistant", "content": "Good day"}]


@pytest.mark.parametrize("response", [None, {}, {"text": None}, TranscriptionResponse(), 7, b"odd"], ids=repr)
def test_no_transcript(response):
    """There is no message."""
    assert _output(read_transcript, response) == []


def test_contents_that_are_not_captured():
    """Neither texts nor names of files."""
    assert _input(read_spoken, NOTHING, input="Good day", instructions="Be cheerful") == []
    assert _input(read_recording, NOTHING, file=("day.wav", b"RIFF"), prompt="Ann") == []
    assert _output(read_transcript, {"text": "Good day"}, NOTHING) == []
    assert _output(read_speech, object(), NOTHING) == []


def test_contents_that_are_long():
    """They are cut with a mark."""
    cut = CaptureConfig(max_chars=4)
    assert _input(read_spoken, cut, input="Good day")[0]["content"] == "Good... [4 more characters]"
    assert _input(read_recording, cut, prompt="Good day")[0]["content"].startswith("Good... [")
    assert _output(read_transcript, {"text": "Good day"}, cut)[0]["content"] == "Good... [4 more characters]"
