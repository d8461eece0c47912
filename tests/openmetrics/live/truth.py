"""What arrived, held against what callers know; and what the processes that send it are started with."""

import pytest

from tests.openmetrics.live.arrivals import Received
from tests.openmetrics.live.proxies import Truth

INTERVAL = {"DD_LITELLM_OPENMETRICS_INTERVAL": "1"}
QUIET = {
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
}
"""Nobody listens to their traces, and without tracing nothing is patched."""


def settle(received: Received, truth: Truth) -> None:
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
