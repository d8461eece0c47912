"""Speech. The sound stays where it is: reading the bytes of a response would use them up."""

from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output
from ddtrace_litellm.extract.fields import text_of

PARAMETERS = CALL_PARAMETERS | {"response_format", "speed", "voice"}


def read_input(arguments: Arguments) -> Input:
    """Read the text that is to be spoken, and in a message before it how."""
    given = (("system", arguments.get("instructions")), ("user", arguments.get("input")))
    return Input({"input_messages": [{"role": role, "content": text_of(text)} for role, text in given if text]})


def read_response(response: Any, arguments: Arguments) -> Output:
    """Say that there is sound, and in which format."""
    if response is None:
        return Output({"output_messages": []})
    sound = f"[audio: {text_of(arguments.get('response_format')) or 'mp3'}]"
    return Output({"output_messages": [{"role": "assistant", "content": sound}]})


API = Api(
    name="speech",
    kind="llm",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
)
