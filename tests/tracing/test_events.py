"""The whole event of each entry point, from a real HTTP exchange: what is on it, and what never is."""

import contextlib
import importlib.util
import json
from typing import Any

import litellm
import openai
import pytest

from tests.provider.calls import Call
from tests.tracing.entry_points import ENTRY_POINTS, WAYS, arguments, find, read
from tests.tracing.events import CASES, Case, call_with

litellm.suppress_debug_info = True

SECRET = "sk-very-secret"
_DIFFERS = frozenset({"_dd", "cost_breakdown", "litellm_call_id", "litellm_overhead_ms"})
_SYNC_AND_ASYNC = pytest.mark.parametrize("way", ["direct", "adirect"])


def _send(call: Call, way: str, provider: Any) -> Any:
    if call.function == "search":
        pytest.importorskip("dateutil", reason="LiteLLM 1.95 imports it for the search")
    if way == "adirect":
        return WAYS[way](call, provider)
    if call.function == "anthropic_messages":
        pytest.skip("Anthropic's Messages have no sync function in Python")
    return read(find(litellm, call.function)(**arguments(call, provider)))


def _prices(model: tuple[str, str]) -> dict[str, Any]:
    """Return the prices of a model; a Router adds one that has none to LiteLLM's list, without prices."""
    name, provider = model
    listed = litellm.model_cost.get(f"{provider}/{name}") or litellm.model_cost.get(name) or {}
    return {key: price for key, price in listed.items() if "cost" in key and price is not None}


def _cost(case: Case, tokens: Any, result: Any) -> "float | None":
    """Return LiteLLM's cost of a response, or, where it comes without one, what its price list says.

    LiteLLM says 0 of an image variation, whose model has no price, of tokens that nobody counts, and of an interaction,
    whose tokens it does not read (1.85, 1.95).
    """
    if not isinstance(result, (dict, list)) and hasattr(result, "_hidden_params"):
        reported = result._hidden_params["response_cost"]
        if reported != 0:
            return reported
    prices = _prices(case.model)
    if not prices or not tokens:
        return None
    tokens = {"cache_read_input_tokens": 0, "cache_write_input_tokens": 0, **case.tokens}
    read, written = tokens["cache_read_input_tokens"], tokens["cache_write_input_tokens"]
    long_lived = tokens.get("ephemeral_1h_input_tokens", 0)
    counted = {
        "input_cost_per_token": tokens["input_tokens"] - read - written,
        "output_cost_per_token": tokens["output_tokens"],
        "cache_read_input_token_cost": read,
        "cache_creation_input_token_cost": written - long_lived,
        "cache_creation_input_token_cost_above_1hr": long_lived,
    }
    return sum(prices[price] * count for price, count in counted.items() if count)


@_SYNC_AND_ASYNC
@pytest.mark.parametrize("name", CASES)
def test_event(name, way, provider, recorder):
    """The one event of a call says all of it: model, contents, tokens, cost, and of the parameters those allowed."""
    case = CASES[name]
    if case.fastapi and importlib.util.find_spec("fastapi") is None:
        pytest.skip("LiteLLM cannot make this call without fastapi")
    provider.otherwise = case.script
    result = _send(case.call, way, provider)
    event = recorder.event
    meta, metrics = event["meta"], event["metrics"]
    metadata = {name: value for name, value in meta.pop("metadata").items() if name not in _DIFFERS}
    # LLM Observability has a place for the model on two kinds only.
    place = metadata if case.kind == "retrieval" else meta
    model = (place.pop("model_name", ""), place.pop("model_provider"))

    assert model == case.model
    said = json.loads(json.dumps(meta).replace(str(getattr(result, "id", "no id")), "its id"))
    tools = {"tool_definitions": case.tools} if case.tools else {}
    output = case.said
    if name == "search" and hasattr(result.results[0], "score"):  # LiteLLM 1.109
        scored = zip(output["documents"], (0.9, 0.8), strict=True)
        output = {"documents": [{**document, "score": score} for document, score in scored]}
    assert said == {"span": {"kind": case.kind}, "input": case.asked, "output": output, **tools}
    assert metadata == {**case.metadata, "max_retries": 0, "api_base": provider.url + case.call.base}
    assert event["status"] == "ok"
    assert {"integration:litellm", "error:0"} <= set(event["tags"])
    streamed = "stream_completed" in case.metadata
    assert ("time_to_first_token" in metrics) is streamed
    assert not streamed or 0 < metrics["time_to_first_token"] < event["duration"] / 1e9
    # 1.72 leaves the usage of a transcription out.
    tokens = {} if name == "transcription" and not hasattr(result, "usage") else case.tokens
    assert {name: count for name, count in metrics.items() if "tokens" in name} == tokens
    cost = _cost(case, tokens, result)
    assert metrics.get("total_cost") == (cost if cost is None else pytest.approx(cost))
    assert "input_cost" not in metrics or metrics["input_cost"] + metrics["output_cost"] == pytest.approx(cost)


@_SYNC_AND_ASYNC
def test_event_of_a_moderation(way, provider, recorder):
    """Of each text it says whether it was flagged, and for what; it is free, as LiteLLM says of one that is awaited."""
    kind = openai.OpenAI if way == "direct" else openai.AsyncOpenAI
    asked = ["I kill time", "Good day"]
    # 1.72 asks OpenAI whatever the address is: only a client of one's own leads elsewhere.
    with_client = {"client": kind(base_url=f"{provider.url}/v1", api_key=SECRET, max_retries=0)}
    call = Call("moderation", lambda: {"input": asked, "timeout": 9, **with_client}, "/v1", "", "", str, "")
    result = _send(call, way, provider)
    event = recorder.event
    assert event["meta"]["input"]["messages"] == [{"role": "user", "content": text} for text in asked]
    said = [message["content"] for message in event["meta"]["output"]["messages"]]
    assert said == ["flagged: violence (0.75)", "not flagged"]
    assert event["meta"]["span"]["kind"] == "llm"
    assert (event["meta"]["model_name"], event["meta"]["model_provider"]) == (result.model, "openai")
    assert event["meta"]["metadata"]["timeout"] == 9
    assert event["metrics"]["total_cost"] == result._hidden_params.get("response_cost", 0)
    assert SECRET not in _everything(recorder)


@_SYNC_AND_ASYNC
@pytest.mark.parametrize("name", [name for name in ENTRY_POINTS if not name.startswith("Azure")])
def test_nothing_secret(name, way, provider, recorder):
    """Keys and headers are on no event and on no span, whatever argument they came in."""
    secrets = {"extra_headers": {"x-key": SECRET}, "headers": {"x-other": SECRET}}
    call = call_with(name, **secrets, metadata={"headers": {"authorization": SECRET}})
    with contextlib.suppress(Exception):  # the event of an error is one, too
        _send(call, way, provider)
    assert recorder.events
    everything = _everything(recorder)
    assert SECRET not in everything
    assert "sk-local" not in everything


def _everything(recorder: Any) -> str:
    return "\n".join([*map(str, recorder.events), *(f"{span}{span.get_tags()}" for span in recorder.finished)])


@_SYNC_AND_ASYNC
@pytest.mark.parametrize("name", ["embedding", "response"])
def test_answer_out_of_the_cache_costs_nothing(name, way, provider, recorder, monkeypatch):
    """What LiteLLM's cache answers costs nothing, and says so; the contents are those of the first answer."""
    pytest.importorskip("fastapi", reason="LiteLLM's cache imports its proxy")
    monkeypatch.setattr(litellm, "cache", litellm.Cache())
    for _ in range(2):
        _send(ENTRY_POINTS[name], way, provider)
    asked, cached = recorder.events
    assert cached["meta"]["output"] == asked["meta"]["output"]
    if len(provider.requests) == 2:
        pytest.skip("this LiteLLM does not cache the call")
    assert asked["metrics"]["total_cost"] > 0
    assert cached["metrics"]["total_cost"] == 0
    assert cached["meta"]["metadata"]["cache_hit"] is True
