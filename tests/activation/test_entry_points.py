"""Every function of LiteLLM's, in a real program under the real ddtrace-run: what the agent gets of each."""

import re

import pytest

from tests.activation.conftest import PROGRAMS, Programs
from tests.provider import Provider

pytestmark = pytest.mark.e2e

ROOT = PROGRAMS.parents[2]
KINDS = {"embedding": "embedding", "rerank": "retrieval", "rerank v1": "retrieval", "search": "retrieval"}
# What LiteLLM cannot do, whoever watches: without an extra, or at all.
_IMPOSSIBLE = re.compile(
    r"No module named"
    r"|'generator' object has no attribute '__aiter__'"  # the sync stream bridges to chat
    r"|Error calling litellm.acompletion for non-Anthropic model"  # 1.72: the bridge loses the address
)


@pytest.fixture(scope="module")
def program(programs):
    """What came of each call, the traces at the agent, the provider's requests, and what was on stderr."""
    programs.traces()
    with Provider() as provider:
        finished = Programs(programs.agent, path=[str(ROOT)]).ddtrace_run(
            str(PROGRAMS / "entry_points.py"),
            PROVIDER_URL=provider.url,
            DD_LLMOBS_ENABLED="true",
        )
        return finished.result, programs.traces(), list(provider.requests)


def test_every_call_can_be_made(program):
    """What fails is what LiteLLM cannot do, and most can be done."""
    outcomes, _, _ = program
    failures = {name: error for name, error in outcomes.items() if error and not _IMPOSSIBLE.search(error)}
    assert failures == {}
    assert sum(error is None for error in outcomes.values()) > len(outcomes) / 2


def test_every_call_is_one_complete_trace_with_one_event(program):
    """Each call is a trace that has arrived whole; in it is one event of a request, of its kind and with contents."""
    outcomes, traces, _ = program
    by_name = {trace.llm_spans()[0].llm.name: trace for trace in traces if trace.llm_spans()}
    assert by_name.keys() == outcomes.keys()
    for name, error in outcomes.items():
        trace = by_name[name]
        assert (name, trace.lost_parents) == (name, ())
        leaves = [span for span in trace.llm_spans() if span.llm.kind != "workflow"]
        kinds = [leaf.llm.kind for leaf in leaves]
        expected = KINDS.get(name.partition(",")[0], "llm")
        if error is not None:
            assert (name, kinds) in ((name, []), (name, [expected]))
            continue
        assert (name, kinds) == (name, [expected])
        (leaf,) = leaves
        assert (name, leaf.error) == (name, None)
        assert leaf.llm.input, name
        assert leaf.llm.output, name
        assert leaf.llm.tags["integration"] == "litellm"
        assert ("time_to_first_token" in leaf.llm.metrics) is ("stream" in name), name
        assert "sk-local" not in str(leaf)


def test_no_request_without_an_event(program):
    """There are as many events as requests; only a call that fails may have one and have sent nothing."""
    _, traces, requests = program
    leaves = [span for trace in traces for span in trace.llm_spans() if span.llm.kind != "workflow"]
    first_tries = [request for request in requests if request.headers.get("x-stainless-retry-count", "0") == "0"]
    assert sum(leaf.error is None for leaf in leaves) <= len(first_tries) <= len(leaves)
