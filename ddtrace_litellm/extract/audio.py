"""Speech and transcription. Sound stays where it is: reading the bytes of a response or of a file would use them up."""

from pathlib import PurePath
from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.content import clip
from ddtrace_litellm.extract.family import Arguments, Input, Output
from ddtrace_litellm.extract.fields import field, text_of

SPEECH_PARAMETERS = frozenset(
    {
        "custom_llm_provider",
        "instructions",
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
    """Read the text that is to be spoken."""
    text = clip(text_of(arguments.get("input")), capture)
    return Input({"input_messages": [{"role": "user", "content": text}] if capture.input else []})


def read_speech(response: Any, arguments: Arguments, capture: CaptureConfig) -> Output:
    """Say that there is sound, and in which format."""
    if response is None or not capture.output:
        return Output({"output_messages": []})
    sound = f"[audio: {text_of(arguments.get('response_format')) or 'mp3'}]"
    return Output({"output_messages": [{"role": "assistant", "content": sound}]})


def read_recording(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Name the file, and read the hint that goes along with it."""
    if not capture.input:
        return Input({"input_messages": []})
    name = _file_name(arguments.get("file"))
    lines = filter(None, [text_of(arguments.get("prompt")), f"[audio: {name}]" if name else "[audio]"])
    return Input({"input_messages": [{"role": "user", "content": clip("\n".join(lines), capture)}]})


def read_transcript(response: Any, _arguments: Arguments, capture: CaptureConfig) -> Output:
    """Read a ``TranscriptionResponse``."""
    text = clip(text_of(field(response, "text")), capture)
    return Output({"output_messages": [{"role": "assistant", "content": text}] if capture.output and text else []})


def _file_name(file: Any) -> str:
    """Return the name of a file as OpenAI's clients take it: a path, a file object, or a tuple that begins with one."""
    named = file[0] if isinstance(file, (list, tuple)) and file else file
    if isinstance(named, (str, PurePath)):
        return PurePath(named).name
    name = getattr(named, "name", None)
    return PurePath(name).name if isinstance(name, str) else ""
