"""The findings as rows for people and as JSON for machines.

The form of the JSON is stable within a major version; ``problems`` is empty where everything is well::

    {"problems": [{"what": "...", "remedy": "..."}], "notes": ["..."],
     "integration": "ours", "way_in": ".pth", "wrapped_names": 138, "unknown_functions": [],
     "versions": {"python": "3.12.1", "ddtrace": "4.16.0", "litellm": "1.109.1", "ddtrace-litellm": "0.1.0"},
     "outside_tested": [],
     "export": {"mode": "apm_agent", "url": "...", "agent_url": "...", "site": "datadoghq.com", "app": "my-app"},
     "agent": {"answers": true, "problem": "", "version": "7.70.0"}, "intake": null,
     "reported_twice": false, "scraper": "off",
     "counters": {"spans_opened": 1, "spans_ended": {"ok": 1}, "spans_open": 0, "internal_errors": {}},
     "variables": [{"name": "DD_API_KEY", "value": "*** (32 characters)", "effective": "*** (32 characters)"}],
     "log": [{"level": "WARNING", "logger": "ddtrace...", "text": "..."}]}

``integration`` is ``ours``, ``built-in`` or null; ``way_in`` is ``.pth``, ``ddtrace_litellm.auto`` or null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any, NamedTuple

from ddtrace_litellm.info import checks, variables
from ddtrace_litellm.info.facts import DIRECT, Facts, host_of
from ddtrace_litellm.info.reach import Answer
from ddtrace_litellm.info.variables import masked

_SET_BY = {"app": "DD_LLMOBS_ML_APP", "site": "DD_SITE"}
_VERSION = re.compile(r"[0-9A-Za-z.+-]{1,40}")
_MODES = {
    "apm_agent": "by the Agent, with the traces",
    "llmobs_agent_proxy": "by the Agent's EVP proxy",
    "apm_agentless": "to Datadog itself, with the traces (agentless)",
    "llmobs_agentless": "to Datadog itself (agentless)",
}


class Row(NamedTuple):
    """A line of the report. ``good`` is ``None`` where it is neither good nor bad."""

    label: str
    text: str
    good: bool | None = None


def rows(facts: Facts) -> Iterator[Row]:
    """Yield what was found, a line each, without the variables and the problems."""
    found, export = facts.found, facts.export
    if facts.seen.found is None:
        yield Row("integration", "not known, as `ddtrace-run python` does not run", good=False)
    else:
        yield Row("integration", _integration(facts), found.get("integration") == "ours")
        way_in = found.get("way_in")
        why_none = "Python has not read ddtrace_litellm.pth, or DD_LITELLM_TAKEOVER switches it off"
        yield Row("way in", way_in or f"none: {why_none}", bool(way_in))
    versions = ", ".join(f"{name} {version or 'not installed'}" for name, version in facts.versions.items())
    yield Row("versions", versions, None not in facts.versions.values())
    outside = checks.outside_tested(facts)
    yield Row("tested", f"{'no' if outside else 'yes'} ({checks.tested()})", None if outside else True)
    if export:
        app = f"on, as {masked('DD_LLMOBS_ML_APP', export['app'])!r}" if export["app"] else "on"
        left_off = bool(checks.llmobs_left_off(facts))
        good = True if export["mode"] else False if left_off else None
        yield Row("LLM Observability", app if export["mode"] else "off", good)
        yield Row("export", f"{_MODES.get(export['mode'], 'APM spans by the Agent')}: {host_of(export['url'])}")
    if facts.agent is not None:
        needed = export.get("mode") not in DIRECT
        yield Row("Agent", f"{host_of(export['agent_url'])} {_answer(facts.agent)}", _good(facts.agent, needed=needed))
    if facts.intake is not None:
        yield Row("Datadog", f"{host_of(export['url'])} {_answer(facts.intake)}", _good(facts.intake, needed=True))
    if (twice := _reported_twice(facts)) is not None:
        yield Row("callbacks", "every request is reported twice" if twice else "none that reports twice", not twice)
    yield Row("proxy's metrics", facts.scraping.text, False if facts.scraping.problems else None)
    if counters := found.get("counters"):
        ends = ", ".join(f"{number} {outcome}" for outcome, number in counters["spans_ended"].items() if number)
        errors = sum(counters["internal_errors"].values())
        text = f"{counters['spans_opened']} span opened, ended: {ends or 'none'}; internal errors: {errors}"
        yield Row("a call", text, counters["spans_ended"].get("ok") == 1 and not errors)


def as_json(facts: Facts) -> dict[str, Any]:
    """Return what ``--json`` writes."""
    found = facts.found
    return {
        "problems": [problem._asdict() for problem in checks.problems(facts)],
        "notes": checks.notes(facts),
        "integration": found.get("integration"),
        "way_in": found.get("way_in"),
        "wrapped_names": found.get("wrapped"),
        "unknown_functions": found.get("unknown_functions"),
        "versions": dict(facts.versions),
        "outside_tested": checks.outside_tested(facts),
        "export": _export_as_json(facts.export) if facts.export else None,
        "agent": _answer_as_json(facts.agent),
        "intake": _answer_as_json(facts.intake),
        "reported_twice": _reported_twice(facts),
        "scraper": facts.scraping.text,
        "counters": found.get("counters"),
        "variables": [variable._asdict() for variable in variables.read(facts.environ, facts.unusable)],
        "log": [asdict(line) for line in facts.seen.logged],
    }


def _integration(facts: Facts) -> str:
    active = facts.found.get("integration")
    if active == "ours":
        return f"ddtrace-litellm, around {facts.found.get('wrapped')} names of LiteLLM"
    return "ddtrace's built-in" if active else "none"


def _reported_twice(facts: Facts) -> bool | None:
    answers = [facts.found[name] for name in ("reported_twice", "proxy_reports_twice") if name in facts.found]
    return any(answers) if answers else None


def _answer(answer: Answer) -> str:
    if answer.problem:
        return f"does not answer: {answer.problem}"
    version = _version(answer)
    return f"answers (version {version})" if version else "answers"


def _version(answer: Answer) -> str | None:
    version = (answer.info or {}).get("version")
    return version if isinstance(version, str) and _VERSION.fullmatch(version) else None


def _good(answer: Answer, *, needed: bool) -> bool | None:
    return not answer.problem if needed or not answer.problem else None


def _export_as_json(export: Mapping[str, str]) -> dict[str, str]:
    return {
        name: host_of(value) if name.endswith("url") else masked(_SET_BY[name], value) if name in _SET_BY else value
        for name, value in export.items()
    }


def _answer_as_json(answer: Answer | None) -> dict[str, Any] | None:
    if answer is None:
        return None
    return {"answers": not answer.problem, "problem": answer.problem, "version": _version(answer)}
