"""The layer, built once by its command; a Lambda that has it; the agent in the place of Datadog's extension."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import ddtrace_litellm
from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.traces import assemble
from tests.aws_lambda.runtime import Lambda
from tests.provider import Provider

PACKAGE = Path(ddtrace_litellm.__file__).parent
RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"


def run_command(directory, *arguments, **environment):
    """Run ``python -m ddtrace_litellm lambda-layer`` in a directory where nothing of ours is."""
    return subprocess.run(
        [sys.executable, "-m", "ddtrace_litellm", "lambda-layer", *arguments],
        cwd=directory,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(PACKAGE.parent), **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture(scope="session")
def layer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The layer for the Python that runs the tests."""
    directory = tmp_path_factory.mktemp("layer")
    built = run_command(directory, "--python", RUNNING, "--arch", "x86_64", "--output", "layer.zip")
    assert (built.returncode, built.stderr) == (0, "")
    return directory / "layer.zip"


@pytest.fixture(scope="session")
def machine(layer: Path, tmp_path_factory: pytest.TempPathFactory) -> Lambda:
    """A Lambda with the layer."""
    return Lambda(tmp_path_factory.mktemp("lambda"), layer)


@pytest.fixture(scope="session")
def bare_machine(tmp_path_factory: pytest.TempPathFactory) -> Lambda:
    """A Lambda with Datadog's layer alone."""
    return Lambda(tmp_path_factory.mktemp("lambda"))


@pytest.fixture(scope="session")
def agent() -> Iterator[TestAgent]:
    """The agent that Datadog's extension would be."""
    with TestAgent() as running:
        yield running


@pytest.fixture(scope="session")
def url() -> Iterator[str]:
    """The URL of a provider that answers plainly."""
    with Provider() as running:
        yield running.url


@pytest.fixture
def arrived(agent):
    """Return what has arrived at the agent since it was last asked."""

    def traces():
        found = assemble(agent.get_json("/test/traces"), agent.get_json("/test/session/requests"))
        agent.clear()
        return found

    traces()
    return traces


@pytest.fixture(scope="session")
def function(machine, agent, url):
    """Return a function with the layer, LLM Observability on, that sends to the agent."""

    def started(on=machine, wrapper=None, **environment):
        variables = {"DD_TRACE_AGENT_URL": agent.url, "PROVIDER_URL": url, "DD_LLMOBS_ENABLED": "true", **environment}
        return on.function(wrapper=wrapper, **variables)

    return started
