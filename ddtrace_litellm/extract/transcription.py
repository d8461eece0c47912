"""Transcription. The recording stays where it is: reading the caller's file would use it up."""

from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output
from ddtrace_litellm.extract.fields import field, text_of
from ddtrace_litellm.extract.files import file_marker
from ddtrace_litellm.extract.usage import openai_usage

PARAMETERS = CALL_PARAMETERS | {"language", "response_format", "temperature", "timestamp_granularities", "user"}


def read_input(arguments: Arguments) -> Input:
    """Name the file, and read the hint that goes along with it."""
    lines = filter(None, [text_of(arguments.get("prompt")), file_marker("audio", arguments.get("file"))])
    return Input({"input_messages": [{"role": "user", "content": "\n".join(lines)}]})


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Read a ``TranscriptionResponse``."""
    text = text_of(field(response, "text"))
    seconds = field(field(response, "usage"), "seconds") or field(response, "duration")
    return Output(
        {"output_messages": [{"role": "assistant", "content": text}] if text else []},
        billed_units={"audio_seconds": seconds} if seconds else {},
    )


API = Api(
    name="transcription",
    kind="llm",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
    read_usage=openai_usage,
)
