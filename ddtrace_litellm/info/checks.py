"""What is wrong in an environment, and what to do about it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from ddtrace_litellm.config import unknown_variables
from ddtrace_litellm.info import variables
from ddtrace_litellm.info.facts import DIRECT, Facts, host_of
from ddtrace_litellm.versions import (
    MALICIOUS_VERSIONS,
    NEWEST_TESTED,
    OLDEST_TESTED,
    UnsupportedVersionError,
    check_version,
)

_DEBUG = "run the program under `ddtrace-run --debug`, which logs the traceback, and report it with that"
_TRUE, _FALSE = ("true", "1"), ("false", "0")
_LLMOBS_ENABLED = "DD_LLMOBS_ENABLED"


class Problem(NamedTuple):
    """Something that is wrong: ``what`` it is, and what to do about it (``remedy``)."""

    what: str
    remedy: str


def problems(facts: Facts) -> list[Problem]:
    """Return everything that is wrong, what matters most first, nothing twice."""
    found = [
        *_versions(facts),
        *_child(facts),
        *_integration(facts),
        *_variables(facts),
        *_observability(facts),
        *_transport(facts),
        *_callbacks(facts),
        *_counters(facts),
        *(Problem(*problem) for problem in facts.scraping.problems),
    ]
    return list({problem.what: problem for problem in found}.values())


def tested() -> str:
    """Return which versions the tests run with."""
    ranges = {
        name: " to ".join(".".join(map(str, end)) for end in (OLDEST_TESTED[name], newest))
        for name, newest in NEWEST_TESTED.items()
    }
    return f"Python {ranges['python']}, ddtrace {ranges['ddtrace']}, LiteLLM {ranges['litellm']}"


def outside_tested(facts: Facts) -> list[str]:
    """Return the versions that no test runs with, by name."""
    return [
        f"{name} {facts.versions[name]}"
        for name, newest in NEWEST_TESTED.items()
        if (numbers := _numbers(facts.versions[name])) and not OLDEST_TESTED[name] <= numbers <= newest
    ]


def notes(facts: Facts) -> list[str]:
    """Return what is worth knowing, but not wrong."""
    found = []
    if outside := outside_tested(facts):
        found.append(f"not among the versions that are tested ({tested()}): {', '.join(outside)}")
    if unknown := facts.found.get("unknown_functions"):
        functions = "function" if len(unknown) == 1 else "functions"
        found.append(
            f"this LiteLLM has {len(unknown)} {functions} that this version does not know: {', '.join(unknown)}"
        )
    if error := facts.found.get("failures", {}).get("unknown_functions"):
        found.append(f"whether this LiteLLM has functions that this version does not know cannot be told: {error}")
    if facts.export and not facts.export["mode"] and not llmobs_left_off(facts) and not _is_on(facts, _LLMOBS_ENABLED):
        found.append(
            "LLM Observability is off, so that calls are APM spans alone, unless the program calls LLMObs.enable(); "
            "DD_LLMOBS_ENABLED=1 switches it on"
        )
    if facts.export.get("mode") and not facts.export.get("app"):
        found.append("no DD_LLMOBS_ML_APP, nor DD_SERVICE: events have no application of their own")
    if facts.export.get("mode") in DIRECT and facts.agent is not None and facts.agent.problem:
        found.append(f"no Agent at {host_of(facts.export['agent_url'])}, so that everything goes to Datadog itself")
    return found


def _versions(facts: Facts) -> Iterator[Problem]:
    litellm, ddtrace = facts.versions["litellm"], facts.versions["ddtrace"]
    if litellm is None:
        yield Problem("LiteLLM is not installed in this environment", "pip install 'ddtrace-litellm[litellm]'")
    elif litellm in MALICIOUS_VERSIONS:
        yield Problem(
            f"litellm {litellm} was published with a stolen token and steals credentials (BerriAI/litellm#24518); it "
            "is not traced, and was not imported for this report",
            "uninstall it, rotate every secret this machine holds, and install another version",
        )
    else:
        try:
            check_version(litellm)
        except UnsupportedVersionError as error:
            yield Problem(f"{error}: it is left to ddtrace's built-in integration", "pip install --upgrade litellm")
    if (numbers := _numbers(ddtrace)) and numbers < OLDEST_TESTED["ddtrace"]:
        yield Problem(f"ddtrace {ddtrace} is older than 4.8", "pip install --upgrade 'ddtrace<5'")


def _child(facts: Facts) -> Iterator[Problem]:
    if facts.seen.found is None:
        for name in facts.seen.refused:
            value = variables.masked(name, facts.environ[name])
            yield Problem(
                f"ddtrace does not start with {name}={value}: {facts.seen.failure}", f"correct {name}, or unset it"
            )
        if not facts.seen.refused:
            yield Problem(
                f"`ddtrace-run python` does not run here: {facts.seen.failure}",
                "start the program with `ddtrace-run` and read what it says",
            )
    for what, error in facts.found.get("failures", {}).items():
        if what == "export" and facts.found.get("integration") != "ours":
            continue  # it needs what ours could not load either
        if what == "unknown_functions":
            continue  # calls are traced nevertheless: a note
        if what == "proxy_reports_twice":
            yield Problem(f"the proxy's configuration cannot be read: {error}", "correct the file of --proxy-config")
            continue
        yield Problem(f"{what}: {error}", f"correct that; or {_DEBUG}")


def _integration(facts: Facts) -> Iterator[Problem]:
    found = facts.found
    if "integration" not in found:
        return
    switches = list(variables.switched_off_by(facts.environ))
    if found["integration"] == "ours":
        # LLMObs.enable() patches nevertheless.
        if switches:
            yield Problem(f"ddtrace sends no spans: {' and '.join(switches)}", "unset it, to have LiteLLM traced")
        return
    if switches:
        yield Problem(f"LiteLLM is not traced: {' and '.join(switches)}", "unset it, to have LiteLLM traced")
        return
    active = "ddtrace's built-in integration is active" if found["integration"] else "no integration is active"
    if facts.environ.get("DD_LITELLM_TAKEOVER", "").strip().lower() in _FALSE:
        yield Problem(
            f"{active}, since DD_LITELLM_TAKEOVER={facts.environ['DD_LITELLM_TAKEOVER']}",
            "unset DD_LITELLM_TAKEOVER, to have LiteLLM traced by ddtrace-litellm",
        )
    elif found["way_in"] is None:
        yield Problem(
            f"{active}: Python has not read ddtrace_litellm.pth (`pip install -t`, a bare PYTHONPATH, a zipapp)",
            "put `import ddtrace_litellm.auto` before the first use of litellm, or install the package with pip into "
            "the site-packages of this Python",
        )
    elif not facts.complaints:
        yield Problem(f"{active}, and nothing says why", f"{_DEBUG}")


def _variables(facts: Facts) -> Iterator[Problem]:
    unknown = unknown_variables(facts.environ)
    for text in facts.complaints:
        if text.partition(" ")[0] in unknown:
            continue  # the log of the child has it, too
        if match := re.match(r"DD_\w+", text):
            yield Problem(text, f"correct {match[0]}, or unset it")
        elif "cannot trace LiteLLM here" in text:
            yield Problem(text, f"pip install --upgrade ddtrace-litellm; or install a tested pair: {tested()}")
        else:
            yield Problem(text, _DEBUG)
    for name, meant in unknown.items():
        yield Problem(f"{name} is not a variable of this version", f"rename it to {meant}" if meant else "unset it")


def llmobs_left_off(facts: Facts) -> list[str]:
    """Return the ``DD_LLMOBS_*`` variables without effect, unless LLM Observability was switched off on purpose."""
    value = facts.environ.get(_LLMOBS_ENABLED, "").strip().lower()
    if not facts.export or facts.export["mode"] or value in (*_TRUE, *_FALSE):
        return []
    return sorted(name for name in facts.environ if name.startswith("DD_LLMOBS_") and facts.environ[name])


def _observability(facts: Facts) -> Iterator[Problem]:
    if set_in_vain := llmobs_left_off(facts):
        yield Problem(
            f"LLM Observability is off, in spite of {', '.join(set_in_vain)}",
            "set DD_LLMOBS_ENABLED=1, unless the program calls LLMObs.enable(); or 0, if it is to be off",
        )
    if not facts.export or facts.export["mode"] or not _is_on(facts, _LLMOBS_ENABLED):
        return
    if _agentless_without_key(facts):
        yield Problem(
            "LLM Observability did not start: DD_LLMOBS_AGENTLESS_ENABLED is on, and DD_API_KEY is not set",
            "set DD_API_KEY and DD_SITE; or unset DD_LLMOBS_AGENTLESS_ENABLED, to send through an Agent",
        )
        return
    reasons = [line.text for line in facts.seen.logged if line.level == "ERROR" and "llmobs" in line.text.lower()]
    agentless = "send without an Agent: DD_LLMOBS_AGENTLESS_ENABLED=1, with DD_API_KEY and DD_SITE"
    remedy = "correct what that says" if reasons else "look at the start of the program's log"
    if any("DD_API_KEY" in reason for reason in reasons):
        remedy = f"start an Agent, and name it by DD_AGENT_HOST or DD_TRACE_AGENT_URL; or {agentless}"
    yield Problem(f"LLM Observability did not start: {'; '.join(reasons) or 'nothing says why'}", remedy)


def _transport(facts: Facts) -> Iterator[Problem]:
    if not facts.export or "DD_TRACE_ENABLED" in "".join(variables.switched_off_by(facts.environ)):
        return
    if facts.export["mode"] in DIRECT:
        if facts.intake is not None and facts.intake.problem:
            yield Problem(
                f"Datadog does not answer at {host_of(facts.export['url'])}: {facts.intake.problem}",
                "check DD_SITE, and that this machine may connect to it; or send through an Agent",
            )
    elif facts.agent is not None and facts.agent.problem and not _agentless_without_key(facts):
        yield Problem(
            f"no Agent answers at {host_of(facts.export['agent_url'])}: {facts.agent.problem}",
            "start it with DD_APM_ENABLED=true, or name the right one by DD_AGENT_HOST and DD_TRACE_AGENT_PORT, or by "
            "DD_TRACE_AGENT_URL; or send without one: DD_LLMOBS_AGENTLESS_ENABLED=1, with DD_API_KEY and DD_SITE",
        )


def _callbacks(facts: Facts) -> Iterator[Problem]:
    wheres = {
        "reported_twice": "litellm.callbacks has it",
        "proxy_reports_twice": "litellm_settings of the proxy's configuration has it",
    }
    for name, where in wheres.items():
        if facts.found.get(name):
            yield Problem(
                "LiteLLM's callback 'datadog_llm_observability' reports every request, and its cost, once more "
                f"({where})",
                "remove it there; or keep it instead, with DD_TRACE_LITELLM_ENABLED=false",
            )


def _counters(facts: Facts) -> Iterator[Problem]:
    counters = facts.found.get("counters")
    if counters is None:
        return
    if errors := counters["internal_errors"]:
        places = ", ".join(f"{place} ({number})" for place, number in errors.items())
        yield Problem(f"ddtrace-litellm failed inside, in: {places}", _DEBUG)
    if counters["spans_ended"].get("ok") != 1:
        yield Problem("a call of litellm.completion made no span that ended well", _DEBUG)


def _agentless_without_key(facts: Facts) -> bool:
    return _is_on(facts, "DD_LLMOBS_AGENTLESS_ENABLED") and not facts.environ.get("DD_API_KEY")


def _is_on(facts: Facts, name: str) -> bool:
    return facts.environ.get(name, "").strip().lower() in _TRUE


def _numbers(version: str | None) -> tuple[int, ...]:
    """Return the first two numbers of a version, which decide whether it was tested; ``()`` if there are none."""
    return tuple(int(digits) for digits in re.findall(r"\d+", version or "")[:2])
