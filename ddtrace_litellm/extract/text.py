"""Text completion: prompts of a request, choices of a response."""

from collections.abc import Mapping, Sequence
from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.api import Arguments, Input, Output
from ddtrace_litellm.extract.chat import COMMON_PARAMETERS, Assembled, Choice, Message, output
from ddtrace_litellm.extract.content import Content, clip
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of

PARAMETERS = COMMON_PARAMETERS | {"best_of", "echo", "suffix"}


def read_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Read the prompts of a request."""
    return Input({"input_messages": input_messages(arguments.get("prompt"), capture) if capture.input else []})


def read_response(response: Any, _arguments: Arguments, capture: CaptureConfig) -> Output:
    """Read a ``TextCompletionResponse``, or what a stream's chunks make up."""
    if type(response) is Assembled:
        return output(response.choices, capture, written=True)
    return output(choices_from_response(response), capture)


def input_messages(prompt: Any, capture: CaptureConfig) -> list[Message]:
    """Return the prompts, one message each: texts or lists of token ids, one or a list of them."""
    return [{"role": "user", "content": clip(str(text), capture)} for text in prompts_from(prompt)]


def prompts_from(given: Any) -> Sequence[Any]:
    """Return one or a list of texts, or of lists of token ids, as a list."""
    if given is None:
        return []
    several = isinstance(given, (list, tuple)) and not (given and isinstance(given[0], int))
    return given if several else [given]


def choices_from_response(response: Any) -> list[Choice]:
    """Return the choices of a ``TextCompletionResponse``."""
    return [_choice(fields_of(choice)) for choice in sequence(field(response, "choices"))]


def _choice(choice: Mapping[str, Any]) -> Choice:
    return Choice(
        content=Content(text_of(choice.get("text"))),
        reasoning=text_of(choice.get("reasoning_content")),
        finish_reason=text_of(choice.get("finish_reason")),
    )
