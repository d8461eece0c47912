"""Frames: which traced call encloses which, so that exactly one span is the leaf of a provider request.

Whether a call reached the provider itself is known only when it ends: it is a leaf unless another traced call was made
beneath it. No name is looked at. The rule was validated over 68 scenarios a LiteLLM version, 1.60 to 1.109.

A frame is kept with its span, so that it goes wherever ddtrace takes the active span: threads, tasks, executors.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from ddtrace_litellm import _ddtrace

if TYPE_CHECKING:
    from collections.abc import Mapping

    from ddtrace_litellm.tracing.attempts import Attempts
    from ddtrace_litellm.tracing.streams import Reading

DELEGATE_FLAGS = frozenset(
    {
        "_is_async",
        "acompact_responses",
        "acompletion",
        "aembedding",
        "agenerate_content",
        "agenerate_content_stream",
        "aimg_generation",
        "allm_passthrough_route",
        "aocr",
        "arerank",
        "aresponses",
        "asearch",
        "aspeech",
        "async_call",
        "atext_completion",
        "atranscription",
        "is_async",
        "text_completion",
    }
)
"""Arguments by which LiteLLM marks the call of its own that carries out an outer one (found in 1.60 to 1.109)."""


@dataclass(slots=True, eq=False)
class Frame:
    """One traced call, from its start until its span ends.

    Attributes:
        family: name of the API family; only calls of one family delegate to each other.
        dispatches: a method of the Router, or a batch: it never reaches a provider itself.
        parent: the frame that was open when this one began.
        answers: that frame, where this call carries it out: a try, a bridge. Any other call beneath (the embedding of a
            semantic cache, a search) does not.
        attempts: what was tried beneath, for a call that retries or falls back; ``None`` for any other.
        done: the call has ended; what starts later (LiteLLM's background tasks) is not beneath it.
        children: calls that carry this one out.
        open_readings: streams of those calls that are still being read.
    """

    family: str
    dispatches: bool = False
    parent: Frame | None = None
    answers: Frame | None = None
    attempts: Attempts | None = None
    done: bool = False
    children: int = 0
    open_readings: set[Reading] | None = None

    @property
    def is_leaf(self) -> bool:
        """Whether the call reached the provider itself, as far as is known by now."""
        return not self.dispatches and not self.children


def enclosing(active: Any) -> Frame | None:
    """Return the innermost frame of the active span, or above it, that has not ended."""
    frame: Frame | None = _ddtrace.nearest_frame(active)
    while frame is not None and frame.done:
        frame = frame.parent
    return frame


def is_delegated(frame: Frame, family: str, kwargs: Mapping[str, object]) -> bool:
    """Whether a call inside ``frame`` is LiteLLM carrying out the same call one layer down.

    A flag counts within its own API family only: on the way through a bridge the flag of the outer API comes along
    (``acompletion=True`` on ``aresponses``, LiteLLM 1.106.2).
    """
    if frame.dispatches or frame.family != family:
        return False
    return any(kwargs[flag] is True for flag in kwargs.keys() & DELEGATE_FLAGS)
