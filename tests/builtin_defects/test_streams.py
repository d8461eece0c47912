"""Group D of the built-in's defects: how long a span lasts, and what is active meanwhile."""

import asyncio

import litellm
import pytest
from ddtrace import tracer
from litellm import CustomStreamWrapper

from tests.builtin_defects.conftest import MESSAGES
from tests.provider import Script

TEXT = "Hello world, said the provider"


@pytest.fixture
def speaking(provider, ask):
    """Arguments of a stream that says :data:`TEXT`."""
    provider.otherwise = Script(text=TEXT)
    return {"model": "mistral/m", "stream": True, **ask}


def written(chunks):
    """Return the text of some chunks."""
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def output(recorder):
    """Return the recorded text."""
    (message,) = recorder.event["meta"]["output"]["messages"]
    return message["content"]


def test_open_stream_is_not_active(recorder, speaking):
    """Work between getting a stream and reading it is no child of it, nor is a second stream (17)."""
    first = litellm.completion(**speaking)
    second = litellm.completion(**speaking)
    with tracer.trace("other.work") as other:
        next(first)
        with tracer.trace("between.chunks") as between:
            assert between._parent is other
    assert other._parent is None
    assert written(second) == TEXT
    assert written(first)
    assert [span.parent_id for span in recorder.litellm_spans] == [None, None]
    assert len(recorder.events) == 2


@pytest.mark.asyncio
async def test_nothing_is_active_after_an_async_break(recorder, speaking):
    """What follows a ``break`` out of an async stream is no child of it (17)."""
    stream = await litellm.acompletion(**speaking)
    async for _ in stream:
        break
    assert tracer.current_span() is None
    with tracer.trace("other.work") as other:
        assert other._parent is None
    assert not recorder.litellm_spans
    async for _ in stream:
        pass
    assert recorder.event["parent_id"] == "undefined"


@pytest.mark.asyncio
async def test_aclose_ends_the_span(recorder, speaking):
    """Closed early: LiteLLM's stream is too, and the span ends there and then, without an error, and says so (18)."""
    if not hasattr(CustomStreamWrapper, "aclose"):
        pytest.skip("LiteLLM's streams have no aclose() before 1.85")
    stream = await litellm.acompletion(**speaking)
    read = written([await anext(stream), await anext(stream)])
    await stream.aclose()
    assert stream.completion_stream is None
    assert [span.error for span in recorder.litellm_spans] == [0]
    assert recorder.event["meta"]["metadata"]["stream_completed"] is False
    assert output(recorder) == read


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_stream_asked_for_by_position_is_a_stream(recorder, speaking, asynchronous):
    """Its span lasts to the last chunk and has the whole text and its tokens (19)."""
    del speaking["stream"]
    model, messages = speaking.pop("model"), speaking.pop("messages")

    async def read():
        stream = await litellm.acompletion(model, messages, *[None] * 6, True, **speaking)
        assert not recorder.litellm_spans
        return [chunk async for chunk in stream]

    if asynchronous:
        chunks = asyncio.run(read())
    else:
        stream = litellm.completion(model, messages, *[None] * 4, True, **speaking)
        assert not recorder.litellm_spans
        chunks = list(stream)
    assert written(chunks) == output(recorder) == TEXT
    assert recorder.event["metrics"]["output_tokens"] > 0
    assert recorder.event["meta"]["metadata"]["stream_completed"] is True


def test_iterating_anew_goes_on_with_the_same_stream(recorder, speaking):
    """``next(iter(stream))`` takes a chunk and ends nothing (20)."""
    stream = litellm.completion(**speaking)
    assert written([next(iter(stream)), *stream]) == output(recorder) == TEXT


def test_stream_is_litellms_own_to_its_reader(recorder, speaking):
    """Its class, its attributes and its iterators are LiteLLM's (21)."""
    stream = litellm.completion(**speaking)
    assert isinstance(stream, CustomStreamWrapper)
    assert stream.__class__ is CustomStreamWrapper
    assert iter(stream) is stream
    assert stream.__aiter__() is stream
    assert vars(stream) is vars(stream.__wrapped__)
    assert (stream.model, stream.chunks) == (stream.__wrapped__.model, [])
    stream.something = 1
    assert stream.__wrapped__.something == 1
    assert not hasattr(stream, "handler")
    assert written(stream) == TEXT
    assert recorder.still_open() == []


@pytest.mark.parametrize("router", [False, True], ids=["sdk", "router"])
def test_cancelled_call_is_an_error(recorder, provider, reach, router):
    """A timeout of asyncio's ends the span with ``CancelledError`` (22)."""
    provider.behaviours["slow"] = Script(delay=1)
    if router:
        models = [{"model_name": "slow", "litellm_params": {"model": "mistral/slow", **reach}}]
        function, arguments = litellm.Router(model_list=models).acompletion, {"model": "slow"}
    else:
        function, arguments = litellm.acompletion, {"model": "mistral/slow", **reach}

    async def request():
        with pytest.raises(asyncio.TimeoutError):
            await asyncio.wait_for(function(messages=MESSAGES, **arguments), 0.3)

    asyncio.run(request())
    assert [(span.error, span.get_tag("error.type")) for span in recorder.litellm_spans] == [
        (1, "asyncio.exceptions.CancelledError")
    ] * (2 if router else 1)
    assert {event["status"] for event in recorder.events} == {"error"}
