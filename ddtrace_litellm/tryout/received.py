"""What arrived from a program: read from the agent and from the socket for metrics, as often as one likes."""

import threading

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.metrics import DogStatsD, Metrics
from ddtrace_litellm.tryout.traces import Assembly, Trace


class Received:
    """Traces and metrics of one tryout; its methods may be called from several threads."""

    def __init__(self, agent: TestAgent, receiver: DogStatsD) -> None:
        self._agent, self._receiver = agent, receiver
        self._assembly = Assembly()
        self._traces: dict[str, tuple[int, Trace]] = {}
        self._version = 0
        self._lock = threading.Lock()

    def refresh(self) -> None:
        """Take from the agent what has arrived there.

        Raises:
            ddtrace_litellm.tryout.errors.TryoutError: the agent gave no answer.
        """
        with self._lock:
            changed = self._assembly.add(*self._agent.take())
            self._version += bool(changed)
            self._traces.update((trace.trace_id, (self._version, trace)) for trace in changed)

    def since(self, version: int) -> tuple[int, tuple[Trace, ...]]:
        """Return the version of now, and the traces that changed after ``version``; after 0 that is all of them."""
        with self._lock:
            return self._version, tuple(trace for changed, trace in self._traces.values() if changed > version)

    def traces(self) -> tuple[Trace, ...]:
        """Return all traces in order of their start."""
        return tuple(sorted(self.since(0)[1], key=lambda trace: trace.start_ns))

    def trace(self, trace_id: str) -> Trace | None:
        """Return the trace of this id, None where there is none."""
        return self._traces.get(trace_id, (0, None))[1]

    def metrics(self) -> Metrics:
        """Return the metrics until now."""
        return self._receiver.so_far()
