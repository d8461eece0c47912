"""Over everything that programs do: one leaf for one provider request, nothing left, and nothing changed."""

import copy
import json

import litellm
import pytest
from ddtrace import tracer

import ddtrace_litellm
from ddtrace_litellm.telemetry import snapshot
from tests.tracing.scenarios import ASK, SCENARIOS, SCRIPTS, first_tries, to

litellm.suppress_debug_info = True
pytestmark = pytest.mark.usefixtures("clean_slate")


@pytest.mark.parametrize("name", SCENARIOS)
def test_one_leaf_for_each_provider_request(name, provider, recorder):
    """As many ``llm`` spans as HTTP requests; every span ends, none stays active, and nothing of ours failed."""
    provider.behaviours.update(SCRIPTS)
    SCENARIOS[name](provider)
    assert len(recorder.leaves) == len(first_tries(provider))
    assert recorder.still_open() == []
    assert tracer.current_span() is None
    assert not snapshot().internal_errors


@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.usefixtures("apm_recorder")
def test_result_is_what_it_is_without_us(name, provider):
    """Texts and exceptions are the same with the package and without it."""
    provider.behaviours.update(SCRIPTS)
    with_us = SCENARIOS[name](provider)
    sent = _bodies(provider)
    ddtrace_litellm.unpatch()
    provider.requests.clear()
    without = SCENARIOS[name](provider)
    assert with_us == without
    assert sent == _bodies(provider)


@pytest.mark.usefixtures("apm_recorder")
def test_arguments_are_left_as_litellm_leaves_them(provider):
    """What the program passed in is, after the call, what it is without the package."""
    left = []
    for patched in (True, False):
        if not patched:
            ddtrace_litellm.unpatch()
        passed = {
            "messages": copy.deepcopy(ASK),
            "metadata": {"session_id": "s", "tags": ["a:b"], "headers": {"host": "h"}},
            "stop": ["."],
            "extra_headers": {"x-trace": "1"},
        }
        litellm.completion(model="mistral/m", **passed, **to(provider))
        passed["metadata"].pop("hidden_params", None)  # LiteLLM's logging thread adds them, sooner or later
        left.append(copy.deepcopy(passed))
    assert left[0] == left[1]


def _bodies(provider):
    """Return what was sent; sorted, since calls that run at the same time arrive in any order."""
    return sorted(json.dumps(request.body, sort_keys=True) for request in provider.requests)
