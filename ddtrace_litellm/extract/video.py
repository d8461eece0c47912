"""Videos that a model makes: a request starts a job, and the answer is the job."""

from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.content import clip
from ddtrace_litellm.extract.family import Arguments, Input, Output
from ddtrace_litellm.extract.fields import field, text_of

PARAMETERS = frozenset({"custom_llm_provider", "num_retries", "seconds", "size", "timeout", "user", "video_id"})


def read_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Read the prompt, and mark what it starts from."""
    lines = [text_of(arguments.get("prompt"))]
    if arguments.get("input_reference") is not None:
        lines.append("[image]")
    content = clip("\n".join(filter(None, lines)), capture)
    return Input({"input_messages": [{"role": "user", "content": content}] if capture.input else []})


def read_response(response: Any, _arguments: Arguments, capture: CaptureConfig) -> Output:
    """Name the job and say how far it is."""
    identifier = text_of(field(response, "id"))
    if not identifier or not capture.output:
        return Output({"output_messages": []})
    status = text_of(field(response, "status"))
    return Output({"output_messages": [{"role": "assistant", "content": f"[video: {identifier}, {status}]"}]}, status)
