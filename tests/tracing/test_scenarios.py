"""Over everything that programs do: one leaf for one provider request, nothing left, and nothing changed."""

import asyncio
import gc
from typing import Any

import litellm
import pytest
from ddtrace import tracer

import ddtrace_litellm
from ddtrace_litellm.tracing.guard import internal_errors
from tests.tracing.scenarios import ASK, SCENARIOS, SCRIPTS

litellm.suppress_debug_info = True
# LiteLLM's own clients outlive the event loop that they were made in.
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

VERSION = tuple(int(part) for part in ddtrace_litellm.get_version().split(".")[:2])
NOT_IN_THIS_VERSION: dict[str, bool] = {
    # litellm.md 11: it retries the broken deployment hundreds of times, or ends as if complete.
    "error_in_the_middle_of_a_stream": False,
}


@pytest.fixture(autouse=True)
def _clean() -> Any:
    litellm.in_memory_llm_clients_cache.flush_cache()
    internal_errors.clear()
    yield
    gc.collect()


@pytest.mark.parametrize("name", SCENARIOS)
def test_one_leaf_for_each_provider_request(name, provider, recorder):
    """As many ``llm`` spans as HTTP requests; every span ends, none stays active, and nothing of ours failed."""
    provider.behaviours.update(SCRIPTS)
    SCENARIOS[name](provider)
    assert len(recorder.leaves) == len(provider.requests)
    assert recorder.still_open() == []
    assert tracer.current_span() is None
    assert not internal_errors


@pytest.mark.parametrize("name", SCENARIOS)
def test_result_is_what_it_is_without_us(name, provider, apm_recorder):
    """Texts and exceptions are the same with the package and without it."""
    provider.behaviours.update(SCRIPTS)
    with_us = SCENARIOS[name](provider)
    sent = [request.body for request in provider.requests]
    ddtrace_litellm.unpatch()
    provider.requests.clear()
    without = SCENARIOS[name](provider)
    assert with_us == without
    assert sent == [request.body for request in provider.requests]
