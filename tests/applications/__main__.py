"""Installs each application into an environment of its own, runs it, and prints what arrived as a table.

Each program runs twice against the local provider: as it is, and under ``ddtrace-run`` with a real test agent. Both
runs have to print the same and ask the provider the same.
"""

import argparse
import os
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.traces import assemble
from tests.applications.catalogue import APPLICATIONS, Application
from tests.applications.checks import LEAVES, faults
from tests.applications.provider import SpeakingInTurns
from tests.checkout import CHECKOUT
from tests.environments import Environment, table

PROGRAMS = Path(__file__).parent / "programs"
SECONDS = 300
_NOT_INHERITED = ("ANTHROPIC_", "DD_", "_DD_", "LITELLM_", "OPENAI_", "OTEL_", "PYTHON")
# Frameworks that report to their makers, unless they are told not to.
_PRIVATE = {"ANONYMIZED_TELEMETRY": "false", "CREWAI_DISABLE_TELEMETRY": "true", "OTEL_SDK_DISABLED": "true"}


@dataclass(frozen=True)
class Ran:
    """A program that has ended."""

    status: int
    printed: str
    complained: str
    provider: SpeakingInTurns


def run(application: Application, command: Sequence[str], more: Mapping[str, str]) -> Ran:
    """Run the program against a provider of its own."""
    with SpeakingInTurns(application.turns) as provider:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
        environment |= _PRIVATE | {
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            "OPENAI_API_BASE": f"{provider.url}/v1",
            "OPENAI_BASE_URL": f"{provider.url}/v1",
            "OPENAI_API_KEY": "sk-local",
        }
        ended = subprocess.run(
            [*command, str(PROGRAMS / application.program)],
            env=environment | more,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    return Ran(ended.returncode, ended.stdout, ended.stderr, provider)


def check(application: Application, environment: Environment, agent: TestAgent) -> tuple[dict[str, str], list[str]]:
    """Run one application; return its row of the table, and what is wrong."""
    traced = {
        "DD_CODE_ORIGIN_FOR_SPANS_ENABLED": "false",  # the test agent takes none
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DD_LLMOBS_ENABLED": "true",
        "DD_LLMOBS_ML_APP": "applications",
        "DD_REMOTE_CONFIGURATION_ENABLED": "false",
        "DD_TRACE_AGENT_URL": agent.url,
    }
    bare = run(application, [environment.executable("python")], {})
    agent.clear()
    ours = run(application, [environment.executable("ddtrace-run"), environment.executable("python")], traced)
    raw = agent.get_json("/test/traces")
    traces = assemble(raw, agent.get_json("/test/session/requests"))
    wrong = [f"status {ran.status}: {ran.complained[-2000:]}" for ran in (bare, ours) if ran.status]
    if bare.printed != ours.printed:
        wrong.append(f"it printed {ours.printed!r}, and without us {bare.printed!r}")
    if [request.body for request in bare.provider.requests] != [request.body for request in ours.provider.requests]:
        wrong.append("its requests are others without us")
    if len(ours.provider.requests) != len(ours.provider.answered):
        wrong.append("it asked for an endpoint that the provider does not have")
    if complaints := [line for line in ours.complained.splitlines() if "ddtrace" in line.lower()]:
        wrong.append(f"complaints: {complaints}")
    wrong += faults(traces, _parents(raw), ours.provider.answered, application.theirs)
    kinds = Counter(span.llm.kind for trace in traces for span in trace.llm_spans())
    versions = environment.versions(application.name, "litellm")
    row = {
        "application": application.name,
        "version": versions[application.name],
        "LiteLLM": versions["litellm"],
        "what it does": _summary(application),
        "requests": str(len(ours.provider.requests)),
        "LLM events": str(sum(kinds[kind] for kind in LEAVES)),
        "ddtrace's own": application.theirs.replace("_", r"\_") or "none",
        "other events": ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items()) if kind not in LEAVES),
        "result": "failed" if wrong else "passed",
    }
    return row, wrong


def _parents(raw: Sequence[Sequence[Mapping[str, Any]]]) -> dict[int, int]:
    """Return the parent of each event, as LLM Observability has it."""
    events = {
        int(span["span_id"]): (span.get("meta_struct") or {}).get("_llmobs") or {} for trace in raw for span in trace
    }
    parents = {span_id: str(event.get("parent_id")) for span_id, event in events.items() if event.get("trace_id")}
    return {span_id: int(parent) if parent.isdecimal() else 0 for span_id, parent in parents.items()}


def _summary(application: Application) -> str:
    return (PROGRAMS / application.program).read_text().partition('"""')[2].partition('"""')[0].rstrip(".")


def main() -> int:
    """Run what the command line names; the status is 1 where something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tests.applications", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="applications; all of them by default")
    parser.add_argument("--environments", type=Path, default=CHECKOUT / "build" / "applications", metavar="DIRECTORY")
    parser.add_argument("--python", default=sys.executable, help="the Python to use")
    arguments = parser.parse_args()
    rows, failed = [], False
    with TestAgent() as agent:
        for application in APPLICATIONS:
            if arguments.names and application.name not in arguments.names:
                continue
            environment = Environment(arguments.environments / application.name)
            environment.make(arguments.python, [*application.requirements, "-e", f"{CHECKOUT}[litellm]"])
            row, wrong = check(application, environment, agent)
            rows.append(row)
            for fault in wrong:
                failed = True
                print(f"{application.name}: {fault}", file=sys.stderr)
    print(table(rows))
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
