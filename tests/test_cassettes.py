"""The same exchanges under every LiteLLM and every HTTP client: replayed from ``cassettes/``, without a server.

To record them anew, from the tests' own provider::

    RECORD_CASSETTES=1 python -m pytest tests/test_cassettes.py

The provider's address is replaced by :data:`HOST`, and of all headers only the content type is kept.
"""

import os
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import litellm
import pytest
import vcr
import yaml

from tests.provider import Script, Usage

RECORD = bool(os.environ.get("RECORD_CASSETTES"))
FOLDER = Path(__file__).parents[1] / "cassettes"
HOST = "provider.invalid"
MESSAGES = [{"role": "user", "content": "What is the weather in Paris"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city.",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
CHAT = {"model": "openai/gpt-4o-mini", "messages": MESSAGES}
CLAUDE = {"model": "anthropic/claude-3-haiku-20240307", "messages": MESSAGES}
STREAM = {"stream": True, "stream_options": {"include_usage": True}}
HEARD = "The local provider heard: What is the weather in Paris"
CALLED = [("get_weather", {"city": "Paris"}, "call_0")]
CACHED = {"cache_read_input_tokens": 5, "cache_write_input_tokens": 11}
SCRIPTS = {
    "claude-3-haiku-20240307": Script(
        text="It is sunny.", reasoning="Let me see.", usage=Usage(20, 7, cache_read=5, cache_write=11)
    ),
    "limited": Script(status=429, error="Slow down.", error_type="rate_limit_exceeded"),
}

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
        path = "" if arguments["model"].startswith("anthropic/") else "/v1"
        if RECORD:
            (FOLDER / f"{name}.yaml").unlink(missing_ok=True)
        with recorded.use_cassette(f"{name}.yaml"):
            result = getattr(litellm, function)(api_base=url + path, api_key="no-key", max_retries=0, **arguments)
            return list(result) if arguments.get("stream") else result

    return call


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


def test_error(recorder, exchange):
    """A rejected request is an error with the provider's words."""
    with pytest.raises(litellm.RateLimitError):
        exchange("error", "completion", CHAT | {"model": "openai/limited"})
    assert recorder.event["status"] == "error"
    assert recorder.event["meta"]["error"]["type"] == "litellm.exceptions.RateLimitError"
    assert "Slow down." in recorder.event["meta"]["error"]["message"]


@pytest.mark.parametrize("name", [*ANSWERS, "error"])
def test_cassettes_are_of_no_machine(name):
    """No host, port, header, key or time of the machine that recorded them is in them."""
    text = (FOLDER / f"{name}.yaml").read_text()
    assert "127.0.0.1" not in text
    assert "no-key" not in text
    for exchange in yaml.safe_load(text)["interactions"]:
        assert urlsplit(exchange["request"]["uri"]).netloc == HOST
        assert exchange["request"]["headers"] == {}
        assert {header.lower() for header in exchange["response"]["headers"]} == {"content-type"}
