"""The counters: right under threads, finalizers and forks, and what they say of each way a call can end."""

import asyncio
import gc
import json
import os
import sys
import threading

import litellm
import openai
import pytest

from ddtrace_litellm import telemetry
from ddtrace_litellm.telemetry import counters
from ddtrace_litellm.tracing import errors
from tests.provider import Script
from tests.tracing.scenarios import ASK, to

MODEL = "mistral/m"


@pytest.fixture(autouse=True)
def _at_zero():
    gc.collect()  # what other tests have left unread
    counters.reset()
    yield
    counters.reset()


def test_no_count_is_lost_between_threads():
    """Threads that count at once lose none, not even with a switch of threads at every chance."""
    tally = counters.Tally()
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        threads = [threading.Thread(target=lambda: [tally.up() for _ in range(20_000)]) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert tally.value == 80_000


def test_reading_does_not_count():
    """However often a number is read, it stays."""
    tally = counters.Tally()
    assert (tally.up(), tally.up()) == (0, 1)
    assert (tally.value, tally.value) == (2, 2)


def test_amounts_of_the_scraper():
    """What the scraper has sent and dropped adds up."""
    counters.series_sent.add(20)
    counters.series_sent.add(3)
    counters.series_dropped.add(2)
    counted = telemetry.snapshot()
    assert (counted.series_sent, counted.series_dropped) == (23, 2)
    assert (counted.as_dict()["series_sent"], counted.as_dict()["series_dropped"]) == (23, 2)


def test_snapshot_is_frozen():
    """A snapshot neither changes nor can be changed."""
    before = telemetry.snapshot()
    counters.opened.up()
    counters.ended[counters.OK].up()
    assert (before.opened, before.ended["ok"], telemetry.snapshot().opened) == (0, 0, 1)
    with pytest.raises(AttributeError):
        before.opened = 3
    with pytest.raises(TypeError):
        before.ended["ok"] = 3


def test_internal_errors_are_counted_by_place():
    """Each of our own failures counts, the first of a place and the others."""
    for place in ("ending", "ending", "chunk"):
        with errors.contain(place):
            raise ValueError(place)
    assert telemetry.snapshot().internal_errors == {"ending": 2, "chunk": 1}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_process_starts_at_zero():
    """The child reports what it counts itself."""
    counters.opened.up()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        counters.opened.up()
        counters.opened.up()
        os.write(write, json.dumps(telemetry.snapshot().as_dict()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert json.loads(os.read(read, 4096))["spans_opened"] == 2
    assert telemetry.snapshot().opened == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_stream_that_was_open_at_a_fork(provider, recorder):
    """Its end in the child is no end of a span that the child opened: nothing counts as open, nor as less than that."""
    stream = _stream(provider)
    next(stream)
    read, write = os.pipe()
    child = os.fork()
    if not child:
        del stream
        gc.collect()
        os.write(write, json.dumps(telemetry.snapshot().as_dict()).encode())
        os._exit(0)
    os.waitpid(child, 0)
    counted = json.loads(os.read(read, 4096))
    assert (counted["spans_opened"], counted["spans_open"]) == (0, 0)
    assert telemetry.snapshot().open == 1
    list(stream)
    assert telemetry.snapshot().ended["ok"] == 1
    assert len(recorder.litellm_spans) == 1


def _plain(provider):
    litellm.completion(MODEL, ASK, **to(provider))


def _stream(provider):
    return litellm.completion(MODEL, ASK, stream=True, **to(provider))


def _read(provider):
    list(_stream(provider))


def _closed(provider):
    async def read():
        stream = await litellm.acompletion(MODEL, ASK, stream=True, **to(provider))
        await anext(stream)
        await stream.aclose()

    asyncio.run(read())


def _dropped(provider):
    stream = _stream(provider)
    next(stream)
    del stream
    gc.collect()


def _never_read(provider):
    _stream(provider)
    gc.collect()


def _failing(provider):
    provider.behaviours["m"] = Script(status=500)
    with pytest.raises(openai.APIError):  # which all of LiteLLM's are
        litellm.completion(MODEL, ASK, **to(provider))


def _breaking(provider):
    provider.behaviours["m"] = Script(cut_after=2)
    with pytest.raises(openai.APIError):  # which all of LiteLLM's are
        list(_stream(provider))


def _cancelled(provider):
    provider.behaviours["m"] = Script(delay=5.0)

    async def call():
        await asyncio.wait_for(litellm.acompletion(MODEL, ASK, **to(provider)), 0.3)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(call())


@pytest.mark.parametrize(
    ("call", "outcome"),
    [
        (_plain, "ok"),
        (_read, "ok"),
        pytest.param(
            _closed,
            "closed",
            marks=pytest.mark.skipif(not hasattr(litellm.CustomStreamWrapper, "aclose"), reason="none"),
        ),
        (_dropped, "collected"),
        (_never_read, "collected"),
        (_failing, "error"),
        (_breaking, "error"),
        (_cancelled, "cancelled"),
    ],
)
def test_outcomes(call, outcome, provider, recorder):
    """Each span is counted once when it opens, and once by how it ended."""
    call(provider)
    counted = telemetry.snapshot()
    assert counted.opened == len(recorder.litellm_spans) == 1
    assert {name: number for name, number in counted.ended.items() if number} == {outcome: 1}
    assert (counted.open, counted.internal_errors) == (0, {})


def test_stream_that_is_left_open(provider, recorder):
    """One that is still being read is open, and what the end of the process ends is counted as left."""
    stream = _stream(provider)
    next(stream)
    assert telemetry.snapshot().open == 1
    from ddtrace_litellm.tracing.streams import end_open_streams

    end_open_streams()
    assert (telemetry.snapshot().open, telemetry.snapshot().ended["left"]) == (0, 1)
    assert recorder.still_open() == []
    list(stream)
    assert telemetry.snapshot().ended["left"] == 1
