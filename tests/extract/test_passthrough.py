"""Which API a request is of that LiteLLM hands on, and whose model it asks."""

from types import SimpleNamespace

import httpx
import pytest

from ddtrace_litellm.extract import chat, embeddings, generate_content, messages, passthrough, responses, text

_CLAUDE = {"anthropic_version": "bedrock-2023-05-31", "messages": []}
_GOOGLE = generate_content.API
_VERTEX = "https://europe-west1-aiplatform.googleapis.com/v1/projects/p/locations/l/publishers"
CASES = [
    ("https://api.anthropic.com/v1/messages", {"model": "claude"}, messages.API, "claude", "anthropic"),
    ("http://127.0.0.1:1/base/v1/chat/completions", {"model": "gpt"}, chat.API, "gpt", "openai"),
    ("https://api.openai.com/v1/completions", {"model": "gpt"}, text.API, "gpt", "openai"),
    ("https://api.openai.com/v1/responses", {"model": "gpt"}, responses.API, "gpt", "openai"),
    ("https://x.openai.azure.com/openai/deployments/mine/chat/completions", {}, chat.API, "mine", "azure"),
    ("https://x.openai.azure.com/openai/deployments/mine/embeddings", {}, embeddings.API, "mine", "azure"),
    ("https://google/v1beta/models/gemini-2.5-flash:generateContent", {}, _GOOGLE, "gemini-2.5-flash", "gemini"),
    (f"{_VERTEX}/google/models/gemini-2.5-flash:streamGenerateContent", {}, _GOOGLE, "gemini-2.5-flash", "vertex_ai"),
    (f"{_VERTEX}/anthropic/models/claude-x:streamRawPredict", _CLAUDE, messages.API, "claude-x", "vertex_ai"),
    (
        "https://bedrock/model/eu.anthropic.claude-v1%3A0/invoke",
        _CLAUDE,
        messages.API,
        "eu.anthropic.claude-v1:0",
        "bedrock",
    ),
]
OTHERS = [
    ("https://api.anthropic.com/v1/messages/count_tokens", {"model": "claude"}),
    ("https://api.anthropic.com/v1/messages/batches", {}),
    (f"{_VERTEX}/mistral/models/mistral-x:rawPredict", {"messages": []}),
    ("https://bedrock/model/amazon.titan/invoke", {"inputText": "hi"}),
    ("https://bedrock/model/x/converse", {"messages": []}),
    ("https://api.openai.com/v1/files", {}),
]


def _asked(target, body, method="POST"):
    scope = {"method": method, "headers": [], "parsed_body": (tuple(body), body)}
    return passthrough.from_proxy({"request": SimpleNamespace(scope=scope), "target": target})


@pytest.mark.parametrize(("target", "body", "api", "model", "provider"), CASES)
def test_known(target, body, api, model, provider):
    """The path tells the API; the model is in the body or in the path."""
    found = _asked(target, body)
    assert found.api.read_input is api.read_input
    assert (found.arguments["model"], found.arguments["custom_llm_provider"]) == (model, provider)


@pytest.mark.parametrize(("target", "body"), OTHERS)
def test_unknown(target, body):
    """What only looks like one is not read, and neither is what asks no model."""
    assert _asked(target, body) is None
    assert _asked(CASES[0][0], {}, method="GET") is None


def test_key_in_the_url():
    """Nothing of the query is in the arguments."""
    found = _asked("https://google/v1beta/models/gemini:generateContent?key=secret", {})
    assert "secret" not in repr(found.arguments)


@pytest.mark.parametrize(
    ("status", "content", "body"),
    [
        (200, b'{"a": 1}', {"a": 1}),
        (200, b"no JSON", None),
        (500, b"no JSON", {"error": {"type": "HTTP 500", "message": "HTTP 500"}}),
        (400, b'{"error": {"message": "no"}}', {"error": {"message": "no"}}),
    ],
)
def test_body(status, content, body):
    """An error without JSON is its status."""
    assert passthrough.body_of(httpx.Response(status, content=content)) == body


def test_error_in_a_stream():
    """An event that is an error is the call's, beside what had come."""
    found = _asked("https://api.openai.com/v1/chat/completions", {"model": "gpt", "stream": True})
    said = b'data: {"choices": [{"index": 0, "delta": {"content": "Good"}}]}\n\n'
    failed = b'data: {"error": {"type": "overloaded", "message": "later"}}\n\n'
    built = found.api.streaming.assemble([said, failed], found.arguments)
    read = found.api.read_response(built, found.arguments)
    assert read.annotations["output_messages"] == [{"role": "assistant", "content": "Good"}]
    assert built.error == {"type": "overloaded", "message": "later"}
