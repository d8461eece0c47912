"""Proxies of streams: to ``isinstance`` and in every attribute they are LiteLLM's own.

Its span is active only while it is read, and ends when the reading does. There is a class for each protocol that a
stream may have, since LiteLLM (and its users) ask a stream for ``__anext__`` to learn how to read it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any
from weakref import WeakKeyDictionary

import wrapt

from ddtrace_litellm._ddtrace import get_llmobs_context, set_llmobs_context
from ddtrace_litellm.telemetry.counters import CLOSED, COLLECTED
from ddtrace_litellm.tracing.streams import StreamReading

# wrapt 2: its ObjectProxy claims to be iterable, whatever it wraps.
_Proxy = getattr(wrapt, "BaseObjectProxy", wrapt.ObjectProxy)


# Of a stream of bytes that LiteLLM hands on (1.108): it returns the stream.
_READS_ITSELF = ("aiter_bytes", "iter_bytes")


_proxy_classes: WeakKeyDictionary[type, type[TracedStream] | None] = WeakKeyDictionary()
"""Found before, as pydantic's metaclass makes the question cost 2 us.

Weakly: LiteLLM (1.110) makes a class for each stream of a Router's Responses, and the class holds the stream.
"""


def proxy_class(kind: type) -> type[TracedStream] | None:
    """Return the proxy for a class of streams, ``None`` for what is none.

    Whether a stream was asked for does not tell: ``stream`` may be given by position.
    """
    try:
        return _proxy_classes[kind]
    except KeyError:
        return _proxy_classes.setdefault(kind, _find_proxy_class(kind))


def _find_proxy_class(kind: type) -> type[TracedStream] | None:
    if issubclass(kind, AsyncIterator):
        return TracedEitherStream if issubclass(kind, Iterator) else TracedAsyncStream
    return TracedSyncStream if issubclass(kind, Iterator) else None


class TracedStream(_Proxy):  # type: ignore[misc,valid-type]  # one of two classes
    """What the streams of all protocols have in common.

    The chunks may come from another object than the stream: a chat with MCP tools (LiteLLM 1.109) has an iterator of
    its own.
    """

    def __init__(self, stream: Any, reading: StreamReading) -> None:
        super().__init__(stream)
        self._self_reading = reading
        self._self_iterator = stream

    def __getattr__(self, name: str) -> Any:
        # Only what the wrapped stream has: LiteLLM before 1.109 has no close(), before 1.85 no aclose().
        found = getattr(self.__wrapped__, name)
        if name == "close":
            return self._self_closing(found)
        if name in _READS_ITSELF:
            return lambda *_chunk_size: self
        return self._self_closing_async(found) if name == "aclose" else found

    def _self_closing(self, close: Callable[[], Any]) -> Callable[[], Any]:
        def traced_close() -> Any:
            try:
                return close()
            finally:
                self._self_reading.abandon(CLOSED)

        return traced_close

    def _self_closing_async(self, aclose: Callable[[], Any]) -> Callable[[], Any]:
        async def traced_aclose() -> Any:
            try:
                return await aclose()
            finally:
                self._self_reading.abandon(CLOSED)

        return traced_aclose

    def __enter__(self) -> TracedStream:
        self.__wrapped__.__enter__()
        return self

    def __exit__(self, *exception: object) -> Any:
        try:
            return self.__wrapped__.__exit__(*exception)
        finally:
            self._self_reading.abandon(CLOSED)

    async def __aenter__(self) -> TracedStream:
        await self.__wrapped__.__aenter__()
        return self

    async def __aexit__(self, *exception: object) -> Any:
        try:
            return await self.__wrapped__.__aexit__(*exception)
        finally:
            self._self_reading.abandon(CLOSED)

    def __del__(self) -> None:
        reading = getattr(self, "_self_reading", None)
        if reading is not None:
            reading.abandon(COLLECTED)


# The two reads are spelled out: a helper for the switch of contexts would double what a chunk costs.


class TracedSyncStream(TracedStream):
    """A stream that is read with ``for``."""

    def __iter__(self) -> TracedStream:
        iterator = self.__wrapped__.__iter__()
        if iterator is not self._self_iterator:
            self._self_iterator, self._self_reading.next_chunk = iterator, iterator.__next__
        return self

    def __next__(self) -> Any:
        reading = self._self_reading
        next_chunk = reading.next_chunk  # before the question, as another thread may end the reading after it
        if reading.ended:
            return self._self_iterator.__next__()
        apm, llmobs = reading.get_apm(), get_llmobs_context()
        reading.set_apm(reading.apm)
        set_llmobs_context(reading.llmobs)
        try:
            chunk = next_chunk()
        except BaseException as error:
            reading.end(error)
            raise
        finally:
            reading.set_apm(apm)
            set_llmobs_context(llmobs)
        reading.receive(chunk)
        return chunk


class TracedAsyncStream(TracedStream):
    """A stream that is read with ``async for``."""

    def __aiter__(self) -> TracedStream:
        iterator = self.__wrapped__.__aiter__()
        if iterator is not self._self_iterator:
            self._self_iterator, self._self_reading.anext_chunk = iterator, iterator.__anext__
        return self

    async def __anext__(self) -> Any:
        reading = self._self_reading
        anext_chunk = reading.anext_chunk
        if reading.ended:
            return await self._self_iterator.__anext__()
        apm, llmobs = reading.get_apm(), get_llmobs_context()
        reading.set_apm(reading.apm)
        set_llmobs_context(reading.llmobs)
        try:
            chunk = await anext_chunk()
        except BaseException as error:
            reading.end(error)
            raise
        finally:
            reading.set_apm(apm)
            set_llmobs_context(llmobs)
        reading.receive(chunk)
        return chunk


class TracedEitherStream(TracedSyncStream, TracedAsyncStream):
    """A stream that is read with either: LiteLLM's ``CustomStreamWrapper``."""
