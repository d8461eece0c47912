"""What the command says, and returns, in each state that an environment can be in.

Those marked ``nightly`` are in test_parts.py on each commit, from facts that are made up.
"""

import pytest

from ddtrace_litellm.tryout.agent import free_ports
from tests.info.conftest import intake

pytestmark = pytest.mark.e2e

KEY = "0123456789abcdef0123456789abcdef"
# What Python's start does where no .pth file is read, as ddtrace's start comes after it.
WITHOUT_PTH = """
import sys
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__module__ != "ddtrace_litellm"]
for name in [name for name in sys.modules if name.startswith("ddtrace_litellm")]:
    del sys.modules[name]
"""


def test_healthy(info):
    """All is well: ours is active by the .pth file, the Agent answers, and a call makes a span that nobody receives."""
    told = info(DD_API_KEY=KEY)
    report = told.report
    assert (told.status, told.problems, told.errors) == (0, {}, "")
    assert (report["integration"], report["way_in"], report["reported_twice"]) == ("ours", ".pth", False)
    assert report["export"]["mode"] in ("apm_agent", "llmobs_agent_proxy")  # ddtrace from 4.10 on, and before
    assert report["export"]["app"] == "tests"
    assert report["agent"]["answers"]
    assert report["wrapped_names"] > 50
    assert report["unknown_functions"] == []
    assert report["counters"]["spans_opened"] == report["counters"]["spans_ended"]["ok"] == 1
    assert report["counters"]["internal_errors"] == {}
    assert KEY not in told.text
    assert info.agent.get_json("/test/traces") == []


# A function that LiteLLM has and this version does not know.
NEW_FUNCTION = "@litellm.client\ndef ask(model): ...\nlitellm.ask = ask\n"


def test_for_people(info):
    """Without ``--json`` the same is said in words.

    Neither callbacks that report something else nor a function that this version does not know are reasons to complain.
    """
    info.write("my_app.py", f"import litellm\nlitellm.callbacks = ['datadog', 'prometheus']\n{NEW_FUNCTION}")
    told = info("--import", "my_app", json_wanted=False)
    assert told.status == 0
    assert "✓" in told.text
    assert "everything is well" in told.text
    assert "DD_LLMOBS_ML_APP" in told.text
    assert "this LiteLLM has 1 function that this version does not know: ask" in " ".join(told.text.split())


def test_built_in_active_without_pth(info):
    """Where the .pth file was not read, the built-in is active, and the remedy is the auto module."""
    info.write("sitecustomize.py", WITHOUT_PTH)
    told = info()
    assert told.status == 1
    assert (told.report["integration"], told.report["way_in"]) == ("built-in", None)
    ((what, remedy),) = told.problems.items()
    assert "built-in integration is active: Python has not read ddtrace_litellm.pth" in what
    assert "import ddtrace_litellm.auto" in remedy


def test_auto_module(info):
    """That remedy works, and the way in is told."""
    info.write("sitecustomize.py", f"{WITHOUT_PTH}\nimport ddtrace_litellm.auto\n")
    told = info()
    assert (told.status, told.report["integration"]) == (0, "ours")
    assert told.report["way_in"] == "ddtrace_litellm.auto"


def test_built_in_active_where_ours_cannot_load(info):
    """Where this package knows neither ddtrace nor LiteLLM, the reason is the one of the log, said once."""
    info.write("sitecustomize.py", "import sys\nsys.modules['ddtrace_litellm._ddtrace'] = None\n")
    told = info()
    assert (told.status, told.report["integration"]) == (1, "built-in")
    ((what, remedy),) = told.problems.items()
    assert "cannot trace LiteLLM here (ModuleNotFoundError" in what
    assert "install a tested pair" in remedy


def test_all_that_is_wrong_is_told(info, tmp_path):
    """Nobody at the Agent's address, values that cannot be used, a name that is none, a callback in a proxy."""
    pytest.importorskip("yaml")
    config = tmp_path / "config.yaml"
    config.write_text("litellm_settings: {callbacks: [prometheus, datadog_llm_observability]}\n")
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    told = info(
        "--proxy-config",
        str(config),
        DD_TRACE_AGENT_URL=url,
        DD_LLMOBS_AGENTLESS_ENABLED="0",
        DD_LITELLM_CAPTURE_INPUT="maybe",
        DD_LITELLM_TAKEOVER="nope",
        DD_LITELLM_MAX_CONTENT_CHAR="secret",
        DD_LITELLM_OPENMETRICS_TOKN="secret",
    )
    report, problems = told.report, told.problems
    assert (told.status, report["integration"], report["agent"]["answers"]) == (1, "ours", False)
    remedy = problems.pop(f"no Agent answers at {url}: connection refused")
    assert "DD_AGENT_HOST" in remedy
    assert "DD_LLMOBS_AGENTLESS_ENABLED=1" in remedy
    (callback,) = [what for what in problems if "litellm_settings of the proxy's configuration has it" in what]
    del problems[callback]
    assert problems == {
        "DD_LITELLM_CAPTURE_INPUT='maybe' is not a boolean (true, false, 1 or 0); using true": (
            "correct DD_LITELLM_CAPTURE_INPUT, or unset it"
        ),
        "DD_LITELLM_TAKEOVER='nope' is not a boolean (true, false, 1 or 0); using true": (
            "correct DD_LITELLM_TAKEOVER, or unset it"
        ),
        "DD_LITELLM_MAX_CONTENT_CHAR is not a variable of this version": "rename it to DD_LITELLM_MAX_CONTENT_CHARS",
        "DD_LITELLM_OPENMETRICS_TOKN is not a variable of this version": "rename it to DD_LITELLM_OPENMETRICS_TOKEN",
    }
    assert "secret" not in str(told.report)
    shown = {variable["name"]: variable for variable in report["variables"]}
    assert shown["DD_LITELLM_CAPTURE_INPUT"] == {
        "name": "DD_LITELLM_CAPTURE_INPUT",
        "value": "maybe",
        "effective": "true",
    }


def test_variables_that_ddtrace_does_not_start_with(info):
    """Each of them is named, where ddtrace's error names none; one that is right is not."""
    told = info(DD_TRACE_PARTIAL_FLUSH_MIN_SPANS="many", DD_TRACE_AGENT_PORT="abc", DD_ENV="tests")
    assert (told.status, len(told.problems)) == (1, 2)
    for name, value in (("DD_TRACE_PARTIAL_FLUSH_MIN_SPANS", "*** (4 characters)"), ("DD_TRACE_AGENT_PORT", "abc")):
        (remedy,) = [of for what, of in told.problems.items() if f"ddtrace does not start with {name}={value}" in what]
        assert remedy == f"correct {name}, or unset it"


def test_modules_of_the_program(info):
    """What a module registers or adds is seen; the error of one that cannot be imported keeps nothing from it."""
    info.write("my_app.py", f"import litellm\nlitellm.callbacks = ['datadog_llm_observability']\n{NEW_FUNCTION}")
    told = info("--import", "no_such_module", "--import", "my_app")
    assert (told.status, told.report["integration"], told.report["reported_twice"]) == (1, "ours", True)
    missing, doubled = told.problems
    assert "No module named 'no_such_module'" in missing
    assert "reports every request, and its cost, once more (litellm.callbacks has it)" in doubled
    assert "remove it" in told.problems[doubled]
    assert told.report["unknown_functions"] == ["ask"]
    assert told.report["notes"] == ["this LiteLLM has 1 function that this version does not know: ask"]


def test_agent_down_and_no_key(info):
    """Where ddtrace then wants to send to Datadog itself and has no key, LLM Observability is off: that is told too."""
    told = info(DD_TRACE_AGENT_URL=f"http://127.0.0.1:{free_ports(1)[0]}")
    assert told.status == 1
    (remedy,) = [remedy for what, remedy in told.problems.items() if "LLM Observability did not start" in what]
    assert "DD_API_KEY" in remedy
    assert any("no Agent answers" in what for what in told.problems)


def test_agentless(info):
    """Datadog itself is asked whether it is there, without the key."""
    with intake() as (url, arrived):
        told = info(DD_LLMOBS_AGENTLESS_ENABLED="1", DD_API_KEY=KEY, DD_LLMOBS_OVERRIDE_ORIGIN=url)
    assert (told.status, told.problems) == (0, {})
    assert told.report["export"]["mode"] == "llmobs_agentless"
    assert told.report["intake"]["answers"]
    assert [(method, path) for method, path, _ in arrived] == [("GET", "/")]
    assert KEY not in str(arrived) + told.text


@pytest.mark.nightly
def test_kill_switch(info):
    """With the takeover switched off, the built-in is active, since that was asked for."""
    told = info(DD_LITELLM_TAKEOVER="false")
    assert (told.status, told.report["integration"]) == (1, "built-in")
    assert told.problems == {
        "ddtrace's built-in integration is active, since DD_LITELLM_TAKEOVER=false": (
            "unset DD_LITELLM_TAKEOVER, to have LiteLLM traced by ddtrace-litellm"
        )
    }


def test_switched_off(info):
    """What of ddtrace's switches it off is named."""
    told = info(DD_TRACE_LITELLM_ENABLED="false", DD_PATCH_MODULES="litellm:false")
    assert (told.status, told.report["integration"]) == (1, None)
    switches = "DD_TRACE_LITELLM_ENABLED=false and DD_PATCH_MODULES=litellm:false"
    assert list(told.problems) == [f"LiteLLM is not traced: {switches}"]


@pytest.mark.nightly
def test_tracing_off(info):
    """With LLM Observability on, ddtrace patches with tracing off as well, but sends nothing."""
    told = info(DD_TRACE_ENABLED="0")
    assert told.status == 1
    assert "ddtrace sends no spans: DD_TRACE_ENABLED=0" in told.problems


@pytest.mark.parametrize("version", ["1.82.7", "1.82.8"])
def test_malicious_release(info, tmp_path, version):
    """A release that steals credentials is told by its metadata, and no line of it runs."""
    info.write(f"litellm-{version}.dist-info/METADATA", f"Metadata-Version: 2.1\nName: litellm\nVersion: {version}\n")
    info.write("litellm.py", f"open({str(tmp_path / 'ran')!r}, 'w')")
    told = info()
    assert told.status == 1
    ((what, remedy),) = told.problems.items()
    assert f"litellm {version} was published with a stolen token and steals credentials" in what
    assert "rotate every secret" in remedy
    assert not (tmp_path / "ran").exists()


def test_old_release(info):
    """A release that is too old is left to the built-in, with the reason."""
    info.write("litellm-1.71.9.dist-info/METADATA", "Metadata-Version: 2.1\nName: litellm\nVersion: 1.71.9\n")
    told = info()
    assert (told.status, told.report["integration"]) == (1, "built-in")
    assert told.report["outside_tested"] == ["litellm 1.71.9"]
    assert any("litellm 1.71.9 is older than 1.72" in what for what in told.problems)
