import asyncio

import litellm
import pytest

from ddtrace_litellm.extract import chat
from ddtrace_litellm.extract.usage import usage_from
from ddtrace_litellm.telemetry import snapshot
from ddtrace_litellm.tracing import costs, models
from ddtrace_litellm.tracing.call_records import Result
from tests.provider import Script
from tests.provider.calls import CONTENTS
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


@pytest.mark.usefixtures("clean_slate")
def test_answer_that_litellm_cannot_price_is_no_failure_of_ours(provider, recorder):
    """Gemini's candidate with a number that is none: the event has tokens and no cost, and nothing is counted."""
    pytest.importorskip("litellm.google_genai", reason="LiteLLM 1.72 has no such call")
    pytest.importorskip("fastapi", reason="LiteLLM 1.85 cannot make this call without fastapi")
    answer = {
        "candidates": [{"index": {}, "content": {"role": "model", "parts": [{"text": "Good day"}]}}],
        "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
    }
    provider.otherwise = Script(reply_body=answer)
    litellm.google_genai.generate_content(
        model="gemini/gemini-2.5-flash", contents=CONTENTS, api_base=f"{provider.url}/v1beta", api_key="k"
    )
    assert recorder.event["metrics"]["input_tokens"] == 3
    assert "total_cost" not in recorder.event["metrics"]
    assert not snapshot().internal_errors


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


def test_call_with_the_programs_own_key_at_openrouter_costs_what_its_provider_bills(provider, recorder):
    """OpenRouter bills its fee, here nothing, and says what the provider behind it took."""
    byok = {"cost": 0.0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.25}}
    answer = {
        "id": "gen-1",
        "object": "chat.completion",
        "created": 1,
        "model": "openai/gpt-4o-mini",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "Good day"}}],
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5, **byok},
    }
    provider.otherwise = Script(reply_body=answer)
    where = {"api_base": f"{provider.url}/v1", "api_key": "sk-local"}
    litellm.completion("openrouter/openai/gpt-4o-mini", ASK, **where)
    assert recorder.event["metrics"]["total_cost"] == 0.25


def test_stream_costs_what_its_provider_has_billed():
    """LiteLLM (1.110) leaves out what was paid with the program's own key."""
    byok = {"cost": 0.0, "is_byok": True, "cost_details": {"upstream_inference_cost": 0.25}}
    reported = litellm.Usage(prompt_tokens=3, completion_tokens=2, total_tokens=5, **byok)
    exchange = costs.Exchange(chat.API, {}, Result(chunks=[reported]), None, None, None)
    price = models.price(models.Model("gpt-4o-mini", "openai"), None)
    found = costs.cost(exchange, costs.Tokens(usage_from(reported), reported), {}, price)
    assert found == costs.Cost(0.25)


@pytest.mark.parametrize(
    ("entry", "is_set", "is_zero"),
    [
        ({"mode": "chat", "max_tokens": 9}, False, True),
        ({"input_cost_per_token": 0.0, "output_cost_per_token": None}, True, True),
        ({"input_cost_per_token": 0.0, "output_cost_per_token": 1e-6}, True, False),
    ],
    ids=["no price", "free", "a price"],
)
def test_kinds_of_price(entry, is_set, is_zero):
    """A model that is free is told from one without a price."""
    price = models.Price("m", "p", entry)
    assert (price.is_set, price.is_zero) == (is_set, is_zero)
