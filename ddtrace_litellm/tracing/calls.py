"""One traced call: it begins, and ends exactly once, whichever way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from time import perf_counter
from typing import Any

from ddtrace_litellm.extract.families import Family
from ddtrace_litellm.tracing import _ddtrace, frames, spans
from ddtrace_litellm.tracing.attempts import Attempts
from ddtrace_litellm.tracing.frames import Frame
from ddtrace_litellm.tracing.guard import guarded
from ddtrace_litellm.tracing.spans import Ending, Request
from ddtrace_litellm.tracing.streams import Reading, TracedStream, is_stream, open_readings

Activation = tuple[Frame | None, _ddtrace.Contexts]
"""The frame and the ddtrace contexts that are active in an execution context."""


@dataclass(frozen=True, slots=True)
class Operation:
    """A kind of call.

    Attributes:
        name: the span's resource: the function's name, ``router.<method>`` for the Router's.
        family: the API family.
        router: a method of the Router.
        parameters: names of the positional parameters, in their order in the installed LiteLLM.
    """

    name: str
    family: Family
    router: bool = False
    parameters: tuple[str, ...] = ()

    def arguments(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Mapping[str, Any]:
        """Return the call's arguments by name. A wrong call binds as far as it goes: LiteLLM raises, not we."""
        return {**dict(zip(self.parameters, args, strict=False)), **kwargs} if args else kwargs


@guarded
def begin(operation: Operation, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Call | None:
    """Open the span of a call; ``None`` for a call that LiteLLM makes to carry out an enclosing one."""
    parent = frames.enclosing()
    if frames.is_delegated(parent, operation.family.name, kwargs):
        return None
    outside = (frames.current.get(), _ddtrace.active_contexts())
    frame = Frame(operation.family.name, operation.router, parent)
    if parent is not None:
        parent.children += 1
    call = Call(operation, frame, outside, _ddtrace.start_span(operation.name))
    frames.current.set(frame)
    call.read(args, kwargs)
    return call


class Call:
    """A call between its start and the end of its span; for a stream that is the end of the stream."""

    __slots__ = ("ended", "frame", "inside", "operation", "outside", "request", "span", "started")

    def __init__(self, operation: Operation, frame: Frame, outside: Activation, span: Any) -> None:
        self.started = perf_counter()
        self.operation = operation
        self.frame = frame
        self.outside = outside
        self.span = span
        self.inside: Activation = (frame, _ddtrace.active_contexts())
        self.request: Request | None = None
        self.ended = False

    @guarded
    def read(self, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Read the request, and whether it is one of several tries."""
        arguments = self.operation.arguments(args, kwargs)
        self.request = spans.open_request(self.span, self.operation.family, arguments)
        if self.operation.router or arguments.get("fallbacks"):
            self.frame.attempts = Attempts()
        parent = self.frame.parent
        if parent is not None and parent.attempts is not None:
            target = self.request.metadata.get("model_group", arguments.get("model"))
            self.request.metadata.update(parent.attempts.begin(str(target)))

    def enter(self) -> Activation:
        """Make the call's span active; return what was."""
        outside = (frames.current.get(), _ddtrace.active_contexts())
        self.leave(self.inside)
        return outside

    @staticmethod
    def leave(outside: Activation) -> None:
        """Make active what :meth:`enter` returned."""
        # Set, never reset with a token: a call may end in another task or thread than it began in.
        frames.current.set(outside[0])
        _ddtrace.activate(outside[1])

    def succeed(self, result: Any) -> Any:
        """End the call with its result; return the result, or for a stream its proxy, which ends the call later."""
        try:
            stream = self._traced_stream(result)
            if stream is not None:
                return stream
            self.end(Ending(result))
            return result
        finally:
            self.leave(self.outside)

    def fail(self, error: BaseException) -> None:
        """End the call with what it raised."""
        try:
            self.end(Ending(error=error))
        finally:
            self.leave(self.outside)

    @guarded
    def _traced_stream(self, result: Any) -> TracedStream | None:
        if not is_stream(result):
            return None
        reading = Reading(result, self)
        stream = TracedStream(result, reading)
        open_readings.add(reading)
        if self.frame.parent is not None:
            self.frame.parent.open_readings.add(reading)
        return stream

    def end(self, ending: Ending) -> None:
        """Fill and finish the span; the first ending counts."""
        if self.ended:
            return
        self.ended = True
        self._settle(ending)
        self._fill(ending)
        self._finish()

    @guarded
    def _settle(self, ending: Ending) -> None:
        """Close the frame, and what is still being read beneath it: one open span holds its whole trace back."""
        self.frame.done = True
        while self.frame.open_readings:
            self.frame.open_readings.pop().abandon()
        parent = self.frame.parent
        if parent is not None and parent.attempts is not None and self.request is not None and ending.error is not None:
            parent.attempts.fail(self.request.metadata, ending.error)

    @guarded
    def _fill(self, ending: Ending) -> None:
        if ending.error is not None:
            self.span.set_exc_info(type(ending.error), ending.error, ending.error.__traceback__)
        if self.request is None:
            return
        if self.frame.attempts is not None:
            self.request.metadata.update(self.frame.attempts.summary())
        spans.close(self.span, self.operation.family, self.request, ending, leaf=self.frame.is_leaf)

    @guarded
    def _finish(self) -> None:
        self.span.finish()
