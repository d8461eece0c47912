"""An agent as people run one with the proxy: three rounds, two tools of an MCP server, a guardrail that masks."""

import json
import subprocess
import sys
from pathlib import Path

import litellm
import pytest

from ddtrace_litellm.tryout.traces import assemble
from tests.presidio import MASK
from tests.proxy.agent_story import ANSWER
from tests.proxy.arrivals import asked_of, guardrails, leaves, routers
from tests.proxy.configuration import CALLER_KEY, MASTER_KEY
from tests.proxy.server import environment, traced

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.skipif(not hasattr(litellm, "run_tool_loop"), reason="this LiteLLM has no loop (before 1.108)"),
]
AGENT = Path(__file__).parent / "programs" / "agent.py"


@pytest.fixture(scope="module")
def story(agent, gateway):
    """The agent's trace, which goes on in the proxy, and how often the provider was asked."""
    pytest.importorskip("litellm.mcp_client", reason="this LiteLLM has its client of MCP servers elsewhere")
    launcher, variables = traced(agent.url)
    url = gateway.proxy.url
    agent.clear()
    more = {"PROXY_URL": url, "PROXY_KEY": CALLER_KEY, "DD_LLMOBS_INSTRUMENTED_PROXY_URLS": url}
    said = subprocess.run(
        [*launcher, sys.executable, AGENT],
        env=environment({**variables, **more, "DD_SERVICE": "agent"}),
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert said.stdout.strip() == ANSWER
    arrived = assemble(agent.get_json("/test/traces"), agent.get_json("/test/session/requests"))
    (trace,) = [trace for trace in arrived if trace.llm_spans() and trace.roots[0].service == "agent"]
    return trace, len(asked_of(gateway.upstream))


def test_one_trace(story):
    """It is one whole trace: the agent at its top, and a leaf for each of the three requests, whose tokens add up."""
    trace, requests = story
    assert trace.lost_parents == ()
    (root,) = trace.roots
    assert (root.llm.kind, root.llm.name, root.error) == ("agent", "run_tool_loop", None)
    assert ANSWER in str(root.llm.output)
    assert len(leaves(trace)) == len(routers(trace)) == requests == 3
    assert {leaf.service for leaf in leaves(trace)} == {"litellm-proxy"}
    assert sum(leaf.llm.metrics["total_tokens"] for leaf in leaves(trace)) == 138 + 188 + 212
    rounds = [span for span in trace.llm_spans() if span.parent_id == root.span_id and span.llm.name == "completion"]
    assert [span.llm.kind for span in rounds] == ["workflow"] * 3


def test_tools(story):
    """Each is one tool, of the gateway that asks the server; the loop has it as a workflow, with what it was told."""
    trace, _ = story
    tools = [span for span in trace.llm_spans() if span.llm.kind == "tool"]
    root = trace.roots[0]
    in_loop = [span for span in trace.llm_spans() if span.parent_id == root.span_id and span.llm.name != "completion"]
    assert [(span.llm.kind, span.llm.name, json.loads(span.llm.input["value"])) for span in in_loop] == [
        ("workflow", "find_order", {"order": "A1042"}),
        ("workflow", "book_pickup", {"order": "A1042", "day": "Thursday"}),
    ]
    assert {span.service for span in tools} == {"litellm-proxy"}
    assert [(span.llm.tags["mcp_server_name"], span.llm.tags["mcp_tool"]) for span in tools] == [
        ("shop", "find_order"),
        ("shop", "book_pickup"),
    ]
    assert [span.llm.output["value"] for span in tools] == [
        '{"order": "A1042", "state": "delivered", "returnable": true}',
        "Order A1042 is picked up on Thursday.",
    ]


def test_guardrail(story):
    """Before each round the guardrail has masked the number, which no model was told."""
    trace, _ = story
    masked = [span.llm.metadata for span in guardrails(trace) if span.llm.metadata["guardrail_action"] == "mask"]
    assert [metadata["masked_entity_count"] for metadata in masked] == [{"PHONE_NUMBER": 1}] * 3
    for leaf in leaves(trace):
        assert MASK in str(leaf.llm.input)
        assert "555-1234" not in str(leaf.llm.input)
    assert not any(key in str(trace) for key in (CALLER_KEY, MASTER_KEY))
