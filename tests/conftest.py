"""What the tests share: the local provider, and LiteLLM traced in this process, with every span in reach."""

import gc
import os
import socket
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

gc.disable()  # while LiteLLM and the tests are imported: collections would take seconds of that


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


_AGENT_PORT = _free_port()
# Before anything imports ddtrace or litellm: both read these at import. Nobody listens on the port unless a test
# starts an agent there; what the tests look at is taken from the spans themselves.
os.environ.update(
    DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
    DD_LLMOBS_ML_APP="tests",
    DD_REMOTE_CONFIGURATION_ENABLED="false",
    DD_TRACE_AGENT_URL=f"http://127.0.0.1:{_AGENT_PORT}",
    DD_TRACE_GIT_METADATA_ENABLED="false",  # for which each LLMObs.enable() runs git twice
    DD_TRACE_STARTUP_LOGS="false",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
)
for _variable in [name for name in os.environ if name.startswith(("OPENAI_", "ANTHROPIC_"))]:
    del os.environ[_variable]

import ddtrace_litellm  # noqa: E402  # after the environment
from ddtrace_litellm import install  # noqa: E402  # after the environment

if "WHEEL_OF" in os.environ and not Path(ddtrace_litellm.__file__).is_relative_to(sysconfig.get_path("purelib")):
    raise pytest.UsageError(f"the tests are to run on the installed wheel, not on {ddtrace_litellm.__file__}")

# For checkouts that are not installed; LLMObs.enable() would activate the built-in integration.
install()

from tests.provider import Provider  # noqa: E402  # after the environment
from tests.recorder import Recorder  # noqa: E402
from tests.workers import Scheduling, rank  # noqa: E402

_MODULES = pytest.StashKey[int]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes long."""
    items.sort(key=lambda item: rank(item.nodeid))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give tests that share servers to one worker, or each worker would start its own."""
    if config.getvalue("dist") != "loadscope":
        return None
    config.option.loadscopereorder = False  # which begins with the modules that have most tests
    return Scheduling(config, log)


def pytest_collection_finish() -> None:
    """Collect garbage again, which the tests look at."""
    gc.enable()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Leave what imports have made out of later collections: it never dies, and LiteLLM's is 385,000 objects."""
    if len(sys.modules) > item.config.stash.get(_MODULES, 0):
        item.config.stash[_MODULES] = len(sys.modules)
        gc.collect()
        gc.freeze()


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider of its own for the test, without scripts; set ``provider.behaviours[model]``."""
    with Provider() as running:
        yield running


@pytest.fixture
def recorder() -> Iterator[Recorder]:
    """LiteLLM patched and LLM Observability on, and all spans from here to the end of the test."""
    with Recorder(llmobs=True) as running:
        yield running


@pytest.fixture
def apm_recorder() -> Iterator[Recorder]:
    """LiteLLM patched and LLM Observability off."""
    with Recorder(llmobs=False) as running:
        yield running
