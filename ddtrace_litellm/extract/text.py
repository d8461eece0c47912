"""Text completion: prompts of a request, choices of a response."""

from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.chat import Choice, Message
from ddtrace_litellm.extract.content import Content, clip
from ddtrace_litellm.extract.fields import field, sequence, text_field


def input_messages(prompt: Any, capture: CaptureConfig) -> list[Message]:
    """Return the prompts, one message each: texts or lists of token ids, one or a list of them."""
    if prompt is None:
        return []
    several = isinstance(prompt, (list, tuple)) and not (prompt and isinstance(prompt[0], int))
    return [{"role": "user", "content": clip(str(text), capture)} for text in (prompt if several else [prompt])]


def choices_from_response(response: Any) -> list[Choice]:
    """Return the choices of a ``TextCompletionResponse``."""
    return [
        Choice(
            content=Content(text=text_field(choice, "text")),
            reasoning=text_field(choice, "reasoning_content"),
            finish_reason=text_field(choice, "finish_reason"),
        )
        for choice in sequence(field(response, "choices"))
    ]
