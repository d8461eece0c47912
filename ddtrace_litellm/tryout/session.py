"""One tryout from beginning to end: start the agent, run the program, read what arrived."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.metrics import DogStatsD, Metrics
from ddtrace_litellm.tryout.runner import Ended, find_program, program_environment, run_program
from ddtrace_litellm.tryout.traces import Trace, assemble


@dataclass(frozen=True)
class Outcome:
    """What came of it: the program's exit status (128+n for signal n), the traces and the metrics that arrived."""

    status: int
    traces: tuple[Trace, ...]
    metrics: Metrics


def tryout(command: Sequence[str], extra_environment: Mapping[str, str] | None = None) -> Outcome:
    """Run ``command`` under ``ddtrace-run`` and return what a Datadog Agent would have received.

    Args:
        command: the program and its arguments, at least the program.
        extra_environment: variables for the program on top of the current ones.

    Raises:
        ddtrace_litellm.tryout.errors.TryoutError: the program or the agent could not be started.
    """
    environment = {**os.environ, **(extra_environment or {})}
    _find(command, environment)
    with TestAgent() as agent:
        return _watched(agent, command, environment)[0]


def tryout_with_ui(
    command: Sequence[str], opened: Callable[[str], None], finished: Callable[[Outcome], None]
) -> Outcome:
    """Do the same with a web UI, which stays until Ctrl-C when the program has ended.

    It does not stay when another process told us to end while the program ran.

    Args:
        command: the program and its arguments, at least the program.
        opened: called with the UI's URL before the program starts.
        finished: called with what came of it while the UI stays.

    Raises:
        ddtrace_litellm.tryout.errors.TryoutError: the program or the agent could not be started.
    """
    _find(command, os.environ)
    with TestAgent(web=True) as agent:
        opened(agent.web_url)
        outcome, ended = _watched(agent, command, os.environ)
        finished(outcome)
        if not ended.told_to:
            _wait_for_end()
    return outcome


def _find(command: Sequence[str], environment: Mapping[str, str]) -> None:
    # Before the seconds that the agent takes: a mistyped name should not have to wait for it.
    find_program(command[0], environment.get("PATH"))


def _watched(agent: TestAgent, command: Sequence[str], environment: Mapping[str, str]) -> tuple[Outcome, Ended]:
    with DogStatsD() as receiver:
        ended = run_program(command, program_environment(environment, agent.url, receiver.url))
        metrics = receiver.metrics()
    traces = assemble(agent.get_json("/test/traces"), agent.get_json("/test/session/requests"))
    return Outcome(ended.status, traces, metrics), ended


def _wait_for_end() -> None:
    """Return at Ctrl-C, and at what ends other processes."""
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.default_int_handler)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        pass
