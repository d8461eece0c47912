"""Every way of starting ddtrace ends in this integration, once."""

import pytest

pytestmark = pytest.mark.e2e

WAYS = {
    "auto": "import ddtrace.auto",
    "patch": "import ddtrace; ddtrace.patch(litellm=True)",
    "patch_all": "import ddtrace; ddtrace.patch_all()",
    "enable": "from ddtrace.llmobs import LLMObs; LLMObs.enable()",
}
SHOW = """
import json, state
print(json.dumps(state.state()))
"""
OURS = {"active": ["ours"], "wrapped": 12, "twice": [], "marker": True}
BUILT_IN = {"active": ["built-in"], "wrapped": 9, "twice": [], "marker": True}
NONE = {"active": [], "wrapped": 0, "twice": [], "marker": False}


@pytest.mark.parametrize("way", WAYS)
def test_before_litellm(programs, way):
    """Where LiteLLM is imported after ddtrace was started, ours is active."""
    assert programs.run("-c", WAYS[way] + "\nimport litellm" + SHOW).result == OURS


@pytest.mark.parametrize("way", WAYS)
def test_after_litellm(forks, way):
    """Where LiteLLM is imported before ddtrace is started, ours is active as well."""
    assert forks.run(WAYS[way] + SHOW).result == OURS
