"""Our figures beside LiteLLM's own, of the same call: those of a callback, and of its own logger for Datadog."""

import asyncio
import importlib.util
import inspect
import threading
from dataclasses import dataclass, field
from typing import Any

import litellm
import pytest
from litellm.integrations.custom_logger import CustomLogger
from litellm.integrations.datadog.datadog_llm_obs import DataDogLLMObsLogger

from ddtrace_litellm import get_version
from tests.provider import Provider, Script, Usage
from tests.provider.calls import Call
from tests.recorder import Recorder
from tests.tracing.entry_points import (
    ENTRY_POINTS,
    aread,
    arguments,
    deployment_id,
    direct,
    find,
    make,
    skip_what_goes_elsewhere,
    twin,
)
from tests.tracing.scenarios import ASK

litellm.suppress_debug_info = True
pytestmark = pytest.mark.usefixtures("clean_slate")

_SONNET = next(
    name for name in ("claude-sonnet-4-5-20250929", "claude-sonnet-4-20250514") if name in litellm.model_cost
)
_WITH_USAGE = {"stream": True, "stream_options": {"include_usage": True}}
_EMBEDDER = {"model": "openai/text-embedding-3-small"}
_OWN_PRICE = {"input_cost_per_token": 0.01, "output_cost_per_token": 0.02}


def _call(function: str, model: str, base: str = "/v1", **more: Any) -> Call:
    asked = {"prompt": "Say it."} if function == "text_completion" else {"messages": ASK}
    given = {"model": model, **({"contents": ASK[0]["content"]} if "generate" in function else asked), **more}
    return Call(function, lambda: dict(given), base, "", "", str, "")


def _mini(**more: Any) -> Call:
    return _call("completion", "openai/gpt-4o-mini", **more)


def _text(**more: Any) -> Call:
    return _call("text_completion", "openai/gpt-3.5-turbo-instruct", **more)


def _claude(function: str, **more: Any) -> Call:
    return _call(function, f"anthropic/{_SONNET}", "", max_tokens=50, **more)


CALLS = {
    **{name: call for name, call in ENTRY_POINTS.items() if not name.startswith("Azure")},
    "chat": _mini(),
    "chat stream": _mini(stream=True),
    "chat stream with usage": _mini(**_WITH_USAGE),
    "chat, own price": _mini(**_OWN_PRICE),
    "chat stream, own price": _mini(**_WITH_USAGE, **_OWN_PRICE),
    "chat without a price": _call("completion", "openai/nobody-knows-it"),
    "chat stream without a price": _call("completion", "openai/nobody-knows-it", **_WITH_USAGE),
    "text": _text(),
    "text stream": _text(stream=True),
    "text stream with usage": _text(**_WITH_USAGE),
    "text stream, own price": _text(**_WITH_USAGE, **_OWN_PRICE),
    "Claude chat": _claude("completion"),
    "Claude chat stream": _claude("completion", stream=True),
    "Claude message": _claude("anthropic_messages"),
    "Claude message stream": _claude("anthropic_messages", stream=True),
}
_SEARCHES = Script(
    extra={
        "usage": {
            "input_tokens": 100,
            "output_tokens": 8,
            "cache_read_input_tokens": 40,
            "cache_creation_input_tokens": 0,
            "server_tool_use": {"web_search_requests": 3},
        }
    }
)
_CACHED = Script(usage=Usage(10, 20, cache_read=1000, cache_write=200, reasoning=5))
_GROUNDED = Script(usage=Usage(100, 50), extra={"groundingMetadata": {"webSearchQueries": ["cats"]}})
_SCRIPTS = {"": Script(), "searches": _SEARCHES, "cached": _CACHED, "grounded": _GROUNDED}
_SETTINGS: dict[str, dict[str, Any]] = {
    "": {},
    "discount": {"cost_discount_config": {"openai": 0.25, "anthropic": 0.5, "gemini": 0.1, "cohere": 0.2}},
    "margin": {"cost_margin_config": {"global": {"percentage": 0.1, "fixed_amount": 0.001}}},
}
_CLAUDES = ("Claude chat", "Claude chat stream", "Claude message", "Claude message stream")
_PRICED = (
    "chat",
    "chat stream with usage",
    "text stream with usage",
    "Gemini",
    "Gemini stream",
    "response",
    "embedding",
)
CASES = [
    *((name, "", "") for name in CALLS),
    *((name, "searches", "") for name in _CLAUDES),
    *((name, "cached", "") for name in (*_CLAUDES, "chat", "chat stream with usage", "Gemini", "Gemini stream")),
    *((name, "grounded", "") for name in ("Gemini", "Gemini stream")),
    *((name, "", setting) for name in (*_PRICED, *_CLAUDES, "rerank") for setting in ("discount", "margin")),
]

_NOTHING = "LiteLLM tells its callbacks nothing"
_UNPRICED = "its model has no price: LiteLLM says None, or 0 once a Router has registered it"
_WRITES = "LiteLLM leaves what was written to the cache out of the prompt tokens"
_EARLY = "LiteLLM may tell its callbacks before it has the cost"
_VERSION = tuple(map(int, get_version().split(".")[:2]))
DIFFERENCES = {
    "moderation direct": _NOTHING,  # it is free either way
    "Gemini stream direct": _NOTHING,
    "Gemini stream cached direct": _NOTHING,
    "Gemini stream grounded direct": _NOTHING,
    "Gemini stream discount direct": _NOTHING,
    "Gemini stream margin direct": _NOTHING,
    "Gemini bridge direct": _NOTHING,  # before 1.109
    "Gemini stream bridge adirect": _NOTHING,
    "message bridge to responses adirect": _NOTHING,  # before 1.109
    "Gemini stream discount adirect": "LiteLLM prices it as Vertex AI's, to which Gemini's discount does not apply",
    "image variation direct": _UNPRICED,
    "image variation adirect": _UNPRICED,
}
if _VERSION < (1, 106):
    DIFFERENCES |= {f"{' '.join(filter(None, case))} direct": _EARLY for case in CASES if "stream" in case[0]}
if _VERSION < (1, 106) and importlib.util.find_spec("fastapi") is None:
    _interactions = [name for name in CALLS if "interaction" in name]
    DIFFERENCES |= {f"{name} {way}": _NOTHING for name in _interactions for way in ("direct", "adirect")}
if _VERSION < (1, 77):
    DIFFERENCES |= {f"{name} cached {way}": _WRITES for name in _CLAUDES for way in ("direct", "adirect")}
"""Where our figures differ from those of LiteLLM's callbacks, and why.

Beside these: a price or tokens that LiteLLM does not know are 0 to its logger and absent to us.
"""


class _Callback(CustomLogger):
    """Keeps what LiteLLM tells its callbacks of a success."""

    def __init__(self) -> None:
        super().__init__()
        self.told: dict[str, Any] = {}
        self.arrived = threading.Event()

    def log_success_event(self, kwargs: Any, response_obj: Any, start_time: Any, end_time: Any) -> None:  # noqa: ARG002
        if "standard_logging_object" in kwargs:
            self.told = {"kwargs": kwargs, "response_obj": None, "start_time": start_time, "end_time": end_time}
            self.arrived.set()

    async def async_log_success_event(self, *_positional: Any, **told: Any) -> None:
        self.log_success_event(**told)


@dataclass
class _Beside:
    """A provider, what we record of a call to it, and what LiteLLM tells its callbacks."""

    provider: Provider
    recorder: Recorder
    monkeypatch: pytest.MonkeyPatch
    callback: _Callback = field(default_factory=_Callback)

    def set(self, setting: str) -> None:
        """Set LiteLLM's options, as far as this version has them."""
        for option, value in _SETTINGS[setting].items():
            if not hasattr(litellm, option):
                pytest.skip(f"litellm {get_version()} has no {option}")
            self.monkeypatch.setattr(litellm, option, value)

    def make(self, name: str, way: str, *, wait: float = 10) -> Any:
        """Make a call, and wait for what the callback is told."""
        if importlib.util.find_spec("fastapi") is None and ("Gemini" in name or "message" in name):
            pytest.skip("LiteLLM cannot make this call without fastapi")
        skip_what_goes_elsewhere(name)
        self.callback.arrived.clear()
        if way == "direct":
            result = (make if name in ENTRY_POINTS else _direct)(name, way, self.provider)
            self.callback.arrived.wait(wait)
            return result
        return asyncio.run(self._await(name, way, wait))

    async def _await(self, name: str, way: str, wait: float) -> Any:
        call = CALLS[name]
        given = arguments(call, self.provider)
        if way == "adirect":
            asked = find(litellm, twin(call))(**given)
        else:
            deployment = {name: given.pop(name) for name in ("model", "api_base", "api_key", "max_retries")}
            group = {"model_name": "group", "litellm_params": {**deployment, **_OWN_PRICE}}
            group["model_info"] = {"id": deployment_id(name, way)}
            asked = find(litellm.Router(model_list=[group], num_retries=0), twin(call))(**given, model="group")
        result = await aread(await asked)
        for _ in range(int(wait / 0.02)):
            if self.callback.arrived.is_set():
                break
            await asyncio.sleep(0.02)
        await asyncio.sleep(0.05)  # LiteLLM's cache
        return result

    @property
    def leaf(self) -> dict[str, Any]:
        """Our event of the last request."""
        return self.recorder.leaves[-1]

    @property
    def told(self) -> dict[str, Any]:
        """LiteLLM's logging payload of the last request."""
        payload: dict[str, Any] = self.callback.told["kwargs"]["standard_logging_object"]
        return payload

    @property
    def cost_told(self) -> "float | None":
        """What it costs; ``None`` where LiteLLM has no price."""
        cost = self.callback.told["kwargs"].get("response_cost")
        return self.told["response_cost"] or None if cost is None else cost

    def datadogs_metrics(self) -> dict[str, Any]:
        """Return the metrics of the event that LiteLLM's own logger makes of the last request; it is not sent."""
        self.monkeypatch.setenv("DD_API_KEY", "no-key")
        self.monkeypatch.setenv("DD_SITE", "datadoghq.invalid")

        kwargs = self.callback.told["kwargs"]
        parameters = kwargs["litellm_params"]
        # 1.72 fails without.
        kwargs = {**kwargs, "litellm_params": {**parameters, "metadata": parameters.get("metadata") or {}}}
        told = {**self.callback.told, "kwargs": kwargs}

        async def build() -> Any:
            logger = DataDogLLMObsLogger()
            takes = inspect.signature(logger.create_llm_obs_payload).parameters
            return logger.create_llm_obs_payload(**{name: told[name] for name in takes})

        return asyncio.run(build())["metrics"]


def _direct(name: str, _way: str, provider: Provider) -> Any:
    return direct(CALLS[name], provider)


@pytest.fixture
def beside(provider, recorder, monkeypatch):
    """A callback, and no other one, beside our recorder."""
    found = _Beside(provider, recorder, monkeypatch)
    for name in ("success_callback", "failure_callback", "_async_success_callback", "_async_failure_callback"):
        monkeypatch.setattr(litellm, name, [])
    monkeypatch.setattr(litellm, "callbacks", [found.callback])
    return found


# Each commit tries every call once, sync and async by turns.
_IN_EACH_WAY = [
    pytest.param(case, way, id=f"{' '.join(case)} {way}", marks=pytest.mark.nightly if (number + turn) % 2 else ())
    for number, case in enumerate(CASES)
    for turn, way in enumerate(("adirect", "direct"))
]


@pytest.mark.parametrize(("case", "way"), _IN_EACH_WAY)
def test_figures_are_litellms_own(case, way, beside):
    """Tokens and cost of every API are what LiteLLM tells a callback and puts on its own event for Datadog."""
    name, script, setting = case
    difference = DIFFERENCES.get(" ".join(filter(None, (*case, way))))
    beside.provider.otherwise = _SCRIPTS[script]
    beside.set(setting)
    result = beside.make(name, way, wait=1 if difference == _NOTHING else 10)
    if isinstance(result, Exception):
        pytest.skip(f"litellm {get_version()} cannot make this call: {result}")
    if difference is None:
        assert beside.callback.told, _NOTHING
    if difference is None or (difference == _NOTHING and beside.callback.told):
        _compare(beside)


def _compare(beside: _Beside) -> None:
    ours, told = beside.leaf["metrics"], beside.told
    if told["prompt_tokens"] or told["completion_tokens"]:
        counted = tuple(told[f"{kind}_tokens"] for kind in ("prompt", "completion", "total"))
        assert tuple(ours[f"{kind}_tokens"] for kind in ("input", "output", "total")) == counted
    elif ours.get("input_tokens"):
        return  # LiteLLM does not know the tokens, and so not the cost
    cost = beside.cost_told
    if not cost and "total_cost" not in ours:
        return  # neither does anybody know the tokens (of a transcription on 1.72), or the price
    assert ours.get("total_cost") == (None if cost is None else pytest.approx(cost))
    datadogs = beside.datadogs_metrics()
    known = {metric: value for metric, value in datadogs.items() if value and metric in ours and "time" not in metric}
    assert {metric: ours[metric] for metric in known} == pytest.approx(known)


@pytest.mark.parametrize(
    "name", ["chat", "chat stream with usage", "Claude message", "Claude message stream", "Gemini"]
)
def test_price_of_a_deployment(name, beside):
    """A Router's deployment with a price of its own costs what LiteLLM's callbacks are told, through whichever API."""
    beside.make(name, "router")
    _compare(beside)
    metrics = beside.leaf["metrics"]
    assert metrics["total_cost"] == pytest.approx(metrics["input_tokens"] * 0.01 + metrics["output_tokens"] * 0.02)


@pytest.mark.parametrize("setting", ["discount", "margin"])
@pytest.mark.parametrize("name", ["chat", "Claude message"])
def test_breakdown_is_litellms_own(name, setting, beside):
    """What the metrics cannot say of a cost is in the metadata: fees, discounts, margins, as LiteLLM breaks it down."""
    beside.set(setting)
    beside.make(name, "adirect")
    told = {part: value for part, value in (beside.told.get("cost_breakdown") or {}).items() if value}
    if not told:
        pytest.skip(f"litellm {get_version()} does not break costs down")
    assert beside.leaf["meta"]["metadata"]["cost_breakdown"] == pytest.approx(told)
    assert "input_cost" not in beside.leaf["metrics"]


@pytest.fixture
def cache(monkeypatch):
    """LiteLLM's cache, in memory."""
    pytest.importorskip("fastapi", reason="LiteLLM's cache imports its proxy")
    monkeypatch.setattr(litellm, "cache", litellm.Cache())


@pytest.mark.parametrize("name", ["chat", "chat stream with usage", "embedding", "response"])
@pytest.mark.parametrize("way", ["direct", "adirect"])
@pytest.mark.usefixtures("cache")
def test_cost_that_the_cache_saved(name, way, beside):
    """An answer out of LiteLLM's cache costs nothing, and says what it would have cost."""
    beside.make(name, way)
    paid = beside.leaf["metrics"]["total_cost"]
    beside.make(name, way)
    if len(beside.provider.requests) == 2:
        pytest.skip("this LiteLLM does not cache the call")
    assert beside.leaf["metrics"]["total_cost"] == 0
    assert beside.leaf["meta"]["metadata"]["saved_cache_cost"] == pytest.approx(paid)


@pytest.mark.usefixtures("cache")
def test_embeddings_that_are_partly_cached(beside, monkeypatch):
    """What the provider was asked for is paid, and no more; it is no answer out of the cache."""
    texts = ["one two", "three"]
    asked = _call("embedding", "openai/text-embedding-3-small")
    monkeypatch.setitem(CALLS, "some texts", asked._replace(arguments=lambda: {**_EMBEDDER, "input": list(texts)}))
    beside.make("some texts", "adirect")
    texts.insert(1, "four five six")
    assert len(beside.make("some texts", "adirect").data) == 3
    assert beside.provider.requests[-1].body["input"] == ["four five six"]
    metrics, price = beside.leaf["metrics"], litellm.model_cost["text-embedding-3-small"]["input_cost_per_token"]
    assert (metrics["input_tokens"], metrics["total_cost"]) == (3, pytest.approx(3 * price))
    assert metrics["total_cost"] == pytest.approx(beside.cost_told)
    assert not {"cache_hit", "saved_cache_cost"} & beside.leaf["meta"]["metadata"].keys()
    assert beside.leaf["meta"]["output"]["value"] == "3 embeddings of 3 dimensions"
