"""Videos that a model makes: a request starts a job, and the answer is the job."""

from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output
from ddtrace_litellm.extract.fields import field, text_of
from ddtrace_litellm.extract.files import file_marker

PARAMETERS = CALL_PARAMETERS | {"seconds", "size", "user", "video_id"}


def read_input(arguments: Arguments) -> Input:
    """Read the prompt, and name what it starts from."""
    files = (("image", arguments.get("input_reference")), ("video", arguments.get("video")))
    lines = [text_of(arguments.get("prompt")), *(file_marker(kind, file) for kind, file in files if file is not None)]
    return Input({"input_messages": [{"role": "user", "content": "\n".join(filter(None, lines))}]})


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Name the job and say how far it is."""
    identifier, status = text_of(field(response, "id")), text_of(field(response, "status"))
    job = ", ".join(filter(None, [identifier, status]))
    messages = [{"role": "assistant", "content": f"[video: {job}]"}] if job else []
    return Output({"output_messages": messages}, status)


API = Api(
    name="video",
    kind="llm",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
)
