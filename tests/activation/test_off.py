"""Every way of switching the integration off, and what is active then."""

import json

import pytest

import ddtrace_litellm
from tests.activation.cases import BUILT_IN, NOTHING, OURS, SHOW, SHOW_AND_CALL, WAYS


@pytest.mark.e2e
@pytest.mark.parametrize(
    ("environment", "way"),
    [
        ({"DD_TRACE_LITELLM_ENABLED": "false"}, "auto"),
        ({"DD_TRACE_LITELLM_ENABLED": "false"}, "enable"),
        ({"DD_PATCH_MODULES": "litellm:false"}, "auto"),
        ({"DD_PATCH_MODULES": "litellm:false"}, "enable"),
        ({"DD_TRACE_ENABLED": "false"}, "auto"),
    ],
    ids=lambda case: case if isinstance(case, str) else next(iter(case)),
)
def test_switched_off(forks, environment, way):
    """The switches of ddtrace leave LiteLLM as it is."""
    assert forks.run(WAYS[way] + SHOW, **environment).result == NOTHING


@pytest.mark.e2e
def test_plain_import(forks):
    """Importing ddtrace without starting it changes nothing."""
    assert forks.run("import ddtrace" + SHOW).result == NOTHING


@pytest.mark.e2e
def test_without_integrations(forks):
    """LLM Observability enabled without its integrations changes nothing."""
    code = "from ddtrace.llmobs import LLMObs; LLMObs.enable(integrations_enabled=False)"
    assert forks.run(code + SHOW).result == NOTHING


@pytest.mark.e2e
def test_takeover_switched_off(programs, url):
    """With the kill switch ddtrace's built-in is active, once, and nothing of ours is loaded but the package itself."""
    code = f"""{SHOW_AND_CALL}
import sys
print(json.dumps([name for name in sys.modules if name.startswith("ddtrace_litellm")]))
"""
    shown = programs.ddtrace_run("-c", code, DD_LITELLM_TAKEOVER="false", PROVIDER_URL=url)
    result, modules = map(json.loads, shown.stdout.splitlines())
    assert result == [BUILT_IN, ["completion"]]
    assert modules == ["ddtrace_litellm"]


@pytest.mark.e2e
def test_takeover_switched_off_for_the_auto_module(bare_forks):
    """The kill switch holds for the auto module as well, before and after ddtrace is started."""
    code = f"import ddtrace_litellm.auto, ddtrace.auto, importlib; importlib.reload(ddtrace_litellm.auto){SHOW}"
    assert bare_forks.run(code, DD_LITELLM_TAKEOVER="0").result == BUILT_IN


@pytest.mark.e2e
def test_unusable_takeover_value(forks):
    """A value of the kill switch that is neither on nor off is one warning, and the takeover takes place."""
    shown = forks.run("import ddtrace.auto" + SHOW, DD_LITELLM_TAKEOVER="nope")
    assert shown.result == OURS
    (warning,) = shown.complaints
    assert "DD_LITELLM_TAKEOVER='nope' is not a boolean (true, false, 1 or 0); using true" in warning


@pytest.mark.e2e
def test_misspelt_variable(forks):
    """A name under our prefix that is none of ours is one warning at the start, with the one that may be meant."""
    shown = forks.run("import ddtrace.auto" + SHOW, DD_LITELLM_OPENMETRICS_TOKN="secret")
    assert shown.result == OURS
    (warning,) = shown.complaints
    assert (
        "DD_LITELLM_OPENMETRICS_TOKN is not a variable of this version; is it DD_LITELLM_OPENMETRICS_TOKEN?" in warning
    )
    assert "secret" not in warning


@pytest.mark.e2e
@pytest.mark.parametrize("way", ["import ddtrace.auto, ddtrace_litellm; ", "import ddtrace_litellm; "])
def test_misspelt_variable_of_a_program_that_patches_itself(forks, way):
    """It is one warning as well, whether ddtrace has started before or not at all."""
    shown = forks.run(f"{way}ddtrace_litellm.patch(){SHOW}", DD_LITELLM_CAPTURE_INPT="secret")
    assert shown.result == OURS
    (warning,) = shown.complaints
    assert "DD_LITELLM_CAPTURE_INPT is not a variable of this version; is it DD_LITELLM_CAPTURE_INPUT?" in warning


@pytest.mark.e2e
def test_scraper_and_health_metrics_are_off(forks):
    """Without their variables LiteLLM is traced, and nothing of the scraper or of the health metrics is loaded."""
    code = """
import ddtrace.auto, json, litellm, sys, threading
modules = ("ddtrace_litellm.openmetrics", "ddtrace_litellm.telemetry.report")
threads = [thread.name for thread in threading.enumerate()]
print(json.dumps([
    litellm._datadog_patch,
    [name for name in sys.modules if name.startswith(modules)],
    [name for name in threads if name.startswith("ddtrace-litellm")],
]))
"""
    assert forks.run(code).result == [True, [], []]


@pytest.mark.parametrize(
    ("value", "enabled"),
    [(None, True), ("", True), ("true", True), ("1", True), ("false", False), ("0", False), (" False ", False)],
)
def test_takeover_values(monkeypatch, value, enabled):
    """The kill switch is ``false`` or ``0``, in any case."""
    monkeypatch.delenv(ddtrace_litellm.TAKEOVER_VARIABLE, raising=False)
    if value is not None:
        monkeypatch.setenv(ddtrace_litellm.TAKEOVER_VARIABLE, value)
    assert (ddtrace_litellm.takeover_setting() is not None) is enabled
