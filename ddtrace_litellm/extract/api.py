"""What an API is: how its requests, responses and streams are read."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from ddtrace_litellm.extract.fields import field, text_of
from ddtrace_litellm.extract.tools import ToolCall
from ddtrace_litellm.extract.usage import StreamUsage, Usage, no_usage

Arguments = Mapping[str, Any]
"""A call's arguments by name, positional ones included."""
CALL_PARAMETERS = frozenset({"api_version", "custom_llm_provider", "max_retries", "num_retries", "timeout"})
"""Parameters of every API, of how LiteLLM makes the call, that may go into metadata."""


class Input(NamedTuple):
    """What a request asks.

    Attributes:
        annotations: what to annotate on the span: ``input_messages``, ``tool_definitions``, ``input_documents``,
            ``input_value``.
        tool_result_ids: ids of the tool calls that it answers.
        name: of the tool or the agent that is called; ``""``: the event has the function's.
        tags: what else identifies that.
        manifest: of an agent, what it is made of, in LLM Observability's words.
    """

    annotations: dict[str, Any]
    tool_result_ids: Sequence[str] = ()
    name: str = ""
    tags: Mapping[str, str] = MappingProxyType({})
    manifest: Mapping[str, Any] = MappingProxyType({})


class Output(NamedTuple):
    """What a response says.

    Attributes:
        annotations: what to annotate on the span: ``output_messages``, ``output_documents`` or ``output_value``.
        finish_reason: why the model stopped, ``""`` where it did not say.
        tool_calls: what the model asked for.
        all_text: of a stream, all that the model wrote, for counting its tokens where nobody reported them.
        billed_units: what else than tokens is paid for: searches, pages, seconds.
        quotes_input: the texts of the documents, and of errors in place of answers, are the request's.
        summary: what can be said without quoting contents.
        rendered: the messages that the provider has made of a stored prompt.
        ran: the call of a tool that it was itself, under each name by which a model may have chosen it.
        cost: of what is no request to a model, US dollars; ``None`` where LiteLLM has none.
    """

    annotations: dict[str, Any]
    finish_reason: str = ""
    tool_calls: Sequence[ToolCall] = ()
    all_text: str = ""
    billed_units: Mapping[str, Any] = MappingProxyType({})
    quotes_input: bool = False
    summary: str = ""
    rendered: Sequence[Mapping[str, Any]] = ()
    ran: Sequence[ToolCall] = ()
    cost: float | None = None


@dataclass(frozen=True, slots=True)
class Streaming:
    """How an API's streams are read.

    Attributes:
        assemble: puts what a stream gave together to a response that the API's ``read_response`` and ``read_usage``
            take; of a stream that broke off, to as much of one as there is.
        first_content_detector: makes, for one stream, a function that says of each chunk in turn whether it has brought
            the first thing that a reader would notice, for the time to first token.
        reported_usage: returns what is reported of the tokens, on the chunks, on those that LiteLLM got from the
            provider, or on what it has put together. An API without this has them in the assembled response.
        is_last: says of a chunk whether nothing can come after it that matters; ``None``: only the end of the stream is
            known.
    """

    assemble: Callable[[Sequence[Any], Arguments], Any]
    first_content_detector: Callable[[], Callable[[Any], bool]]
    reported_usage: Callable[[Sequence[Any], Sequence[Any], Any], StreamUsage] | None = None
    is_last: Callable[[Any], bool] | None = None


def failure_of(response: Any) -> Any:
    """Return the error that an answer, an event of a stream or what is assembled of them reports; else ``None``."""
    return getattr(response, "error", None) if isinstance(response, tuple) else field(response, "error")


def reported_error(response: Any) -> tuple[str, str] | None:
    """Return type and message of that error."""
    failure = failure_of(response)
    if not failure:
        return None
    kind = field(failure, "type") or field(failure, "code") or type(failure).__name__
    return text_of(kind), text_of(field(failure, "message") or failure)


@dataclass(frozen=True, slots=True, kw_only=True)
class Api:
    """A family of LiteLLM functions with the same requests and responses.

    Attributes:
        name: calls of one name delegate to each other inside LiteLLM; such a call is not a call of its own.
        kind: LLM Observability's kind of a span that reached the provider.
        kind_of: says it of one request, where not all are of that kind.
        asks_provider: its calls reach a provider of models, or are made of calls that do. Where they do not (a tool),
            no call beneath serves one, and each is of the API's kind.
        parameters: the request parameters that may go into metadata.
        read_input: reads the arguments of a call.
        read_response: reads what a call returned, or an assembled stream; ``None`` stands for nothing, after an error.
        read_usage: reads the tokens that either of them reports; ``None`` where it reports none.
        read_error: reads the error that either of them reports: LiteLLM hands it on like any other answer.
        identity: reads who calls, as LiteLLM's metadata says it, where that is not in the arguments that have it as a
            rule.
        address: returns where a call goes that asks no provider of models, and that may be a proxy.
        serves_other_apis: LiteLLM carries out calls of other APIs with calls of this one.
        settings: returns the arguments with the request parameters that are inside one of them; ``None`` where they are
            arguments themselves.
        provider: whom LiteLLM asks where neither the model's name nor an argument says; ``""`` where it refuses then.
        streaming: how streams are read; ``None`` for an API that has none.
        countable_input: returns what LiteLLM's tokenizer is to count where nobody reports the tokens of a request:
            arguments of ``litellm.token_counter`` besides the model, or a number of tokens; ``None``: the texts of the
            messages that ``read_input`` finds.
    """

    name: str
    kind: str
    parameters: frozenset[str]
    read_input: Callable[[Arguments], Input]
    read_response: Callable[[Any, Arguments], Output]
    asks_provider: bool = True
    kind_of: Callable[[Arguments], str] | None = None
    read_usage: Callable[[Any], Usage | None] = no_usage
    read_error: Callable[[Any], tuple[str, str] | None] = reported_error
    identity: Callable[[Arguments], dict[str, Any]] | None = None
    address: Callable[[Arguments], str] | None = None
    serves_other_apis: bool = False
    settings: Callable[[Arguments], Arguments] | None = None
    provider: str = ""
    streaming: Streaming | None = None
    countable_input: Callable[[Arguments], Sequence[Mapping[str, Any] | int]] | None = None
