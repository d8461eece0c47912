"""Answers of Anthropic's and Google's own APIs in the form that LiteLLM prices: that of chat."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import httpx
import litellm

from ddtrace_litellm.extract import generate_content, interactions, messages
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of
from ddtrace_litellm.extract.usage import Usage

_FROM_GOOGLE = "_transform_google_generate_content_to_openai_model_response"
_INTERACTIONS_USAGE = "litellm.litellm_core_utils.llm_cost_calc.usage_object_transformation"
_NO_HEADERS = httpx.Response(200)


def _message(response: Any, logging_obj: Any) -> Any:
    usage = {name: value for name, value in fields_of(field(response, "usage")).items() if value is not None}
    # The request's, where the answer does not say (1.85).
    speed = field(field(logging_obj, "optional_params"), "speed")
    if speed is not None:
        usage.setdefault("speed", speed)
    counted = litellm.AnthropicConfig().calculate_usage(usage_object=usage, reasoning_content=None)
    return litellm.ModelResponse(model=text_of(field(response, "model")), usage=counted)


def _generated_content(response: Any, logging_obj: Any) -> Any:
    """Leave the contents out: what LiteLLM makes of them has no price."""
    transform = getattr(litellm.VertexGeminiConfig(), _FROM_GOOGLE, None)
    body = fields_of(response)
    if transform is None or "usageMetadata" not in body:
        return None
    candidates = [
        {**fields_of(candidate), "content": {"role": "model", "parts": []}}
        for candidate in sequence(body.get("candidates"))
    ]
    return transform(
        completion_response={**body, "candidates": candidates},
        model_response=litellm.ModelResponse(),
        model=text_of(field(logging_obj, "model")),
        logging_obj=logging_obj,
        raw_response=_NO_HEADERS,
    )


def _interaction(response: Any, logging_obj: Any) -> Any:
    """Count what each kind of media has: 1.106 and later price audio apart."""
    usage = fields_of(field(response, "usage"))
    transformation = getattr(sys.modules.get(_INTERACTIONS_USAGE), "InteractionsUsageObjectTransformation", None)
    if transformation is None or not usage:
        return None
    counted = transformation.transform_interactions_usage_object(usage)
    return litellm.ModelResponse(model=text_of(field(logging_obj, "model")), usage=counted)


CHAT_FORMS: dict[str, Callable[[Any, Any], Any]] = {
    generate_content.API.name: _generated_content,
    interactions.API.name: _interaction,
    messages.API.name: _message,
}
"""By the name of the API: from a response and the call's logging object; ``None`` where this LiteLLM cannot."""


def litellm_usage(usage: Usage) -> Any:
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
