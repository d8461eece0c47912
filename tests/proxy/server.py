"""LiteLLM's proxy as a process of its own."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any

from ddtrace_litellm.tryout.agent import free_ports
from ddtrace_litellm.tryout.runner import find_ddtrace_run
from tests import launch
from tests.proxy.configuration import CALLER_KEY, CLEAR_KEY, POOR_KEY

PROGRAMS = Path(__file__).parent / "programs"
_START_SECONDS = 120
_STOP_SECONDS = 20
_MAIN = "from litellm import run_server; run_server()"


class Proxy:
    """The proxy as a context manager, which has started once :meth:`wait` returns.

    Args:
        directory: where its configuration, hooks and output go; an empty one.
        configuration: LiteLLM's configuration.
        launcher: what it is started under, for example ``ddtrace-run``.
        more: environment variables.
        arguments: more of LiteLLM's command line.
    """

    def __init__(
        self,
        directory: Path,
        configuration: Mapping[str, Any],
        launcher: Sequence[str] = (),
        more: Mapping[str, str] | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self._directory = directory
        self._configuration = configuration
        self._launcher = launcher
        self._environment = more or {}
        self._arguments = arguments
        self._process: subprocess.Popen[bytes] | None = None
        (self._port,) = free_ports(1)

    def __enter__(self) -> "Proxy":
        self.start()
        return self

    def start(self) -> None:
        """Start it, at the address that it always has."""
        shutil.copy(PROGRAMS / "hooks.py", self._directory)
        # JSON is YAML.
        (self._directory / "config.yaml").write_text(json.dumps(self._configuration))
        with self._log.open("wb") as output:
            self._process = subprocess.Popen(
                [*self._launcher, *self._command("127.0.0.1", str(self._port)), *self._arguments],
                cwd=self._directory,
                env=environment(self._environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def stop(self) -> None:
        """End it."""
        process, self._process = self._process, None
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def _command(self, host: str, port: str) -> list[str]:
        return [sys.executable, "-c", _MAIN, "--config", "config.yaml", "--host", host, "--port", port]

    @property
    def url(self) -> str:
        """Its base URL, without ``/v1``."""
        return f"http://127.0.0.1:{self._port}"

    @property
    def pid(self) -> int:
        """The process's id while it runs; ``ddtrace-run`` becomes the program that it starts."""
        return self._process.pid

    @property
    def output(self) -> str:
        """What it has written so far, on both streams."""
        return self._log.read_text(errors="replace")

    def wait(self) -> "Proxy":
        """Wait until it answers."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._answers():
            assert self._process.poll() is None, f"the proxy ended:\n{self.output}"
            assert time.monotonic() < deadline, f"the proxy did not start:\n{self.output}"
            time.sleep(0.2)
        return self

    def _answers(self) -> bool:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            connection.request("GET", "/health/liveliness")
            return connection.getresponse().status == 200
        except (OSError, HTTPException):
            return False
        finally:
            connection.close()

    @property
    def _log(self) -> Path:
        return self._directory / "output.log"


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of a proxy and of those who ask it, with the keys that the proxy's hooks know."""
    keys = {"TEST_CALLER_KEY": CALLER_KEY, "TEST_CLEAR_KEY": CLEAR_KEY, "TEST_POOR_KEY": POOR_KEY}
    return launch.environment(**{**keys, **more})


def traced(agent_url: str) -> tuple[list[str], dict[str, str]]:
    """Return launcher and environment of a proxy that sends to the agent."""
    return [find_ddtrace_run()], {
        "DD_CODE_ORIGIN_FOR_SPANS_ENABLED": "false",
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DD_LLMOBS_ENABLED": "true",
        "DD_LLMOBS_ML_APP": "proxy-tests",
        "DD_REMOTE_CONFIGURATION_ENABLED": "false",
        "DD_SERVICE": "litellm-proxy",
        "DD_TRACE_AGENT_URL": agent_url,
        "DD_TRACE_HEADER_TAGS": "x-test-id:test.id",
        "DD_TRACE_WRITER_INTERVAL_SECONDS": "0.1",
    }
