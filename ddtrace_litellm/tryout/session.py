"""One tryout from beginning to end: start the agent, run the program, read what arrived."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.runner import find_program, program_environment, run_program
from ddtrace_litellm.tryout.traces import Trace, assemble


@dataclass(frozen=True)
class Outcome:
    """What came of it: the program's exit status (128+n for signal n) and the traces that arrived."""

    status: int
    traces: tuple[Trace, ...]


def tryout(command: Sequence[str], extra_environment: Mapping[str, str] | None = None) -> Outcome:
    """Run ``command`` under ``ddtrace-run`` and return what a Datadog Agent would have received.

    Args:
        command: the program and its arguments, at least the program.
        extra_environment: variables for the program on top of the current ones.

    Raises:
        ddtrace_litellm.tryout.errors.TryoutError: the program or the agent could not be started.
    """
    environment = {**os.environ, **(extra_environment or {})}
    # Before the seconds that the agent takes: a mistyped name should not have to wait for it.
    find_program(command[0], environment.get("PATH"))
    with TestAgent() as agent:
        status = run_program(command, program_environment(environment, agent.url))
        traces = assemble(agent.get_json("/test/traces"), agent.get_json("/test/session/requests"))
    return Outcome(status, traces)
