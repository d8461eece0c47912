"""What is kept of a call: its request, and its result."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ddtrace_litellm.config import CaptureConfig


class Request(NamedTuple):
    """What is known of a call when it begins.

    Attributes:
        arguments: by name, positional ones included.
        contents: what it asks, to be annotated; ``None`` where no event is made of it (LLM Observability is off).
        metadata: for the event; what becomes known of attempts is added to it.
        capture: what of the contents goes on its span.
    """

    arguments: Mapping[str, Any]
    contents: Mapping[str, Any] | None
    metadata: dict[str, Any]
    capture: CaptureConfig


class Built(NamedTuple):
    """A stream as LiteLLM itself puts it together at its end, for its callbacks.

    Attributes:
        response: the whole response, of which LiteLLM has the cost.
        chunks: what it is made of; they have the usage that the provider sent.
    """

    response: Any
    chunks: Sequence[Any]


class Result(NamedTuple):
    """What came back, or was raised.

    Attributes:
        response: what the call returned; for a stream the stream itself, ``None`` after an error.
        error: what it raised.
        chunks: what was read of a stream, ``None`` for a call that is none.
        completed: the stream was read to its end.
        first_content: seconds from the call to the first chunk that a reader would notice.
        disconnected: the call was a request to a proxy, whose client went away.
    """

    response: Any = None
    error: BaseException | None = None
    chunks: Sequence[Any] | None = None
    completed: bool = True
    first_content: float | None = None
    disconnected: bool = False

    @property
    def latest(self) -> Any:
        """The response, or the last chunk: what LiteLLM put its findings on."""
        return self.response if self.chunks is None else self.chunks[-1] if self.chunks else None
