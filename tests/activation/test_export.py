"""What arrives, by each way that ddtrace has of sending it, from real programs under the real ddtrace-run."""

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

import ddtrace_litellm
from ddtrace_litellm.tryout.traces import assemble
from tests.activation.conftest import PROGRAMS
from tests.provider import Provider

pytestmark = pytest.mark.e2e

APP = str(PROGRAMS / "app.py")
ON = {"DD_LLMOBS_ENABLED": "true"}
# What starts the app, with which environment.
RUNS = {
    "ddtrace-run": ([APP], ON),
    "gevent's module unloading": ([APP], {**ON, "DD_UNLOAD_MODULES_FROM_SITECUSTOMIZE": "1"}),
    "child of ddtrace-run": (["-c", f"import subprocess as s, sys; sys.exit(s.call([sys.executable, {APP!r}]))"], ON),
    "without APM": ([APP], {**ON, "DD_APM_TRACING_ENABLED": "false"}),
}

SELDOM = {"child of ddtrace-run", "without APM"}


def check(traces, requests):
    """Assert that the app's spans make up one complete trace with one leaf for each of its provider requests."""
    (trace,) = traces
    assert trace.lost_parents == ()
    assert len(requests) == 3
    assert all(span.error is None for span in trace.spans)
    spans = trace.llm_spans()
    assert [(span.llm.name, span.llm.kind) for span in spans] == [
        ("app", "workflow"),
        ("completion", "llm"),
        ("completion", "llm"),
        ("router.completion", "workflow"),
        ("completion", "llm"),
    ]
    app, *_, router, below = spans
    assert [span.parent_id for span in spans] == [None, *[app.span_id] * 3, router.span_id]
    leaves = [span for span in spans if span.llm.kind == "llm"]
    for leaf in leaves:
        assert (leaf.llm.model, leaf.llm.provider) == ("gpt-4o-mini", "openai")
        assert leaf.llm.metrics["total_tokens"] > 0
        assert leaf.llm.metrics["total_cost"] > 0
        assert leaf.llm.input["messages"] == [{"role": "user", "content": "Hello"}]
        assert leaf.llm.output["messages"][0]["content"]
        assert leaf.llm.tags["integration"] == "litellm"
    assert ["time_to_first_token" in leaf.llm.metrics for leaf in leaves] == [False, True, False]
    assert router.llm.metrics == app.llm.metrics == {}
    assert below.llm.metadata["model_group"] == "fast"


@pytest.mark.parametrize(
    "run", [pytest.param(run, marks=pytest.mark.nightly) if run in SELDOM else run for run in RUNS]
)
def test_agent(programs, run):
    """The app's calls arrive at the agent as one complete trace with one leaf a request, and nothing is logged.

    The telemetry of ddtrace names the integration once, enabled, with LiteLLM's version.
    """
    arguments, environment = RUNS[run]
    # The first telemetry has to be on its way when the program ends, or older versions send none at all.
    telemetry = {"DD_INSTRUMENTATION_TELEMETRY_ENABLED": "true", "DD_TELEMETRY_HEARTBEAT_INTERVAL": "1"}
    programs.traces()
    with Provider() as provider:
        finished = programs.ddtrace_run(*arguments, PROVIDER_URL=provider.url, **telemetry, **environment)
        messages = programs.agent.get_json("/test/session/apmtelemetry")
        check(programs.traces(), provider.requests)
    assert finished.complaints == []
    parts = [
        part
        for message in messages
        for part in (message["payload"] if message["request_type"] == "message-batch" else [message])
    ]
    (reported,) = [
        integration
        for part in parts
        if part["request_type"] == "app-integrations-change"
        for integration in part["payload"]["integrations"]
        if integration["name"] == "litellm"
    ]
    assert (reported["enabled"], reported["error"] or "") == (True, "")
    assert reported["version"] == ddtrace_litellm.get_version()


def test_agentless(programs, forks):
    """Without an agent the events go to the intake (here one of our own), complete, with one leaf a request."""
    app = f"import atexit, ddtrace.auto, runpy; runpy.run_path({APP!r}); atexit._run_exitfuncs()"
    with intake() as (received, origin), Provider() as provider:
        programs.traces()
        forks.run(
            app,
            PROVIDER_URL=provider.url,
            DD_LLMOBS_ENABLED="true",
            DD_LLMOBS_AGENTLESS_ENABLED="true",
            DD_LLMOBS_OVERRIDE_ORIGIN=origin,
            DD_API_KEY="no-key",
        )
        check(assemble([], received), provider.requests)


@contextmanager
def intake() -> Iterator[tuple[list[dict[str, str]], str]]:
    """Run a server that takes everything; yield what it got, in the agent's form, and its URL."""
    received: list[dict[str, str]] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            received.append({"url": self.path, "body": base64.b64encode(body).decode()})
            self.send_response(202)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        def log_message(self, *_arguments):
            """Keep quiet."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
        thread.start()
        try:
            yield received, f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()
