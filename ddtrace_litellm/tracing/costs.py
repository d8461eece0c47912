"""What a finished call consumed: its tokens, and LiteLLM's price of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import litellm

from ddtrace_litellm.extract import usage as usages
from ddtrace_litellm.extract.api import Api, Arguments, Output
from ddtrace_litellm.extract.cost import reported_cost
from ddtrace_litellm.extract.fields import field, number, text_of
from ddtrace_litellm.extract.usage import Usage, usage_from
from ddtrace_litellm.tracing import models
from ddtrace_litellm.tracing.call_records import Result
from ddtrace_litellm.tracing.errors import contain

_PRICE = contain("price")


def usage(
    api: Api, result: Result, response: Any, arguments: Arguments, output: Output | None
) -> tuple[Usage | None, Any]:
    """Return the tokens of a call, and the object that reports them.

    Where neither the provider nor LiteLLM says how many a stream has had (0/0 on 1.72 and 1.106, or a stream that broke
    off), they are counted with LiteLLM's tokenizer, if what the model has written is known.
    """
    streaming = api.streaming
    if result.chunks is None or streaming is None:
        return api.read_usage(response), field(response, "usage")
    if streaming.reported_usage is None:
        found, reported = api.read_usage(response), field(response, "usage")
    else:
        reported = streaming.reported_usage(result.chunks, result.response)
        found = usage_from(reported, estimated=usages.is_estimate(result.response))
    if result.chunks and output is not None:
        model = text_of(arguments.get("model"))
        if found is None:
            reported = _counted(api, arguments, model, output.all_text)
            found = usage_from(reported, estimated=True)
        elif found.output_tokens is None and output.all_text:
            found = found._replace(output_tokens=_count(model, text=output.all_text), estimated=True)
    return found, reported


def _counted(api: Api, arguments: Arguments, model: str, output_text: str) -> Any:
    if api.countable_input is not None:
        asked = api.countable_input(arguments)
    else:
        messages = api.read_input(arguments).annotations["input_messages"]
        asked = [{"text": "\n".join(message["content"] for message in messages)}]
    prompt_tokens = sum(text if isinstance(text, int) else _count(model, **text) for text in asked)
    completion_tokens = _count(model, text=output_text) if output_text else 0
    return litellm.Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        total_tokens=prompt_tokens + completion_tokens,
    )


def _count(model: str, **what: Any) -> int:
    counted: int = litellm.token_counter(model=model, **what)
    return counted


def cost(
    result: Result, hidden: Mapping[str, Any], usage: Usage | None, reported: Any, price: models.Price | None
) -> float | None:
    """Return LiteLLM's cost of a call in US dollars; 0 out of its cache, ``None`` where it has no price.

    A response has the figure with it. Of a stream LiteLLM computes it after the end, in a thread; what is on the stream
    by then is 0.0.
    """
    if hidden.get("cache_hit"):
        return 0.0
    billed = reported_cost(reported)
    if billed is not None:
        return billed
    if result.chunks is None and "response_cost" in hidden:
        found = number(hidden["response_cost"])
    else:
        found = _asked(usage, reported, result.response, price) if usage is not None else None
    # Behind a Router, a model without any price has the price 0 (1.72 to 1.109): that is unknown, not free.
    return found if found or (price is not None and price.is_set) else None


def _asked(usage: Usage, reported: Any, stream: Any, price: models.Price | None) -> float | None:
    """Ask LiteLLM, which raises where it cannot tell (1.72 to 1.110): then the tokens are still known."""
    with _PRICE:
        return _priced(usage, reported, stream, price)
    return None


def _priced(usage: Usage, reported: Any, stream: Any, price: models.Price | None) -> float | None:
    """Ask the calculator that LiteLLM asks: the logging object, which knows a deployment's own prices.

    Anthropic's and Google's own APIs have none (1.72 to 1.109): there it is LiteLLM's price of the tokens.
    """
    tokens = reported if isinstance(reported, litellm.Usage) else _litellm_usage(usage)
    logging_obj = field(stream, "logging_obj") or field(field(stream, "completion_stream"), "logging_obj")
    if logging_obj is not None:
        priced = litellm.ModelResponse(model=text_of(field(logging_obj, "model")), usage=tokens)
        return number(logging_obj._response_cost_calculator(result=priced))  # noqa: SLF001  # in 1.60 to 1.109
    if price is None:
        return None
    parts = litellm.cost_per_token(model=price.name, custom_llm_provider=price.provider, usage_object=tokens)
    return float(sum(parts))


def _litellm_usage(usage: Usage) -> Any:
    """Return LiteLLM's object of the tokens; 1.72 wants all of it, later versions the details alone."""
    prompt, completion = usage.input_tokens or 0, usage.output_tokens or 0
    read, written = usage.cache_read_tokens or 0, usage.cache_write_tokens or 0
    by_ttl = {
        "ephemeral_5m_input_tokens": usage.cache_write_5m_tokens,
        "ephemeral_1h_input_tokens": usage.cache_write_1h_tokens,
    }
    return litellm.Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=prompt + completion,
        prompt_tokens_details={
            "cached_tokens": read,
            "cache_creation_tokens": written,
            # Without these, a write has the price of the shorter time to live.
            "cache_creation_token_details": by_ttl if any(by_ttl.values()) else None,
            "text_tokens": prompt - read - written,
        },
        completion_tokens_details={"reasoning_tokens": usage.reasoning_tokens or 0},
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
    )
