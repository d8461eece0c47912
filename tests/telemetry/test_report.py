"""The counters as metrics: what is sent, when, from which process."""

import json
import os
import socket
import subprocess
import sys
from contextlib import closing
from importlib.util import find_spec

import pytest

from ddtrace_litellm.telemetry import counters, report
from tests import launch

PROGRAM = """
import os, sys
import litellm
import ddtrace_litellm
ddtrace_litellm.patch()
litellm.completion("gpt-4o-mini", [{"role": "user", "content": "hi"}], mock_response="hello")
"""
ENVIRONMENT = {
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_LITELLM_HEALTH_METRICS_ENABLED": "true",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:1",
}


class Sink:
    """Keeps what it is sent."""

    dropped = 0

    def __init__(self):
        self.sent = []
        self.closed = False

    def send(self, scraped, now):
        assert now > 0
        self.sent.append({(record.name, *record.tags): record.value for record in scraped.records})

    def close(self, _timeout):
        self.closed = True


@pytest.fixture(autouse=True)
def _at_zero():
    counters.reset()
    yield
    report.stop()
    counters.reset()


def test_counts_since_the_last_report():
    """A report has what was counted since the one before; what was not counted is not in it."""
    sink = Sink()
    reporter = report.Reporter(sink, interval=60.0)
    counters.opened.up()
    counters.opened.up()
    counters.ended[counters.ERROR].up()
    reporter._report()
    reporter._report()
    counters.opened.up()
    counters.count_internal_error("ending")
    reporter.stop()
    assert sink.sent == [
        {("ddtrace_litellm.spans.opened",): 2, ("ddtrace_litellm.spans.ended", "outcome:error"): 1},
        {("ddtrace_litellm.spans.opened",): 1, ("ddtrace_litellm.internal_errors", "place:ending"): 1},
    ]
    assert sink.closed


def test_one_reporter_a_process():
    """However often LiteLLM is patched, one thread reports."""
    sinks = []

    def connect(_environ):
        sinks.append(Sink())
        return sinks[-1]

    report.start(connect)
    report.start(connect)
    counters.opened.up()
    report.stop()
    assert [sink.sent for sink in sinks] == [[{("ddtrace_litellm.spans.opened",): 1}]]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_process_reports_its_own():
    """The child of a fork has a reporter of its own, and nothing in it of what its parent counted."""
    sinks = []

    def connect(_environ):
        sinks.append(Sink())
        return sinks[-1]

    report.start(connect)
    counters.opened.up()
    read, write = os.pipe()
    child = os.fork()
    if not child:
        counters.ended[counters.OK].up()
        report.stop()
        os.write(write, json.dumps([list(map(list, sink.sent and sink.sent[0])) for sink in sinks]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert json.loads(os.read(read, 4096)) == [[], [["ddtrace_litellm.spans.ended", "outcome:ok"]]]


@pytest.mark.skipif(find_spec("datadog") is None, reason="needs the client `datadog`")
def test_arrives_at_dogstatsd():
    """A program that ends has reported what it did, to the Agent's DogStatsD."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as server:
        server.bind(("127.0.0.1", 0))
        server.settimeout(10)
        variables = {**ENVIRONMENT, "DD_DOGSTATSD_URL": f"udp://127.0.0.1:{server.getsockname()[1]}"}
        environment = launch.environment(launch.PACKAGES, **variables)
        subprocess.run([sys.executable, "-c", PROGRAM], env=environment, timeout=120, check=True)
        lines = server.recv(65536).decode().splitlines()
    assert any(line.startswith("ddtrace_litellm.spans.opened:1|c") for line in lines)
    assert any(line.startswith("ddtrace_litellm.spans.ended:1|c") and "outcome:ok" in line for line in lines)
