"""Streams that end early: what came is counted, and paid, whatever the provider had opened with."""

import asyncio
import contextlib
import gc
import importlib.util
from itertools import islice
from typing import Any

import litellm
import pytest

from ddtrace_litellm import _ddtrace, get_version
from tests.provider import Script, Usage
from tests.tracing.entry_points import deployment_id
from tests.tracing.scenarios import ASK, aread, chunk_text, to

litellm.suppress_debug_info = True
pytestmark = pytest.mark.usefixtures("clean_slate")

_SAID = " ".join(f"sentence {number} goes on and on." for number in range(12))
_ASKED = [{"role": "user", "content": "Tell me all of it."}]
# Providers retire their models, and LiteLLM forgets their prices.
_MODEL = next(name for name in ("claude-haiku-4-5-20251001", "claude-sonnet-4-20250514") if name in litellm.model_cost)
_VERSION = tuple(map(int, get_version().split(".")[:2]))
_OPENED = Usage(90, 70, cache_read=30)
_EVENTS = 40
"""Of a stream; the text has more."""
ENDINGS = {
    "cut": {"cut_after": _EVENTS},
    "error": {"error_event_after": _EVENTS},
    "closed": {},
    "dropped": {},
}


def _reads_to_the_end(ending: str) -> bool:
    return ending not in ("closed", "dropped")


async def _aread(stream: Any, ending: str) -> str:
    read = ""
    with contextlib.suppress(Exception):
        count = 0
        async for chunk in stream:
            read, count = read + chunk_text(chunk), count + 1
            if count == _EVENTS and not _reads_to_the_end(ending):
                break
    if ending == "closed" and hasattr(stream, "aclose"):
        await stream.aclose()
    return read


def _read(stream: Any, ending: str) -> str:
    read = ""
    with contextlib.suppress(Exception):
        for chunk in stream if _reads_to_the_end(ending) else islice(stream, _EVENTS):
            read += chunk_text(chunk)
    if ending == "closed" and hasattr(stream, "close"):
        stream.close()
    return read


def _chat(way: str, ending: str, url: str) -> str:
    given: dict[str, Any] = {"model": f"anthropic/{_MODEL}", "api_base": url, "api_key": "sk-local", "max_retries": 0}
    asked = {"messages": _ASKED, "stream": True, "max_tokens": 900}
    owner: Any = litellm
    if "router" in way:
        group = {"model_name": "group", "litellm_params": given, "model_info": {"id": deployment_id(way, ending)}}
        owner, given = litellm.Router(model_list=[group], num_retries=0, disable_cooldowns=True), {"model": "group"}
    if not way.startswith("a"):
        return _read(owner.completion(**given, **asked), ending)

    async def main() -> str:
        return await _aread(await owner.acompletion(**given, **asked), ending)

    return asyncio.run(main())


@pytest.mark.parametrize("way", ["direct", "adirect", "router", "arouter"])
@pytest.mark.parametrize("ending", ENDINGS)
def test_output_of_a_stream_that_ends_early_is_counted(ending, way, provider, recorder):
    """Anthropic opens with one output token; the tokens are those of the text, estimated, and the cost is theirs."""
    if "router" in way and _reads_to_the_end(ending) and _VERSION < (1, 106):
        pytest.skip("a Router of LiteLLM before 1.106 tries a stream that breaks hundreds of times, or goes on with it")
    provider.otherwise = Script(text=_SAID, usage=_OPENED, **ENDINGS[ending])
    read = _chat(way, ending, provider.url)
    gc.collect()
    leaf = recorder.leaves[0]
    metrics, price = leaf["metrics"], litellm.model_cost[_MODEL]
    assert read.count("sentence") > 5
    said = leaf["meta"]["output"]["messages"][0]["content"]
    assert metrics["output_tokens"] == litellm.token_counter(model=f"anthropic/{_MODEL}", text=said) > 30
    assert (metrics["input_tokens"], metrics["cache_read_input_tokens"]) == (120, 30)
    assert leaf["meta"]["metadata"]["token_source"] == "estimated"
    cost = 90 * price["input_cost_per_token"] + 30 * price["cache_read_input_token_cost"]
    assert metrics["total_cost"] == pytest.approx(cost + metrics["output_tokens"] * price["output_cost_per_token"])


@pytest.mark.parametrize("ending", ["cut", "error"])
def test_message_that_ends_early_is_counted(ending, provider, recorder):
    """Anthropic's own API opens the same way."""
    if importlib.util.find_spec("fastapi") is None:
        pytest.skip("LiteLLM cannot make this call without fastapi")
    provider.otherwise = Script(text=_SAID, usage=_OPENED, **ENDINGS[ending])

    async def main() -> None:
        with contextlib.suppress(Exception):
            given = {"model": f"anthropic/{_MODEL}", "api_base": provider.url, "api_key": "sk-local"}
            async for _ in await litellm.anthropic_messages(messages=_ASKED, max_tokens=900, stream=True, **given):
                pass

    asyncio.run(main())
    (leaf,) = recorder.leaves
    metrics, price = leaf["metrics"], litellm.model_cost[_MODEL]
    assert metrics["input_tokens"] == 120
    assert metrics["output_tokens"] > 30
    assert leaf["meta"]["metadata"]["token_source"] == "estimated"
    cost = 90 * price["input_cost_per_token"] + 30 * price["cache_read_input_token_cost"]
    assert metrics["total_cost"] == pytest.approx(cost + metrics["output_tokens"] * price["output_cost_per_token"])


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("wanted", [{}, {"stream_options": {"include_usage": True}}], ids=["plain", "with usage"])
def test_usage_of_a_native_text_stream(wanted, asynchronous, provider, recorder):
    """What the provider reports is reported, and what it does not is LiteLLM's estimate."""
    provider.otherwise = Script(usage=Usage(11, 13))
    asked = {"model": "openai/gpt-3.5-turbo-instruct", "prompt": "Once upon a time", "stream": True, **wanted}
    given = {"api_base": f"{provider.url}/v1", "api_key": "sk-local", "max_retries": 0}

    async def main() -> None:
        async for _ in await litellm.atext_completion(**asked, **given):
            pass

    if asynchronous:
        asyncio.run(main())
    else:
        list(litellm.text_completion(**asked, **given))
    metrics, source = recorder.event["metrics"], recorder.event["meta"]["metadata"]["token_source"]
    reported = (metrics["input_tokens"], metrics["output_tokens"]) == (11, 13)
    assert source == ("reported" if reported else "estimated")
    # LiteLLM 1.95 counts itself, whatever is reported.
    assert reported is bool(wanted) or (1, 85) < _VERSION < (1, 106)
    assert metrics["total_cost"] > 0


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("number", [{"index": 0}, {}], ids=["one number", "no number"])
def test_tool_calls_that_are_numbered_badly(number, asynchronous, provider, recorder, monkeypatch):
    """Each is a call of its own on the span, and offered to ddtrace for a link with what carries it out."""
    linked = []
    monkeypatch.setattr(_ddtrace, "link_tool_choice", lambda _span, *choice: linked.append(choice))
    asked = {"call_red": ("paint", '{"colour": "red"}'), "call_sum": ("add", '{"a": 1}')}
    calls = [
        {**number, "id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}
        for identifier, (name, arguments) in asked.items()
    ]
    provider.otherwise = Script(text="", extra={"tool_calls": calls})
    given = {"model": "openai/gpt-4o-mini", "api_base": f"{provider.url}/v1", "api_key": "sk-local", "stream": True}

    async def main() -> None:
        async for _ in await litellm.acompletion(messages=_ASKED, **given):
            pass

    if asynchronous:
        asyncio.run(main())
    else:
        list(litellm.completion(messages=_ASKED, **given))
    (message,) = recorder.event["meta"]["output"]["messages"]
    found = [(call["tool_id"], call["name"], call["arguments"]) for call in message["tool_calls"]]
    assert found == [("call_red", "paint", {"colour": "red"}), ("call_sum", "add", {"a": 1})]
    assert linked == [(identifier, *call) for identifier, call in asked.items()]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_stream_that_is_read_again_after_its_end(asynchronous, provider, recorder):
    """It says once more that it has ended, as LiteLLM's own does, and its span is the one that it was."""
    asked = {"messages": ASK, "stream": True, **to(provider, model="mistral/m")}

    async def read():
        stream = await litellm.acompletion(**asked)
        return await aread(stream), [await anext(stream, "ended") for _ in range(2)]

    if asynchronous:
        said, again = asyncio.run(read())
    else:
        stream = litellm.completion(**asked)
        said, again = "".join(map(chunk_text, stream)), [next(stream, "ended") for _ in range(2)]
    assert said
    assert again == ["ended", "ended"]
    assert recorder.event["meta"]["output"]["messages"][0]["content"] == said


def test_request_of_a_stream_that_ends_early_is_counted(provider, recorder):
    """Where the provider has said no tokens yet, the input's are LiteLLM's count of the messages, roles included."""
    provider.otherwise = Script(text=_SAID)
    model = "openai/gpt-4o-mini"
    stream = litellm.completion(model, ASK, stream=True, api_base=f"{provider.url}/v1", api_key="sk-local")
    next(stream)
    del stream
    gc.collect()
    assert recorder.event["metrics"]["input_tokens"] == litellm.token_counter(model=model, messages=ASK)
