import sys

import pytest

from ddtrace_litellm.tryout.errors import TryoutError
from ddtrace_litellm.tryout.runner import find_ddtrace_run, find_program, program_environment

AGENT, METRICS = "http://127.0.0.1:9", "udp://127.0.0.1:10"


def test_environment_sends_everything_to_the_agent():
    """What would send the data elsewhere, or nowhere, is overridden."""
    users = {
        "DD_TRACE_AGENT_URL": "http://elsewhere:8126",
        "DD_LLMOBS_ENABLED": "0",
        "DD_LLMOBS_AGENTLESS_ENABLED": "1",
        "DD_LLMOBS_OVERRIDE_ORIGIN": "http://elsewhere",
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "1",
        "DD_LITELLM_OPENMETRICS_AGENTLESS": "true",
        "DD_DOGSTATSD_URL": "unix:///mine.sock",
    }
    result = program_environment(users, AGENT, METRICS)
    assert result["DD_TRACE_AGENT_URL"] == AGENT
    assert (result["DD_LLMOBS_ENABLED"], result["DD_LLMOBS_AGENTLESS_ENABLED"]) == ("1", "0")
    assert "DD_LLMOBS_OVERRIDE_ORIGIN" not in result
    assert (result["DD_LITELLM_OPENMETRICS_AGENTLESS"], result["DD_DOGSTATSD_URL"]) == ("false", METRICS)
    assert (result["DD_INSTRUMENTATION_TELEMETRY_ENABLED"], result["DD_REMOTE_CONFIGURATION_ENABLED"]) == ("0", "0")


def test_environment_keeps_what_the_user_set():
    """Names, versions and tuning stay the user's; what is unset gets a default."""
    users = {"DD_LLMOBS_ML_APP": "mine", "DD_TRACE_PARTIAL_FLUSH_MIN_SPANS": "300", "DD_ENV": "dev", "HOME": "/h"}
    result = program_environment(users, AGENT, METRICS)
    assert {name: result[name] for name in users} == users
    assert program_environment({}, AGENT, METRICS)["DD_LLMOBS_ML_APP"] == "try"


def test_program_is_found_on_the_path_or_by_its_own():
    """A name is looked up in PATH, a path is taken as it is."""
    assert find_program("sh", "/usr/bin:/bin").endswith("/sh")
    assert find_program(sys.executable, None) == sys.executable


def test_missing_program_is_named(tmp_path):
    """No such program is status 127; a file that is not executable is 126, with a hint."""
    with pytest.raises(TryoutError, match="program not found: no-such-program") as missing:
        find_program("no-such-program", "/usr/bin")
    script = tmp_path / "app.py"
    script.write_text("")
    with pytest.raises(TryoutError, match=r"not executable: .*app\.py \(did you mean: python .*app\.py\?\)") as plain:
        find_program(str(script), "/usr/bin")
    assert (missing.value.status, plain.value.status) == (127, 126)


def test_ddtrace_run_is_this_environments():
    """The launcher belongs to the Python that runs."""
    assert find_ddtrace_run().startswith(sys.prefix)
