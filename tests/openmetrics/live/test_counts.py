"""Requests whose number is known, and what arrives of them: neither more nor less."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ddtrace_litellm.tryout.runner import find_ddtrace_run
from tests.openmetrics.live.arrivals import Intake, Received, Socket
from tests.openmetrics.live.proxies import MASTER_KEY, Truth, ask, proxy_of, uvicorn_of
from tests.openmetrics.live.truth import INTERVAL, QUIET, settle
from tests.proxy.server import Proxy, environment


@contextmanager
def _beside(proxy: Proxy, received: Received, directory: Path) -> Iterator[None]:
    """Run a program under ``ddtrace-run`` that only imports LiteLLM, as any service beside the proxy may."""
    program = "import sys, litellm; sys.stdin.read()"
    more = {
        **QUIET,
        **INTERVAL,
        **received.environment,
        "DD_LITELLM_OPENMETRICS_ENDPOINT": f"{proxy.url}/metrics",
        "DD_LITELLM_OPENMETRICS_TOKEN": MASTER_KEY,
    }
    with subprocess.Popen(
        [find_ddtrace_run(), sys.executable, "-c", program], cwd=directory, env=environment(more), stdin=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        try:
            yield
        finally:
            process.stdin.close()
            process.wait(30)


@pytest.mark.parametrize("workers", [1, 2, pytest.param(4, marks=pytest.mark.nightly)])
def test_proxy_and_a_service_beside_it(workers: int, tmp_path: Path) -> None:
    """Each worker sends what it counted, to its last request; a service reads the page; both through a restart."""
    truth = Truth()
    with Socket() as sent, Socket() as read:
        more = {**QUIET, **INTERVAL, **sent.environment, "DD_LITELLM_OPENMETRICS_ENABLED": "true"}
        with proxy_of(workers, tmp_path, [find_ddtrace_run()], more) as proxy:
            proxy.wait()
            with _beside(proxy, read, tmp_path):
                read.wait_for_check(0)
                truth += ask(proxy, 30)
                settle(read, truth)
                if workers == 1:
                    sent.wait("litellm.requests.metric.count", truth.requests)
                truth += ask(proxy, 5)
                settle(read, truth)
                proxy.stop()
                settle(sent, truth)
                read.wait_for_check(2)
                proxy.start()
                truth += ask(proxy.wait(), 17)
                settle(read, truth)
        settle(sent, truth)
    assert any(name == "litellm.process.uptime.seconds" for name, _ in sent.gauges)
    assert not any(tag.startswith("pid:") for _, tags in sent.gauges for tag in tags)


def test_proxy_under_gunicorn(tmp_path: Path) -> None:
    """Workers of gunicorn, which end by a signal without ddtrace's handlers, have sent their last interval."""
    pytest.importorskip("gunicorn", reason="gunicorn is not installed")
    with Socket() as sent:
        more = {**QUIET, **sent.environment, "DD_LITELLM_OPENMETRICS_ENABLED": "true"}
        with proxy_of(2, tmp_path, [find_ddtrace_run()], more, "--run_gunicorn") as proxy:
            truth = ask(proxy.wait(), 10)
        settle(sent, truth)


@pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.nightly)])
def test_service_beside_workers_that_share_a_port_alone(workers: int, tmp_path: Path) -> None:
    """Whichever worker's page a service gets, it counts each once, and through a restart."""
    truth = Truth()
    with Intake() as read, uvicorn_of(workers, tmp_path) as proxy:
        proxy.wait()
        with _beside(proxy, read, tmp_path):
            read.wait_for_check(0)
            truth += ask(proxy, 30)
            settle(read, truth)
            truth += ask(proxy, 5)
            settle(read, truth)
            proxy.stop()
            read.wait_for_check(2)
            proxy.start()
            truth += ask(proxy.wait(), 17)
            settle(read, truth)
