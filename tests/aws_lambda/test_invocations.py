"""Functions under the real runtime client and the real datadog-lambda, with the layer."""

import shutil

import pytest

from ddtrace_litellm.tryout.traces import assemble
from tests.activation.cases import BUILT_IN, NOTHING, OURS
from tests.aws_lambda.runtime import SITE_PACKAGES, unpack
from tests.provider import Provider, Script

pytest.importorskip("awslambdaric", reason="Lambda's runtime client is not installed")
pytest.importorskip("datadog_lambda", reason="datadog-lambda is not installed")
pytestmark = pytest.mark.e2e

ON = {"DD_LLMOBS_ENABLED": "true"}
REDIRECT = {"_HANDLER": "ddtrace_litellm.aws_lambda.handler.handler"}
MODEL = "gpt-4o-mini"


@pytest.fixture
def arrived(agent):
    """Return what has arrived at the agent since it was last asked."""

    def traces():
        found = assemble(agent.get_json("/test/traces"), agent.get_json("/test/session/requests"))
        agent._get("/test/session/clear")
        return found

    traces()
    return traces


@pytest.fixture
def function(machine, agent, url):
    """Return a function with the layer, LLM Observability on, that sends to the agent."""

    def started(on=machine, wrapper=None, **environment):
        variables = {"DD_TRACE_AGENT_URL": agent.url, "PROVIDER_URL": url, **ON, **environment}
        return on.function(wrapper=wrapper, **variables)

    return started


def invocation(traces):
    """Return the span of LiteLLM in what is the complete trace of one invocation."""
    (trace,) = traces
    assert trace.lost_parents == ()
    (root,) = [span for span in trace.spans if span.name == "aws.lambda"]
    (span,) = trace.llm_spans()
    assert span.parent_id == root.span_id
    return span


def test_two_invocations(function, arrived):
    """Of each invocation a complete trace arrives before the next: the LLM span below aws.lambda, with everything."""
    with function(DD_COLD_START_TRACING="true") as running:
        for _ in range(2):
            assert running.invoke({"do": "call"})
            span = invocation(arrived())
            assert (span.name, span.error) == ("litellm.request", None)
            assert (span.llm.kind, span.llm.model, span.llm.provider) == ("llm", MODEL, "openai")
            assert span.llm.metrics["total_tokens"] > 0
            assert span.llm.metrics["total_cost"] > 0
            assert span.llm.input["messages"] == [{"role": "user", "content": "Hello"}]
            assert span.llm.output["messages"][0]["content"]
        assert "Error" not in running.log


def test_stream_that_is_read(function, arrived):
    """A stream that the function reads to its end is complete when the invocation is."""
    with function() as running:
        assert running.invoke({"do": "stream"}) > 1
        span = invocation(arrived())
        assert span.llm.metadata["stream_completed"] is True
        assert span.llm.metrics["time_to_first_token"] > 0


def test_stream_that_is_left_open(function, arrived):
    """A stream that outlives its invocation is ended with it, as not read to its end, and can still be read later."""
    with function() as running:
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


def test_call_in_an_invocation_that_times_out(function, arrived):
    """When ddtrace gives up on an invocation that is about to time out, the call that took so long has its event."""
    with Provider({MODEL: Script(delay=30)}) as provider, function(PROVIDER_URL=provider.url) as running:
        running.invoke_and_run_out({"do": "call"}, seconds=2)
        span = invocation(arrived())
        assert span.llm.kind == "llm"
        assert span.error.type == "Impending Timeout"
        assert span.llm.input["messages"] == [{"role": "user", "content": "Hello"}]


def test_stream_in_an_invocation_that_times_out(function, arrived):
    """A stream that is being read then has its event too, with what had come."""
    with Provider({MODEL: Script(pace=0.9)}) as provider, function(PROVIDER_URL=provider.url) as running:
        running.invoke_and_run_out({"do": "stream"}, seconds=3)
        span = invocation(arrived())
        assert span.llm.metadata["stream_completed"] is False
        assert span.llm.output["messages"][0]["content"].startswith("The")
        assert span.llm.metrics["time_to_first_token"] > 0


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, OURS),
        ({"DD_LLMOBS_ENABLED": "false"}, OURS),
        ({"DD_LITELLM_TAKEOVER": "false"}, BUILT_IN),
        ({"DD_TRACE_LITELLM_ENABLED": "false"}, NOTHING),
        ({"DD_PATCH_MODULES": "litellm:false", "DD_LLMOBS_ENABLED": "false"}, NOTHING),
        ({"DD_PATCH_MODULES": "openai:true,litellm:0"}, NOTHING),
        ({"DD_PATCH_MODULES": "openai:false,litellm:true"}, OURS),
    ],
    ids=lambda case: "-".join(case) if isinstance(case, dict) and "active" not in case else "",
)
def test_switches(function, settings, expected):
    """What is active is what the variables say, DD_PATCH_MODULES included, which datadog-lambda does not read."""
    with function(**settings) as running:
        assert running.invoke({"do": "state"}) == expected


def test_without_the_layer(function, bare_machine):
    """Without the layer it is the built-in integration: what the other tests see comes from the layer."""
    with function(on=bare_machine) as running:
        assert running.invoke({"do": "state"}) == BUILT_IN


@pytest.mark.parametrize(
    ("wrapper", "settings", "expected"),
    [
        (None, {}, BUILT_IN),
        ("ddtrace_litellm_run", {}, OURS),
        (None, REDIRECT, OURS),
    ],
    ids=["as it is", "exec wrapper", "handler"],
)
def test_function_that_sets_python_path(function, machine, wrapper, settings, expected):
    """With PYTHONPATH set Lambda reads no .pth file of a layer: the exec wrapper and the handler are the ways in."""
    with function(wrapper=wrapper, PYTHONPATH=machine.python_path, **settings) as running:
        assert running.invoke({"do": "state"}) == expected


def test_exec_wrapper_of_a_function_that_does_not(function):
    """The wrapper does no harm where the .pth file is read: the layers stay on the path."""
    with function(wrapper="ddtrace_litellm_run") as running:
        assert running.invoke({"do": "state"}) == OURS


def test_exec_wrapper_runs_the_functions_own_sitecustomize(function, machine, tmp_path):
    """A sitecustomize on the function's own PYTHONPATH runs as without the wrapper."""
    (tmp_path / "sitecustomize.py").write_text("print('own sitecustomize')")
    path = f"{tmp_path}:{machine.python_path}"
    with function(wrapper="ddtrace_litellm_run", PYTHONPATH=path) as running:
        assert running.invoke({"do": "state"}) == OURS
        assert running.log.count("own sitecustomize") == 1


def test_package_in_the_functions_own_code(function, bare_machine, layer, tmp_path):
    """In the function's own folder the .pth file is read whatever PYTHONPATH is: so it is in container images."""
    unpack(layer, tmp_path)
    task = tmp_path / SITE_PACKAGES
    shutil.copytree(bare_machine.task, task, dirs_exist_ok=True)
    settings = {"LAMBDA_TASK_ROOT": str(task), "PYTHONPATH": bare_machine.python_path}
    with function(on=bare_machine, **settings) as running:
        assert running.invoke({"do": "state"}) == OURS
