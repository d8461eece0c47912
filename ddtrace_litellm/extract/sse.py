"""Server-sent events out of whatever pieces a stream hands on.

No library fits: ``httpx-sse`` wants an ``httpx`` response, the decoders inside the openai and anthropic SDKs take whole
lines or own the loop over the bytes, and either would be one more dependency of the user's process. Here a stream is
watched from outside, chunk by chunk, and LiteLLM's chunks are anything from half an event to the whole body.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Protocol

_EVENT_END = b"\n\n"


class EventParser:
    """Parses one stream, incrementally and in linear time.

    It works on bytes: a line end is never part of a longer UTF-8 character, so that an event is decoded when it is
    whole. Only ``data`` counts; names, ids and comments are skipped, and so is data that is no JSON (``[DONE]``).
    """

    __slots__ = ("_after_carriage_return", "_buffer", "_searched")

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._searched = 0
        self._after_carriage_return = False

    def feed(self, chunk: Any) -> list[Any]:
        """Return the JSON objects that ``chunk`` completes; a chunk that is neither bytes nor text is one already."""
        if isinstance(chunk, str):
            chunk = chunk.encode("utf-8", "replace")
        elif not isinstance(chunk, bytes):
            return [] if chunk is None else [chunk]
        self._buffer += self._with_newlines(chunk)
        found: list[Any] = []
        while (end := self._buffer.find(_EVENT_END, self._searched)) >= 0:
            found += _data_of(self._buffer[:end])
            del self._buffer[: end + len(_EVENT_END)]
            self._searched = 0
        self._searched = max(len(self._buffer) - 1, 0)
        return found

    def close(self) -> list[Any]:
        """Return what is left at the end: a last event without its blank line, or a body that is plain JSON."""
        rest, self._buffer, self._searched = self._buffer, bytearray(), 0
        if found := _data_of(rest):
            return found
        body = _parsed(rest)
        return [item for item in (body if isinstance(body, list) else [body]) if isinstance(item, dict)]

    def _with_newlines(self, chunk: bytes) -> bytes:
        r"""Return ``chunk`` with every line end as ``\n``; a ``\r\n`` may be cut in two."""
        if self._after_carriage_return and chunk:
            self._after_carriage_return = False
            chunk = chunk.removeprefix(b"\n")
        if b"\r" not in chunk:
            return chunk
        self._after_carriage_return = chunk.endswith(b"\r")
        return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")


class Parser(Protocol):
    """What finds the JSON objects of one stream, such as :class:`EventParser`."""

    def feed(self, chunk: Any) -> list[Any]:
        """Return the objects that ``chunk`` completes."""

    def close(self) -> list[Any]:
        """Return what is left at the end."""


def events_from(chunks: Iterable[Any], make_parser: Callable[[], Parser] = EventParser) -> Iterator[Any]:
    """Yield the JSON objects of a stream that is over, or broke off."""
    parser = make_parser()
    for chunk in chunks:
        yield from parser.feed(chunk)
    yield from parser.close()


def event_detector(
    has_content: Callable[[Any], bool], make_parser: Callable[[], Parser] = EventParser
) -> Callable[[Any], bool]:
    """Return what says, of each chunk of one stream in turn, whether it completes an event that ``has_content``."""
    feed = make_parser().feed
    return lambda chunk: any(map(has_content, feed(chunk)))


def _data_of(event: bytearray) -> list[Any]:
    """Return an event's data in a list, an empty one where it has none that is a JSON object."""
    lines = [line[5:].removeprefix(b" ") for line in event.split(b"\n") if line.startswith(b"data:")]
    parsed = _parsed(lines[0] if len(lines) == 1 else b"\n".join(lines)) if lines else None
    return [parsed] if isinstance(parsed, dict) else []


def _parsed(text: "bytes | bytearray") -> Any:
    try:
        return json.loads(text.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        return None
