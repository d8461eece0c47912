"""Requests whose number is known, and what arrives from the proxy itself: neither more nor less."""

from pathlib import Path

import pytest

from ddtrace_litellm.tryout.runner import find_ddtrace_run
from tests.openmetrics.live.arrivals import Socket
from tests.openmetrics.live.proxies import Truth, ask, proxy_of
from tests.openmetrics.live.truth import INTERVAL, QUIET, settle


@pytest.mark.parametrize("kind", ["one", "four"])
def test_registry(kind: str, tmp_path: Path) -> None:
    """Each worker sends what it counted, to its last request before it ends; another start begins anew."""
    with Socket() as received:
        more = {**QUIET, **INTERVAL, **received.environment, "DD_LITELLM_OPENMETRICS_ENABLED": "true"}
        truth = Truth()
        for times in (30, 17) if kind == "one" else (30,):
            with proxy_of(kind, tmp_path, [find_ddtrace_run()], more) as proxy:
                proxy.wait()
                truth += ask(proxy, times)
                if kind == "one":
                    received.wait("litellm.requests.metric.count", truth.requests)
                truth += ask(proxy, 5)
        settle(received, truth)
        assert any(name == "litellm.process.uptime.seconds" for name, _ in received.gauges)
        assert not any(tag.startswith("pid:") for _, tags in received.gauges for tag in tags)
