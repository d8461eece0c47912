"""The command in a real process, with the real ddtrace-run beneath it, beside the real test agent."""

import json
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from ddtrace_litellm.tryout.agent import TestAgent
from tests import launch

SECONDS = 180


@dataclass(frozen=True)
class Informed:
    """What ``ddtrace-litellm info --json`` said."""

    status: int
    text: str
    errors: str

    @property
    def report(self) -> dict[str, Any]:
        """The JSON."""
        assert self.text, self.errors
        return json.loads(self.text)

    @property
    def problems(self) -> dict[str, str]:
        """The remedies, by what is wrong."""
        return {problem["what"]: problem["remedy"] for problem in self.report["problems"]}


class Info:
    """Runs the command with an environment of which a test says everything that matters."""

    def __init__(self, agent: TestAgent, directory: Path) -> None:
        self.agent = agent
        self.directory = directory

    def write(self, name: str, text: str) -> None:
        """Put a file where the command, and what it starts, finds modules."""
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def __call__(self, *arguments: str, json_wanted: bool = True, **environment: str) -> Informed:
        """Run it to its end."""
        variables = {
            "DD_LLMOBS_ENABLED": "1",
            "DD_LLMOBS_ML_APP": "tests",
            "DD_TRACE_AGENT_URL": self.agent.url,
            **environment,
        }
        chosen: Sequence[str] = ["--json", *arguments] if json_wanted else arguments
        ended = subprocess.run(
            [sys.executable, "-m", "ddtrace_litellm", "info", *chosen],
            cwd=self.directory,
            env=launch.environment(self.directory, launch.PACKAGES, **variables),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Informed(ended.returncode, ended.stdout, ended.stderr)


@contextmanager
def intake():
    """Serve as Datadog's intake, and keep the requests that come."""
    arrived = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            arrived.append((self.command, self.path, dict(self.headers)))
            self.send_error(403)

        def log_message(self, *_arguments):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", arrived
        server.shutdown()


@pytest.fixture(scope="session")
def agent() -> Iterator[TestAgent]:
    """The agent of all these tests."""
    with TestAgent() as running:
        yield running


@pytest.fixture
def info(agent: TestAgent, tmp_path: Path) -> Info:
    """The command, with a directory of the test's own on its path."""
    return Info(agent, tmp_path)
