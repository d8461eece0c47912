"""Unpatching puts back what was there."""

import json

import pytest

from tests.activation.cases import BUILT_IN_MODULE, NOTHING, OURS, SHOW

pytestmark = pytest.mark.e2e

RESTORED = """
import json, state
before = state.contents()
{start}
patched = state.changes(before, state.contents())
{unpatch}
print(json.dumps([len(patched), state.changes(before, state.contents())]))
"""


@pytest.mark.parametrize(
    ("start", "unpatch"),
    [
        ("import ddtrace.auto", f"from {BUILT_IN_MODULE} import unpatch; unpatch()"),
        ("import ddtrace_litellm; ddtrace_litellm.patch()", "ddtrace_litellm.unpatch()"),
        ("import ddtrace_litellm; ddtrace_litellm.patch()", "ddtrace_litellm.unpatch(); ddtrace_litellm.unpatch()"),
    ],
    ids=["contrib module", "direct", "twice"],
)
def test_every_original_is_restored(forks, start, unpatch):
    """After unpatching, everything in LiteLLM's modules and Router is the very object that it was before."""
    shown = forks.run(RESTORED.format(start=start, unpatch=unpatch) + SHOW)
    (changed, left), state = map(json.loads, shown.stdout.splitlines())
    assert changed >= 12
    assert (left, state) == ([], NOTHING)


def test_patched_again(forks):
    """Patch and unpatch can alternate, through our module and through ddtrace's."""
    code = f"""
import ddtrace.auto, ddtrace_litellm, {BUILT_IN_MODULE} as contrib
contrib.unpatch()
ddtrace_litellm.patch()
ddtrace_litellm.unpatch()
contrib.patch()
"""
    assert forks.run(code + SHOW).result == OURS


def test_foreign_wrapper_stays(forks):
    """A function that somebody wrapped after us stays as they made it; the rest is restored."""
    code = """
import ddtrace.auto, ddtrace_litellm, litellm
theirs = lambda *args, wrapped=litellm.completion, **kwargs: wrapped(*args, **kwargs)
litellm.completion = theirs
ddtrace_litellm.unpatch()
assert litellm.completion is theirs
"""
    assert forks.run(code + SHOW).result == NOTHING


def test_unpatch_before_litellm(early_forks):
    """Unpatching before LiteLLM is there does not import it, and does not keep ddtrace from patching it later."""
    code = f"""
import ddtrace.auto, ddtrace_litellm, sys
ddtrace_litellm.unpatch()
assert "litellm" not in sys.modules{SHOW}
"""
    shown = early_forks.run(code)
    assert (shown.result, shown.complaints) == (OURS, [])


def test_patched_again_and_again(forks):
    """What answers SIGTERM is there once, however often a program patches."""
    code = """
import signal, ddtrace_litellm
ddtrace_litellm.patch()
first = signal.getsignal(signal.SIGTERM)
ddtrace_litellm.unpatch()
ddtrace_litellm.patch()
print(signal.getsignal(signal.SIGTERM) is first)
"""
    assert forks.run(code).stdout.strip() == "True"
