"""Requests whose number is known, and what a program beside the proxy makes of its page: neither more nor less."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ddtrace_litellm.tryout.runner import find_ddtrace_run
from tests.openmetrics.live.arrivals import Intake, Socket
from tests.openmetrics.live.proxies import MASTER_KEY, Truth, ask, proxy_of
from tests.openmetrics.live.truth import INTERVAL, QUIET, settle
from tests.proxy.server import environment


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
                settle(received, truth)
                truth += ask(proxy, 5)
                settle(received, truth)
                proxy.stop()
                received.wait_for_check(2)
                proxy.start()
                truth += ask(proxy.wait(), 17)
                settle(received, truth)
