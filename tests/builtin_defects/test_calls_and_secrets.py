"""Groups A and B of the built-in's defects: the user's call breaks, data is lost, secrets and contents leak."""

import asyncio
import contextvars
import json
import logging
from types import SimpleNamespace

import litellm
import pytest
from ddtrace import tracer
from ddtrace.llmobs import LLMObs

from ddtrace_litellm.extract import chat
from ddtrace_litellm.targets import Target
from ddtrace_litellm.telemetry import counters
from ddtrace_litellm.tracing.calls import begin
from tests.builtin_defects.conftest import MESSAGES
from tests.provider import Script

PROMPT = "ssn 123-45-6789"


@pytest.mark.parametrize("model", ["no-such-provider", "mistral/unauthorised", "mistral/broken", "mistral/dropped"])
@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_stream_that_fails_before_it_is_returned_ends_its_span(recorder, provider, ask, model, asynchronous):
    """The span has the error, and the context is what it was before the call (1)."""
    provider.behaviours |= {
        "unauthorised": Script(status=401),
        "broken": Script(status=500),
        "dropped": Script(drop=True),
    }
    arguments = {"model": model, "stream": True, "max_retries": 0, **ask}
    with tracer.trace("web.request") as outer:
        with pytest.raises(Exception) as caught:  # noqa: PT011  # LiteLLM's classes differ by provider and version
            asyncio.run(litellm.acompletion(**arguments)) if asynchronous else litellm.completion(**arguments)
        assert tracer.current_span() is outer
    (span,) = recorder.litellm_spans
    assert (span.error, span.get_tag("error.type").rpartition(".")[2]) == (1, type(caught.value).__name__)
    assert recorder.event["meta"]["error"]["message"] == str(caught.value)
    assert recorder.still_open() == []


@pytest.mark.asyncio
async def test_cancelled_stream_call_ends_its_span(recorder, provider, ask):
    """Cancelled while it waits for the stream: an error, and nothing stays open (1)."""
    provider.behaviours["slow"] = Script(delay=1)
    with pytest.raises(asyncio.TimeoutError):
        await asyncio.wait_for(litellm.acompletion(model="mistral/slow", stream=True, **ask), 0.2)
    assert recorder.event["meta"]["error"]["type"] == "asyncio.exceptions.CancelledError"
    assert recorder.still_open() == []


@pytest.mark.asyncio
async def test_fallback_of_a_stream_keeps_the_whole_trace(recorder, routed):
    """One trace: web span, Router span, a failed and a successful attempt (2)."""
    with tracer.trace("web.request") as web:
        stream = await routed().acompletion(model="a", messages=MESSAGES, stream=True)
        text = "".join([chunk.choices[0].delta.content or "" async for chunk in stream])
    assert text == "The local provider heard: hello"
    assert recorder.still_open() == []
    router, failed, answered = sorted(recorder.litellm_spans, key=lambda span: span.start_ns)
    assert [span.resource for span in (router, failed, answered)] == ["router.acompletion", *["acompletion"] * 2]
    assert [span.error for span in (router, failed, answered)] == [0, 1, 0]
    assert [span.parent_id for span in (router, failed, answered)] == [web.span_id, router.span_id, router.span_id]
    assert {span.trace_id for span in recorder.finished} == {web.trace_id}


def test_failing_streams_hold_no_traces(recorder):
    """What failed leaves nothing behind in the tracer (3)."""
    tracer.flush()
    before = len(tracer._span_aggregator._traces)

    def failing_request():
        with pytest.raises(litellm.BadRequestError):
            litellm.completion(model="no-such-provider", messages=MESSAGES, stream=True)

    for _ in range(20):
        contextvars.copy_context().run(failing_request)
    assert len(recorder.litellm_spans) == 20
    assert len(tracer._span_aggregator._traces) == before


@pytest.mark.parametrize("llmobs", [True, False], ids=["llmobs", "apm only"])
def test_list_of_prompts_by_position_is_answered(request, reach, llmobs):
    """``text_completion([...], model)`` returns what it returns without ddtrace, also with APM only (4)."""
    recorder = request.getfixturevalue("recorder" if llmobs else "apm_recorder")
    model = "text-completion-openai/gpt-3.5-turbo-instruct"
    response = litellm.text_completion(["p1", "p2"], model, **reach)
    assert [choice.text for choice in response.choices] == [" and so it went on."] * 2
    (span,) = recorder.litellm_spans
    assert (span.error, span.get_tag("litellm.request.model")) == (0, model)
    if llmobs:
        assert [message["content"] for message in recorder.event["meta"]["input"]["messages"]] == ["p1", "p2"]


@pytest.mark.parametrize(
    "odd",
    [
        {"headers": None},
        {"headers": 7},
        {"headers": "text"},
        {"headers": {"host": 7}},
        {"tags": "text"},
        {"session_id": ["a", "list"]},
        {"user_api_key_alias": {"a": "dict"}},
        {"model_info": {"id": ["a", "list"]}},
    ],
    ids=lambda odd: next(iter(odd)),
)
def test_odd_metadata_gives_a_span_without_that_tag(recorder, ask, odd):
    """Whatever LiteLLM accepts as metadata is answered (5)."""
    response = litellm.completion(model="mistral/m", metadata=odd, **ask)
    assert response.choices[0].message.content == "The local provider heard: hello"
    assert recorder.event["metrics"]["input_tokens"] == 1
    assert "session_id" not in recorder.event
    assert "litellm.request.host" not in recorder.litellm_spans[0].get_tags()


@pytest.mark.parametrize("name", ["completion", "text_completion"])
def test_wrong_call_raises_what_litellm_raises(recorder, name):
    """A call without its arguments fails as it does without ddtrace, class and message (6)."""
    traced = getattr(litellm, name)
    caught = []
    for call in (traced, traced.__wrapped__):
        with pytest.raises(Exception) as error:  # noqa: PT011  # which class it is, is what the test compares
            call()
        caught.append((error.type, str(error.value)))
    assert caught[0] == caught[1]
    assert recorder.still_open() == []


class SyntheticStream:
    """A stream of one chunk."""

    def __init__(self, chunk):
        self.left = [chunk]

    def __iter__(self):
        return self

    def __next__(self):
        if not self.left:
            raise StopIteration
        return self.left.pop()


class Hostile:
    """An object that cannot be looked at."""

    @property
    def __dict__(self):
        raise ZeroDivisionError


def _traced_chunks(chunk):
    call = begin(Target("completion", ("litellm",), chat.API), (), {"model": "m"})
    return list(call.succeed(SyntheticStream(chunk)))


@pytest.mark.parametrize(
    "chunk",
    [
        SimpleNamespace(choices=None, usage=None, model="m"),
        SimpleNamespace(choices=7),
        SimpleNamespace(choices=[None, "text", SimpleNamespace(delta=5)]),
        {"choices": [{"index": "first", "delta": {"content": 5, "tool_calls": [None]}}]},
        b"bytes",
        None,
    ],
    ids=str,
)
def test_unexpected_chunk_reaches_the_reader(recorder, chunk):
    """A chunk of a form that nobody expects passes through, and the span is an event as ever (7)."""
    assert _traced_chunks(chunk) == [chunk]
    assert recorder.event["meta"]["span"]["kind"] == "llm"
    assert recorder.still_open() == []


def test_failure_while_reading_a_chunk_is_logged_at_debug(recorder, monkeypatch, caplog):
    """Our own failure is a debug record with a traceback, and the chunk passes through (7)."""
    monkeypatch.setattr(counters, "internal_errors", {})
    caplog.set_level(logging.DEBUG, "ddtrace.litellm")
    chunk = Hostile()
    assert _traced_chunks(chunk) == [chunk]
    assert recorder.event["meta"]["span"]["kind"] == "llm"
    records = [record for record in caplog.records if record.name == "ddtrace.litellm" and record.exc_info]
    assert {record.levelno for record in records} == {logging.DEBUG}
    assert {record.exc_info[0] for record in records} == {ZeroDivisionError}
    assert recorder.still_open() == []


@pytest.mark.parametrize("name", ["text_completion", "atext_completion"])
def test_positional_prompt_is_input_and_not_the_model(recorder, provider, reach, name):
    """``text_completion(prompt, model)`` names the model, and has the prompt as input only (8)."""
    provider.otherwise = Script(text="answer")
    result = getattr(litellm, name)(PROMPT, "mistral/m", **reach)
    if asyncio.iscoroutine(result):
        asyncio.run(result)
    meta = recorder.event["meta"]
    assert (meta["model_name"], meta["model_provider"]) == ("m", "mistral")
    assert [message["content"] for message in meta.pop("input")["messages"]] == [PROMPT]
    assert PROMPT not in json.dumps(meta)
    assert PROMPT not in str([span.get_tags() for span in recorder.finished])


@pytest.fixture
def redaction(recorder):  # noqa: ARG001  # a processor is of the service that the recorder starts
    """A user's span processor that blanks every message."""

    def redact(span):
        for message in span.input + span.output:
            message["content"] = "[redacted]"
        return span

    LLMObs.register_processor(redact)
    yield
    LLMObs.register_processor(None)


@pytest.mark.usefixtures("redaction")
@pytest.mark.parametrize("stream", [False, True], ids=["response", "stream"])
def test_no_content_gets_past_the_span_processor(recorder, ask, stream):
    """Neither the event nor what is left on any APM span has the text, through the OpenAI SDK too (9)."""
    result = litellm.completion(
        model="openai/gpt-4o", stream=stream, **ask | {"messages": [{"role": "user", "content": PROMPT}]}
    )
    if stream:
        list(result)
    messages = [message for side in ("input", "output") for message in recorder.event["meta"][side]["messages"]]
    assert [message["content"] for message in messages] == ["[redacted]"] * 2
    for span in recorder.finished:
        assert PROMPT not in str([span.get_tags(), span._get_struct_tag("_llmobs"), span.resource])


def test_model_list_is_never_recorded(recorder, reach):
    """The deployments that a call brings along, and their keys, are on no span (10)."""
    params = {"model": "mistral/m", **reach, "api_key": "sk-secret"}
    models = [{"model_name": "mistral/m", "litellm_params": params}]
    litellm.completion(model="mistral/m", messages=MESSAGES, model_list=models)
    assert len(recorder.leaves) == 1
    assert "sk-secret" not in json.dumps(recorder.events, default=str)
    assert all("model_list" not in event["meta"]["metadata"] for event in recorder.events)
    assert "sk-secret" not in str([span.get_tags() for span in recorder.finished])


def test_credentials_in_a_url_are_cut_off(recorder):
    """Of a URL only scheme, host and path are recorded (11)."""
    litellm.completion(
        model="anthropic/claude-3-5-sonnet-20241022",
        messages=MESSAGES,
        mock_response="hi",
        api_base="https://user:password@host/v1?key=secret",
    )
    assert recorder.event["meta"]["metadata"]["api_base"] == "https://host/v1"
    assert not {"password", "secret"} & set(json.dumps(recorder.events, default=str).replace('"', "/").split("/"))
