"""What is kept of a call: its request, and how it ended."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple


class Request(NamedTuple):
    """What is known of a call when it begins.

    Attributes:
        arguments: by name, positional ones included.
        contents: what it asks, to be annotated; ``None`` where no event is made of it (LLM Observability is off).
        metadata, tags: for the event.
        session_id: the session that the caller named.
    """

    arguments: Mapping[str, Any]
    contents: Mapping[str, Any] | None
    metadata: dict[str, Any]
    tags: dict[str, str]
    session_id: str | None


class Ending(NamedTuple):
    """How a call ended.

    Attributes:
        response: what it returned; for a stream the stream itself, ``None`` after an error.
        error: what it raised.
        chunks: what was read of a stream, ``None`` for a call that is none.
        completed: the stream was read to its end.
        first_content: seconds from the call to the first chunk that a reader would notice.
    """

    response: Any = None
    error: BaseException | None = None
    chunks: Sequence[Any] | None = None
    completed: bool = True
    first_content: float | None = None

    @property
    def latest(self) -> Any:
        """The response, or the last chunk: what LiteLLM put its findings on."""
        return self.response if self.chunks is None else self.chunks[-1] if self.chunks else None
