"""Over every entry point, in every way: one leaf for one provider request, nothing left, and nothing changed."""

import litellm
import pytest
from ddtrace import tracer

import ddtrace_litellm
from ddtrace_litellm.telemetry import snapshot
from tests.tracing.entry_points import CASES, make, plain
from tests.tracing.scenarios import first_tries

litellm.suppress_debug_info = True
pytestmark = pytest.mark.usefixtures("clean_slate")


@pytest.mark.parametrize(("name", "way"), CASES)
def test_one_leaf_for_each_provider_request_and_the_same_result(name, way, provider, recorder):
    """As many leaves as HTTP requests, every span ends, and the program gets what it gets without the package."""
    with_us = plain(make(name, way, provider))
    assert provider.requests
    assert len(recorder.leaves) == len(first_tries(provider))
    assert recorder.still_open() == []
    assert tracer.current_span() is None
    assert not snapshot().internal_errors

    ddtrace_litellm.unpatch()
    provider.requests.clear()
    assert with_us == plain(make(name, way, provider))
