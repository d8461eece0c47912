"""The proxy's pass-through routes: one leaf for each request, and the provider's own bytes for the caller."""

import json

import httpx
import pytest

from tests.proxy.arrivals import asked_of, guardrails, leaves, routers
from tests.proxy.configuration import CALLER_KEY, GEMINI_KEY

pytestmark = pytest.mark.e2e

QUESTION = "How warm is it?"
_MESSAGES = [{"role": "user", "content": QUESTION}]
_GEMINI = "/gemini/v1beta/models/gemini-2.5-flash:"
_CONTENTS = {"contents": [{"role": "user", "parts": [{"text": QUESTION}]}]}
_ROUTES = {
    "messages": ("/anthropic/v1/messages", {"model": "claude-sonnet-4-5", "max_tokens": 64, "messages": _MESSAGES}),
    "chat": ("/openai/v1/chat/completions", {"model": "gpt-4o-mini", "messages": _MESSAGES}),
    "responses": ("/openai_passthrough/v1/responses", {"model": "gpt-4o-mini", "input": QUESTION}),
    "gemini": (f"{_GEMINI}generateContent", _CONTENTS),
    "interaction": ("/gemini/v1beta/interactions", {"model": "gemini-2.5-flash", "input": QUESTION}),
}
_STREAMED = {name: (path, {**body, "stream": True}) for name, (path, body) in _ROUTES.items() if name != "gemini"} | {
    "gemini": (f"{_GEMINI}streamGenerateContent?alt=sse", _CONTENTS)
}
_MODELS = {
    "messages": ("claude-sonnet-4-5", "anthropic"),
    "chat": ("gpt-4o-mini", "openai"),
    "responses": ("gpt-4o-mini", "openai"),
    "gemini": ("gemini-2.5-flash", "gemini"),
    "interaction": ("gemini-2.5-flash", "gemini"),
}


def _post(caller, path, body):
    headers = {"x-goog-api-key": CALLER_KEY} if path.startswith("/gemini") else {}
    return caller.http.post(path, json=body, headers=headers)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("name", _ROUTES)
def test_known_api(arrivals, upstream, caller, name, stream):
    """The leaf has contents, tokens, cost and who asked; what the caller gets is what the provider has sent."""
    path, body = (_STREAMED if stream else _ROUTES)[name]
    answer = _post(caller, path, body)
    assert answer.status_code == 200, answer.text
    (trace,) = arrivals.wait(caller.mark)
    assert len(asked_of(upstream)) == len(leaves(trace)) == 1
    assert routers(trace) == []
    (leaf,) = leaves(trace)
    assert trace.lost_parents == ()
    assert (leaf.llm.kind, leaf.llm.name, leaf.error) == ("llm", "pass_through_request", None)
    assert (leaf.llm.model, leaf.llm.provider) == _MODELS[name]
    assert QUESTION in json.dumps(leaf.llm.input)
    assert "The local provider heard" in json.dumps(leaf.llm.output)
    assert leaf.llm.metrics["input_tokens"] > 0
    assert leaf.llm.metrics["output_tokens"] > 0
    assert leaf.llm.metrics["total_cost"] > 0
    assert ("time_to_first_token" in leaf.llm.metrics) is stream
    tags = leaf.llm.tags
    assert (tags["team"], tags["api_key_alias"], tags["end_user"]) == ("team-7", "the-key", "end-user-9")
    assert not stream or leaf.llm.metadata["stream_completed"] is True
    assert answer.content == httpx.post(upstream.url + path[path.index("/", 1) :], json=body).content


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_bedrock(arrivals, upstream, caller, stream):
    """A model of the configuration is asked through the Router: the leaf is below; AWS's frames go on as they are."""
    path = f"/model/bedrock-claude/invoke{'-with-response-stream' if stream else ''}"
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 64, "messages": _MESSAGES}
    answer = caller.http.post(f"/bedrock{path}", json=body)
    assert answer.status_code == 200, answer.text
    (trace,) = arrivals.wait(caller.mark)
    (leaf,), (router,) = leaves(trace), routers(trace)
    (asked,) = [request for request in upstream.requests if request.path.startswith("/model/")]
    assert (leaf.llm.kind, leaf.llm.name, leaf.error) == ("llm", "allm_passthrough_route", None)
    assert (leaf.llm.model, leaf.llm.provider) == ("anthropic.claude-haiku-4-5-20251001-v1:0", "bedrock")
    assert QUESTION in json.dumps(leaf.llm.input)
    assert "The local provider heard" in json.dumps(leaf.llm.output)
    assert leaf.llm.metrics["total_tokens"] > 0
    assert leaf.llm.metrics["total_cost"] > 0
    assert ("time_to_first_token" in leaf.llm.metrics) is stream
    assert not {"input_tokens", "total_cost"} & router.llm.metrics.keys()
    assert answer.content == httpx.post(upstream.url + asked.path, json=body).content


def test_key_in_the_url(arrivals, upstream, caller):
    """Neither the caller's nor the one that LiteLLM sends is in the URLs of the spans, as the documentation sets it."""
    path = f"{_GEMINI}generateContent?key={CALLER_KEY}&alt=json"
    asked = caller.http.build_request("POST", path, json=_CONTENTS)
    del asked.headers["authorization"]
    assert caller.http.send(asked).status_code == 200
    (trace,) = arrivals.wait(caller.mark)
    seen = [span.apm_tags.get("http.url", "") for span in trace.spans]
    urls = [url for url in seen if "generateContent?" in url]
    assert len(urls) >= 2  # the web request's, and those of what LiteLLM asks with
    assert all("<redacted>" in url and "alt=json" in url for url in urls)
    assert arrivals.leaked([CALLER_KEY, GEMINI_KEY]) == set()
    assert len(asked_of(upstream)) == 1


def test_session_and_tags(arrivals, call):
    """They come from the headers and from the body, which may not say who asks."""
    caller = call(more={"x-litellm-trace-id": "session-9", "x-litellm-tags": "blue, size:small"})
    forged = {"user_id": "u", "tags": ["green"], "user_api_key_team_id": "forged"}
    path, body = _ROUTES["messages"]
    assert _post(caller, path, {**body, "metadata": forged}).status_code == 200
    (trace,) = arrivals.wait(caller.mark)
    (leaf,) = leaves(trace)
    tags = leaf.llm.tags
    assert (tags["session_id"], tags["size"], tags["team"]) == ("session-9", "small", "team-7")
    assert tags["request_tags"] == "green,blue,size:small"


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_provider_that_fails(arrivals, caller, stream):
    """Its status reaches the caller, and the leaf is an error without tokens."""
    path, body = _ROUTES["chat"]
    answer = _post(caller, path, {**body, "model": "gpt-fails", "stream": stream})
    assert answer.status_code == 500
    (trace,) = arrivals.wait(caller.mark)
    (leaf,) = leaves(trace)
    assert leaf.error is not None
    assert "The provider failed." in leaf.error.message
    assert leaf.llm.metrics == {}


def test_caller_that_leaves(arrivals, caller):
    """The span ends with the caller, keeps what had come, and is no error."""
    body = {"model": "claude-slow", "max_tokens": 64, "messages": _MESSAGES, "stream": True}
    with caller.http.stream("POST", "/anthropic/v1/messages", json=body) as answer:
        for text in answer.iter_text():
            if "one" in text:
                break
    (trace,) = arrivals.wait(caller.mark)
    (leaf,) = leaves(trace)
    assert (leaf.error, leaf.llm.metadata["stream_completed"]) == (None, False)
    assert leaf.llm.metadata["client_disconnected"] is True
    assert "one " in json.dumps(leaf.llm.output)


def test_guardrail_that_blocks(arrivals, upstream, caller):
    """The request is a workflow with its input, the guardrail beneath it, and nobody was asked."""
    path, body = _ROUTES["messages"]
    forbidden = [{"role": "user", "content": "forbidden"}]
    assert _post(caller, path, {**body, "messages": forbidden}).status_code == 400
    (trace,) = arrivals.wait(caller.mark)
    assert asked_of(upstream) == leaves(trace) == []
    (guardrail,) = guardrails(trace)
    (workflow,) = [span for span in trace.llm_spans() if span.llm.kind == "workflow"]
    assert guardrail.parent_id == workflow.span_id
    assert "forbidden" in json.dumps(workflow.llm.input)
    assert workflow.llm.metrics == {}


@pytest.mark.parametrize("name", ["messages", "chat"])
def test_guardrail_that_masks(arrivals, upstream, caller, name):
    """The request is shown as it was sent."""
    path, body = _ROUTES[name]
    whispered = [{"role": "user", "content": "whispered words"}]
    assert _post(caller, path, {**body, "messages": whispered}).status_code == 200
    (trace,) = arrivals.wait(caller.mark)
    (leaf,) = leaves(trace)
    assert [request.body["messages"][0]["content"] for request in upstream.requests] == ["hidden"]
    assert "hidden" in json.dumps(leaf.llm.input)
    assert arrivals.leaked(["whispered"]) == set()


def test_redaction(arrivals, call):
    """The headers that switch contents off do so here."""
    caller = call(more={"x-litellm-enable-message-redaction": "true"})
    path, body = _ROUTES["messages"]
    assert _post(caller, path, body).status_code == 200
    (trace,) = arrivals.wait(caller.mark)
    (leaf,) = leaves(trace)
    assert leaf.llm.metrics["total_cost"] > 0
    assert arrivals.leaked([QUESTION]) == set()


def test_unknown_body(arrivals, upstream, caller):
    """A request of no API that is known stays a web request."""
    asked = {"model": "omni-moderation-latest", "input": "I am kind"}
    assert _post(caller, "/openai/v1/moderations", asked).status_code == 200
    (trace,) = arrivals.wait(caller.mark)
    assert len(asked_of(upstream)) == 1
    assert leaves(trace) == []
    assert trace.roots[0].name == "fastapi.request"
