"""Streams: what the user gets is LiteLLM's own, and the call ends when the reading does."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from functools import lru_cache
from time import perf_counter
from typing import TYPE_CHECKING, Any

import wrapt

from ddtrace_litellm.tracing import _ddtrace, guard
from ddtrace_litellm.tracing._ddtrace import get_llmobs_context, set_llmobs_context
from ddtrace_litellm.tracing.records import Ending

if TYPE_CHECKING:
    from collections.abc import Callable

    from ddtrace_litellm.extract.family import Streaming
    from ddtrace_litellm.tracing.calls import Call

open_readings: set[Reading] = set()
"""Streams that are being read, in this process: what is left at exit still gets its span."""

os.register_at_fork(after_in_child=open_readings.clear)


def is_stream(result: Any) -> bool:
    """Whether a call returned a stream. What was asked for does not tell: ``stream`` may be given by position."""
    return _is_stream_type(type(result))  # type: ignore[arg-type]  # typeshed: a class is hashable, but not to mypy


@lru_cache(maxsize=256)
def _is_stream_type(kind: type) -> bool:
    # Remembered by class: pydantic's metaclass makes the question cost 2 us.
    return issubclass(kind, (Iterator, AsyncIterator))


def end_open_readings() -> None:
    """End every stream that nobody will read any further, at exit."""
    while open_readings:
        open_readings.pop().abandon()


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
            guard.swallow("chunk")

    def end(self, error: BaseException) -> None:
        """End with what a read raised: the end of the stream, an error, or a coroutine that was closed in mid-read."""
        exhausted = isinstance(error, (StopIteration, StopAsyncIteration))
        failure = None if exhausted or isinstance(error, GeneratorExit) else error
        self._end(error=failure, completed=exhausted)

    def abandon(self) -> None:
        """End as closed early: closed, dropped, or left over when the enclosing call ended."""
        self._end(error=None, completed=False)

    def _end(self, *, error: BaseException | None, completed: bool) -> None:
        if self.ended:
            return
        self.ended = True
        open_readings.discard(self)
        stream = self.stream
        # Nothing here keeps the stream, and so its connection, once the program has let go of it.
        self.stream = self.next_chunk = self.anext_chunk = None
        self.receive = self.chunks.append
        self.call.end(Ending(stream, error, self.chunks, completed, self.first_content))


class TracedStream(wrapt.ObjectProxy):  # type: ignore[type-arg]  # generic to type checkers only
    """LiteLLM's stream, to ``isinstance`` and in every attribute, whose span is active only while it is read."""

    def __init__(self, stream: Any, reading: Reading) -> None:
        super().__init__(stream)
        self._self_reading = reading

    def __iter__(self) -> TracedStream:
        return self

    def __aiter__(self) -> TracedStream:
        return self

    # Both spelled out: a helper for the switch of contexts would double what a chunk costs.

    def __next__(self) -> Any:
        reading = self._self_reading
        if reading.ended:
            return self.__wrapped__.__next__()
        apm, llmobs = reading.get_apm(), get_llmobs_context()
        reading.set_apm(reading.apm)
        set_llmobs_context(reading.llmobs)
        try:
            chunk = reading.next_chunk()
        except BaseException as error:
            reading.end(error)
            raise
        finally:
            reading.set_apm(apm)
            set_llmobs_context(llmobs)
        reading.receive(chunk)
        return chunk

    async def __anext__(self) -> Any:
        reading = self._self_reading
        if reading.ended:
            return await self.__wrapped__.__anext__()
        apm, llmobs = reading.get_apm(), get_llmobs_context()
        reading.set_apm(reading.apm)
        set_llmobs_context(reading.llmobs)
        try:
            chunk = await reading.anext_chunk()
        except BaseException as error:
            reading.end(error)
            raise
        finally:
            reading.set_apm(apm)
            set_llmobs_context(llmobs)
        reading.receive(chunk)
        return chunk

    def __getattr__(self, name: str) -> Any:
        # Only what the wrapped stream has: LiteLLM before 1.109 has no close(), before 1.85 no aclose().
        found = getattr(self.__wrapped__, name)
        if name == "close":
            return self._self_closing(found)
        return self._self_closing_async(found) if name == "aclose" else found

    def _self_closing(self, close: Callable[[], Any]) -> Callable[[], Any]:
        def traced_close() -> Any:
            try:
                return close()
            finally:
                self._self_reading.abandon()

        return traced_close

    def _self_closing_async(self, aclose: Callable[[], Any]) -> Callable[[], Any]:
        async def traced_aclose() -> Any:
            try:
                return await aclose()
            finally:
                self._self_reading.abandon()

        return traced_aclose

    def __enter__(self) -> TracedStream:
        self.__wrapped__.__enter__()
        return self

    def __exit__(self, *exception: object) -> Any:
        try:
            return self.__wrapped__.__exit__(*exception)
        finally:
            self._self_reading.abandon()

    async def __aenter__(self) -> TracedStream:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> Any:
        try:
            return await self.__wrapped__.__aexit__(*exception)
        finally:
            self._self_reading.abandon()

    def __del__(self) -> None:
        reading = getattr(self, "_self_reading", None)
        if reading is not None:
            reading.abandon()
