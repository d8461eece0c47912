"""What the proxy was told not to log of a request is on no span of its trace."""

import json

import pytest

from ddtrace_litellm.tracing import redaction
from ddtrace_litellm.tracing.error_text import NOT_CAPTURED
from tests.proxy.arrivals import leaves, routers

pytestmark = pytest.mark.e2e

PROMPT = "ssn 123-45-6789"
MESSAGES = [{"role": "user", "content": PROMPT}]
PARAMETER = {"turn_off_message_logging": "True"}
LOGGED = {"logging": [{"callback_name": "no-such-callback", "callback_vars": PARAMETER}]}
TOLD = {
    "header": {"more": {"x-litellm-enable-message-redaction": "true"}},
    "older header": {"more": {"litellm-enable-message-redaction": "true"}},
    "key": {"more": {"x-test-settings": json.dumps({"metadata": LOGGED})}},
    "team": {"more": {"x-test-settings": json.dumps({"team_metadata": LOGGED})}},
    "team, the older way": {
        "more": {"x-test-settings": json.dumps({"team_metadata": {"callback_settings": {"callback_vars": PARAMETER}}})}
    },
}
"""How the proxy may be told, besides the request's body."""


def _trace(arrivals, caller):
    (trace,) = arrivals.wait(caller.mark)
    assert [len(routers(trace)), len(leaves(trace))] == [1, 1]
    return trace


def _chat(caller, **more):
    caller.openai.chat.completions.create(model="chat", messages=MESSAGES, **more)


def _chat_stream(caller, **more):
    list(caller.openai.chat.completions.create(model="chat", messages=MESSAGES, stream=True, **more))


def _messages(caller, **more):
    caller.anthropic.messages.create(model="claude", messages=MESSAGES, max_tokens=64, **more)


def _responses(caller, **more):
    caller.openai.responses.create(model="chat", input=PROMPT, **more)


def _gemini(caller):
    body = {"contents": [{"role": "user", "parts": [{"text": PROMPT}]}]}
    caller.post("/v1beta/models/gemini:generateContent", **body)


def _embeddings(caller, **more):
    caller.openai.embeddings.create(model="embedding", input=[PROMPT], **more)


ROUTES = (_chat, _chat_stream, _messages, _responses, _gemini, _embeddings)


@pytest.mark.parametrize("ask", ROUTES)
@pytest.mark.parametrize("told", TOLD)
def test_told_by_header_key_or_team(told, ask, arrivals, call):
    """Web request, Router and leaf say nothing of what was asked; tokens and who asked stay."""
    caller = call(**TOLD[told])
    ask(caller)
    trace = _trace(arrivals, caller)
    assert arrivals.leaked([PROMPT]) == set()
    (leaf,) = leaves(trace)
    assert leaf.llm.metrics["input_tokens"] > 0
    assert leaf.llm.tags["team"] == "team-7"


@pytest.mark.parametrize("ask", [_chat, _chat_stream, _messages, _responses, _embeddings])
def test_told_by_the_body(ask, arrivals, caller):
    """The parameter of a request is heard on every route; the proxy refuses any other there."""
    ask(caller, extra_body={"no-log": True})
    _trace(arrivals, caller)
    assert arrivals.leaked([PROMPT]) == set()


@pytest.mark.parametrize("ask", ROUTES)
def test_not_told(ask, arrivals, caller):
    """The same requests, without that, are on the spans."""
    ask(caller)
    _trace(arrivals, caller)
    assert arrivals.leaked([PROMPT]) == {PROMPT}


def test_a_key_wins_over_the_header(arrivals, call):
    """The order is LiteLLM's: what the key's settings say comes before the header that switches redaction on."""
    if not redaction._ARGUMENT_MAY_OPT_OUT:
        pytest.skip("this LiteLLM does not read the parameter (1.85)")
    settings = json.dumps(LOGGED).replace("True", "False")
    _chat(caller := call(more={**TOLD["header"]["more"], "x-test-settings": f'{{"metadata": {settings}}}'}))
    _trace(arrivals, caller)
    assert arrivals.leaked([PROMPT]) == {PROMPT}


def test_an_error_of_a_redacted_request(arrivals, call):
    """Neither the Router's span nor the attempt's has what the provider said."""
    caller = call(**TOLD["key"])
    with pytest.raises(Exception, match="The provider failed"):
        caller.openai.chat.completions.create(model="fails", messages=MESSAGES)
    trace = _trace(arrivals, caller)
    for span in (*routers(trace), *leaves(trace)):
        assert span.error.message.endswith(NOT_CAPTURED)
