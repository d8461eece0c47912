"""The reading of a stream: its chunks so far, and its one ending."""

from __future__ import annotations

import os
from collections.abc import Callable
from time import perf_counter
from typing import Any

from ddtrace_litellm import _ddtrace
from ddtrace_litellm._ddtrace import get_llmobs_context
from ddtrace_litellm.extract.api import Streaming
from ddtrace_litellm.telemetry import counters
from ddtrace_litellm.tracing.call_records import Result
from ddtrace_litellm.tracing.errors import contain

_CHUNK = contain("chunk")

open_streams: set[StreamReading] = set()
"""Streams that are being read, in this process: what is left at exit still gets its span."""

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=open_streams.clear)


def end_open_streams() -> None:
    """End every stream that nobody will read any further, at exit."""
    while open_streams:
        open_streams.pop().abandon(counters.LEFT)


class StreamReading:
    """The reading of one stream: what was received, and the one ending.

    ``on_end`` is called once, with the result and with what it is counted as.
    """

    __slots__ = (
        "anext_chunk",
        "apm",
        "chunks",
        "ended",
        "first_content",
        "get_apm",
        "has_content",
        "llmobs",
        "next_chunk",
        "on_end",
        "receive",
        "set_apm",
        "started",
        "stream",
        "streaming",
    )

    def __init__(
        self, stream: Any, streaming: Streaming, started: float, on_end: Callable[[Result, str], None]
    ) -> None:
        self.stream = stream
        self.streaming = streaming
        self.started = started
        self.on_end = on_end
        self.has_content = streaming.first_content_detector()
        self.next_chunk: Any = getattr(stream, "__next__", None)
        self.anext_chunk: Any = getattr(stream, "__anext__", None)
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
        with _CHUNK:
            if self.has_content(chunk):
                self.first_content = perf_counter() - self.started
                self.receive = self.chunks.append

    def end(self, error: BaseException) -> None:
        """End with what a read raised: the end of the stream, an error, or a coroutine that was closed in mid-read."""
        exhausted = isinstance(error, (StopIteration, StopAsyncIteration))
        self._end(None if exhausted else error, counters.OK if exhausted else counters.CLOSED)

    def abandon(self, ended_as: str) -> None:
        """End before the end of the stream, without an error.

        Args:
            ended_as: closed, collected, or left when the call around it ended.
        """
        self._end(None, ended_as)

    def _end(self, error: BaseException | None, ended_as: str) -> None:
        if self.ended:
            return
        self.ended = True
        open_streams.discard(self)
        stream = self.stream
        # Nothing here keeps the stream, and so its connection, once the program has let go of it.
        self.stream = self.next_chunk = self.anext_chunk = None
        self.receive = self.chunks.append
        completed = ended_as == counters.OK
        self.on_end(Result(stream, error, self.chunks, completed, self.first_content), ended_as)
