"""What a program's log has under ``ddtrace-run --debug``.

That the variable ``DD_TRACE_DEBUG`` shows it, too, and that without either there is nothing, is where other programs
run: in tests/activation, test_secrets.py and test_export.py.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.runner import find_ddtrace_run
from tests import launch
from tests.provider import Provider, Script

PROGRAM = Path(__file__).parent / "debug_lines.py"
ANSWER = "the secret answer"
_NUMBERS = re.compile(r"\[\d+\]|\d+\.\d+ s")


@pytest.fixture(scope="module")
def agent():
    """Return the URL of an agent, since without one ddtrace tries again and again."""
    with TestAgent() as running:
        yield running.url


@pytest.fixture(scope="module")
def told(agent):
    """Return the lines of the program's log that are ours."""
    behaviours = {"failing": Script(status=500, error="the secret error")}
    with Provider(behaviours) as provider, Provider() as proxy:
        provider.otherwise = proxy.otherwise = Script(text=ANSWER)
        ran = subprocess.run(
            [find_ddtrace_run(), "--debug", sys.executable, str(PROGRAM)],
            env=launch.environment(
                launch.PACKAGES,
                DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
                DD_LLMOBS_AGENTLESS_ENABLED="false",
                DD_LLMOBS_ENABLED="true",
                DD_LLMOBS_INSTRUMENTED_PROXY_URLS=f"{proxy.url}/v1",
                DD_LLMOBS_ML_APP="tests",
                DD_REMOTE_CONFIGURATION_ENABLED="false",
                DD_TRACE_AGENT_URL=agent,
                PROVIDER_URL=provider.url,
                PROXY_URL=proxy.url,
            ),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return [line for line in ran.stderr.splitlines() if line.startswith("litellm: ")]


def without_numbers(lines):
    """Return the lines without span ids and times."""
    return [_NUMBERS.sub("_", line) for line in lines]


@pytest.mark.e2e
def test_what_is_patched(told):
    """The takeover, and how many names were wrapped, come first."""
    assert "ddtrace.contrib.internal.litellm.patch now patches with ddtrace-litellm" in told[0]
    assert re.fullmatch(r"litellm: wrapped \d+ names of LiteLLM [\w.]+, which lacks: .+", told[1])


@pytest.mark.e2e
def test_each_decision(told):
    """Leaf or workflow and why, tokens reported or estimated, how a stream ended, how the call did."""
    lines = without_numbers(told)
    for expected in (
        "litellm: completion _: begins beneath no other traced call",
        "litellm: completion _: llm, as no traced call beneath served it",
        "litellm: completion _: ended: ok",
        "litellm: router.completion _: workflow, as methods of the Router and batches only pass calls on",
        "litellm: completion _: begins child of completion: attempt or bridge",
        "litellm: completion: no span, as it is LiteLLM carrying out the completion call around it",
        "litellm: completion _: ended: error (InternalServerError)",
        "litellm: completion _: ended: collected",
    ):
        assert expected in lines
    text = "\n".join(lines)
    assert "openai gpt-4o-mini; tokens reported: input_tokens 3, output_tokens 3" in text
    assert re.search(r"tokens (reported|estimated): .*; cost \S+ USD", text)
    assert re.search(r"stream read to its end, \d+ chunk\(s\), first content after _", text)
    assert "stream dropped by the program before its end, 1 chunk(s)" in text
    assert "workflow, as DD_LLMOBS_INSTRUMENTED_PROXY_URLS has its URL" in text


@pytest.mark.e2e
def test_the_counters_come_last(told):
    """At the end of the process the counters are told."""
    assert told[-1] == "litellm: 8 spans opened; ended: 6 ok, 1 error, 1 collected; internal errors: none"


@pytest.mark.e2e
def test_nothing_secret(told):
    """Neither what was said, nor an error's message, nor a key is in a line of ours."""
    assert "secret" not in "\n".join(told)


def test_nothing_is_put_together_for_nobody(provider, recorder, monkeypatch):
    """With the log at another level, none of these functions is called."""
    import litellm

    from ddtrace_litellm.tracing import debug_log

    for name in ("began", "decided", "delegated", "ended", "summed_up"):
        monkeypatch.delattr(debug_log, name)
    litellm.completion("mistral/m", [{"role": "user", "content": "hi"}], api_base=f"{provider.url}/v1", api_key="k")
    assert recorder.event["status"] == "ok"


def test_failing_debug_log_is_not_the_calls(provider, recorder, monkeypatch, caplog):
    """A log that fails is a failure of ours: the call, and its span, go on."""
    import litellm

    from ddtrace_litellm.telemetry import counters
    from ddtrace_litellm.tracing import debug_log

    def fail(*_arguments):
        raise ZeroDivisionError

    monkeypatch.setattr(counters, "internal_errors", {})
    monkeypatch.setattr(debug_log, "_tell", fail)
    caplog.set_level("DEBUG", "ddtrace.litellm")
    litellm.completion("mistral/m", [{"role": "user", "content": "hi"}], api_base=f"{provider.url}/v1", api_key="k")
    assert recorder.event["status"] == "ok"
    assert recorder.still_open() == []
    assert counters.internal_errors["debug log"].value == 1
