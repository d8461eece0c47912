"""How a call that is not chat can end: in an error, cancelled, as a stream that breaks or that nobody reads."""

import asyncio
import gc
import importlib.util
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from itertools import islice
from typing import Any

import litellm
import pytest

from ddtrace_litellm import get_version
from ddtrace_litellm.demo.answers import Answer, Usage
from ddtrace_litellm.demo.provider import Route
from tests.provider import Script, responses_api
from tests.provider.calls import Call
from tests.tracing.entry_points import (
    ENTRY_POINTS,
    WAYS,
    arguments,
    deployment_id,
    find,
    skip_what_goes_elsewhere,
    twin,
)
from tests.tracing.scenarios import asked

litellm.suppress_debug_info = True

TEXT = "one two three four five six"
# OpenAI's SDK obeys it; LiteLLM's embeddings and images let the SDK try again whatever max_retries says.
ONCE = {"x-should-retry": "false"}
MODERATION = Call("moderation", lambda: {"input": "Good day"}, "/v1", "/v1/moderations", "", str, "")
CALLS = {
    **{
        name: ENTRY_POINTS[name]
        for name in ("embedding", "response", "message", "Gemini", "interaction", "rerank", "GPT image")
    },
    "transcription": ENTRY_POINTS["Whisper"],
    "moderation": MODERATION,
}
KINDS = {"embedding": "embedding", "rerank": "retrieval"}
STREAMS = {name: ENTRY_POINTS[f"{name} stream"] for name in ("response", "message", "Gemini", "interaction")}
"""The streams of the families."""
PARTLY = {"response": 7, "message": 6, "Gemini": 3, "interaction": 4}
"""How many events of a stream have brought some of the text, but not all of it."""

sync_and_async = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])


def _skip_impossible(name: str, call: Call, *, asynchronous: bool) -> None:
    imports_proxy = name == "Gemini" or call is STREAMS["message"]
    if imports_proxy and importlib.util.find_spec("fastapi") is None:
        pytest.skip("LiteLLM cannot make this call without fastapi")
    if name == "message" and not asynchronous:
        pytest.skip("Anthropic's Messages have no sync function in Python")
    skip_what_goes_elsewhere(name)


class Reader:
    """Makes a streamed call and reads it, in one loop where it is asynchronous."""

    def __init__(self, name: str, provider: Any, *, asynchronous: bool) -> None:
        call = STREAMS[name]
        _skip_impossible(name, call, asynchronous=asynchronous)
        self.asynchronous = asynchronous
        self.function = find(litellm, twin(call) if asynchronous else call.function)
        self.arguments = arguments(call, provider)

    def read(self, events: "int | None" = None, *, close: bool = False) -> "BaseException | None":
        """Read so many events, or all of them; drop the stream; return what reading it raised."""
        try:
            asyncio.run(self._aread(events, close)) if self.asynchronous else self._read(events, close)
        except Exception as error:  # which differs from version to version
            return error
        finally:
            gc.collect()
        return None

    def _read(self, events: "int | None", close: bool) -> None:
        stream = self.function(**self.arguments)
        for number, _ in enumerate([] if events == 0 else stream, 1):
            if number == events:
                break
        if close and hasattr(stream, "close"):
            stream.close()

    async def _aread(self, events: "int | None", close: bool) -> None:
        stream = await self.function(**self.arguments)
        assert isinstance(stream, AsyncIterator)
        number = 0
        while number != events:
            try:
                await anext(stream)
            except StopAsyncIteration:
                break
            number += 1
        if close and hasattr(stream, "aclose"):
            await stream.aclose()


@sync_and_async
@pytest.mark.parametrize("status", [429, 500])
@pytest.mark.parametrize("name", CALLS)
def test_error_of_the_provider(name, status, asynchronous, provider, recorder):
    """The span has the kind of its call and the error that the program got, and neither tokens nor cost."""
    call = CALLS[name]
    _skip_impossible(name, call, asynchronous=asynchronous)
    provider.otherwise = Script(status=status, error="The server is down.", headers=ONCE)
    with pytest.raises(Exception, match=r"The server is down\.|50\d|429") as raised:
        WAYS["adirect" if asynchronous else "direct"](call, provider)
    event = recorder.event
    assert event["status"] == "error"
    assert event["meta"]["span"]["kind"] == KINDS.get(name, "llm")
    error = event["meta"]["error"]
    assert error["message"] == str(raised.value)
    assert error["type"] == f"{raised.type.__module__}.{raised.type.__name__}"
    assert event["metrics"] == {}
    assert recorder.still_open() == []


@pytest.mark.parametrize("name", CALLS)
def test_cancelled(name, provider, recorder):
    """A task that is cancelled while it waits for the provider is an error, and its span ends there and then."""
    _skip_impossible(name, CALLS[name], asynchronous=True)
    provider.otherwise = Script(delay=2.0)

    async def main() -> None:
        task = asyncio.ensure_future(find(litellm, twin(CALLS[name]))(**arguments(CALLS[name], provider)))
        await asked(provider, task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert recorder.event["status"] == "error"

    asyncio.run(main())
    event = recorder.event
    assert event["meta"]["error"]["type"] == "asyncio.exceptions.CancelledError"
    assert event["metrics"] == {}
    assert event["duration"] < 2e9
    assert recorder.still_open() == []


@sync_and_async
@pytest.mark.parametrize("name", STREAMS)
def test_stream_that_is_cut(name, asynchronous, provider, recorder):
    """What had come is kept; it is an error where LiteLLM raises one, and complete in no case."""
    provider.otherwise = Script(cut_after=PARTLY[name], text=TEXT)
    error = Reader(name, provider, asynchronous=asynchronous).read()
    event = recorder.event
    assert event["meta"]["metadata"]["stream_completed"] is (error is None)
    assert event["status"] == ("ok" if error is None else "error")
    if error is not None:
        assert event["meta"]["error"]["message"] == str(error)
    assert "finish_reason" not in event["meta"]["metadata"]
    (said,) = event["meta"]["output"]["messages"]
    assert said["content"]
    assert TEXT.startswith(said["content"])
    assert said["content"] != TEXT
    assert event["metrics"]["input_tokens"] > 0
    assert event["metrics"]["output_tokens"] > 0


@sync_and_async
@pytest.mark.parametrize("close", [False, True], ids=["dropped", "closed"])
@pytest.mark.parametrize("name", STREAMS)
def test_stream_that_its_reader_leaves(name, close, asynchronous, provider, recorder):
    """A reader that has read enough makes no error: what it has read is kept, and said to be incomplete."""
    # A read of Messages takes all that has come, which may be all of it where LiteLLM still imports.
    provider.otherwise = Script(text=TEXT, pace=0.3 if name == "message" else 0.0)
    error = Reader(name, provider, asynchronous=asynchronous).read(PARTLY[name], close=close)
    assert error is None
    event = recorder.event
    assert event["status"] == "ok"
    assert event["meta"]["metadata"]["stream_completed"] is False
    (said,) = event["meta"]["output"]["messages"]
    assert said["content"]
    assert TEXT.startswith(said["content"])
    assert event["metrics"]["time_to_first_token"] > 0
    assert recorder.still_open() == []


@sync_and_async
@pytest.mark.parametrize("name", STREAMS)
def test_stream_that_nobody_reads(name, asynchronous, provider, recorder):
    """Its span ends with the stream object, without output and without a first token."""
    Reader(name, provider, asynchronous=asynchronous).read(0)
    event = recorder.event
    assert event["status"] == "ok"
    assert event["meta"]["metadata"]["stream_completed"] is False
    assert not event["meta"]["output"].get("messages")
    assert "time_to_first_token" not in event["metrics"]
    assert recorder.still_open() == []


def _sse(name: str, data: dict[str, Any]) -> bytes:
    head = f"event: {name}\n" if name else ""
    return f"{head}data: {json.dumps(data)}\n\n".encode()


_GAVE_UP = {"message": "The server gave up."}
ERROR_EVENTS = {
    "response error": _sse("error", {"type": "error", "code": "server_error", "param": None, **_GAVE_UP}),
    "response failed": _sse(
        "response.failed",
        {
            "type": "response.failed",
            "response": {
                **responses_api.body({"model": "gpt-4o-mini"}, Answer("", Usage(4, 0))),
                "status": "failed",
                "error": {"code": "server_error", **_GAVE_UP},
            },
        },
    ),
    "message error": _sse("error", {"type": "error", "error": {"type": "overloaded_error", **_GAVE_UP}}),
    "Gemini error": _sse("", {"error": {"code": 503, "status": "UNAVAILABLE", **_GAVE_UP}}),
    "interaction error": _sse("error", {"event_type": "error", "error": {"code": "unavailable", **_GAVE_UP}}),
    "message OpenAI's": _sse("", {"error": {"type": "server_error", **_GAVE_UP}}),
    "Gemini OpenAI's": _sse("", {"error": {"type": "server_error", **_GAVE_UP}}),
}


@sync_and_async
@pytest.mark.parametrize("name", ERROR_EVENTS)
def test_error_event_in_a_stream(name, asynchronous, provider, recorder):
    """An error that the provider sends as an event is the span's error, whether LiteLLM raises it or hands it on."""
    family = name.partition(" ")[0]

    def breaking(route: Route) -> Route:
        def events(request: Any, answer: Answer) -> Iterator[bytes]:
            yield from islice(route.events(request, answer), PARTLY[family])
            yield ERROR_EVENTS[name]

        return replace(route, events=events if route.events else None)

    provider.routes = {path: breaking(route) for path, route in provider.routes.items()}
    provider.otherwise = Script(text=TEXT)
    raised = Reader(family, provider, asynchronous=asynchronous).read()
    event = recorder.event
    assert event["status"] == "error"
    message = event["meta"]["error"]["message"]
    assert message == str(raised) if raised is not None else "The server gave up." in message
    assert event["meta"]["error"]["type"]
    said = "".join(message["content"] for message in event["meta"]["output"]["messages"])
    assert TEXT.startswith(said)


# The sync Router has no fallbacks for Responses.
@pytest.mark.parametrize(("name", "way"), [("embedding", "router"), ("embedding", "arouter"), ("response", "arouter")])
def test_fallback_of_a_router(name, way, provider, recorder):
    """Each attempt says which it is and where it went, the second one why; the Router's span sums them up."""
    if name == "response" and get_version().startswith("1.72."):
        pytest.skip("LiteLLM 1.72 has no fallbacks for Responses")
    provider.otherwise = Script(status=500, fail_first=1, headers=ONCE)
    WAYS[way](ENTRY_POINTS[name], provider, fallbacks=[{"a": ["b"]}])
    (outer,) = [event for event in recorder.events if event["meta"]["span"]["kind"] == "workflow"]
    failed, answered = recorder.leaves
    model = ENTRY_POINTS[name].arguments()["model"]
    for number, (attempt, group) in enumerate(zip((failed, answered), "ab", strict=True), 1):
        facts = attempt["meta"]["metadata"]
        assert (facts["attempt_number"], facts["model_group"]) == (number, group)
        assert facts["deployment_id"] == deployment_id(group, model)
        assert attempt["parent_id"] == outer["span_id"]
    assert (failed["status"], failed["metrics"]) == ("error", {})
    assert answered["metrics"]["total_cost"] > 0
    assert "told to fail" in answered["meta"]["metadata"]["previous_attempt_error"]
    summary = outer["meta"]["metadata"]
    assert (summary["attempts"], summary["attempted_retries"], summary["attempted_fallbacks"]) == (2, 0, 1)
    assert summary["failed_attempts"][0]["deployment_id"] == deployment_id("a", model)
    assert (outer["status"], outer["metrics"]) == ("ok", {})


@pytest.mark.parametrize("way", ["router", "arouter"])
@pytest.mark.parametrize("name", ["embedding", "response"])
def test_error_of_a_router(name, way, provider, recorder):
    """Where no deployment answers, the Router's span has the error that the program got."""
    provider.otherwise = Script(status=500, error="The server is down.", headers=ONCE)
    with pytest.raises(Exception, match=r"The server is down\.") as raised:
        WAYS[way](ENTRY_POINTS[name], provider)
    (outer,) = [event for event in recorder.events if event["meta"]["span"]["kind"] == "workflow"]
    assert outer["status"] == "error"
    assert outer["meta"]["error"]["message"] == str(raised.value)
    assert outer["meta"]["metadata"]["attempts"] == len(recorder.leaves) == 1
