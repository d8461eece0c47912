"""Calls that make several: batches, retries, priorities; and Routers that were made before the patch."""

import asyncio
import time

import litellm
import pytest
from ddtrace import tracer
from ddtrace.contrib.internal.futures.patch import patch as patch_futures
from ddtrace.contrib.internal.futures.patch import unpatch as unpatch_futures
from ddtrace.llmobs import LLMObs

import ddtrace_litellm
from ddtrace_litellm import get_version
from tests.provider import Script
from tests.tracing.entry_points import ENTRY_POINTS, arguments
from tests.tracing.scenarios import ASK, deployment, router, to

litellm.suppress_debug_info = True

MODELS = ["mistral/m1", "mistral/m2"]
BATCHES = {
    "batch_completion": lambda where: litellm.batch_completion("mistral/m1", [ASK, ASK], **where),
    "batch_completion_models": lambda where: litellm.batch_completion_models(models=MODELS, messages=ASK, **where),
    "batch_completion_models_all_responses": lambda where: litellm.batch_completion_models_all_responses(
        models=MODELS, messages=ASK, **where
    ),
}
ROUTER_BATCHES = {
    "abatch_completion": lambda routed: routed.abatch_completion(models=["a", "b"], messages=ASK),
    "abatch_completion_one_model_multiple_requests": lambda routed: (
        routed.abatch_completion_one_model_multiple_requests(model="a", messages=[ASK, ASK])
    ),
    "abatch_completion_fastest_response": lambda routed: routed.abatch_completion_fastest_response(
        model="a, b", messages=ASK
    ),
}


def of_kind(recorder, kind):
    """Return the events of one kind."""
    return [event for event in recorder.events if event["meta"]["span"]["kind"] == kind]


def wait_for_leaves(recorder, count):
    """Wait until so many calls have ended: the fastest answer ends a batch, not the others."""
    deadline = time.monotonic() + 5
    while len(recorder.leaves) < count and time.monotonic() < deadline:
        time.sleep(0.01)


@pytest.fixture(params=["with ddtrace's futures", "without ddtrace's futures"])
def _futures(request, recorder):  # noqa: ARG001  # which patches the futures, too
    """Threads with ddtrace's own integration of thread pools, and without (``ddtrace.patch(litellm=True)`` alone)."""
    if request.param.startswith("with "):
        yield
        return
    if request.node.callspec.params["name"] == "batch_completion_models_all_responses":
        pytest.skip("LiteLLM takes the pool of this one from the standard library itself")
    unpatch_futures()
    yield
    patch_futures()


@pytest.mark.usefixtures("_futures")
@pytest.mark.parametrize("name", BATCHES)
def test_batch_is_one_workflow(name, provider, recorder):
    """Its calls are leaves right beneath it, although LiteLLM makes them in threads; it is the caller's child."""
    with LLMObs.workflow("mine") as mine:
        result = BATCHES[name](to(provider))
        assert tracer.current_span() is mine
    wait_for_leaves(recorder, 2)
    batch, caller = of_kind(recorder, "workflow")
    assert batch["resource"] == name
    assert batch["parent_id"] == caller["span_id"]
    assert batch["metrics"] == {}
    assert "attempts" not in batch["meta"]["metadata"]
    assert {leaf["parent_id"] for leaf in recorder.leaves} == {batch["span_id"]}
    assert len(recorder.leaves) == len(provider.requests) == 2
    assert all("attempt_number" not in leaf["meta"]["metadata"] for leaf in recorder.leaves)
    answers = str(batch["meta"]["output"]["value"]).count("The local provider heard")
    assert answers == (len(result) if isinstance(result, list) else 1)
    assert recorder.still_open() == []


def test_failed_call_of_a_batch(provider, recorder):
    """It is an error of its own, and in the batch's output an answer like any other: LiteLLM returns it."""
    provider.behaviours["m1"] = Script(fail_first=1, status=400, error="The server is down.")
    litellm.batch_completion("mistral/m1", [ASK, ASK], **to(provider))
    (batch,) = of_kind(recorder, "workflow")
    assert sorted(leaf["status"] for leaf in recorder.leaves) == ["error", "ok"]
    assert batch["status"] == "ok"
    assert "The server is down." in str(batch["meta"]["output"]["value"])
    assert "The local provider heard" in str(batch["meta"]["output"]["value"])


@pytest.mark.parametrize("name", ROUTER_BATCHES)
def test_batch_of_a_router(name, provider, recorder):
    """It is one workflow; each of its calls is a Router call beneath it, with one attempt."""
    routed = router(provider, ("a", "mistral/m1"), ("b", "mistral/m2"))

    async def main():
        with LLMObs.workflow("mine"):
            await ROUTER_BATCHES[name](routed)
        if others := asyncio.all_tasks() - {asyncio.current_task()}:
            await asyncio.wait(others, timeout=0.5)

    asyncio.run(main())
    by_id = {event["span_id"]: event for event in recorder.events}
    (batch,) = [event for event in recorder.events if event["resource"] == f"router.{name}"]
    assert by_id[batch["parent_id"]]["name"] == "mine"
    assert "attempts" not in batch["meta"]["metadata"]
    assert batch["meta"]["span"]["kind"] == "workflow"
    assert "The local provider heard" in str(batch["meta"]["output"])
    answered = [leaf for leaf in recorder.leaves if leaf["status"] == "ok"]
    assert len(recorder.leaves) == len(provider.requests)
    assert answered
    for leaf in recorder.leaves:
        call = by_id[leaf["parent_id"]]
        assert (call["resource"], call["parent_id"]) == ("router.acompletion", batch["span_id"])
        assert leaf["meta"]["metadata"]["attempt_number"] == 1
    assert recorder.still_open() == []


def test_call_with_a_priority(provider, recorder):
    """It is a workflow with the Router's call beneath it."""
    routed = router(provider, ("a", "mistral/m1"))
    asyncio.run(routed.schedule_acompletion(model="a", messages=ASK, priority=1))
    leaf, call, scheduled = recorder.events
    resources = [event["resource"] for event in recorder.events]
    assert resources == ["acompletion", "router.acompletion", "router.schedule_acompletion"]
    assert [event["meta"]["span"]["kind"] for event in recorder.events] == ["llm", "workflow", "workflow"]
    assert (leaf["parent_id"], call["parent_id"]) == (call["span_id"], scheduled["span_id"])
    assert "The local provider heard" in str(scheduled["meta"]["output"])


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_each_retry_is_a_call_of_its_own(asynchronous, provider, recorder):
    """LiteLLM's own retries are no Router's: each try is a span with its own error, and none encloses them."""
    pytest.importorskip("tenacity", reason="LiteLLM retries with it")
    # LiteLLM 1.72 reaches this provider through OpenAI's SDK, which would try again itself.
    provider.behaviours["m"] = Script(fail_first=1, status=500, headers={"x-should-retry": "false"})
    given = {"model": "mistral/m", "messages": ASK, "num_retries": 2, **to(provider)}
    if asynchronous:
        if get_version().startswith("1.72."):
            pytest.skip("LiteLLM 1.72 does not retry an asynchronous call")
        asyncio.run(litellm.acompletion_with_retries(original_function=litellm.acompletion, **given))
    else:
        litellm.completion_with_retries(**given)
    assert [event["status"] for event in recorder.events] == ["error", "ok"]
    assert [event["meta"]["span"]["kind"] for event in recorder.events] == ["llm", "llm"]
    assert {event["parent_id"] for event in recorder.events} == {"undefined"}
    assert len(provider.requests) == 2


def test_router_that_was_made_before_the_patch(provider, recorder):
    """What its class has is traced as ever; what it made attributes of itself (to 1.109), as the SDK's call only."""
    ddtrace_litellm.unpatch()
    model_list = [deployment(provider, "a", "openai/gpt-4o-mini")]
    routed = litellm.Router(model_list=model_list, num_retries=0)
    ddtrace_litellm.patch()
    routed.completion("a", ASK)
    asyncio.run(routed.aresponses(model="a", input="Good day"))
    found = [(event["resource"], event["meta"]["span"]["kind"]) for event in recorder.events]
    if hasattr(litellm.Router, "factory_function"):
        of_responses = [("responses", "llm")]
    else:
        of_responses = [("aresponses", "llm"), ("router.aresponses", "workflow")]
    assert found == [("completion", "llm"), ("router.completion", "workflow"), *of_responses]


def test_router_that_was_made_after_the_patch(provider, recorder):
    """Its own attributes are traced, too."""
    given = arguments(ENTRY_POINTS["response"], provider)
    routed = router(provider, ("a", "openai/gpt-4o-mini"))
    asyncio.run(routed.aresponses(model="a", input=given["input"]))
    leaf, outer = recorder.events
    assert (outer["resource"], outer["meta"]["span"]["kind"]) == ("router.aresponses", "workflow")
    assert leaf["parent_id"] == outer["span_id"]
