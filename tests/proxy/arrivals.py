"""What the proxy's spans look like at the agent."""

import base64
import gzip
import json
import time
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.traces import Span, Trace, assemble
from tests.provider import Provider

LEAF_KINDS = ("llm", "embedding", "retrieval")
_SECONDS = 15


class Arrivals:
    """What arrives at the agent from here on."""

    def __init__(self, agent: TestAgent) -> None:
        self._agent = agent
        agent.clear()

    def traces(self, mark: str) -> tuple[Trace, ...]:
        """Return the traces of the HTTP requests that carried ``mark``, as far as they have arrived."""
        arrived = assemble(self._agent.get_json("/test/traces"), self._agent.get_json("/test/session/requests"))
        return tuple(trace for trace in arrived if any(span.apm_tags.get("test.id") == mark for span in trace.spans))

    def wait(self, mark: str, count: int = 1, until: Callable[[Trace], bool] = lambda _: True) -> tuple[Trace, ...]:
        """Wait until ``count`` traces have arrived for ``mark``, and ``until`` holds of each."""
        deadline = time.monotonic() + _SECONDS
        while True:
            arrived = self.traces(mark)
            if len(arrived) >= count and all(until(trace) for trace in arrived):
                return arrived
            assert time.monotonic() < deadline, f"{len(arrived)} of {count} traces arrived: {arrived}"
            time.sleep(0.1)

    def cost_tags(self, span_id: int) -> tuple[str, ...]:
        """Return the names of a span's cost tags."""
        for raw in (raw for trace in self._agent.get_json("/test/traces") for raw in trace):
            if int(raw["span_id"]) == span_id:
                return tuple(raw["meta_struct"]["_llmobs"]["meta"]["metadata"]["_dd"]["cost_tags"])
        return ()

    def evaluations(self, span_id: int) -> list[dict[str, Any]]:
        """Wait for the evaluations of a span, and return them."""
        deadline = time.monotonic() + _SECONDS
        while time.monotonic() < deadline:
            sent = [
                metric
                for request in self._agent.get_json("/test/session/requests")
                if "eval-metric" in request["url"]
                for metric in json.loads(base64.b64decode(request["body"]))["data"]["attributes"]["metrics"]
            ]
            found = [metric for metric in sent if metric["join_on"]["span"]["span_id"] == str(span_id)]
            if found:
                return found
            time.sleep(0.1)
        return []

    def payloads(self) -> Iterator[bytes]:
        """Yield the body of every request that the agent received, unpacked."""
        yield from map(unpacked, self._agent.get_json("/test/session/requests"))

    def leaked(self, secrets: Iterable[str]) -> set[str]:
        """Return those of ``secrets`` that are anywhere in what arrived, in clear or in base64."""
        forms = {secret: (secret.encode(), *_base64_cores(secret.encode())) for secret in secrets}
        payloads = list(self.payloads())
        return {
            secret for secret, written in forms.items() if any(form in body for form in written for body in payloads)
        }


def unpacked(request: dict[str, Any]) -> bytes:
    """Return the body of a request, as the agent hands it out, as it was before it was compressed."""
    body = base64.b64decode(request.get("body") or "")
    return gzip.decompress(body) if body.startswith(b"\x1f\x8b") else body


def asked_of(provider: Provider) -> list[str]:
    """Return the models that the provider was asked for; the proxy also asks which there are, when it starts."""
    return [request.model for request in provider.requests if request.method == "POST"]


def leaves(trace: Trace) -> list[Span]:
    """Return the spans that stand for a request to a provider."""
    return [span for span in trace.llm_spans() if span.llm.kind in LEAF_KINDS]


def routers(trace: Trace) -> list[Span]:
    """Return the Router's spans."""
    return [span for span in trace.llm_spans() if span.llm.name.startswith("router.")]


def guardrails(trace: Trace) -> list[Span]:
    """Return the spans of guardrails."""
    return [span for span in trace.llm_spans() if span.llm.kind == "task"]


def _base64_cores(secret: bytes) -> Iterator[bytes]:
    """Yield what base64 makes of ``secret`` wherever it lies in a text: the part that its neighbours leave alone."""
    for before in range(3):
        coded = base64.b64encode(b"\0" * before + secret)
        yield coded[4 if before else 0 : -4]
