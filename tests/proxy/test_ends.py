"""Requests that do not end well: disconnects, cut streams, rejections."""

import time

import pytest

from tests.proxy.arrivals import asked_of, leaves, routers
from tests.proxy.configuration import POOR_KEY, UNKNOWN_KEY

pytestmark = pytest.mark.e2e

QUESTION = [{"role": "user", "content": "hi"}]


def _said(span):
    (message,) = span.llm.output["messages"]
    return message["content"]


def _closed_early(span):
    return span.error is None and span.llm.metadata["stream_completed"] is False


def _read_two_and_leave(caller, model):
    stream = caller.openai.chat.completions.create(model=model, messages=QUESTION, stream=True)
    chunks = iter(stream)
    next(chunks)
    next(chunks)
    stream.close()


def test_client_that_leaves_in_mid_stream(arrivals, upstream, caller):
    """The spans end when the client goes, long before the provider is done, and keep what had come."""
    begin = time.monotonic()
    _read_two_and_leave(caller, "slow")
    (trace,) = arrivals.wait(caller.mark)
    assert time.monotonic() - begin < 2.5  # the provider talks for three seconds
    (leaf,), (router,) = leaves(trace), routers(trace)
    assert len(asked_of(upstream)) == 1
    assert trace.lost_parents == ()
    assert _closed_early(leaf)
    assert _closed_early(router)
    assert leaf.llm.metadata["client_disconnected"] is True
    assert _said(leaf).startswith("one ")
    assert leaf.llm.metrics["output_tokens"] > 0
    assert leaf.llm.metadata["token_source"] == "estimated"


def test_client_that_leaves_in_mid_stream_of_messages(arrivals, caller):
    """The same on Anthropic's route."""
    with caller.anthropic.messages.stream(model="claude-slow", messages=QUESTION, max_tokens=64) as stream:
        next(iter(stream.text_stream))
    (trace,) = arrivals.wait(caller.mark)
    (leaf,) = leaves(trace)
    assert trace.lost_parents == ()
    assert _closed_early(leaf)
    assert _said(leaf).startswith("one ")


@pytest.mark.parametrize("stream", [False, True])
def test_client_that_leaves_before_the_first_byte(arrivals, upstream, caller, stream):
    """The trace arrives whole, without a made-up answer, when the client did not wait for the provider."""
    import openai

    with pytest.raises(openai.APITimeoutError):
        caller.openai.with_options(timeout=0.5).chat.completions.create(model="late", messages=QUESTION, stream=stream)
    (trace,) = arrivals.wait(caller.mark)
    assert len(asked_of(upstream)) == len(leaves(trace)) == 1
    assert trace.lost_parents == ()
    (leaf,) = leaves(trace)
    assert leaf.error is None
    assert not stream or _closed_early(leaf)


def test_stream_that_the_provider_breaks(arrivals, upstream, caller):
    """A broken stream is an error of the leaf and of the Router's span, with what had come until then."""
    import openai

    with pytest.raises(openai.APIError):
        list(caller.openai.chat.completions.create(model="cut", messages=QUESTION, stream=True))
    (trace,) = arrivals.wait(caller.mark)
    (leaf,), (router,) = leaves(trace), routers(trace)
    assert len(asked_of(upstream)) == 1
    assert leaf.error.type == "litellm.exceptions.MidStreamFallbackError"
    assert router.error is not None
    assert leaf.llm.metadata["stream_completed"] is False
    assert _said(leaf).startswith("one ")


def test_stream_that_goes_on_with_a_fallback(arrivals, upstream, caller):
    """A stream broken before its first chunk goes on with another group's, under the same Router span."""
    chunks = list(caller.openai.chat.completions.create(model="cut-at-once", messages=QUESTION, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "The local provider heard: hi"
    (trace,) = arrivals.wait(caller.mark)
    broken, whole = leaves(trace)
    (router,) = routers(trace)
    assert asked_of(upstream) == [broken.llm.model, whole.llm.model] == ["gpt-cut-at-once", "gpt-4o-mini"]
    assert {broken.parent_id, whole.parent_id} == {router.span_id}
    assert broken.error.type == "litellm.exceptions.MidStreamFallbackError"
    assert (whole.error, router.error) == (None, None)
    assert (router.llm.metadata["attempts"], router.llm.metadata["stream_completed"]) == (2, True)


@pytest.mark.parametrize(("key", "status"), [(UNKNOWN_KEY, "401"), (POOR_KEY, "422")])
def test_caller_that_is_turned_away(arrivals, upstream, call, key, status):
    """An unknown key and an exceeded budget leave the web span alone."""
    import openai

    caller = call(key=key)
    with pytest.raises(openai.APIStatusError):
        caller.openai.chat.completions.create(model="chat", messages=QUESTION)
    _only_the_web_span(arrivals, caller, status)
    assert asked_of(upstream) == []


def _only_the_web_span(arrivals, caller, status):
    (trace,) = arrivals.wait(caller.mark)
    assert trace.llm_spans() == ()
    (root,) = trace.roots
    assert (root.name, root.apm_tags["http.status_code"]) == ("fastapi.request", status)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_provider_that_quotes_keys(stream, arrivals, caller):
    """Its error is told on Router and attempt without the deployment's key and without the caller's."""
    with pytest.raises(Exception, match="Incorrect key"):
        caller.openai.chat.completions.create(model="quotes", messages=QUESTION, stream=stream)
    (trace,) = arrivals.wait(caller.mark)
    for span in (*routers(trace), *leaves(trace)):
        assert "Incorrect key ***, not ***" in span.error.message
