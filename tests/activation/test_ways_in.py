"""Every way of starting ddtrace ends in this integration, once."""

import json

import pytest

from tests.activation.cases import BUILT_IN, BUILT_IN_MODULE, NOTHING, OURS, SHOW, SHOW_AND_CALL, WAYS

pytestmark = pytest.mark.e2e

TEST_MODULE = """
from ddtrace.llmobs import LLMObs
import state

def test_ours_is_active():
    LLMObs.enable()
    {imports}
    assert state.state() == {expected!r}
"""


@pytest.mark.parametrize("way", WAYS)
def test_before_litellm(early_forks, way):
    """Where LiteLLM is imported after ddtrace was started, ours is active."""
    assert early_forks.run(WAYS[way] + "\nassert 'litellm' not in __import__('sys').modules" + SHOW).result == OURS


def test_first_import_is_traced(early_forks):
    """The patch comes with the import of litellm, ahead of ``from litellm import`` (the built-in's defect 16)."""
    code = """
import ddtrace_litellm.auto, ddtrace.auto
from litellm import completion
import json, litellm, wrapt
assert isinstance(completion, wrapt.FunctionWrapper) and completion is litellm.completion, completion
assert type(completion._self_wrapper).__module__ == "builtins"
print(json.dumps(completion._self_wrapper.__module__))
"""
    assert early_forks.run(code).result == "ddtrace_litellm.tracing.wrappers"


@pytest.mark.parametrize("way", WAYS)
def test_after_litellm(forks, way):
    """Where LiteLLM is imported before ddtrace is started, ours is active as well."""
    assert forks.run(WAYS[way] + SHOW).result == OURS


def test_several_ways_in_one_program(forks, url):
    """All ways one after the other wrap once, and a call is one span."""
    shown = forks.run("\n".join(WAYS.values()) + SHOW_AND_CALL, PROVIDER_URL=url)
    assert shown.result == [OURS, ["completion"]]


@pytest.mark.parametrize("imports", ["import litellm", ""], ids=["in its tests", "in the program that starts it"])
def test_under_pytest(request, tmp_path, imports):
    """In a test run, whose own finder claims all of ddtrace's modules, ours is active, wherever LiteLLM is imported."""
    forks = request.getfixturevalue("early_forks" if imports else "forks")
    (tmp_path / "test_app.py").write_text(TEST_MODULE.format(imports=imports, expected=OURS))
    arguments = ["-q", "-p", "no:cacheprovider", f"--rootdir={tmp_path}", str(tmp_path / "test_app.py")]
    ran = forks.run(f"import pytest; status = pytest.main({arguments!r}); print(); print(int(status))")
    assert ran.result == 0, ran.stdout


def test_auto_module_after_the_built_in(bare_forks, url):
    """Without the ``.pth`` file the built-in is active; importing our auto module exchanges it for ours."""
    code = f"import ddtrace.auto{SHOW}import ddtrace_litellm.auto{SHOW_AND_CALL}"
    shown = bare_forks.run(code, PROVIDER_URL=url)
    before, after = map(json.loads, shown.stdout.splitlines())
    assert (before, after) == (BUILT_IN, [OURS, ["completion"]])


@pytest.mark.parametrize("way", WAYS)
def test_auto_module_first(bare_forks, way):
    """Without the ``.pth`` file, importing our auto module before ddtrace is started makes ours active."""
    assert bare_forks.run(f"import ddtrace_litellm.auto\n{WAYS[way]}{SHOW}").result == OURS


def test_auto_module_where_the_hook_was_passed_by(forks):
    """Importing our auto module replaces a built-in that was loaded past the hook that is there already."""
    passed_by = "import sys; hook = sys.meta_path.pop(0); import ddtrace.auto; sys.meta_path.insert(0, hook)"
    shown = forks.run(f"{passed_by}{SHOW}import ddtrace_litellm.auto{SHOW}")
    assert list(map(json.loads, shown.stdout.splitlines())) == [BUILT_IN, OURS]


def test_direct_patch(bare_forks):
    """Our own patch() needs neither hook nor start; ddtrace that is started later adds nothing, twice neither."""
    code = f"import ddtrace_litellm as d; d.patch(); d.patch(){SHOW}{WAYS['enable']}{SHOW}d.unpatch(){SHOW}"
    shown = bare_forks.run(code)
    assert list(map(json.loads, shown.stdout.splitlines())) == [OURS, OURS, NOTHING]


def test_direct_patch_where_the_built_in_is_active(bare_forks):
    """Our own patch() takes the place of an active built-in, since that is what was asked for."""
    assert bare_forks.run(f"import ddtrace.auto, ddtrace_litellm; ddtrace_litellm.patch(){SHOW}").result == OURS


@pytest.mark.parametrize("start", ["", "import ddtrace.auto"])
def test_direct_patch_before_litellm(early_forks, start):
    """Our own patch() imports LiteLLM if it has to, and agrees with ddtrace's hook on that import."""
    shown = early_forks.run(f"{start}\nimport ddtrace_litellm; ddtrace_litellm.patch(){SHOW}")
    assert (shown.result, shown.complaints) == (OURS, [])


def test_reloaded_contrib_module(forks):
    """When ddtrace's contrib module is loaded anew, its entry points are ours again."""
    code = f"""
import ddtrace.auto, importlib, sys
module = importlib.reload(sys.modules["{BUILT_IN_MODULE}"])
module.unpatch()
module.patch()
"""
    assert forks.run(code + SHOW).result == OURS


def test_contrib_module_stays_readable(forks):
    """What reads a module through its loader (its source, its data) finds ddtrace's module as it is."""
    code = f"""
import inspect, json, {BUILT_IN_MODULE} as module
print(json.dumps(["LiteLLMIntegration" in inspect.getsource(module), module.__spec__.name, module.get_version()]))
"""
    readable, name, version = forks.run(code).result
    assert (readable, name) == (True, BUILT_IN_MODULE)
    assert version
