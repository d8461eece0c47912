"""Programs whose processes are forked, reloaded and ended, under the real ddtrace-run."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.traces import Trace, assemble
from tests.provider import Provider
from tests.proxy.arrivals import leaves
from tests.proxy.server import Proxy, environment, traced

pytestmark = pytest.mark.e2e

PROGRAMS = Path(__file__).parent / "programs"
SECONDS = 120
SECONDS_TO_END = 10


class Server(Proxy):
    """A server of the application, which lies in the server's directory, in the place of LiteLLM's proxy."""

    def start(self) -> None:
        """Start it with an application of its own."""
        shutil.copy(PROGRAMS / "served.py", self._directory)
        super().start()

    def ask(self, path: str) -> dict[str, Any]:
        """Ask it over a connection of its own."""
        connection = HTTPConnection("127.0.0.1", self._port, timeout=SECONDS)
        try:
            connection.request("GET", path)
            return json.loads(connection.getresponse().read())
        finally:
            connection.close()

    def stop(self) -> None:
        """End it; it ends when it is told to, and has not to be killed after a while."""
        process = self._process
        super().stop()
        assert process.returncode != -signal.SIGKILL, self.output


class Gunicorn(Server):
    """Gunicorn, whose workers are forked; its first argument is the application."""

    def _command(self, host: str, port: str) -> list[str]:
        return [sys.executable, "-m", "gunicorn", "--bind", f"{host}:{port}"]


class Uvicorn(Server):
    """Uvicorn, which starts a new process when a file changes."""

    def _command(self, host: str, port: str) -> list[str]:
        return [sys.executable, "-m", "uvicorn", "--host", host, "--port", port, "--reload", "served:asgi"]


@pytest.fixture(scope="module")
def agent() -> Iterator[TestAgent]:
    """The agent of these tests."""
    with TestAgent() as running:
        yield running


@pytest.fixture
def serve(agent: TestAgent, provider: Provider, tmp_path: Path) -> Callable[..., Server]:
    """Make a server that is traced."""
    launcher, variables = traced(agent.url)
    variables["PROVIDER_URL"] = provider.url
    agent.clear()

    def make(kind: type[Server], *arguments: str, interval: str = "0.1") -> Server:
        return kind(tmp_path, {}, launcher, {**variables, "DD_TRACE_WRITER_INTERVAL_SECONDS": interval}, arguments)

    return make


def arrived(agent: TestAgent, count: int) -> tuple[Trace, ...]:
    """Return the traces that have arrived, once they have so many events; no span may have arrived twice."""
    deadline = time.monotonic() + SECONDS
    while True:
        raw = agent.get_json("/test/traces")
        traces = assemble(raw, agent.get_json("/test/session/requests"))
        if sum(len(trace.llm_spans()) for trace in traces) >= count or time.monotonic() > deadline:
            ids = [span["span_id"] for spans in raw for span in spans]
            assert len(set(ids)) == len(ids)
            return traces
        time.sleep(0.1)


def check(answers: list[dict[str, Any]], agent: TestAgent, provider: Provider) -> None:
    """Assert that each request is one whole trace with one event, and that nothing of ours failed."""
    assert all(answer["said"] for answer in answers)
    assert {str(answer["internal_errors"]) for answer in answers} == {"{}"}
    traces = arrived(agent, len(answers))
    assert len(traces) == len(provider.requests) == len(answers)
    assert [len(leaves(trace)) for trace in traces] == [len(trace.llm_spans()) for trace in traces] == [1] * len(traces)
    assert [trace for trace in traces if trace.lost_parents] == []


def test_gunicorn(serve, agent, provider):
    """Workers that are forked after LiteLLM was imported, and followed by others, lose nothing and count anew."""
    pytest.importorskip("gunicorn", reason="gunicorn is not installed")
    with serve(Gunicorn, "served:wsgi", "--preload", "--workers", "2", "--max-requests", "3") as server:
        server.wait()
        answers = [server.ask(("/plain", "/stream")[number % 2]) for number in range(10)]
    check(answers, agent, provider)
    assert len({answer["pid"] for answer in answers}) > 2
    assert max(answer["spans_opened"] for answer in answers) <= 3


def test_uvicorn_under_gunicorn(serve, agent, provider):
    """Workers that end by a signal, without ddtrace's handlers, have sent everything: when reloaded and in the end."""
    for module in ("gunicorn", "uvicorn"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    with serve(Gunicorn, "served:asgi", "--worker-class", "uvicorn.workers.UvicornWorker", interval="60") as server:
        server.wait()
        answers = [server.ask("/plain"), server.ask("/stream")]
        os.kill(server.pid, signal.SIGHUP)
        check(answers, agent, provider)
        answers.append(server.ask("/plain"))
    check(answers, agent, provider)


@pytest.mark.nightly
def test_gevent(serve, agent, provider):
    """A worker whose threads are greenlets, with several requests at once."""
    for module in ("gunicorn", "gevent"):
        pytest.importorskip(module, reason=f"{module} is not installed")
    with serve(Gunicorn, "served:wsgi", "--worker-class", "gevent") as server, ThreadPoolExecutor(4) as pool:
        server.wait()
        answers = list(pool.map(server.ask, ["/plain", "/stream"] * 6))
    check(answers, agent, provider)


def test_uvicorn_reload(serve, agent, provider, tmp_path):
    """The process that takes over when a file changes is traced as the first one was, and neither loses a trace."""
    with serve(Uvicorn, interval="60") as server:
        server.wait()
        answers = [server.ask("/plain"), server.ask("/stream")]
        (tmp_path / "served.py").touch()
        deadline = time.monotonic() + SECONDS
        while (pid := _pid(server)) in (None, answers[0]["pid"]):
            assert time.monotonic() < deadline, server.output
            time.sleep(0.2)
        answers += [server.ask("/plain"), server.ask("/stream")]
    check(answers, agent, provider)
    assert [answer["pid"] == pid for answer in answers] == [False, False, True, True]


def _pid(server: Server) -> "int | None":
    try:
        return server.ask("/")["pid"]
    except OSError:
        return None


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_fork_in_a_stream_and_streams_open_at_the_end(agent, provider):
    """A stream that two processes read is one event, and so is one that is open when the program ends, in time."""
    launcher, variables = traced(agent.url)
    agent.clear()
    ended = subprocess.run(
        [*launcher, sys.executable, str(PROGRAMS / "interrupted.py")],
        env=environment({**variables, "PROVIDER_URL": provider.url}),
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=True,
    )
    assert time.time() - json.loads(ended.stdout.splitlines()[-1])["ended"] < SECONDS_TO_END
    child, parent = map(json.loads, ended.stdout.splitlines())
    assert child["said"] == parent["said"] == "One, two, three."
    assert (child["spans_opened"], child["spans_open"], child["internal_errors"]) == (0, 0, {})
    assert (parent["spans_opened"], parent["spans_open"], parent["internal_errors"]) == (3, 0, {})
    assert (parent["spans_ended"]["ok"], parent["spans_ended"]["left"]) == (1, 2)
    traces = arrived(agent, 3)
    assert [[leaf.llm.model for leaf in leaves(trace)] for trace in traces] == [["forked"], ["left"], ["aleft"]]
    assert [request.model for request in provider.requests] == ["left", "aleft"]
    assert [trace for trace in traces if trace.lost_parents] == []
