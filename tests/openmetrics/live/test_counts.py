"""Requests whose number is known, and what arrives of their metrics: neither more nor less."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ddtrace_litellm.tryout.runner import find_ddtrace_run
from tests.openmetrics.live.arrivals import Intake, Received, Socket
from tests.openmetrics.live.proxies import MASTER_KEY, Truth, ask, proxy_of
from tests.proxy.server import environment

INTERVAL = {"DD_LITELLM_OPENMETRICS_INTERVAL": "1"}
QUIET = {
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
}
"""Nobody listens to their traces, and without tracing nothing is patched."""


def _settle(received: Received, truth: Truth) -> None:
    """Wait for the last value and hold what arrived against what callers know."""
    received.wait("litellm.requests.metric.count", truth.requests)
    assert received.total("litellm.proxy.total_requests.metric.count", "route:/v1/chat/completions") == truth.requests
    assert received.total("litellm.requests.metric.count") == truth.requests
    assert received.total("litellm.total.tokens.count") == truth.tokens
    assert received.total("litellm.spend.metric.count") == pytest.approx(truth.cost)
    latency = "litellm.request.total_latency.metric"
    assert received.total(f"{latency}.count") == truth.requests
    assert received.total(f"{latency}.bucket", "upper_bound:300.0") == truth.requests
    assert received.negative == []


@pytest.mark.parametrize("kind", ["one", "four"])
def test_registry(kind: str, tmp_path: Path) -> None:
    """Each worker sends what it counted, to its last request before it ends; the next start begins anew."""
    with Socket() as received:
        more = {**QUIET, **INTERVAL, **received.environment, "DD_LITELLM_OPENMETRICS_ENABLED": "true"}
        truth = Truth()
        for times in (30, 17):
            with proxy_of(kind, tmp_path, [find_ddtrace_run()], more) as proxy:
                proxy.wait()
                truth += ask(proxy, times)
                if kind == "one":
                    received.wait("litellm.requests.metric.count", truth.requests)
                truth += ask(proxy, 5)
        _settle(received, truth)
        assert any(name == "litellm.process.uptime.seconds" for name, _ in received.gauges)
        assert not any(tag.startswith("pid:") for _, tags in received.gauges for tag in tags)


@contextmanager
def _beside(directory: Path, more: dict[str, str]) -> Iterator[None]:
    """Run a program under ``ddtrace-run`` that only imports LiteLLM, as any service beside the proxy may."""
    program = "import sys, litellm; sys.stdin.read()"
    with subprocess.Popen(
        [find_ddtrace_run(), sys.executable, "-c", program], cwd=directory, env=environment(more), stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(30)


@pytest.mark.parametrize(("kind", "sink"), [("one", "udp"), ("four", "udp"), ("uvicorn", "agentless")])
def test_page(kind: str, sink: str, tmp_path: Path) -> None:
    """A service beside the proxy reads its page, whichever worker answers, and through a restart of it."""
    proxy = proxy_of(kind, tmp_path, [], {})
    with Socket() if sink == "udp" else Intake() as received:
        more = {
            **QUIET,
            **INTERVAL,
            **received.environment,
            "DD_LITELLM_OPENMETRICS_ENDPOINT": f"{proxy.url}/metrics",
            "DD_LITELLM_OPENMETRICS_TOKEN": MASTER_KEY,
        }
        truth = Truth()
        with proxy:
            proxy.wait()
            with _beside(tmp_path, more):
                received.wait_for_check(0)
                truth += ask(proxy, 30)
                _settle(received, truth)
                truth += ask(proxy, 5)
                _settle(received, truth)
                proxy.stop()
                received.wait_for_check(2)
                proxy.start()
                truth += ask(proxy.wait(), 17)
                _settle(received, truth)
