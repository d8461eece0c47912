"""Videos that a model makes: a request starts a job, and the answer is the job."""

from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.api import Arguments, Input, Output
from ddtrace_litellm.extract.content import clip
from ddtrace_litellm.extract.fields import field, text_of
from ddtrace_litellm.extract.files import file_marker

PARAMETERS = frozenset({"custom_llm_provider", "num_retries", "seconds", "size", "timeout", "user", "video_id"})


def read_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Read the prompt, and name what it starts from."""
    files = (("image", arguments.get("input_reference")), ("video", arguments.get("video")))
    lines = [text_of(arguments.get("prompt")), *(file_marker(kind, file) for kind, file in files if file is not None)]
    content = clip("\n".join(filter(None, lines)), capture)
    return Input({"input_messages": [{"role": "user", "content": content}] if capture.input else []})


def read_response(response: Any, _arguments: Arguments, capture: CaptureConfig) -> Output:
    """Name the job and say how far it is."""
    identifier, status = text_of(field(response, "id")), text_of(field(response, "status"))
    job = ", ".join(filter(None, [identifier, status]))
    messages = [{"role": "assistant", "content": f"[video: {job}]"}] if job and capture.output else []
    return Output({"output_messages": messages}, status)
