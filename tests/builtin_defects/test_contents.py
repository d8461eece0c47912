"""Group E of the built-in's defects: what is wrong on an event, or missing."""

import asyncio
import json
import threading

import litellm
import pytest
from litellm.caching.caching import Cache

from ddtrace_litellm import get_version
from ddtrace_litellm.tracing import models
from tests.builtin_defects.conftest import MESSAGES
from tests.provider import Script, Usage

PRICED = "openai/gpt-4o-mini"


def test_positional_messages_are_recorded(recorder, reach):
    """``completion(model, messages)`` has its input (23)."""
    litellm.completion("mistral/m", MESSAGES, **reach)
    assert recorder.event["meta"]["input"]["messages"] == MESSAGES


def test_stream_without_reported_usage_has_estimated_tokens(recorder, ask):
    """Nobody asked for ``include_usage``: tokens are estimated, and marked so (24)."""
    list(litellm.completion(model=PRICED, stream=True, **ask))
    metrics = recorder.event["metrics"]
    assert metrics["input_tokens"] == litellm.token_counter(model=PRICED, messages=MESSAGES)
    assert metrics["output_tokens"] == litellm.token_counter(model=PRICED, text="The local provider heard: hello")
    assert metrics["total_tokens"] == metrics["input_tokens"] + metrics["output_tokens"]
    assert recorder.event["meta"]["metadata"]["token_source"] == "estimated"


def test_stream_with_reported_usage_has_the_reported_tokens(recorder, provider, ask):
    """With ``include_usage`` they are the provider's, and marked so (24)."""
    provider.otherwise = Script(usage=Usage(input=20, output=7))
    list(litellm.completion(model="openai/gpt-4o", stream=True, stream_options={"include_usage": True}, **ask))
    metrics = recorder.event["metrics"]
    assert (metrics["input_tokens"], metrics["output_tokens"], metrics["total_tokens"]) == (20, 7, 27)
    assert recorder.event["meta"]["metadata"]["token_source"] == "reported"


def test_time_to_first_token_is_on_streams_only(recorder, provider, ask):
    """From the call to the first chunk with content, the opening chunk without any not counted (25)."""
    provider.otherwise = Script(delay=0.1, pace=0.05)
    list(litellm.completion(model="mistral/m", stream=True, **ask))
    litellm.completion(model="mistral/m", **ask)
    streamed, whole = recorder.events
    assert 0.15 <= streamed["metrics"]["time_to_first_token"] < streamed["duration"] / 1e9 - 0.05
    assert "time_to_first_token" not in whole["metrics"]


@pytest.mark.parametrize("stream", [False, True], ids=["response", "stream"])
def test_cost_is_litellms_and_adds_up(recorder, provider, ask, stream):
    """A priced call has total, input and output cost, streams too (26)."""
    provider.otherwise = Script(usage=Usage(input=1000, output=100))
    result = litellm.completion(model=PRICED, stream=stream, stream_options={"include_usage": True}, **ask)
    if stream:
        list(result)
    price = litellm.model_cost[PRICED.removeprefix("openai/")]
    metrics = recorder.event["metrics"]
    assert metrics["input_tokens"] == 1000
    assert metrics["input_cost"] == pytest.approx(1000 * price["input_cost_per_token"])
    assert metrics["output_cost"] == pytest.approx(100 * price["output_cost_per_token"])
    assert metrics["total_cost"] == pytest.approx(metrics["input_cost"] + metrics["output_cost"])
    if not stream:
        assert metrics["total_cost"] == pytest.approx(result._hidden_params["response_cost"])


def test_unpriced_model_has_no_cost(recorder, ask):
    """Where LiteLLM has no price there is none (26)."""
    # A name of its own: a Router registers the names of its deployments, free of charge.
    litellm.completion(model="mistral/unpriced", **ask)
    assert not {"total_cost", "input_cost", "output_cost"} & recorder.event["metrics"].keys()


@pytest.mark.parametrize("stream", [False, True], ids=["response", "stream"])
def test_answer_out_of_the_cache_costs_nothing_and_says_so(recorder, provider, ask, monkeypatch, stream):
    """A cache hit has a marker and cost 0, and the request that filled the cache has neither (27)."""
    monkeypatch.setattr(litellm, "cache", Cache(type="local"))
    try:
        for _ in range(2):
            result = litellm.completion(model=PRICED, caching=True, stream=stream, **ask)
            if stream:
                list(result)
    except ModuleNotFoundError as missing:
        pytest.skip(f"litellm {get_version()} imports {missing.name}, which it does not require, on a cache hit")
    assert len(provider.requests) == 1
    first, second = recorder.events
    assert first["metrics"]["total_cost"] > 0
    assert "cache_hit" not in first["meta"]["metadata"]
    assert second["metrics"]["total_cost"] == 0
    assert second["meta"]["metadata"]["cache_hit"] is True
    assert second["meta"]["output"] == first["meta"]["output"]


def test_concurrent_calls_report_their_own_provider(recorder, provider, ask):
    """Of two calls at once with one model name each has its own provider (28)."""
    provider.otherwise = Script(delay=0.3)
    threads = [
        threading.Thread(target=litellm.completion, kwargs={"model": "same", "custom_llm_provider": name, **ask})
        for name in ("mistral", "deepseek")
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(provider.requests) == 2
    assert sorted(event["meta"]["model_provider"] for event in recorder.events) == ["deepseek", "mistral"]
    assert {event["meta"]["model_name"] for event in recorder.events} == {"same"}


def test_what_is_remembered_of_model_names_is_bounded(recorder):
    """Names come from users, so the memory of their providers has an upper bound (28)."""
    limit = models._lookup.cache_parameters()["maxsize"]
    assert limit is not None
    for number in range(limit + 10):
        models._lookup(f"openai/tenant-{number}", None)
    assert models._lookup.cache_info().currsize == limit
    assert recorder.events == []


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_attempts_of_a_router_can_be_told_apart(recorder, routed, asynchronous):
    """Each attempt has number, deployment, group and what failed before; the Router's span counts them (29)."""
    router = routed(num_retries=1, retry_after=0)
    if asynchronous:
        asyncio.run(router.acompletion(model="a", messages=MESSAGES))
    else:
        router.completion(model="a", messages=MESSAGES)
    *attempts, whole = [event["meta"]["metadata"] for event in recorder.events]
    assert [attempt["attempt_number"] for attempt in attempts] == [1, 2, 3]
    assert [attempt["model_group"] for attempt in attempts] == ["a", "a", "b"]
    assert [attempt["deployment_id"] for attempt in attempts] == ["id of a", "id of a", "id of b"]
    assert "previous_attempt_error" not in attempts[0]
    assert all(attempt["previous_attempt_error"].startswith("InternalServerError: ") for attempt in attempts[1:])
    assert (whole["attempts"], whole["attempted_retries"], whole["attempted_fallbacks"]) == (3, 1, 1)
    assert [(failed["attempt_number"], failed["deployment_id"]) for failed in whole["failed_attempts"]] == [
        (1, "id of a"),
        (2, "id of a"),
    ]


def test_metadata_of_the_request_becomes_session_and_tags(recorder, ask):
    """Session, request tags and who asked are on the event (30)."""
    litellm.completion(
        model="mistral/m",
        metadata={
            "session_id": "s1",
            "tags": ["a", "stage:beta"],
            "user_api_key_alias": "alias",
            "user_api_key_team_alias": "team",
            "user_api_key_org_id": "org",
            "user_api_key_end_user_id": "end user",
        },
        **ask,
    )
    assert recorder.event["session_id"] == "s1"
    assert set(recorder.event["tags"]) >= {
        "api_key_alias:alias",
        "end_user:end user",
        "org_id:org",
        "request_tags:a,stage:beta",
        "session_id:s1",
        "stage:beta",
        "team_alias:team",
    }


def test_router_span_does_not_grow_with_the_deployments(recorder):
    """Its size is the same for 1 deployment and for 300 (31)."""
    params = {"model": "mistral/m", "api_key": "k", "mock_response": "hi"}
    sizes = []
    for count in (1, 300):
        models = [{"model_name": f"g{number % 5}", "litellm_params": params} for number in range(count)]
        litellm.Router(model_list=models).completion(model="g0", messages=MESSAGES)
        event = recorder.events[-1]
        assert event["resource"] == "router.completion"
        sizes.append(len(json.dumps([event["meta"], event["metrics"]])) + len(str(event["span"].get_tags())))
    assert sizes[1] - sizes[0] < 100


def test_dropped_stream_is_marked(recorder, ask):
    """A stream dropped after some chunks is no error, has what was read, and says it is not complete (32)."""
    stream = litellm.completion(model="mistral/m", stream=True, **ask)
    read = "".join(next(stream).choices[0].delta.content or "" for _ in range(3))
    del stream
    assert recorder.still_open() == []
    assert recorder.event["status"] == "ok"
    assert recorder.event["meta"]["metadata"]["stream_completed"] is False
    assert recorder.event["meta"]["output"]["messages"] == [{"role": "assistant", "content": read}]
    assert read
