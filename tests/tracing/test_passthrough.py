"""The SDK's way to hand a request on to a provider as it is."""

import asyncio
import json

import httpx
import litellm
import pytest
from litellm.passthrough import main

MESSAGES = [{"role": "user", "content": "How warm is it?"}]


def _route(provider, *, stream=None, model="gpt-4o-mini", **more):
    streamed = {} if stream is None else {"stream": stream}
    return {
        "model": f"vllm/{model}",
        "method": "POST",
        "endpoint": "/v1/chat/completions",
        "json": {"model": model, "messages": MESSAGES, **streamed},
        "api_base": provider.url,
        "api_key": "sk-local",
        "metadata": {"session_id": "session-1"},
        **more,
    }


def _router(provider):
    parameters = {"model": "vllm/gpt-4o-mini", "api_base": provider.url, "api_key": "sk-local"}
    return litellm.Router(model_list=[{"model_name": "the-model", "litellm_params": parameters}], num_retries=0)


async def _read(asked):
    response = await asked
    if isinstance(response, httpx.Response):
        return await response.aread()
    return b"".join([chunk async for chunk in response])


# With "stream" in the body, if only false, LiteLLM returns the answer of vLLM as a stream.
@pytest.mark.parametrize("stream", [None, False, True], ids=["plain", "in pieces", "stream"])
@pytest.mark.parametrize("routed", [False, True], ids=["direct", "router"])
def test_chat(recorder, provider, stream, routed):
    """One leaf with contents and tokens, beneath the Router's workflow where one has chosen; the bytes are the same."""
    if (routed or stream) and not hasattr(main, "_async_passthrough_request"):
        pytest.skip("LiteLLM 1.72 hands on a stream as a response, and fails behind a Router")
    asked = _route(provider, stream=stream)
    if routed:
        body = asyncio.run(_read(_router(provider).allm_passthrough_route(**{**asked, "model": "the-model"})))
    else:
        body = asyncio.run(_read(litellm.allm_passthrough_route(**asked)))
    assert len(provider.requests) == 1
    assert body == httpx.post(f"{provider.url}/v1/chat/completions", json=asked["json"]).content
    kinds = [(event["meta"]["span"]["kind"], event["resource"]) for event in recorder.events]
    above = [("workflow", "router.allm_passthrough_route")] if routed else []
    assert kinds == [("llm", "allm_passthrough_route"), *above]
    leaf = recorder.events[0]
    assert leaf["meta"]["input"]["messages"] == [{"role": "user", "content": "How warm is it?"}]
    assert "The local provider heard" in json.dumps(leaf["meta"]["output"])
    assert (leaf["meta"]["model_name"], leaf["meta"]["model_provider"]) == ("gpt-4o-mini", "vllm")
    assert leaf["session_id"] == "session-1"
    assert leaf["metrics"]["output_tokens"] > 0
    assert ("time_to_first_token" in leaf["metrics"]) is (stream is True)
    assert recorder.still_open() == []


def test_sync(recorder, provider):
    """The synchronous function is traced alike."""
    response = litellm.llm_passthrough_route(**_route(provider))
    assert response.json()["choices"]
    assert recorder.event["resource"] == "llm_passthrough_route"
    assert recorder.event["metrics"]["input_tokens"] > 0


def test_unknown_endpoint(recorder, provider):
    """What is of no API that is known has no span of ours."""
    response = asyncio.run(
        litellm.allm_passthrough_route(
            **{**_route(provider), "endpoint": "/v1/moderations", "json": {"model": "m", "input": "hi"}}
        )
    )
    assert response.status_code == 200
    assert recorder.litellm_spans == []
