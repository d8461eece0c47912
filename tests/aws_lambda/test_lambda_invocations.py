"""Functions under the real runtime client and the real datadog-lambda, with the layer."""

from importlib.metadata import version

import pytest

from tests.activation.cases import OURS
from tests.aws_lambda.runtime import needs_lambda
from tests.provider import Provider, Script

pytestmark = [needs_lambda, pytest.mark.e2e]

MODEL = "gpt-4o-mini"
events_in_traces = pytest.mark.skipif(
    tuple(map(int, version("ddtrace").split(".")[:2])) < (4, 12),
    reason="this ddtrace sends events apart from traces, by a thread that may not get to it before the timeout",
)


def invocation(traces):
    """Return the span of LiteLLM in what is the complete trace of one invocation."""
    (trace,) = traces
    assert trace.lost_parents == ()
    (root,) = [span for span in trace.spans if span.name == "aws.lambda"]
    (span,) = trace.llm_spans()
    assert span.parent_id == root.span_id
    return span


@pytest.fixture(scope="module")
def running(function):
    """A function of which several tests use one environment, its cold start traced."""
    with function(DD_COLD_START_TRACING="true") as started:
        yield started
        assert "[ERROR]" not in started.log


def test_two_invocations(running, arrived):
    """Of each invocation a complete trace arrives before the next: the LLM span below aws.lambda, with everything."""
    for _ in range(2):
        assert running.invoke({"do": "call"})
        span = invocation(arrived())
        assert (span.name, span.error) == ("litellm.request", None)
        assert (span.llm.kind, span.llm.model, span.llm.provider) == ("llm", MODEL, "openai")
        assert span.llm.metrics["total_tokens"] > 0
        assert span.llm.metrics["total_cost"] > 0
        assert span.llm.input["messages"] == [{"role": "user", "content": "Hello"}]
        assert span.llm.output["messages"][0]["content"]


def test_integration(running):
    """With the layer, and no variable that says otherwise, it is ours."""
    assert running.invoke({"do": "state"}) == OURS


def test_stream_that_is_read(running, arrived):
    """A stream that the function reads to its end is complete when the invocation is."""
    assert running.invoke({"do": "stream"}) > 1
    span = invocation(arrived())
    assert span.llm.metadata["stream_completed"] is True
    assert span.llm.metrics["time_to_first_token"] > 0


def test_stream_that_is_left_open(running, arrived):
    """A stream that outlives its invocation is ended with it, as not read to its end, and can still be read later."""
    for _ in range(2):
        assert running.invoke({"do": "open stream"}) is None
        span = invocation(arrived())
        assert span.error is None
        assert span.llm.metadata["stream_completed"] is False
        assert span.llm.input["messages"] == [{"role": "user", "content": "Hello"}]
    assert running.invoke({"do": "rest of the stream"}) > 1
    (trace,) = arrived()
    assert [span.name for span in trace.spans][:1] == ["aws.lambda"]
    assert trace.llm_spans() == ()


@events_in_traces
def test_call_in_an_invocation_that_times_out(function, arrived):
    """When ddtrace gives up on an invocation that is about to time out, the call that took so long has its event."""
    with Provider({MODEL: Script(delay=30)}) as provider, function(PROVIDER_URL=provider.url) as running:
        running.invoke_and_run_out({"do": "call"}, seconds=2)
        span = invocation(arrived())
        assert span.llm.kind == "llm"
        assert span.error.type == "Impending Timeout"
        assert span.llm.input["messages"] == [{"role": "user", "content": "Hello"}]


@events_in_traces
def test_stream_in_an_invocation_that_times_out(function, arrived):
    """A stream that is being read then has its event too, with what had come."""
    with Provider({MODEL: Script(pace=0.9)}) as provider, function(PROVIDER_URL=provider.url) as running:
        running.invoke({"do": "call"})  # LiteLLM imports much for its first call: here the time is for the stream
        arrived()
        running.invoke_and_run_out({"do": "stream"}, seconds=3)
        span = invocation(arrived())
        assert span.llm.metadata["stream_completed"] is False
        assert span.llm.output["messages"][0]["content"].startswith("The")
        assert span.llm.metrics["time_to_first_token"] > 0
