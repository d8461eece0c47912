"""What was decided about a call and why, a line each, for ``DD_TRACE_DEBUG`` and ``ddtrace-run --debug``.

Counts, names and times, never what was said, nor an error's message, which may quote it. Each line says whose it is,
since ddtrace's own handler prints the text alone. To be called only where :func:`wanted` says so: nothing is put
together for nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ddtrace_litellm.telemetry import counters
from ddtrace_litellm.telemetry.counters import Snapshot

if TYPE_CHECKING:
    from ddtrace_litellm.extract.usage import Usage
    from ddtrace_litellm.tracing.call_records import Ending
    from ddtrace_litellm.tracing.frames import Frame
    from ddtrace_litellm.tracing.models import Model

_log = logging.getLogger("ddtrace.litellm")

_STREAM_ENDINGS = {
    counters.CLOSED: "closed early",
    counters.COLLECTED: "dropped by the program before its end",
    counters.LEFT: "still being read when the enclosing call or the process ended",
}


def wanted(level: int = logging.DEBUG) -> bool:
    """Whether anybody reads these lines."""
    return _log.isEnabledFor(level)


def patched(names: int, version: str, absent: list[str]) -> None:
    """Tell what was wrapped."""
    lacking = ", ".join(absent) or "nothing"
    _log.debug("litellm: wrapped %d names of LiteLLM %s, which lacks: %s", names, version, lacking)


def delegated(operation: str, parent: Frame) -> None:
    """Tell why a call has no span."""
    _log.debug("litellm: %s: no span, as it is LiteLLM carrying out the %s call around it", operation, parent.family)


def began(span: Any, frame: Frame) -> None:
    """Tell what a call was made beneath."""
    if frame.parent is None:
        where = "beneath no other traced call"
    elif frame.answers is not None:
        where = f"beneath a {frame.parent.family} call, which it carries out"
    else:
        where = f"beneath a {frame.parent.family} call, of which it is no part"
    _tell(span, f"begins {where}")


def role(span: Any, kind: str, frame: Frame) -> None:
    """Tell why a span is a leaf, or a workflow."""
    if frame.dispatches:
        _tell(span, "workflow, as methods of the Router and batches only pass calls on")
    elif frame.children:
        _tell(span, f"workflow, as {frame.children} traced call(s) beneath carried it out")
    else:
        _tell(span, f"{kind}, as no traced call beneath carried it out")


def elsewhere(span: Any) -> None:
    """Tell that the leaf is another service's."""
    _tell(span, "workflow after all, as DD_LLMOBS_INSTRUMENTED_PROXY_URLS has its URL: the proxy reports the tokens")


def consumed(span: Any, model: Model, usage: Usage | None, metrics: Mapping[str, float]) -> None:
    """Tell where a leaf's tokens and cost are from."""
    source = "unknown" if usage is None else "estimated" if usage.estimated else "reported"
    tokens = ", ".join(f"{name} {value:g}" for name, value in metrics.items() if name.endswith("_tokens"))
    cost = metrics.get("total_cost")
    price = "no cost" if cost is None else f"cost {cost:.6g} USD"
    spent = f"tokens {source}: {tokens}" if tokens else f"tokens {source}"
    _tell(span, f"{model.provider or 'unknown provider'} {model.name}; {spent}; {price}")


def ended(span: Any, ending: Ending, outcome: str) -> None:
    """Tell how a call, or the reading of its stream, ended."""
    if ending.chunks is not None:
        how = "read to its end" if ending.completed else _STREAM_ENDINGS.get(outcome, "broken off")
        first = ending.first_content
        content = "no content" if first is None else f"first content after {first:.3f} s"
        _tell(span, f"stream {how}, {len(ending.chunks)} chunk(s), {content}")
    error = "" if ending.error is None else f" ({type(ending.error).__name__})"
    _tell(span, f"ended: {outcome}{error}")


def summed_up(counted: Snapshot) -> None:
    """Tell the counters, at the end of the process."""
    ends = ", ".join(f"{number} {outcome}" for outcome, number in counted.ended.items() if number)
    errors = ", ".join(f"{place} {number}" for place, number in counted.internal_errors.items())
    _log.debug(
        "litellm: %d spans opened; ended: %s; internal errors: %s", counted.opened, ends or "none", errors or "none"
    )


def _tell(span: Any, what: str) -> None:
    _log.debug("litellm: %s [%d]: %s", span.resource, span.span_id, what)
