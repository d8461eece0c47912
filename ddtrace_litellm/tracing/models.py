"""Which model of which provider answered a call, as LiteLLM resolves it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from typing import Any, NamedTuple

import litellm

from ddtrace_litellm.extract.api import Api, Arguments
from ddtrace_litellm.extract.fields import field, text_of

MAX_RESOLVED_MODELS = 1024
"""Model names whose provider is remembered; names come from users, so the memory has a bound."""

# Azure's request model is the name of a deployment; `azure_ai` is not here, since LiteLLM rewrites its response model.
_RESPONSE_MODEL_PROVIDERS = frozenset({"azure", "azure_text"})


class Model(NamedTuple):
    """The model of a call, without its provider prefix, and the provider, as LiteLLM resolved them.

    ``in_response``: it is the response that names the model; the request names a deployment.
    """

    name: str
    provider: str
    in_response: bool = False


@lru_cache(maxsize=MAX_RESOLVED_MODELS)
def _lookup(model: str, api_base: str | None) -> Model:
    name, provider, *_ = litellm.get_llm_provider(model=model, api_base=api_base)
    return Model(name, provider)


def model(
    api: Api, arguments: Arguments, hidden: Mapping[str, Any], response: Any, error: BaseException | None
) -> Model:
    """Return which model answered, or failed to.

    Args:
        api: for the provider that LiteLLM asks where nothing says which.
        arguments: the call's.
        hidden: the hidden parameters of the response or of the last chunk.
        response: the response or a chunk, for Azure's model.
        error: what the call ended in. LiteLLM prints to the terminal when asked about an unknown model, so a failed
            call is not looked up: its exception names the provider.
    """
    name = text_of(arguments.get("model") or field(response, "model"))
    provider = text_of(hidden.get("custom_llm_provider") or arguments.get("custom_llm_provider"))
    provider = provider or text_of(arguments.get("search_provider"))
    if not provider and error is not None:
        provider = text_of(getattr(error, "llm_provider", None)) or _prefix(name)
    provider = provider or api.provider
    if not provider and name and error is None:
        try:
            name, provider, _ = _lookup(name, text_of(arguments.get("api_base") or arguments.get("base_url")) or None)
        except litellm.BadRequestError:
            provider = _prefix(name)
    if provider in _RESPONSE_MODEL_PROVIDERS and (responded := text_of(field(response, "model"))):
        return Model(responded.removeprefix(f"{provider}/"), provider, in_response=True)
    return Model(name.removeprefix(f"{provider}/"), provider)


def _prefix(model: str) -> str:
    """Return the provider that the model's name states, ``""`` where its prefix is no provider of LiteLLM's."""
    prefix, separator, _ = model.partition("/")
    return prefix if separator and prefix in litellm.provider_list else ""


class Price(NamedTuple):
    """Under which name LiteLLM has the price of a model, of which provider, and its entry, US dollars a token."""

    name: str
    provider: str
    entry: Mapping[str, Any]

    @property
    def is_set(self) -> bool:
        """Whether the entry has any price at all, if only 0."""
        return any(value is not None for name, value in self.entry.items() if "cost" in name)

    @property
    def is_zero(self) -> bool:
        """Whether no price of the entry is more than 0."""
        return not any(value for name, value in self.entry.items() if "cost" in name)


def price(model: Model, deployment_id: str | None) -> Price | None:
    """Return LiteLLM's price of the model; a Router's deployment may have its own, under its id."""
    prices: Mapping[str, Mapping[str, Any]] = litellm.model_cost
    entry = prices.get(f"{model.provider}/{model.name}") or prices.get(model.name)
    own = prices.get(deployment_id) if isinstance(deployment_id, str) else None
    if deployment_id is not None and own is not None and _differs(own, entry or {}):
        with suppress(Exception):  # 1.72 to 1.85 lose the price and the provider of one that is registered twice
            litellm.get_model_info(deployment_id, model.provider)
            return Price(deployment_id, model.provider, own)
    return Price(model.name, model.provider, entry) if entry else None


def _differs(own: Mapping[str, Any], entry: Mapping[str, Any]) -> bool:
    """Whether a deployment has another price than its model: without one, LiteLLM registers it with the model's."""
    names = ("input_cost_per_token", "output_cost_per_token")
    return any(own.get(name) is not None and own[name] != entry.get(name) for name in names)
