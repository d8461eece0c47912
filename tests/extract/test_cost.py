import litellm
import pytest

from ddtrace_litellm import get_version
from ddtrace_litellm.extract.cost import add_cost, reported_cost
from ddtrace_litellm.extract.usage import Usage

PRICE = {
    "input_cost_per_token": 2e-6,
    "output_cost_per_token": 8e-6,
    "cache_read_input_token_cost": 5e-7,
    "cache_creation_input_token_cost": 2.5e-6,
    "cache_creation_input_token_cost_above_1hr": 4e-6,
}


def cost_metrics(total, usage, price, **breakdown):
    """Return what a cost adds to the metrics of a usage."""
    tokens = {} if usage is None else usage.metrics()
    metrics = dict(tokens)
    add_cost(metrics, total, breakdown, price)
    return {name: value for name, value in metrics.items() if name not in tokens}


PLAIN = Usage(1000, 100)
CACHED = Usage(1000, 100, cache_read_tokens=400, cache_write_tokens=200)


@pytest.mark.parametrize("form", [dict, lambda usage: litellm.Usage(**usage)], ids=["dict", "litellm"])
@pytest.mark.parametrize(
    ("reported", "cost"),
    [
        ({}, None),
        ({"cost": 0.5}, 0.5),
        ({"cost": 0}, 0),
        ({"cost": None}, None),
        ({"cost": 0.01, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.2}}, 0.21),
        ({"cost": 0.01, "is_byok": False, "cost_details": {"upstream_inference_cost": 0.2}}, 0.01),
        ({"cost": 0.01, "is_byok": True, "cost_details": None}, 0.01),
    ],
    ids=str,
)
def test_cost_that_the_provider_reports(form, reported, cost):
    """OpenRouter's; with the caller's own key its fee and what the provider billed."""
    assert reported_cost(form({"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2, **reported})) == (
        None if cost is None else pytest.approx(cost)
    )


@pytest.mark.parametrize("reported", [None, "odd", 7, {"cost": "0.5"}, {"cost": True}], ids=repr)
def test_cost_that_is_no_number_is_none(reported):
    """What is no number is no cost."""
    assert reported_cost(reported) is None


@pytest.mark.parametrize(
    ("usage", "input_cost"),
    [
        (PLAIN, 1000 * 2e-6),
        (CACHED, 400 * 2e-6 + 400 * 5e-7 + 200 * 2.5e-6),
        (CACHED._replace(cache_write_1h_tokens=150), 400 * 2e-6 + 400 * 5e-7 + 50 * 2.5e-6 + 150 * 4e-6),
    ],
    ids=["plain", "cached", "cached for an hour"],
)
def test_cost_is_split_where_the_parts_add_up(usage, input_cost):
    """Cache reads and writes have their own price, and writes for an hour another."""
    total = input_cost + 100 * 8e-6
    metrics = cost_metrics(total, usage, PRICE)
    assert metrics == pytest.approx({"total_cost": total, "input_cost": input_cost, "output_cost": 100 * 8e-6})


@pytest.mark.parametrize("size", [(1000, 100), (20000, 5000)])
@pytest.mark.parametrize("model", ["gpt-4o-mini", "mistral/mistral-large-latest", "gemini/gemini-2.5-flash"])
def test_split_is_litellms_own(model, size):
    """Where there is a split its parts are those that ``litellm.cost_per_token`` returns."""
    if model not in litellm.model_cost:
        pytest.skip(f"litellm {get_version()} has no price for {model}")
    prompt, completion = size
    parts = litellm.cost_per_token(model=model, prompt_tokens=prompt, completion_tokens=completion)
    metrics = cost_metrics(sum(parts), Usage(prompt, completion), litellm.model_cost[model])
    assert (metrics["input_cost"], metrics["output_cost"]) == pytest.approx(parts)


@pytest.mark.parametrize(
    ("parts", "input_cost"),
    [
        ({"input_cost": 0.2, "output_cost": 0.3}, 0.2),
        ({"input_cost": 0.1, "cache_read_cost": 0.04, "cache_creation_cost": 0.06, "output_cost": 0.3}, 0.2),
        ({"input_cost": 0.5}, 0.5),
    ],
    ids=["plain", "cached", "no output"],
)
def test_split_is_that_of_litellms_breakdown(parts, input_cost):
    """LiteLLM's parts go before what the price list says, which knows no tiers."""
    metrics = cost_metrics(0.5, PLAIN, PRICE, total_cost=0.5, **parts)
    assert metrics == pytest.approx({"total_cost": 0.5, "input_cost": input_cost, "output_cost": 0.5 - input_cost})


@pytest.mark.parametrize(
    "more",
    [{"tool_usage_cost": 0.1}, {"original_cost": 0.4, "margin_total_amount": 0.1}, {"input_cost": "odd"}],
    ids=["search", "margin", "odd"],
)
def test_breakdown_that_does_not_add_up_is_no_split(more):
    """Input and output of a cost with fees, discounts or margins are not what was paid for either."""
    breakdown = {"input_cost": 0.1, "output_cost": 0.3, "total_cost": 0.5, **more}
    assert cost_metrics(0.5, PLAIN, PRICE, **breakdown) == {"total_cost": 0.5}


@pytest.mark.parametrize(
    ("total", "usage", "price"),
    [
        (0.5, PLAIN, PRICE),
        (0.5, None, PRICE),
        (0.5, PLAIN, None),
        (0.5, PLAIN, {}),
        (0.0028, PLAIN, {"input_cost_per_token": 2e-6}),
        (0, PLAIN, PRICE),
        (0.0028, Usage("odd", 100), PRICE),
        (0.0028, PLAIN, {**PRICE, "output_cost_per_token": "odd"}),
        (0.5, CACHED, {**PRICE, "cache_read_input_token_cost": None, "cache_creation_input_token_cost": "odd"}),
    ],
)
def test_cost_that_does_not_add_up_is_the_total_alone(total, usage, price):
    """Discounts, fees, tiers and unknown prices: LiteLLM's total is the truth, and nothing is made up."""
    assert cost_metrics(total, usage, price) == {"total_cost": total}
