"""Programs in real processes, with what they print, and the agent that they send to."""

import json
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.runner import find_ddtrace_run
from ddtrace_litellm.tryout.traces import Trace, assemble
from tests.launch import PACKAGES, environment
from tests.provider import Provider

PROGRAMS = Path(__file__).parent / "programs"
PACKAGE = PACKAGES / "ddtrace_litellm"
SECONDS = 120
_OPENAI = ("openai", "openai.resources.realtime.realtime", "openai.resources.responses.responses")
"""OpenAI's SDK with what ddtrace's integration of it would import in each fork."""


@dataclass(frozen=True)
class Finished:
    """A program that ended well, and what it wrote."""

    stdout: str
    stderr: str

    @property
    def result(self) -> Any:
        """The JSON of the last line that it printed."""
        return json.loads(self.stdout.splitlines()[-1])

    @property
    def complaints(self) -> list[str]:
        """The lines on stderr, which nobody but us writes to."""
        return self.stderr.splitlines()


def finished(status: int, stdout: str, stderr: str) -> Finished:
    """Return what a program wrote; one that failed fails the test."""
    assert status == 0, f"status {status}\n{stdout}\n{stderr}"
    return Finished(stdout, stderr)


class Programs:
    """Runs programs in processes of their own, one after the other, that send to the agent.

    Args:
        agent: where they send.
        python: the interpreter with its options.
        path: directories for ``PYTHONPATH``, after the one of the test programs.
    """

    def __init__(self, agent: TestAgent, python: Sequence[str] = (sys.executable,), path: Sequence[str] = ()) -> None:
        self.agent = agent
        self.python = tuple(python)
        self.path = tuple(path)

    def environment(self, more: Mapping[str, str]) -> dict[str, str]:
        """Return an environment with nothing of ddtrace's or LiteLLM's in it but what a test needs."""
        variables = {
            "DD_CODE_ORIGIN_FOR_SPANS_ENABLED": "false",  # the test agent takes none, and ddtrace complains about that
            "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
            "DD_LLMOBS_ML_APP": "tests",
            "DD_REMOTE_CONFIGURATION_ENABLED": "false",
            "DD_TRACE_AGENT_URL": self.agent.url,
            "LITELLM_LOG": "ERROR",
            # LiteLLM makes pydantic warn about its own objects.
            "PYTHONWARNINGS": "ignore::UserWarning:pydantic.main",
        }
        return environment(PROGRAMS, *self.path, **{**variables, **more})

    def run(self, *arguments: str, launcher: Sequence[str] = (), **environment: str) -> Finished:
        """Run Python with ``arguments`` to its end."""
        ended = subprocess.run(
            [*launcher, *self.python, *arguments],
            env=self.environment(environment),
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return finished(ended.returncode, ended.stdout, ended.stderr)

    def ddtrace_run(self, *arguments: str, **environment: str) -> Finished:
        """Run Python with ``arguments`` under the real ``ddtrace-run``."""
        return self.run(*arguments, launcher=[find_ddtrace_run()], **environment)

    def traces(self) -> tuple[Trace, ...]:
        """Return what arrived at the agent, and make the agent forget it."""
        arrived = assemble(self.agent.get_json("/test/traces"), self.agent.get_json("/test/session/requests"))
        self.agent.clear()
        return arrived


class Forks:
    """Runs programs in forks of one process that has imported ``modules`` (``programs/fork_server.py``)."""

    def __init__(self, programs: Programs, directory: Path, modules: Sequence[str] = ("litellm", *_OPENAI)) -> None:
        self._programs = programs
        self._directory = directory
        self._modules = modules

    def __enter__(self) -> "Forks":
        self._server = subprocess.Popen(
            [*self._programs.python, str(PROGRAMS / "fork_server.py"), *self._modules],
            env=self._programs.environment({}),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self._server.stdout.readline() == "ready\n"
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.communicate(timeout=SECONDS)

    def run(self, code: str, **environment: str) -> Finished:
        """Run ``code`` with ``environment`` to its end."""
        streams = {name: self._directory / name for name in ("stdout", "stderr")}
        for path in streams.values():
            path.write_text("")
        program = {"code": code, "environment": environment, "seconds": SECONDS}
        program |= {name: str(path) for name, path in streams.items()}
        self._server.stdin.write(json.dumps(program) + "\n")
        self._server.stdin.flush()
        status = int(self._server.stdout.readline())
        return finished(status, *(path.read_text() for path in streams.values()))


@pytest.fixture(scope="session")
def agent() -> Iterator[TestAgent]:
    """The agent of all tests of the activation."""
    with TestAgent() as running:
        yield running


@pytest.fixture(scope="session")
def programs(agent: TestAgent) -> Programs:
    """Programs in this environment, where the package is installed."""
    running = Programs(agent)
    seen = running.run("-c", "import sys; print('ddtrace_litellm' in sys.modules)")
    assert seen.stdout == "True\n", "Python does not run ddtrace_litellm.pth: install the project (pip install -e .)"
    return running


@pytest.fixture(scope="session")
def forks(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Programs that have imported LiteLLM before ddtrace."""
    with Forks(programs, tmp_path_factory.mktemp("forks")) as running:
        yield running


@pytest.fixture(scope="session")
def early_forks(programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Programs that have imported nothing of LiteLLM but what it takes longest to import of other people's."""
    with Forks(programs, tmp_path_factory.mktemp("forks"), (*_OPENAI, "aiohttp", "tokenizers")) as running:
        yield running


@pytest.fixture(scope="session")
def bare_programs(agent: TestAgent) -> Programs:
    """Programs that find everything through ``PYTHONPATH`` alone, so that Python reads no ``.pth`` file."""
    paths = sysconfig.get_paths()
    path = dict.fromkeys([str(PACKAGES), paths["purelib"], paths["platlib"]])
    return Programs(agent, (sys.executable, "-S"), tuple(path))


@pytest.fixture(scope="session")
def bare_forks(bare_programs: Programs, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Forks]:
    """Programs without ``.pth`` files that have imported LiteLLM before ddtrace."""
    with Forks(bare_programs, tmp_path_factory.mktemp("forks")) as running:
        yield running


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The URL of a provider that answers plainly."""
    with Provider() as running:
        yield running.url
