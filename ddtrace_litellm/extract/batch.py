"""Batches: several conversations, or several models, in one call; each is a call of its own beneath."""

from typing import Any

from ddtrace_litellm.extract import chat, credentials
from ddtrace_litellm.extract.api import Api, Arguments, Input, Output
from ddtrace_litellm.extract.choices import Message
from ddtrace_litellm.extract.content import without_attachments
from ddtrace_litellm.extract.fields import sequence


def read_input(arguments: Arguments) -> Input:
    """Read one conversation, or a list of them."""
    messages = sequence(arguments.get("messages"))
    if messages and isinstance(messages[0], (list, tuple)):
        return Input({"input_value": list(map(_asked, messages))})
    return Input({"input_value": _asked(messages)})


def _asked(conversation: Any) -> list[Message]:
    return list(map(without_attachments, chat.input_messages(conversation)))


def read_response(response: Any, arguments: Arguments) -> Output:
    """Read one answer, which may be a stream, or the list of them; a call that failed is its exception."""
    return Output({"output_value": _answer(response, arguments)}, quotes_input=True)


def _answer(answer: Any, arguments: Arguments) -> Any:
    if isinstance(answer, list):
        return [_answer(one, arguments) for one in answer]
    if isinstance(answer, BaseException):
        return f"{type(answer).__name__}: {credentials.mask(str(answer), credentials.of_call(arguments))}"
    return list(map(without_attachments, chat.read_response(answer, arguments).annotations["output_messages"]))


API = Api(
    name="batch",
    kind="workflow",
    parameters=frozenset(),
    read_input=read_input,
    read_response=read_response,
    streaming=chat.API.streaming,
    countable_input=chat.countable_input,
)
