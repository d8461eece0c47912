"""Cost in US dollars: LiteLLM's own figure, never a price of ours."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.extract.fields import field, fields_of, number

_NANO_DOLLAR = 1e-9


def reported_cost(usage: Any) -> float | None:
    """Return ``usage.cost``: what OpenRouter billed, and what LiteLLM writes there itself on streams (1.106).

    With the caller's own provider key (``is_byok``) OpenRouter bills its fee only; the provider's part is then in
    ``cost_details.upstream_inference_cost``.
    """
    fields = fields_of(usage)
    cost = number(fields.get("cost"))
    if cost is not None and fields.get("is_byok"):
        cost += number(field(fields.get("cost_details"), "upstream_inference_cost")) or 0
    return cost


def equal(one: float, other: float) -> bool:
    """Whether two costs are the same at ddtrace's own precision."""
    return abs(one - other) < _NANO_DOLLAR


def add_cost(
    metrics: dict[str, float], total: float, breakdown: Mapping[str, Any], price: Mapping[str, Any] | None
) -> None:
    """Add the cost to a span's token metrics. Input and output cost only where they add up to LiteLLM's total.

    Args:
        metrics: of the tokens that were paid for; gets ``total_cost``, and perhaps ``input_cost`` and ``output_cost``.
        total: LiteLLM's figure.
        breakdown: LiteLLM's ``CostBreakdown`` of it, without its zeros; empty where it has none.
        price: the model's entry in ``litellm.model_cost``, US dollars a token.
    """
    metrics["total_cost"] = float(total)
    if not total:
        return
    input_cost, output_cost = _parts(breakdown) if breakdown else (0, 0)
    if not equal(input_cost + output_cost, total):
        input_cost, output_cost = _priced(metrics, price or {})
    if equal(input_cost + output_cost, total):
        metrics["input_cost"] = input_cost
        metrics["output_cost"] = output_cost


def _parts(breakdown: Mapping[str, Any]) -> tuple[float, float]:
    """Return input and output cost as LiteLLM breaks them down: before discounts and margins, without fees."""
    found = [number(breakdown.get(name)) or 0 for name in ("input_cost", "cache_read_cost", "cache_creation_cost")]
    return sum(found), number(breakdown.get("output_cost")) or 0


def _priced(metrics: Mapping[str, float], price: Mapping[str, Any]) -> tuple[float, float]:
    """Return input and output cost by the price list, for versions without a breakdown (1.72)."""
    per_input, per_output = number(price.get("input_cost_per_token")), number(price.get("output_cost_per_token"))
    if per_input is None or per_output is None:
        return 0, 0
    input_cost = metrics.get("input_tokens", 0) * per_input
    if read := metrics.get("cache_read_input_tokens"):
        input_cost += read * (_price(price, "cache_read_input_token_cost", per_input) - per_input)
    if written := metrics.get("cache_write_input_tokens"):
        per_write = _price(price, "cache_creation_input_token_cost", per_input)
        per_write_1h = _price(price, "cache_creation_input_token_cost_above_1hr", per_write)
        input_cost += written * (per_write - per_input)
        input_cost += metrics.get("ephemeral_1h_input_tokens", 0) * (per_write_1h - per_write)
    return input_cost, metrics.get("output_tokens", 0) * per_output


def _price(price: Mapping[str, Any], name: str, otherwise: float) -> float:
    value = number(price.get(name))
    return otherwise if value is None else value
