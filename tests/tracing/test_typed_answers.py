"""Extraction, decisions and systemone: a text, typed questions about it, and their answers."""

import asyncio
import json

import litellm
import pytest

from ddtrace_litellm.telemetry import snapshot
from tests.provider import Script

pytestmark = pytest.mark.usefixtures("clean_slate")
USAGE = {"input_tokens": 12, "output_tokens": 3}
FIELDS = {"city": {"type": "text"}}
CITY = {"model": "clairic", "answers": {"city": {"type": "text", "value": "Paris"}}, "truncated": False, "usage": USAGE}
QUESTION = {"type": "predicate", "name": "abroad", "instructions": "Does it say so?"}
NOUL = {"abroad": {"type": "noul", "instructions": "Does it say so?"}}
YES = {"model": "m", "answers": {"abroad": {"type": "noul", "noul": 0.9}}, "usage": USAGE}
CALLS = {
    "extraction": ({"model": "cloudflare/clairic", "state": "I live in Paris.", "fields": FIELDS}, {"result": CITY}),
    "decisions": ({"model": "typesafe/m", "input": "I live in Paris.", "questions": [QUESTION]}, YES),
    "systemone": ({"model": "typesafe/m", "state": "I live in Paris.", "questions": NOUL}, YES),
}
ANSWERS = {"extraction": "Paris", "decisions": "0.9", "systemone": "0.9"}


def _ask(name, provider, *, asynchronous):
    function = getattr(litellm, f"a{name}" if asynchronous else name, None)
    if function is None:
        pytest.skip(f"this LiteLLM has no {name}")
    asked = CALLS[name][0]
    where = {"api_base": provider.url, "api_key": "sk-local"}
    return asyncio.run(function(**asked, **where)) if asynchronous else function(**asked, **where)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("name", CALLS)
def test_typed_answers(name, asynchronous, provider, recorder):
    """Its one request is one leaf, with the text, what is asked about it, the answers, tokens and LiteLLM's cost."""
    provider.otherwise = Script(reply_body=CALLS[name][1])
    result = _ask(name, provider, asynchronous=asynchronous)
    event = recorder.event
    assert len(provider.requests) == 1
    assert (event["meta"]["span"]["kind"], event["status"]) == ("llm", "ok")
    assert (event["meta"]["model_name"], event["meta"]["model_provider"]) == tuple(
        reversed(CALLS[name][0]["model"].split("/"))
    )
    text, asked = (message["content"] for message in event["meta"]["input"]["messages"])
    assert text == "I live in Paris."
    assert json.loads(asked)
    (said,) = event["meta"]["output"]["messages"]
    assert ANSWERS[name] in said["content"]
    assert "null" not in said["content"]
    assert (event["metrics"]["input_tokens"], event["metrics"]["output_tokens"]) == (12, 3)
    assert event["metrics"].get("total_cost") == (result._hidden_params.get("response_cost") or None)
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


@pytest.mark.parametrize("name", CALLS)
def test_error(name, provider, recorder):
    """The leaf has the error that the program got."""
    provider.otherwise = Script(status=500, reply_body={"error": "The server is down."})
    with pytest.raises(Exception, match="The server is down") as raised:
        _ask(name, provider, asynchronous=True)
    assert recorder.event["meta"]["error"]["message"] == str(raised.value)
    assert recorder.event["metrics"] == {}
    assert recorder.still_open() == []


def test_cancelled(provider, recorder):
    """The span ends there and then."""
    provider.routes = {"/v1/systemone": provider.routes["/search"]}  # what has no route is refused at once
    provider.otherwise = Script(delay=3)
    asked = {**CALLS["decisions"][0], "api_base": provider.url, "api_key": "sk-local"}
    function = getattr(litellm, "adecisions", None) or pytest.skip("this LiteLLM has no decisions")
    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(asyncio.wait_for(function(**asked), 1))
    assert recorder.event["meta"]["error"]["type"] == "asyncio.exceptions.CancelledError"
    assert recorder.still_open() == []
