import asyncio

import litellm
import pytest

from tests.tracing.scenarios import ASK

litellm.suppress_debug_info = True


@pytest.mark.parametrize("method", ["acompletion", "aanthropic_messages"])
def test_price_of_a_deployment_goes_before_the_models(method, provider, recorder):
    """A Router's deployment with a price of its own costs that, whichever API it is asked through."""
    deployment = {
        "model": "anthropic/claude-3-haiku-20240307",
        "api_base": provider.url,
        "api_key": "sk-local",
        "input_cost_per_token": 1.0,
        "output_cost_per_token": 2.0,
    }
    group = {"model_name": "group", "litellm_params": deployment, "model_info": {"id": f"deployment-{method}"}}
    router = litellm.Router(model_list=[group])
    asyncio.run(getattr(router, method)(model="group", messages=ASK, max_tokens=50))
    (leaf,) = recorder.leaves
    metrics = leaf["metrics"]
    assert metrics["total_cost"] == metrics["input_tokens"] + 2 * metrics["output_tokens"] > 0
    assert metrics["input_cost"] == metrics["input_tokens"]


def test_price_that_litellm_cannot_tell_leaves_the_tokens(provider, recorder, monkeypatch):
    """Its calculator raises for a model that it does not know, and on odd prices: the event has all but the cost."""

    def raise_error(*_arguments, **_more):
        raise ValueError("This model isn't mapped yet.")

    monkeypatch.setattr(litellm.AnthropicConfig, "calculate_usage", raise_error)
    call = {"model": "anthropic/claude-3-haiku-20240307", "api_base": provider.url, "api_key": "sk-local"}
    asyncio.run(litellm.anthropic_messages(messages=ASK, max_tokens=50, **call))
    metrics = recorder.event["metrics"]
    assert metrics["input_tokens"] > 0
    assert "total_cost" not in metrics
    assert recorder.event["meta"]["output"]["messages"]


def test_deployment_of_two_routers_keeps_its_models_price(provider, recorder):
    """A program that makes its Router anew, with the same ids, sees the same costs."""
    # Providers retire their models, and LiteLLM forgets their prices.
    model = next(
        name for name in ("claude-haiku-4-5-20251001", "claude-sonnet-4-20250514") if name in litellm.model_cost
    )
    deployment = {"model": f"anthropic/{model}", "api_base": provider.url, "api_key": "sk-local"}
    group = {"model_name": "group", "litellm_params": deployment, "model_info": {"id": "deployment-of-two"}}
    for _ in range(2):
        router = litellm.Router(model_list=[group])
        asyncio.run(router.aanthropic_messages(model="group", messages=ASK, max_tokens=50))
    first, second = (leaf["metrics"]["total_cost"] for leaf in recorder.leaves)
    assert first == second > 0
