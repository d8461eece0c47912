"""Callers that are traced themselves."""

import subprocess
import sys

import pytest

from tests.proxy.arrivals import leaves, routers
from tests.proxy.server import PROGRAMS, environment, traced

pytestmark = pytest.mark.e2e

TRACE_ID = 0x6B05395D00000000_1234567890ABCDEF
PARENT_ID = 0x00F067AA0BA902B7
HEADERS = {
    "w3c": {"traceparent": f"00-{TRACE_ID:032x}-{PARENT_ID:016x}-01"},
    "datadog": {
        "x-datadog-trace-id": str(TRACE_ID & 2**64 - 1),
        "x-datadog-parent-id": str(PARENT_ID),
        "x-datadog-sampling-priority": "1",
        "x-datadog-tags": f"_dd.p.tid={TRACE_ID >> 64:016x}",
    },
}


@pytest.mark.parametrize("style", HEADERS)
@pytest.mark.parametrize("stream", [False, True])
def test_trace_goes_on(arrivals, call, style, stream):
    """The proxy's web span is the child of the caller's span, in the caller's trace, and all of ours hang beneath."""
    caller = call(more=HEADERS[style])
    answer = caller.openai.chat.completions.create(
        model="chat", messages=[{"role": "user", "content": "hi"}], stream=stream
    )
    if stream:
        list(answer)
    (trace,) = arrivals.wait(caller.mark)
    assert trace.trace_id == f"{TRACE_ID:032x}"
    (root,) = trace.roots
    assert (root.name, root.parent_id) == ("fastapi.request", PARENT_ID)
    assert trace.lost_parents == (PARENT_ID,)
    assert len(leaves(trace)) == len(routers(trace)) == 1


def test_client_that_uses_litellm_too(arrivals, agent, proxy, caller):
    """A client that knows the proxy is traced has a workflow where the proxy has the leaf, in one trace."""
    launcher, more = traced(agent.url)
    subprocess.run(
        [*launcher, sys.executable, PROGRAMS / "client.py", proxy.url, caller.key, caller.mark],
        env=environment({**more, "DD_SERVICE": "client", "DD_LLMOBS_INSTRUMENTED_PROXY_URLS": proxy.url}),
        check=True,
        timeout=120,
    )
    (trace,) = arrivals.wait(caller.mark, until=lambda trace: trace.lost_parents == ())
    (root,) = trace.roots
    assert (root.name, root.service, root.llm.kind) == ("litellm.request", "client", "workflow")
    (leaf,) = leaves(trace)
    assert (leaf.service, leaf.llm.model) == ("litellm-proxy", "gpt-4o-mini")
