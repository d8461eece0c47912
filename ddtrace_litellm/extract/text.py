"""Text completion: prompts of a request, choices of a response."""

from collections.abc import Mapping, Sequence
from typing import Any

from ddtrace_litellm.extract import chat
from ddtrace_litellm.extract.api import Api, Arguments, Input, Output
from ddtrace_litellm.extract.choices import Assembled, Choice, Message, output
from ddtrace_litellm.extract.content import Content
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of
from ddtrace_litellm.extract.plain import abridged
from ddtrace_litellm.extract.usage import usage_of

PARAMETERS = chat.COMMON_PARAMETERS | {"best_of", "echo", "suffix"}


def read_input(arguments: Arguments) -> Input:
    """Read the prompts of a request."""
    return Input({"input_messages": input_messages(arguments.get("prompt"))})


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Read a ``TextCompletionResponse``, or what a stream's chunks make up."""
    if type(response) is Assembled:
        return output(response.choices, streamed=True)
    return output(choices_from_response(response))


def countable_input(arguments: Arguments) -> Sequence[Mapping[str, Any] | int]:
    """Return each prompt, for LiteLLM's tokenizer; token ids are counted already."""
    prompts = prompts_from(arguments.get("prompt"))
    return [{"text": prompt} if isinstance(prompt, str) else len(sequence(prompt)) for prompt in prompts]


def input_messages(prompt: Any) -> list[Message]:
    """Return the prompts, one message each: texts or lists of token ids, one or a list of them."""
    return [{"role": "user", "content": text_of(text)} for text in prompts_from(prompt)]


def prompts_from(given: Any) -> Sequence[Any]:
    """Return one or a list of texts, or of lists of token ids, as a list."""
    if given is None:
        return []
    several = isinstance(given, (list, tuple)) and not (given and isinstance(given[0], int))
    return given if several else [given]


def choices_from_response(response: Any) -> list[Choice]:
    """Return the choices of a ``TextCompletionResponse``."""
    return [_choice(fields_of(choice)) for choice in abridged(field(response, "choices"), "choices")]


def _choice(choice: Mapping[str, Any]) -> Choice:
    return Choice(
        content=Content(text_of(choice.get("text"))),
        reasoning=text_of(choice.get("reasoning_content")),
        finish_reason=text_of(choice.get("finish_reason")),
    )


API = Api(
    name="completion",  # text_completion() is a completion() beneath
    kind="llm",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
    read_usage=usage_of,
    serves_other_apis=True,
    streaming=chat.API.streaming,
    countable_input=countable_input,
)
