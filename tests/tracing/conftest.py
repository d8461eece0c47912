"""What the tests over every scenario and every entry point share."""

import gc
from collections.abc import Iterator

import litellm
import pytest

from ddtrace_litellm.telemetry import counters


@pytest.fixture
def clean_slate() -> Iterator[None]:
    """No client that LiteLLM has kept, no error of ours before the test, and no garbage after it."""
    litellm.in_memory_llm_clients_cache.flush_cache()
    counters.reset()
    yield
    gc.collect()
