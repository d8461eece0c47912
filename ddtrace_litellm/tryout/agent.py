"""The real ddapm-test-agent as a child process on free loopback ports."""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from types import TracebackType
from typing import Any

from ddtrace_litellm.tryout.errors import TryoutError

# The agent imports gRPC and aiohttp, which takes seconds on a busy machine.
_START_SECONDS = 60.0
# Between choosing a free port and the agent's binding it another process may take it.
_ATTEMPTS = 3
_STOP_SECONDS = 5.0
_READ_SECONDS = 60.0

# What a Python process needs to run at all. Everything else stays out: the agent reads two dozen variables with names
# like PORT, HOST and DD_TRACE_AGENT_URL, and the last one would make it forward the user's data.
_KEPT_VARIABLES = (
    *("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONHOME", "HOME", "USERPROFILE", "SYSTEMROOT"),
    *("TMPDIR", "TEMP", "TMP", "LANG", "LC_ALL"),
)


class TestAgent:
    """A running test agent, as a context manager. It forwards nothing and keeps everything in memory.

    Raises:
        TryoutError: it did not start.
    """

    # pytest takes a class of this name for a test.
    __test__ = False

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._process: subprocess.Popen[bytes] | None = None
        self._port = 0
        self._session = self._unread = 0

    def __enter__(self) -> "TestAgent":
        with ExitStack() as stack:
            directory = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ddtrace-litellm-")))
            stack.callback(self._stop)
            for attempt in range(1, _ATTEMPTS + 1):
                problem = self._start(directory)
                if problem is None:
                    self._begin_session(0)
                    self._stack = stack.pop_all()
                    return self
                self._stop()
                if "address already in use" not in problem.lower() or attempt == _ATTEMPTS:
                    break
            raise TryoutError(f"ddapm-test-agent did not start on port {self._port} of 127.0.0.1: {problem}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    @property
    def url(self) -> str:
        """The URL for ``DD_TRACE_AGENT_URL``."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process is not None else None

    def get_json(self, path: str) -> Any:
        """Return the agent's answer to ``GET path``.

        Raises:
            TryoutError: it gave none, or one that is no JSON.
        """
        answer = self._ask(path)
        try:
            return json.loads(answer)
        except ValueError as error:
            raise TryoutError(f"ddapm-test-agent at {self.url} did not answer {path}: {error!r}") from error

    def take(self) -> tuple[Any, Any]:
        """Return the traces and the requests that arrived since the last time, which the agent then forgets.

        What arrives meanwhile belongs to the agent's next session, so that nothing is lost or comes twice. After an
        error the next call returns it.

        Raises:
            TryoutError: the agent gave no answer.
        """
        if self._session == self._unread:
            self._begin_session(self._session + 1)
        of_session = f"?test_session_token={self._unread}"
        taken = self.get_json(f"/test/session/traces{of_session}"), self.get_json(f"/test/session/requests{of_session}")
        self._ask(f"/test/session/clear{of_session}")
        self._unread = self._session
        return taken

    def clear(self) -> None:
        """Have the agent forget what has arrived."""
        self._ask("/test/session/clear")

    def _begin_session(self, number: int) -> None:
        self._ask(f"/test/session/start?test_session_token={number}")
        self._session = number

    def _ask(self, path: str) -> bytes:
        try:
            return _get(self._port, path)
        except (OSError, HTTPException) as error:
            raise TryoutError(f"ddapm-test-agent at {self.url} did not answer {path}: {error!r}") from error

    def _start(self, directory: Path) -> str | None:
        """Start the process and wait until it answers; return what went wrong, if anything did."""
        self._port, otlp_http, otlp_grpc = free_ports(3)
        log = directory / "agent.log"
        with log.open("wb") as output:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [
                    sys.executable,
                    "-m",
                    "ddtrace_litellm.tryout.agent_process",
                    "--host=127.0.0.1",
                    f"--port={self._port}",
                    f"--otlp-http-port={otlp_http}",
                    f"--otlp-grpc-port={otlp_grpc}",
                    "--agent-url=",
                    "--disable-llmobs-data-forwarding",
                ],
                stdin=subprocess.PIPE,
                stdout=output,
                stderr=subprocess.STDOUT,
                # The working directory is where the agent looks for snapshots, and it is on its import path.
                cwd=directory,
                env=_environment(),
                # Ctrl-C in the terminal is for the program: the agent still has to receive what that sends last.
                start_new_session=True,
            )
        deadline = time.monotonic() + _START_SECONDS
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                return _last_line(log) or f"it ended with status {self._process.returncode}"
            try:
                _get(self._port, "/info")
            except (OSError, HTTPException):
                time.sleep(0.05)
            else:
                return None
        return f"no answer within {_START_SECONDS:.0f} s; {_last_line(log)}"

    def _stop(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        assert process.stdin is not None  # it is our pipe
        process.stdin.close()
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_ports(count: int) -> list[int]:
    """Return ``count`` different ports of 127.0.0.1 that nothing listened on a moment ago."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]


def _get(port: int, path: str) -> bytes:
    # http.client, because urllib would send even this through the user's HTTP proxy.
    connection = HTTPConnection("127.0.0.1", port, timeout=_READ_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
    finally:
        connection.close()
    if response.status != 200:  # noqa: PLR2004 - HTTP's OK
        raise HTTPException(f"HTTP status {response.status}")
    return body


def _environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in _KEPT_VARIABLES if name in os.environ}
    # The agent's working directory is another one: relative entries would miss.
    paths = [os.path.abspath(path) for path in os.environ.get("PYTHONPATH", "").split(os.pathsep) if path]  # noqa: PTH100
    return {**kept, **({"PYTHONPATH": os.pathsep.join(paths)} if paths else {})}


def _last_line(log: Path) -> str:
    lines = log.read_text(errors="replace").strip().splitlines()
    return lines[-1] if lines else ""
