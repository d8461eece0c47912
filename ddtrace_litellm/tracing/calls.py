"""One traced call: it begins, and ends exactly once, whichever way."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from ddtrace_litellm import _ddtrace
from ddtrace_litellm.extract.api import Family, Streaming
from ddtrace_litellm.telemetry import counters
from ddtrace_litellm.tracing import debug_log, errors, frames, spans
from ddtrace_litellm.tracing.attempts import Attempts
from ddtrace_litellm.tracing.call_records import Ending, Request
from ddtrace_litellm.tracing.frames import Frame
from ddtrace_litellm.tracing.stream_proxies import proxy_class
from ddtrace_litellm.tracing.streams import Reading, open_readings

# A coroutine that is closed while it waits was cancelled as well.
_CANCELLED = (CancelledError, GeneratorExit)

open_calls: set[Call] | None = None
"""Calls that have not ended; ``None`` where nobody asks (see ``lambda_invocations``)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A kind of call.

    Attributes:
        name: the span's resource: the function's name, ``router.<method>`` for the Router's.
        family: the API family.
        parameters: names of the positional parameters, in their order in the installed LiteLLM.
        router: a method of the Router: what it calls are tries at an answer.
        batch: what it calls are calls of their own.
    """

    name: str
    family: Family
    parameters: tuple[str, ...] = ()
    router: bool = False
    batch: bool = False

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, Any]:
        """Return the call's arguments by name. A wrong call binds as far as it goes: LiteLLM raises, not we."""
        return {**dict(zip(self.parameters, args, strict=False)), **kwargs} if args else kwargs


def begin(operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """Open the span of a call; ``None`` for a call that LiteLLM makes to carry out an enclosing one."""
    try:
        active = _ddtrace.active_context()
        parent = frames.enclosing(active)
        if parent is not None and (operation.batch or frames.is_delegated(parent, operation.family.name, kwargs)):
            if debug_log.wanted():
                debug_log.delegated(operation.name, parent)
            return None
        get_apm, set_apm = _ddtrace.apm_context_access()
        outside = get_apm(), _ddtrace.get_llmobs_context()
        frame = Frame(operation.family.name, operation.router or operation.batch, parent)
        if parent is not None and (operation.family.carries or operation.family.name == parent.family):
            frame.answers = parent
        span = _ddtrace.start_span(operation.name, active, frame)
        counters.opened.up()
    except Exception:
        errors.swallow("begin")
        return None
    call = Call(operation, frame, span, outside, set_apm)
    if open_calls is not None:
        open_calls.add(call)
    try:
        if frame.answers is not None:
            frame.answers.children += 1
        call.read(args, kwargs)
        if debug_log.wanted():
            debug_log.began(span, frame)
    except Exception:
        errors.swallow("request")
    return call


class Call:
    """A call between its start and the end of its span; for a stream that is the end of the stream."""

    __slots__ = ("ended", "frame", "operation", "outside", "request", "set_apm", "span", "started")

    def __init__(
        self, operation: Operation, frame: Frame, span: Any, outside: tuple[Any, Any], set_apm: Callable[[Any], Any]
    ) -> None:
        self.started = perf_counter()
        self.operation = operation
        self.frame = frame
        self.span = span
        self.outside = outside
        self.set_apm = set_apm
        self.request: Request | None = None
        self.ended = False

    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Read the request, and whether it is one of several tries."""
        arguments = self.operation.arguments(args, kwargs)
        frame, operation = self.frame, self.operation
        self.request = spans.open_request(self.span, operation.family, arguments, router=operation.router)
        if (operation.router and not operation.batch) or arguments.get("fallbacks"):
            frame.attempts = Attempts()
        answers = frame.answers
        if answers is not None and answers.attempts is not None:
            target = self.request.metadata.get("model_group", arguments.get("model"))
            self.request.metadata.update(answers.attempts.begin(str(target)))

    def leave(self) -> None:
        """Make active what was when the call began: nothing of ours is, once our wrapper has returned."""
        # Set, never reset with a token: the call may end in another task or thread than it began in.
        self.set_apm(self.outside[0])
        _ddtrace.set_llmobs_context(self.outside[1])

    def succeed(self, result: Any) -> Any:
        """End the call with its result; return the result, or for a stream its proxy, which ends the call later."""
        try:
            streaming = self.operation.family.streaming
            proxy = proxy_class(type(result))  # type: ignore[arg-type]  # a class is hashable, but not to mypy
            if streaming is not None and proxy is not None:
                return proxy(result, self._reading(result, streaming))
            self.end(Ending(result))
        except Exception:
            errors.swallow("result")
            self._conclude_unread()
            self._finish(counters.OK)
        finally:
            self.leave()
        return result

    def fail(self, error: BaseException) -> None:
        """End the call with what it raised."""
        try:
            self.end(Ending(error=error))
        finally:
            self.leave()

    def _reading(self, result: Any, streaming: Streaming) -> Reading:
        reading = Reading(result, self, streaming)
        open_readings.add(reading)
        parent = self.frame.parent
        if parent is not None:
            parent.open_readings = parent.open_readings or set()
            parent.open_readings.add(reading)
        return reading

    def end(self, ending: Ending, outcome: str = counters.OK) -> None:
        """Fill and finish the span; the first ending counts.

        Args:
            ending: how the call ended.
            outcome: what it is counted as, where it was no error.
        """
        if self.ended:
            return
        self.ended = True
        try:
            self._conclude(ending)
        except Exception:
            errors.swallow("ending")
            self._conclude_unread()
        if isinstance(ending.error, _CANCELLED):
            outcome = counters.CANCELLED
        elif self.span.error:
            outcome = counters.ERROR
        try:
            if debug_log.wanted():
                debug_log.ended(self.span, ending, outcome)
        except Exception:
            errors.swallow("debug log")
        self._finish(outcome)

    def _conclude_unread(self) -> None:
        try:
            spans.close_unread(self.span, self.operation.family, self.request, leaf=self.frame.is_leaf)
        except Exception:
            errors.swallow("unread ending")

    def _finish(self, outcome: str) -> None:
        counters.ended[outcome].up()
        if open_calls is not None:
            open_calls.discard(self)
        try:
            self.span.finish()
        except Exception:
            errors.swallow("finish")

    def _conclude(self, ending: Ending) -> None:
        """Close the frame, and what is still being read beneath it (one open span holds its whole trace back)."""
        frame, request, error = self.frame, self.request, ending.error
        frame.done = True
        while frame.open_readings:
            frame.open_readings.pop().abandon(counters.LEFT)
        if error is not None:
            self.span.set_exc_info(type(error), error, error.__traceback__)
        if request is None:
            self._conclude_unread()
            return
        # A try that was cancelled is not one that failed.
        if isinstance(error, Exception) and frame.answers is not None and frame.answers.attempts is not None:
            frame.answers.attempts.fail(request.metadata, error)
        if frame.attempts is not None:
            request.metadata.update(frame.attempts.summary())
        if debug_log.wanted():
            debug_log.role(self.span, self.operation.family.kind, frame)
        spans.close(self.span, self.operation.family, request, ending, leaf=frame.is_leaf)
