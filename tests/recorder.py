"""Spans of this process as they start and finish, and the LLM Observability events they become."""

import contextlib
import gc
import sys
from typing import Any

from ddtrace import tracer
from ddtrace.internal import core
from ddtrace.llmobs import LLMObs

import ddtrace_litellm
from ddtrace_litellm.tracing.streams import end_open_streams

with contextlib.suppress(ImportError):
    # LiteLLM imports it in a thread, after its first call; enabling ddtrace in the midst of that fails.
    import fastapi  # noqa: F401


class _Discard:
    """A writer that drops what it gets: no agent runs beside the tests of one process."""

    def __getattr__(self, _name: str) -> Any:
        return lambda *_args, **_kwargs: None


class Recorder:
    """Patches LiteLLM and records every span; undoes both at the end.

    Attributes:
        started, finished: all spans, in the order in which they did.
        events: what LLM Observability gets, with the span and its resource, in the order in which the spans finished.
        evaluations: the evaluations that it gets.
    """

    def __init__(self, *, llmobs: bool) -> None:
        self.llmobs = llmobs
        self.started: list[Any] = []
        self.finished: list[Any] = []
        self.events: list[dict[str, Any]] = []
        self.evaluations: list[dict[str, Any]] = []
        self._prices: dict[str, Any] = {}
        self._priced: set[str] = set()

    def __enter__(self) -> "Recorder":
        if self.llmobs:
            LLMObs.enable(agentless_enabled=False, integrations_enabled=True)
            self._record_events(LLMObs._instance)
        tracer._span_aggregator.writer = _Discard()
        tracer.context_provider.activate(None)  # whatever span the tests before have left
        ddtrace_litellm.patch()
        self._prices = sys.modules["litellm"].model_cost
        self._priced = set(self._prices)
        core.on("trace.span_start", self.started.append, "tests")
        core.on("trace.span_finish", self.finished.append, "tests")
        return self

    def __exit__(self, *_exception: object) -> None:
        end_open_streams()  # or a stream that this test left would end in the next one
        core.reset_listeners("trace.span_start", self.started.append)
        core.reset_listeners("trace.span_finish", self.finished.append)
        ddtrace_litellm.unpatch()
        if self.llmobs:
            LLMObs.disable()
        tracer.context_provider.activate(None)
        # What a Router adds to the price list (1.72: without the prices of a cache) would be the next test's price.
        for model in self._prices.keys() - self._priced:
            del self._prices[model]

    def _record_events(self, llmobs: Any) -> None:
        """Take each event where ddtrace has assembled it, which 4.8 to 4.16 send in different ways."""
        assemble = llmobs._llmobs_span_event

        def record(span: Any) -> Any:
            event = assemble(span)
            if event is not None:
                self.events.append({**event, "resource": span.resource, "span": span})
            return event

        llmobs._llmobs_span_event = record
        llmobs._llmobs_span_writer = _Discard()
        llmobs._llmobs_eval_metric_writer.enqueue = self.evaluations.append

    @property
    def event(self) -> dict[str, Any]:
        """The only event."""
        (only,) = self.events
        return only

    @property
    def leaves(self) -> list[dict[str, Any]]:
        """The events of calls that reached a provider."""
        return [event for event in self.events if event["meta"]["span"]["kind"] not in {"workflow", "tool", "agent"}]

    @property
    def litellm_spans(self) -> list[Any]:
        """The finished APM spans of this integration."""
        return [span for span in self.finished if span.name == "litellm.request"]

    def still_open(self) -> list[str]:
        """Return the resources of the spans that never finished, after a garbage collection."""
        gc.collect()
        return [span.resource for span in self.started if span not in self.finished]
