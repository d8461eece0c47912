from typing import Any

import httpx
import litellm
import openai
import pytest

from ddtrace_litellm.extract.moderation import read_input, read_response

IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
ATTACHED = [{"mime_type": "image/png", "content": "aGk="}]
FLAGGED = {
    "flagged": True,
    "categories": {"self-harm/intent": True, "violence": True, "hate": False, "illicit": None},
    "category_scores": {"violence": 0.756, "self-harm/intent": 0.9, "hate": 0.1},
}
CLEAN = {"flagged": False, "categories": {"violence": False}, "category_scores": {"violence": 0.1}}


def _asked(given: Any) -> Any:
    return read_input({"input": given}).annotations["input_messages"]


def _said(response: Any) -> Any:
    messages = read_response(response, {}).annotations["output_messages"]
    assert all(message["role"] == "assistant" for message in messages)
    return [message["content"] for message in messages]


def _litellm(results: list[dict[str, Any]]) -> Any:
    """Return what ``litellm.moderation`` makes of the provider's results."""
    body = {"id": "m", "model": "omni-moderation-latest", "results": results}
    transport = httpx.MockTransport(lambda _request: httpx.Response(200, json=body))
    client = openai.OpenAI(api_key="sk-local", http_client=httpx.Client(transport=transport))
    return litellm.moderation(input="x", model="omni-moderation-latest", client=client, api_key="sk-local")


@pytest.mark.parametrize(
    ("given", "messages"),
    [
        ("hi", [{"content": "hi"}]),
        (["hi", "ho"], [{"content": "hi"}, {"content": "ho"}]),
        ([{"type": "text", "text": "hi"}, IMAGE], [{"content": "hi", "image_parts": ATTACHED}]),
        (IMAGE, [{"content": "", "image_parts": ATTACHED}]),
        (["hi", IMAGE], [{"content": "hi"}, {"content": "", "image_parts": ATTACHED}]),
        ([{"type": "image_url", "image_url": {"url": "https://host/a.png?sig=SECRET"}}],
         [{"content": "[image: https://host/a.png]"}]),
        (None, []),
        ([], []),
        (7, [{"content": "7"}]),
        ([None, "hi"], [{"content": ""}, {"content": "hi"}]),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_what_is_checked(given, messages):
    """A message for each verdict: texts get one each, parts of one input one together."""
    assert _asked(given) == [{"role": "user", **message} for message in messages]


@pytest.mark.parametrize("make", [lambda results: {"results": results}, _litellm], ids=["dict", "litellm"])
def test_verdicts(make):
    """Each flagged category once, by the API's name, with its score."""
    assert _said(make([FLAGGED, CLEAN])) == ["flagged: self-harm/intent (0.90), violence (0.76)", "not flagged"]


@pytest.mark.parametrize(
    ("result", "said"),
    [
        ({"flagged": True}, "flagged"),
        ({"flagged": True, "categories": "odd", "category_scores": 7}, "flagged"),
        ({"flagged": True, "categories": {"hate": True}}, "flagged: hate"),
        ({"flagged": True, "categories": {"hate": True}, "category_scores": {"hate": "odd"}}, "flagged: hate"),
        ({}, "not flagged"),
        (None, "not flagged"),
    ],
    ids=str,
)
def test_malformed_results_do_not_raise(result, said):
    """They are read as far as they go."""
    assert _said({"results": [result]}) == [said]


@pytest.mark.parametrize("response", [None, {}, {"results": None}, {"results": "odd"}, 7], ids=repr)
def test_no_verdicts(response):
    """There are no messages."""
    assert _said(response) == []
