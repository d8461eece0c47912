"""Speech and transcription. Sound stays where it is: reading the bytes of a response or of a file would use them up."""

from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.api import Arguments, Input, Output
from ddtrace_litellm.extract.content import clip
from ddtrace_litellm.extract.fields import field, text_of
from ddtrace_litellm.extract.files import file_marker

SPEECH_PARAMETERS = frozenset(
    {
        "api_version",
        "custom_llm_provider",
        "max_retries",
        "num_retries",
        "response_format",
        "speed",
        "timeout",
        "voice",
    }
)
TRANSCRIPTION_PARAMETERS = frozenset(
    {
        "api_version",
        "custom_llm_provider",
        "language",
        "max_retries",
        "num_retries",
        "response_format",
        "temperature",
        "timeout",
        "timestamp_granularities",
        "user",
    }
)


def read_spoken(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Read the text that is to be spoken, and in a message before it how."""
    given = (("system", arguments.get("instructions")), ("user", arguments.get("input")))
    spoken = [{"role": role, "content": clip(text_of(text), capture)} for role, text in given if text]
    return Input({"input_messages": spoken if capture.input else []})


def read_speech(response: Any, arguments: Arguments, capture: CaptureConfig) -> Output:
    """Say that there is sound, and in which format."""
    if response is None or not capture.output:
        return Output({"output_messages": []})
    sound = f"[audio: {text_of(arguments.get('response_format')) or 'mp3'}]"
    return Output({"output_messages": [{"role": "assistant", "content": sound}]})


def read_recording(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Name the file, and read the hint that goes along with it."""
    lines = filter(None, [text_of(arguments.get("prompt")), file_marker("audio", arguments.get("file"))])
    content = clip("\n".join(lines), capture)
    return Input({"input_messages": [{"role": "user", "content": content}] if capture.input else []})


def read_transcript(response: Any, _arguments: Arguments, capture: CaptureConfig) -> Output:
    """Read a ``TranscriptionResponse``."""
    text = clip(text_of(field(response, "text")), capture)
    messages = [{"role": "assistant", "content": text}] if capture.output and text else []
    seconds = field(field(response, "usage"), "seconds") or field(response, "duration")
    return Output({"output_messages": messages}, billed={"audio_seconds": seconds} if seconds else {})
