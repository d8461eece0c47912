"""The reading of streams: what was received, and the one ending."""

from __future__ import annotations

import os
from time import perf_counter
from typing import TYPE_CHECKING, Any

from ddtrace_litellm import _ddtrace
from ddtrace_litellm._ddtrace import get_llmobs_context
from ddtrace_litellm.telemetry import counters
from ddtrace_litellm.tracing import errors
from ddtrace_litellm.tracing.call_records import Ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddtrace_litellm.extract.api import Streaming
    from ddtrace_litellm.tracing.calls import Call

open_readings: set[Reading] = set()
"""Streams that are being read, in this process: what is left at exit still gets its span."""

os.register_at_fork(after_in_child=open_readings.clear)


def end_open_readings() -> None:
    """End every stream that nobody will read any further, at exit."""
    while open_readings:
        open_readings.pop().abandon(counters.LEFT)


class Reading:
    """The reading of one stream: what was received, and the one ending."""

    __slots__ = (
        "anext_chunk",
        "apm",
        "call",
        "chunks",
        "ended",
        "first_content",
        "get_apm",
        "has_content",
        "llmobs",
        "next_chunk",
        "receive",
        "set_apm",
        "stream",
    )

    def __init__(self, stream: Any, call: Call, streaming: Streaming) -> None:
        self.stream = stream
        self.has_content = streaming.detector()
        self.next_chunk: Any = getattr(stream, "__next__", None)
        self.anext_chunk: Any = getattr(stream, "__anext__", None)
        self.call = call
        self.chunks: list[Any] = []
        self.first_content: float | None = None
        self.ended = False
        # A chunk costs one call and an append, once the first with content has come.
        self.receive: Callable[[Any], None] = self._receive_until_content
        # What is active during a read.
        self.get_apm, self.set_apm = _ddtrace.apm_context_access()
        self.apm, self.llmobs = self.get_apm(), get_llmobs_context()

    def _receive_until_content(self, chunk: Any) -> None:
        self.chunks.append(chunk)
        try:
            if self.has_content(chunk):
                self.first_content = perf_counter() - self.call.started
                self.receive = self.chunks.append
        except Exception:
            errors.swallow("chunk")

    def end(self, error: BaseException) -> None:
        """End with what a read raised: the end of the stream, an error, or a coroutine that was closed in mid-read."""
        exhausted = isinstance(error, (StopIteration, StopAsyncIteration))
        failure = None if exhausted or isinstance(error, GeneratorExit) else error
        self._end(failure, counters.OK if exhausted else counters.CLOSED)

    def abandon(self, outcome: str) -> None:
        """End before the end of the stream, without an error.

        Args:
            outcome: closed, collected, or left over when the enclosing call ended.
        """
        self._end(None, outcome)

    def _end(self, error: BaseException | None, outcome: str) -> None:
        if self.ended:
            return
        self.ended = True
        open_readings.discard(self)
        stream = self.stream
        # Nothing here keeps the stream, and so its connection, once the program has let go of it.
        self.stream = self.next_chunk = self.anext_chunk = None
        self.receive = self.chunks.append
        completed = outcome == counters.OK
        self.call.end(Ending(stream, error, self.chunks, completed, self.first_content), outcome)
