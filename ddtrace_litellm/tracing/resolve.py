"""What LiteLLM itself knows about a finished call: provider, price, and the tokens nobody reported."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import litellm

from ddtrace_litellm.extract import usage as usages
from ddtrace_litellm.extract.cost import reported_cost
from ddtrace_litellm.extract.fields import field, hidden_params, number, text_of
from ddtrace_litellm.extract.usage import Usage, usage_from

MAX_RESOLVED_MODELS = 1024
"""Model names whose provider is remembered; names come from users, so the memory has a bound."""

# Azure's request model is the name of a deployment; `azure_ai` is not here, since LiteLLM rewrites its response model.
_RESPONSE_MODEL_PROVIDERS = frozenset({"azure", "azure_text"})


class Model(NamedTuple):
    """The model of a call, without its provider prefix, and the provider, as LiteLLM resolved them."""

    name: str
    provider: str


@lru_cache(maxsize=MAX_RESOLVED_MODELS)
def _lookup(model: str, api_base: str | None) -> Model:
    name, provider, *_ = litellm.get_llm_provider(model=model, api_base=api_base)
    return Model(name, provider)


def model(arguments: Mapping[str, Any], hidden: Mapping[str, Any], response: Any, error: BaseException | None) -> Model:
    """Return which model answered, or failed to.

    Args:
        arguments: the call's.
        hidden: the hidden parameters of the response or of the last chunk.
        response: the response or a chunk, for Azure's model.
        error: what the call ended in. LiteLLM prints to the terminal when asked about an unknown model, so a failed
            call is not looked up: its exception names the provider.
    """
    name = text_of(arguments.get("model"))
    provider = text_of(hidden.get("custom_llm_provider")) or text_of(arguments.get("custom_llm_provider"))
    if not provider and error is not None:
        provider = text_of(getattr(error, "llm_provider", None)) or _prefix(name)
    if not provider and name and error is None:
        try:
            name, provider = _lookup(name, text_of(arguments.get("api_base") or arguments.get("base_url")) or None)
        except litellm.BadRequestError:
            provider = _prefix(name)
    if provider in _RESPONSE_MODEL_PROVIDERS:
        name = text_of(field(response, "model")) or name
    return Model(name.removeprefix(f"{provider}/"), provider)


def _prefix(model: str) -> str:
    """Return the provider that the model's name states, ``""`` where its prefix is no provider of LiteLLM's."""
    prefix, separator, _ = model.partition("/")
    return prefix if separator and prefix in litellm.provider_list else ""


def response_cost(usage: Any, hidden: Mapping[str, Any]) -> float | None:
    """Return LiteLLM's cost of a response in US dollars; 0 out of its cache, ``None`` where it has no price."""
    if hidden.get("cache_hit"):
        return 0.0
    cost = reported_cost(usage)
    if cost is not None:
        return cost
    return number(hidden.get("response_cost"))


def price(model: Model) -> Mapping[str, Any] | None:
    """Return LiteLLM's entry of prices for the model."""
    prices: Mapping[str, Mapping[str, Any]] = litellm.model_cost
    return prices.get(f"{model.provider}/{model.name}") or prices.get(model.name)


def stream_usage(
    chunks: Sequence[Any], stream: Any, arguments: Mapping[str, Any], written: str | None
) -> tuple[Usage | None, Any]:
    """Return the tokens of a stream, and LiteLLM's own object of them for the price.

    Where neither the provider nor LiteLLM said (0/0 on 1.72 and 1.106), they are counted with LiteLLM's tokenizer, if
    what the model has ``written`` is known.
    """
    reported = usages.reported_usage(chunks, stream)
    if reported is None and chunks and written is not None:
        reported = _counted(arguments, written)
        return usage_from(reported, estimated=True), reported
    return usage_from(reported, estimated=usages.is_estimate(stream)), reported


def _counted(arguments: Mapping[str, Any], output_text: str) -> Any:
    model = text_of(arguments.get("model"))
    messages = arguments.get("messages")
    if messages is not None:
        prompt_tokens = litellm.token_counter(model=model, messages=messages, tools=arguments.get("tools"))
    else:
        prompt = arguments.get("prompt")
        prompts = prompt if isinstance(prompt, (list, tuple)) else [prompt or ""]
        prompt_tokens = sum(
            litellm.token_counter(model=model, text=text) if isinstance(text, str) else _token_ids(text)
            for text in prompts
        )
    completion_tokens = litellm.token_counter(model=model, text=output_text) if output_text else 0
    return litellm.Usage(
        prompt_tokens=prompt_tokens,
        completion_tokens=completion_tokens,
        total_tokens=prompt_tokens + completion_tokens,
    )


def _token_ids(prompt: Any) -> int:
    return len(prompt) if isinstance(prompt, (list, tuple)) else 1


def stream_cost(stream: Any, reported: Any) -> float | None:
    """Return LiteLLM's cost of a stream in US dollars, ``None`` where it has no price.

    LiteLLM computes it after the stream ended, in a thread; what is on the stream by then is 0.0. So the figure is
    asked of the same calculator, which knows a deployment's own prices: the stream's logging object.
    """
    if hidden_params(stream).get("cache_hit"):
        return 0.0
    cost = reported_cost(reported)
    if cost is not None or reported is None:
        return cost
    logging_obj = field(stream, "logging_obj") or field(field(stream, "completion_stream"), "logging_obj")
    if logging_obj is None:
        return None
    response = litellm.ModelResponse(model=text_of(field(logging_obj, "model")), usage=reported)
    return number(logging_obj._response_cost_calculator(result=response))  # noqa: SLF001  # in 1.60 to 1.109
