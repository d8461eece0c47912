"""The consumption of a finished call: its tokens, and LiteLLM's price of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import copy
from types import MappingProxyType
from typing import Any, NamedTuple

import litellm

from ddtrace_litellm.extract.api import Api, Arguments, Output, failure_of
from ddtrace_litellm.extract.choices import countable
from ddtrace_litellm.extract.cost import equal, reported_cost
from ddtrace_litellm.extract.fields import field, fields_of, number, sequence, text_of
from ddtrace_litellm.extract.plain import mended
from ddtrace_litellm.extract.usage import Usage, usage_from
from ddtrace_litellm.targets import PASSED_THROUGH
from ddtrace_litellm.tracing import models
from ddtrace_litellm.tracing.call_records import Built, Result
from ddtrace_litellm.tracing.chat_forms import CHAT_FORMS, litellm_usage
from ddtrace_litellm.tracing.errors import contain

_COUNT, _PRICE = contain("token count"), contain("price")
_MAX_COUNTED_CHARS, _MAX_COUNTED_MESSAGES = 100_000, 1_000  # which take the tokenizer some 30 ms (1.110)


class Exchange(NamedTuple):
    """A provider request and its response.

    Attributes:
        api: the API of the call.
        arguments: the call's.
        result: what the provider answered.
        response: the response; of a stream what it makes up.
        logging_obj: LiteLLM's of the request, ``None`` where it sent none.
        built: the stream as LiteLLM itself has put it together.
    """

    api: Api
    arguments: Arguments
    result: Result
    response: Any
    logging_obj: Any
    built: Built | None


class Tokens(NamedTuple):
    """What an exchange consumed.

    Attributes:
        usage: the tokens, ``None`` where nobody knows them.
        reported: the object that reports all of them, ``None`` where they were counted.
    """

    usage: Usage | None
    reported: Any


def tokens(exchange: Exchange, output: Output | None) -> Tokens:
    """Return the tokens of a call.

    Where neither the provider nor LiteLLM says how many a stream has had (0/0 on 1.72 and 1.106, or a stream that broke
    off), they are counted with LiteLLM's tokenizer, if what the model has written is known. So is the output, where
    what was reported is only what the stream opened with (Anthropic's ``output_tokens: 1``).
    """
    api, result, response = exchange.api, exchange.result, exchange.response
    streaming = api.streaming
    if result.chunks is None or streaming is None or streaming.reported_usage is None:
        found, reported, is_opening = api.read_usage(response), field(response, "usage"), False
    else:
        built = exchange.built or Built(None, _kept_chunks(result.response))
        reported, estimated, is_opening = streaming.reported_usage(result.chunks, built.chunks, built.response)
        found = usage_from(reported, estimated=estimated)
    if not result.chunks or output is None:
        return Tokens(found, reported)
    model, written = text_of(exchange.arguments.get("model")), output.all_text
    if found is None and not written and failure_of(response):
        return Tokens(None, None)
    if found is None:
        with _COUNT:
            found = _counted(api, exchange.arguments, model, written)
        return Tokens(found, None)
    if written and (is_opening or not found.output_tokens):
        return Tokens(found._replace(output_tokens=_count(model, text=written), estimated=True), None)
    return Tokens(found, reported)


def _kept_chunks(stream: Any) -> Sequence[Any]:
    """Return the chunks that LiteLLM got from the provider; a text stream has them in the chat stream beneath it."""
    return sequence(field(stream, "chunks") or field(field(stream, "completion_stream"), "chunks"))


def _counted(api: Api, arguments: Arguments, model: str, written: str) -> Usage | None:
    if api.countable_input is not None:
        asked = api.countable_input(arguments)
    else:
        asked = countable(api.read_input(arguments).annotations["input_messages"])
    first = asked[:_MAX_COUNTED_MESSAGES]
    input_tokens = sum(text if isinstance(text, int) else _count(model, **text) for text in first)
    input_tokens = input_tokens * len(asked) // (len(first) or 1)
    output_tokens = _count(model, text=written) if written else 0
    return Usage(input_tokens, output_tokens, estimated=True) if input_tokens or output_tokens else None


def _count(model: str, text: str = "", messages: Sequence[Any] | None = None, **more: Any) -> int:
    """Ask LiteLLM's tokenizer, in the caller's thread: of something very long about its beginning."""
    counted: int
    if messages is not None:
        asked = messages[:_MAX_COUNTED_MESSAGES]
        texts = [content for message in asked if isinstance(content := field(message, "content"), str)]
        counted = 0
        if sum(map(len, texts)) <= _MAX_COUNTED_CHARS:
            with suppress(Exception):  # of messages that a provider takes (half of a surrogate pair: 1.85)
                counted = litellm.token_counter(model=model, messages=asked, **more)
        counted = counted or _count(model, "\n".join(texts))
        return counted * len(messages) // (len(asked) or 1)
    counted = litellm.token_counter(model=model, text=mended(text[:_MAX_COUNTED_CHARS]), **more)
    return counted * max(len(text), _MAX_COUNTED_CHARS) // _MAX_COUNTED_CHARS


class Cost(NamedTuple):
    """LiteLLM's cost of a call in US dollars, and its breakdown of that without its zeros, empty where it has none."""

    total: float
    breakdown: Mapping[str, Any] = MappingProxyType({})


def cost(exchange: Exchange, consumed: Tokens, hidden: Mapping[str, Any], price: models.Price | None) -> Cost | None:
    """Return LiteLLM's cost of a call, ``None`` where it has no price, or the tokens are unknown.

    A response has the figure with it, and from 1.106 on so has the usage of a stream. Elsewhere LiteLLM computes it for
    its callbacks, later and in a thread: here it is asked at once.
    """
    usage, reported = consumed
    calculator = exchange.logging_obj
    # The figure of an answer out of the cache is what it cost once (to 1.106), or 0.
    has_figure = exchange.result.chunks is None and "response_cost" in hidden
    has_figure = has_figure and not (hidden.get("cache_hit") and not hidden["response_cost"])
    total = number(hidden["response_cost"]) if has_figure else None
    if total == 0 and usage is not None and price is not None and not price.is_zero:
        has_figure, total = False, None  # LiteLLM does not read the tokens of an interaction (1.85, 1.95)
    if not total and (billed := reported_cost(reported)) is not None:
        total = billed  # to LiteLLM (1.110) a call with the caller's own key at OpenRouter is free
    if total is None and not has_figure:
        calculator = _calculator(exchange)
        total = _asked(calculator, exchange, consumed, price)
    if not total and (price is None or not price.is_set or (usage is None and not price.is_zero)):
        # Behind a Router, a model without any price has the price 0 (1.72 to 1.109), and so have tokens that nobody
        # counted: that is unknown, not free.
        return None
    if total is None:
        return None
    breakdown = fields_of(field(calculator, "cost_breakdown"))
    if not equal(number(breakdown.get("total_cost")) or 0, total):
        return Cost(total)
    return Cost(total, {name: value for name, value in breakdown.items() if value})


def _calculator(exchange: Exchange) -> Any:
    """Return a copy of the logging object, which knows a deployment's own prices: what it computes it notes on itself.

    Of what its cache has answered only a chat stream has one.
    """
    logging_obj = exchange.logging_obj or field(exchange.result.response, "logging_obj")
    if logging_obj is None or field(logging_obj, "call_type") in PASSED_THROUGH:  # whose model is "unknown" there
        return None
    asked = copy(logging_obj)
    asked.model_call_details = {**logging_obj.model_call_details}
    asked.cost_breakdown = None
    asked.zero_cost_warned = True  # LiteLLM will say so itself (1.110)
    return asked


def _asked(calculator: Any, exchange: Exchange, consumed: Tokens, price: models.Price | None) -> float | None:
    """Ask LiteLLM; ``None`` where it cannot tell, and the tokens are still known."""
    response = None
    with _PRICE:
        response = _priceable(exchange, consumed, calculator)
    if response is None:
        return None
    with suppress(Exception):  # it raises where it cannot tell (1.72 to 1.110)
        if calculator is not None:
            # As if not out of the cache: what that has saved is asked for as well.
            return number(calculator._response_cost_calculator(result=response, cache_hit=False))  # noqa: SLF001  # 1.60
        if price is not None:
            named = {"model": price.name, "custom_llm_provider": price.provider}
            return float(litellm.completion_cost(completion_response=response, **named))
    return None


def _priceable(exchange: Exchange, consumed: Tokens, calculator: Any) -> Any:
    """Return what LiteLLM's calculator is to price, ``None`` where nothing is known to pay for."""
    (usage, reported), response, built = consumed, exchange.response, exchange.built
    if built is not None and reported is not None and reported is field(built.response, "usage"):
        return built.response
    counted = usage is not None and usage.estimated
    if response is not None and not counted:
        form = CHAT_FORMS.get(exchange.api.name)
        try:
            found = form(response, calculator or exchange.logging_obj) if form is not None else None
        except Exception:  # LiteLLM's, for an answer that is not as its provider's documentation has it (1.72 to 1.110)
            return None
        if found is not None:
            return found
        if (
            form is None
            and type(response) is not dict
            and (exchange.result.chunks is None or isinstance(response, litellm.ResponsesAPIResponse))
        ):
            return response
    if usage is None:
        return None
    spent = reported if isinstance(reported, litellm.Usage) else litellm_usage(usage)
    return litellm.ModelResponse(model=text_of(field(calculator, "model")), usage=spent)
