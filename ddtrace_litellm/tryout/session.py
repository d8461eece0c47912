"""One tryout from beginning to end: start the agent, run the program, read what arrived."""

import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.metrics import DogStatsD, Metrics
from ddtrace_litellm.tryout.received import Received
from ddtrace_litellm.tryout.runner import find_program, program_environment, run_program
from ddtrace_litellm.tryout.traces import Trace


@dataclass(frozen=True)
class Outcome:
    """What came of it: the program's exit status (128+n for signal n), the traces and the metrics that arrived."""

    status: int
    traces: tuple[Trace, ...]
    metrics: Metrics


@dataclass(frozen=True)
class Audience:
    """Who is told what a tryout does.

    Attributes:
        finished: called with what came of it when the program has ended.
        opened: called with the viewer's URL before the program starts. Without it there is no viewer.
    """

    finished: Callable[[Outcome], None]
    opened: Callable[[str], None] | None = None


def tryout(command: Sequence[str], audience: Audience, extra_environment: Mapping[str, str] | None = None) -> Outcome:
    """Run ``command`` under ``ddtrace-run`` and return what a Datadog Agent would have received.

    A viewer stays until Ctrl-C when the program has ended, except where another process told us to end meanwhile.

    Args:
        command: the program and its arguments, at least the program.
        audience: who is told what happens.
        extra_environment: variables for the program on top of the current ones.

    Raises:
        ddtrace_litellm.tryout.errors.TryoutError: the program or the agent could not be started.
    """
    environment = {**os.environ, **(extra_environment or {})}
    # Before the seconds that the agent takes: a mistyped name should not have to wait for it.
    find_program(command[0], environment.get("PATH"))
    with TestAgent() as agent, DogStatsD() as receiver, ExitStack() as stack:
        received = Received(agent, receiver)
        viewer = None
        if audience.opened is not None:
            # The viewer's server takes half a second to import.
            from ddtrace_litellm.tryout.viewer.server import Viewer

            viewer = stack.enter_context(Viewer(received))
            audience.opened(viewer.url)
        ended = run_program(command, program_environment(environment, agent.url, receiver.url))
        metrics = receiver.metrics()
        received.refresh()
        outcome = Outcome(ended.status, received.traces(), metrics)
        if viewer is not None:
            viewer.program_ended(outcome.status)
        audience.finished(outcome)
        if viewer is not None and not ended.told_to:
            _wait_for_end()
    return outcome


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
