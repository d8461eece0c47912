"""What the tests of the activation have in common: ways of starting ddtrace, and what is active after them."""

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
SHOW_AND_CALL = """
import json, os, state
print(json.dumps([state.state(), state.call(os.environ["PROVIDER_URL"])]))
"""
OURS = {"active": ["ours"], "wrapped": 12, "twice": [], "marker": True}
BUILT_IN = {"active": ["built-in"], "wrapped": 9, "twice": [], "marker": True}
NOTHING = {"active": [], "wrapped": 0, "twice": [], "marker": False}
BUILT_IN_MODULE = "ddtrace.contrib.internal.litellm.patch"
