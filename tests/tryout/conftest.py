"""Traces as the real agent returns them, from spans that a test makes up."""

from collections.abc import Mapping, Sequence
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

import msgpack
import pytest

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.traces import assemble

START = 1_700_000_000_000_000_000
MS = 1_000_000
TRACE_ID = 0x74E5EBE6724F64B5
UPPER_HALF = "6b05395d00000000"


def llm_data(kind: str = "llm", *, event: bool = True, **parts: Any) -> dict[str, Any]:
    """Return LLM Observability data as ddtrace puts it on a span; without ``event`` it is not one that is sent."""
    meta: dict[str, Any] = {"span": {"kind": kind}, "input": {}, "output": {}, "metadata": {}}
    if kind in ("llm", "embedding"):
        meta |= {"model_name": "gpt-4o-mini", "model_provider": "openai"}
    meta |= {name: value for name, value in parts.items() if name != "metrics"}
    data = {"meta": meta, "metrics": parts.get("metrics", {}), "tags": {"ml_app": "app"}, "_dd": {}}
    if event:
        data |= {"name": "completion", "trace_id": "f" * 32, "parent_id": "undefined", "ml_app": "app"}
    return data


def span(span_id: int, parent_id: int = 0, **parts: Any) -> dict[str, Any]:
    """Return a span as ddtrace sends it: 10 ms long, ``span_id`` ms after the start of the trace."""
    meta = {"_dd.p.tid": UPPER_HALF, **parts.pop("meta", {})}
    llm = parts.pop("llm", None)
    made = {
        "service": "app",
        "name": "litellm.request",
        "resource": "completion",
        "trace_id": TRACE_ID,
        "span_id": span_id,
        "parent_id": parent_id,
        "start": START + span_id * MS,
        "duration": 10 * MS,
        "error": 0,
        "meta": meta,
        "metrics": {},
        "type": "llm",
        **parts,
    }
    if llm is not None:
        made["meta_struct"] = {"_llmobs": msgpack.packb(llm)}
    return made


class Sender:
    """Sends to a running agent and reads back what it made of it."""

    def __init__(self, agent: TestAgent) -> None:
        self.agent = agent

    def chunks(self, *chunks: Sequence[Mapping[str, Any]]):
        """Send chunks of traces, as the tracer does."""
        headers = {"Content-Type": "application/msgpack", "X-Datadog-Trace-Count": str(len(chunks))}
        self._post("/v0.4/traces", msgpack.packb(chunks), headers)
        return self

    def events(self, body: bytes, **headers: str):
        """Send LLM Observability events on their own."""
        self._post("/evp_proxy/v2/api/v2/llmobs", body, {"Content-Type": "application/json", **headers})
        return self

    def evaluations(self, body: bytes):
        """Submit evaluations."""
        path = "/evp_proxy/v2/api/intake/llm-obs/v2/eval-metric"
        self._post(path, body, {"Content-Type": "application/json"})
        return self

    def traces(self):
        """Return what arrived."""
        return assemble(self.agent.get_json("/test/traces"), self.agent.get_json("/test/session/requests"))

    def _post(self, path: str, body: bytes, headers: Mapping[str, str]) -> None:
        address = urlsplit(self.agent.url)
        connection = HTTPConnection(address.hostname, address.port, timeout=30)
        try:
            connection.request("POST", path, body, dict(headers))
            response = connection.getresponse()
            answer = response.read()
        finally:
            connection.close()
        assert response.status == 200, answer


@pytest.fixture(scope="session")
def running_agent():
    """Return a real test agent that all tests share."""
    with TestAgent() as agent:
        yield agent


@pytest.fixture
def agent(running_agent):
    """Return a sender to an agent that has received nothing yet."""
    running_agent_is_empty(running_agent)
    return Sender(running_agent)


def running_agent_is_empty(agent: TestAgent) -> None:
    """Make the agent forget what it received."""
    connection = HTTPConnection("127.0.0.1", urlsplit(agent.url).port, timeout=30)
    try:
        connection.request("GET", "/test/session/clear")
        connection.getresponse().read()
    finally:
        connection.close()
