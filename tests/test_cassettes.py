"""The same exchanges under every LiteLLM and every HTTP client: replayed from ``cassettes/``, without a server.

To record them anew, from the tests' own provider::

    RECORD_CASSETTES=1 python -m pytest tests/test_cassettes.py

The provider's address is replaced by :data:`HOST`, and of all headers only the content type is kept.
"""

import asyncio
import inspect
import os
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import litellm
import openai
import pytest
import vcr
import yaml

from ddtrace_litellm import get_version
from tests.cassette_cases import CACHED, CASES, HEARD, MESSAGES, SCRIPTS, TOOL

RECORD = bool(os.environ.get("RECORD_CASSETTES"))
FOLDER = Path(__file__).parents[1] / "cassettes"
HOST = "provider.invalid"
CHAT = {"model": "openai/gpt-4o-mini", "messages": MESSAGES}
CLAUDE = {"model": "anthropic/claude-3-haiku-20240307", "messages": MESSAGES}
STREAM = {"stream": True, "stream_options": {"include_usage": True}}
CALLED = [("get_weather", {"city": "Paris"}, "call_0")]
# The address, what every call or every moment has its own of, and what LiteLLM has come to break a cost down to.
_VOLATILE = ("api_base", "cost_breakdown", "litellm_call_id", "litellm_overhead_ms", "max_retries")
# Name: function, arguments, text, tool calls, finish reason, tokens.
ANSWERS = {
    "chat": ("completion", CHAT, HEARD, [], "stop", (6, 10)),
    "chat_stream": ("completion", CHAT | STREAM, HEARD, [], "stop", (6, 10)),
    "tools": ("completion", CHAT | {"tools": [TOOL]}, "", CALLED, "tool_calls", (6, 3)),
    "tools_stream": ("completion", CHAT | STREAM | {"tools": [TOOL]}, "", CALLED, "tool_calls", (6, 3)),
    "text": (
        "text_completion",
        {"model": "text-completion-openai/gpt-3.5-turbo-instruct", "prompt": "Once upon a time"},
        " and so it went on.",
        [],
        "stop",
        (4, 5),
    ),
    "anthropic": ("completion", CLAUDE, "It is sunny.", [], "stop", (36, 7)),
    "anthropic_stream": ("completion", CLAUDE | {"stream": True}, "It is sunny.", [], "stop", (36, 7)),
}


def _anonymous(request):
    """Leave of a request what is the same on every machine."""
    if "multipart/form-data" in str(request.headers.get("content-type")):
        request.body = b""  # a form's boundaries are random
    request.uri = urlunsplit(urlsplit(request.uri)._replace(scheme="http", netloc=HOST))
    request.headers = {}
    return request


def _plain(response):
    """Leave of a response what is the same at any time."""
    names = [name for name in response["headers"] if name.lower() == "content-type"]
    return {**response, "headers": {name: response["headers"][name] for name in names}}


@pytest.fixture
def exchange(request):
    """Call LiteLLM with the cassette of a name in place of the provider, or with the provider to record it."""
    recorded = vcr.VCR(
        cassette_library_dir=str(FOLDER),
        record_mode="all" if RECORD else "none",
        match_on=["method", "uri"],
        before_record_request=_anonymous,
        before_record_response=_plain,
    )
    url = f"http://{HOST}"
    if RECORD:
        provider = request.getfixturevalue("provider")
        provider.behaviours |= SCRIPTS
        url = provider.url

    def call(name, function, arguments):
        base = url if arguments["model"].startswith(("anthropic/", "cohere/")) else f"{url}/v1"
        sent = {**arguments, "api_base": base, "api_key": "no-key"}
        if function == "moderation":
            # LiteLLM 1.72 has no other way to another address.
            sent["client"] = openai.OpenAI(base_url=base, api_key="no-key", max_retries=0)
        else:
            sent["max_retries"] = 0
        if RECORD:
            (FOLDER / f"{name}.yaml").unlink(missing_ok=True)
        with recorded.use_cassette(f"{name}.yaml"):
            result = getattr(litellm, function)(**sent)
            if inspect.isawaitable(result):
                return asyncio.run(_read(result))
            return list(result) if arguments.get("stream") else result

    return call


async def _read(awaitable):
    result = await awaitable
    return [chunk async for chunk in result] if isinstance(result, AsyncIterator) else result


@pytest.mark.parametrize("name", ANSWERS)
def test_answers(recorder, exchange, name):
    """Text, tool calls, finish reason and tokens are on the event, however the answer came."""
    function, arguments, text, calls, finish_reason, (tokens_in, tokens_out) = ANSWERS[name]
    exchange(name, function, arguments)
    meta, metrics = recorder.event["meta"], recorder.event["metrics"]
    message = meta["output"]["messages"][-1]
    found = [(call["name"], call["arguments"], call["tool_id"]) for call in message.get("tool_calls", ())]
    assert (message["content"], found, meta["metadata"]["finish_reason"]) == (text, calls, finish_reason)
    assert (metrics["input_tokens"], metrics["output_tokens"]) == (tokens_in, tokens_out)
    assert meta["model_name"] == arguments["model"].partition("/")[2]
    assert (metrics.get("total_cost", 0) > 0) is (meta["model_name"] in litellm.model_cost)
    assert ("time_to_first_token" in metrics) is bool(arguments.get("stream"))
    if name.startswith("anthropic"):
        assert metrics.items() >= CACHED.items()
        assert meta["output"]["messages"][0] == {"role": "reasoning", "content": "Let me see."}


def _has_price(model, provider):
    entry = litellm.model_cost.get(f"{provider}/{model}") or litellm.model_cost.get(model) or {}
    return any(value for name, value in entry.items() if "cost" in name)


def _counted(metrics):
    """Return the metrics that count something; where nothing is to count, versions differ in saying 0 or nothing."""
    return {name: value for name, value in metrics.items() if name.endswith("_tokens") and value}


@pytest.mark.parametrize("name", CASES)
def test_whole_event(recorder, exchange, name):
    """Everything that an event of another API than chat has: what was asked and said, of whom, and what it took."""
    case = CASES[name]
    try:
        exchange(name, case.function, case.arguments)
    except ModuleNotFoundError as error:
        pytest.skip(f"LiteLLM's streams of Anthropic's own API need {error.name}")
    event = recorder.event
    model = case.arguments["model"].rpartition("/")[2]
    named = {"model_name": model, "model_provider": case.provider}
    # Of a kind that has no model the model is metadata.
    elsewhere = case.kind == "retrieval"
    meta, metrics = dict(event["meta"]), event["metrics"]
    metadata = {name: value for name, value in meta.pop("metadata").items() if name not in _VOLATILE}
    assert metadata == {**case.metadata, **(named if elsewhere else {})}
    assert meta == {
        "span": {"kind": case.kind},
        "input": case.asked,
        "output": case.said,
        **({"tool_definitions": case.tools} if case.tools else {}),
        **({} if elsewhere else named),
    }
    assert (event["status"], event["name"], event["resource"]) == ("ok", case.function, case.function)

    # LiteLLM 1.72 drops the usage of a transcription.
    counts = {} if name == "transcription" and get_version().startswith("1.72.") else case.tokens
    assert _counted(metrics) == _counted(counts)
    assert (metrics.get("total_cost", 0) > 0) is (_has_price(model, case.provider) and bool(counts or elsewhere))
    assert ("time_to_first_token" in metrics) is bool(case.arguments.get("stream"))


def test_error(recorder, exchange):
    """A rejected request is an error with the provider's words."""
    with pytest.raises(litellm.RateLimitError):
        exchange("error", "completion", CHAT | {"model": "openai/limited"})
    assert recorder.event["status"] == "error"
    assert recorder.event["meta"]["error"]["type"] == "litellm.exceptions.RateLimitError"
    assert "Slow down." in recorder.event["meta"]["error"]["message"]


@pytest.mark.parametrize("name", [*ANSWERS, *CASES, "error"])
def test_cassettes_are_of_no_machine(name):
    """No host, port, header, key or time of the machine that recorded them is in them."""
    text = (FOLDER / f"{name}.yaml").read_text()
    assert "127.0.0.1" not in text
    assert "no-key" not in text
    for exchange in yaml.safe_load(text)["interactions"]:
        assert urlsplit(exchange["request"]["uri"]).netloc == HOST
        assert exchange["request"]["headers"] == {}
        assert {header.lower() for header in exchange["response"]["headers"]} == {"content-type"}
