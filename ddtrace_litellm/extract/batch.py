"""Batches: several conversations, or several models, in one call; each is a call of its own beneath."""

from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract import chat
from ddtrace_litellm.extract.api import Arguments, Input, Output
from ddtrace_litellm.extract.content import clip, without_attachments
from ddtrace_litellm.extract.fields import sequence


def read_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Read one conversation, or a list of them."""
    if not capture.input:
        return Input({"input_value": []})
    messages = sequence(arguments.get("messages"))
    if messages and isinstance(messages[0], (list, tuple)):
        return Input({"input_value": [_asked(conversation, capture) for conversation in messages]})
    return Input({"input_value": _asked(messages, capture)})


def _asked(conversation: Any, capture: CaptureConfig) -> list[chat.Message]:
    return list(map(without_attachments, chat.input_messages(conversation, capture)))


def read_response(response: Any, _arguments: Arguments, capture: CaptureConfig) -> Output:
    """Read one answer, or the list of them; a call that failed is its exception."""
    return Output({"output_value": _answer(response, capture) if capture.output and response is not None else []})


def _answer(answer: Any, capture: CaptureConfig) -> Any:
    if isinstance(answer, (list, tuple)):
        return [_answer(one, capture) for one in answer]
    if isinstance(answer, BaseException):
        return clip(f"{type(answer).__name__}: {answer}", capture)
    return list(map(without_attachments, chat.output_messages(chat.choices_from_response(answer), capture)))
