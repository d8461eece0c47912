"""What arrived, held against what callers know; and what the processes that send it are started with."""

import pytest

from tests.openmetrics.live.arrivals import Received, wait_until
from tests.openmetrics.live.proxies import Truth

INTERVAL = {"DD_LITELLM_OPENMETRICS_INTERVAL": "1"}
QUIET = {
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
}
"""Nobody listens to their traces, and without tracing nothing is patched."""


def settle(received: Received, truth: Truth) -> None:
    """Wait until no less has arrived than what callers know of, and see that it is no more."""
    expected = {
        "requests": truth.requests,
        "requests to the proxy": truth.requests,
        "tokens": truth.tokens,
        "cost": truth.cost,
        "latencies": truth.requests,
        "latencies below 300 s": truth.requests,
    }

    def totals() -> dict[str, float]:
        latency, total = "litellm.request.total_latency.metric", received.total
        route = "route:/v1/chat/completions"
        found = (
            total("litellm.requests.metric.count"),
            total("litellm.proxy.total_requests.metric.count", route),
            total("litellm.total.tokens.count"),
            total("litellm.spend.metric.count"),
            total(f"{latency}.count"),
            total(f"{latency}.bucket", "upper_bound:300.0"),
        )
        return dict(zip(expected, found, strict=True))

    # A page goes out in several packets, and of workers that share a port each has only its own.
    found = wait_until(totals, lambda had: all(had[name] >= expected[name] - 1e-9 for name in expected), 90)
    assert found == pytest.approx(expected)
    assert received.negative == []
