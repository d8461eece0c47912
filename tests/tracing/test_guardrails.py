"""Guardrails of the SDK: what their spans and evaluations say, and what a blocked call is."""

import asyncio
import contextlib
import json
from collections.abc import Iterator

import httpx
import litellm
import pytest
from litellm.exceptions import GuardrailRaisedException
from litellm.integrations.custom_guardrail import CustomGuardrail, log_guardrail_information

from tests.presidio import MASK, Presidio
from tests.recorder import Recorder

_HOOKS = "async_pre_call_deployment_hook" in vars(CustomGuardrail)
SECRET = "my number is 555-1234"


@pytest.fixture(scope="module")
def presidio() -> Iterator[Presidio]:
    """A server that finds phone numbers."""
    with Presidio() as running:
        yield running


class Masks(CustomGuardrail):
    """Masks what the analyzer finds, message by message, and records each as Presidio's guardrail does."""

    url = ""

    async def async_pre_call_hook(self, data, **_more):
        """Ask the analyzer for each message."""
        for message in data["messages"]:
            async with httpx.AsyncClient() as client:
                found = (await client.post(f"{self.url}/analyze", json={"text": message["content"]})).json()
            message["content"] = message["content"].replace("555-1234", MASK)
            self.add_standard_logging_guardrail_information_to_request_data(
                guardrail_provider="presidio-like",
                guardrail_json_response=found,
                request_data=data,
                guardrail_status="success",
                masked_entity_count={item["entity_type"]: 1 for item in found},
            )
        return data


class Blocks(CustomGuardrail):
    """Blocks what says "forbidden", fails on "broken", waits on "slow"; decorated, so that LiteLLM records it."""

    @log_guardrail_information
    async def async_pre_call_hook(self, data, **_more):
        """Look at the last message."""
        asked = data["messages"][-1]["content"]
        if "forbidden" in asked:
            raise GuardrailRaisedException(guardrail_name=self.guardrail_name, message=f"I will not: {asked}")
        if "broken" in asked:
            raise ValueError("The guardrail is broken.")
        if "slow" in asked:
            await asyncio.sleep(60)
        return data


class Silent(Blocks):
    """The same without a record."""

    async_pre_call_hook = Blocks.async_pre_call_hook.__wrapped__


class ChecksTheAnswer(CustomGuardrail):
    """Blocks every answer."""

    @log_guardrail_information
    async def async_post_call_success_hook(self, **_more):
        """Refuse."""
        raise GuardrailRaisedException(guardrail_name=self.guardrail_name, message="Not this answer.")


@pytest.fixture
def use(monkeypatch, presidio):
    """Makes a guardrail the one that a call with ``guardrails=["checked"]`` has."""
    if not _HOOKS:
        pytest.skip("LiteLLM 1.72 runs no guardrail in the SDK")

    def make(kind, mode="pre_call"):
        guardrail = kind(guardrail_name="checked", event_hook=mode)
        guardrail.url = presidio.url
        monkeypatch.setattr(litellm, "callbacks", [guardrail])
        return guardrail

    return make


def _ask(provider, text, guardrails=("checked",), **more):
    return litellm.acompletion(
        "openai/gpt-4o-mini",
        messages=[{"role": "system", "content": "Be nice."}, {"role": "user", "content": text}],
        api_base=f"{provider.url}/v1",
        api_key="sk-local",
        guardrails=list(guardrails),
        **more,
    )


async def _read(asked):
    return [chunk async for chunk in await asked]


def _kinds(recorder):
    return sorted((event["meta"]["span"]["kind"], event["resource"]) for event in recorder.events)


def _guardrail(recorder):
    (event,) = [event for event in recorder.events if event["meta"]["span"]["kind"] == "task"]
    return event


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_guardrail_that_masks(recorder, provider, use, stream):
    """One run that records two texts is one span, with what was masked; the call's input is what the provider got."""
    use(Masks)
    asyncio.run(_read(_ask(provider, SECRET, stream=True)) if stream else _ask(provider, SECRET))
    assert _kinds(recorder) == [("llm", "acompletion"), ("task", "guardrail.checked")]
    event = _guardrail(recorder)
    (call,) = [event for event in recorder.events if event["meta"]["span"]["kind"] == "llm"]
    assert event["parent_id"] == call["span_id"]
    metadata = event["meta"]["metadata"]
    assert metadata == {
        "guardrail_name": "checked",
        "guardrail_mode": "pre_call",
        "guardrail_status": "success",
        "guardrail_action": "mask",
        "guardrail_provider": "presidio-like",
        "masked_entity_count": {"PHONE_NUMBER": 1},
    }
    assert 0 < event["duration"] < call["duration"]
    assert event["start_ns"] >= call["start_ns"]
    (evaluation,) = recorder.evaluations
    assert evaluation["join_on"]["span"]["span_id"] == event["span_id"]
    assert (evaluation["label"], evaluation["categorical_value"]) == ("guardrail_checked", "mask")
    assert (evaluation["assessment"], evaluation["reasoning"]) == ("pass", "masked: 1 PHONE_NUMBER")
    (request,) = provider.requests
    assert request.body["messages"][-1]["content"] == f"my number is {MASK}"


@pytest.mark.parametrize("kind", [Blocks, Silent], ids=["recorded", "silent"])
@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_guardrail_that_blocks(recorder, provider, use, kind, stream):
    """The call is a workflow with its input, without tokens or cost; no answer that may quote it is the reason."""
    use(kind)
    with pytest.raises(GuardrailRaisedException, match="I will not"):
        asyncio.run(_ask(provider, "something forbidden", stream=stream))
    assert _kinds(recorder) == [("task", "guardrail.checked"), ("workflow", "acompletion")]
    assert provider.requests == []
    (call,) = [event for event in recorder.events if event["meta"]["span"]["kind"] == "workflow"]
    assert "something forbidden" in json.dumps(call["meta"]["input"])
    assert call["metrics"] == {}
    assert call["meta"]["error"]["type"].endswith("GuardrailRaisedException")
    event = _guardrail(recorder)
    assert event["parent_id"] == call["span_id"]
    assert event["meta"]["metadata"]["guardrail_action"] == "block"
    assert event["meta"]["metadata"]["guardrail_status"] == "guardrail_intervened"
    assert event["status"] == "ok"
    (evaluation,) = recorder.evaluations
    assert evaluation["assessment"] == "fail"
    assert "reasoning" not in evaluation


def test_guardrail_that_lets_pass(recorder, provider, use):
    """An undecorated guardrail has a span and a verdict too, and none where it does not apply."""
    use(Silent)
    asyncio.run(_ask(provider, "hello"))
    assert _guardrail(recorder)["meta"]["metadata"]["guardrail_action"] == "allow"
    assert [evaluation["assessment"] for evaluation in recorder.evaluations] == ["pass"]
    recorder.events.clear()
    asyncio.run(_ask(provider, "hello", guardrails=["another"]))
    assert _kinds(recorder) == [("llm", "acompletion")]


def test_guardrail_that_fails(recorder, provider, use):
    """It is an error of its span, there is no verdict, and the call has asked nobody."""
    use(Blocks)
    with pytest.raises(ValueError, match="broken"):
        asyncio.run(_ask(provider, "broken"))
    event = _guardrail(recorder)
    assert event["meta"]["error"]["type"] == "builtins.ValueError"
    assert event["meta"]["metadata"]["guardrail_status"] == "guardrail_failed_to_respond"
    assert recorder.evaluations == []
    assert _kinds(recorder) == [("task", "guardrail.checked"), ("workflow", "acompletion")]


def test_record_outside_of_a_run(recorder, use):
    """It shows the answer, and takes no time where it says neither when the run began nor how long it took."""
    use(Masks).add_standard_logging_guardrail_information_to_request_data(
        guardrail_json_response={"verdict": "fine"}, request_data={"metadata": {}}, guardrail_status="success"
    )
    event = _guardrail(recorder)
    assert event["duration"] < 10**8
    assert event["meta"]["output"]["value"] == '{"verdict": "fine"}'


def test_guardrail_that_is_cancelled(recorder, provider, use):
    """The guardrail and the call end as cancelled, and nobody was asked."""
    use(Blocks)

    async def cancel():
        task = asyncio.create_task(_ask(provider, "slow"))
        await asyncio.sleep(0.3)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancel())
    assert _guardrail(recorder)["meta"]["error"]["type"] == "asyncio.exceptions.CancelledError"
    assert recorder.still_open() == []
    assert recorder.evaluations == []
    assert provider.requests == []


def test_guardrail_that_blocks_the_answer(recorder, provider, use):
    """The provider was asked: the call stays the leaf with its tokens, and the guardrail is beneath it."""
    use(ChecksTheAnswer, mode="post_call")
    with pytest.raises(GuardrailRaisedException):
        asyncio.run(_ask(provider, "hello"))
    assert len(provider.requests) == 1
    assert _kinds(recorder) == [("llm", "acompletion"), ("task", "guardrail.checked")]
    metadata = _guardrail(recorder)["meta"]["metadata"]
    assert (metadata["guardrail_mode"], metadata["guardrail_action"]) == ("post_call", "block")


def test_answer_obeys_the_switches(provider, use, monkeypatch):
    """What a guardrail says is on its span, but not where input or output may not be."""
    use(Blocks)
    for variables, shown in (({}, True), ({"DD_LITELLM_CAPTURE_INPUT": "false"}, False)):
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        with Recorder(llmobs=True) as recorder:
            with pytest.raises(GuardrailRaisedException):
                asyncio.run(_ask(provider, "forbidden words"))
            assert ("forbidden words" in json.dumps(_guardrail(recorder)["meta"])) is shown
            assert ("forbidden words" in json.dumps(recorder.evaluations)) is False


@pytest.mark.parametrize(("text", "action"), [("hello", "allow"), ("forbidden", "block"), ("broken", "error")])
def test_guardrail_that_a_program_runs_itself(recorder, text, action):
    """Its record is a span of its own, in the session of the request, which began before it ended."""
    data = {"messages": [{"content": text}], "metadata": {"session_id": "session-1"}}
    checks = Blocks(guardrail_name="checked", event_hook="pre_call").async_pre_call_hook(data=data)
    asyncio.run(asyncio.wait_for(_settled(checks), 5))
    event = recorder.event
    assert (event["resource"], event["session_id"]) == ("guardrail.checked", "session-1")
    assert event["meta"]["metadata"]["guardrail_action"] == action
    assert event["duration"] >= 0
    assert (event["status"] == "error") is (action == "error")


async def _settled(checks):
    await asyncio.gather(checks, return_exceptions=True)


def test_router(recorder, provider, use):
    """Behind a Router the blocked attempt is a workflow as well, so that no span is a request to a provider."""
    use(Blocks)
    router = litellm.Router(
        model_list=[
            {
                "model_name": "chat",
                "litellm_params": {
                    "model": "openai/gpt-4o-mini",
                    "api_base": f"{provider.url}/v1",
                    "api_key": "sk-local",
                },
            }
        ],
        num_retries=0,
    )
    with pytest.raises(GuardrailRaisedException):
        asyncio.run(
            router.acompletion("chat", messages=[{"role": "user", "content": "forbidden"}], guardrails=["checked"])
        )
    assert {kind for kind, _ in _kinds(recorder)} == {"task", "workflow"}
    assert provider.requests == []


REDACTED = {
    "setting": {},
    "no-log": {"no-log": True},
    "header": {"metadata": {"headers": {"x-litellm-enable-message-redaction": "true"}}},
}
"""How LiteLLM may be told not to log contents: the arguments of a call; the setting is the process's."""


@pytest.fixture(params=REDACTED)
def told(request, monkeypatch):
    """Tell LiteLLM, and return the arguments that do."""
    monkeypatch.setattr(litellm, "turn_off_message_logging", request.param == "setting")
    return REDACTED[request.param]


@pytest.mark.parametrize("kind", [Masks, Blocks])
def test_redacted(told, kind, recorder, provider, use):
    """The verdict is on the span and an evaluation, and nothing of what was checked or answered is quoted."""
    use(kind)
    blocks = kind is Blocks
    with pytest.raises(GuardrailRaisedException) if blocks else contextlib.nullcontext():
        asyncio.run(_ask(provider, f"forbidden: {SECRET}", **told))
    event = _guardrail(recorder)
    metadata = event["meta"]["metadata"]
    assert metadata["guardrail_action"] == ("block" if blocks else "mask")
    assert blocks or metadata["masked_entity_count"] == {"PHONE_NUMBER": 1}
    (evaluation,) = recorder.evaluations
    assert (evaluation["categorical_value"], evaluation["assessment"]) == (
        ("block", "fail") if blocks else ("mask", "pass")
    )
    assert len(provider.requests) == (0 if blocks else 1)
    told_all = str([recorder.events, recorder.evaluations, [(span, span.get_tags()) for span in recorder.finished]])
    for quoted in (SECRET, MASK, "my number", "Be nice", "I will not", "The local provider heard"):
        assert quoted not in told_all
