"""Logs each decision about a call with its reason, for ``DD_TRACE_DEBUG`` and ``ddtrace-run --debug``.

Counts, names and times, never what was said, nor an error's message, which may quote it. Each line says whose it is,
since ddtrace's own handler prints the text alone. To be called only where :func:`wanted` says so: nothing is put
together for nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any

from ddtrace_litellm.telemetry import counters
from ddtrace_litellm.telemetry.counters import Snapshot
from ddtrace_litellm.tracing.call_records import Result
from ddtrace_litellm.tracing.outcome import Outcome

_log = logging.getLogger("ddtrace.litellm")

_STREAM_ENDINGS = {
    counters.CLOSED: "closed early",
    counters.COLLECTED: "dropped by the program before its end",
    counters.DISCONNECTED: "broken off, as the proxy's client went away",
    counters.LEFT: "still being read when the enclosing call or the process ended",
}


wanted: Callable[[], bool] = partial(_log.isEnabledFor, logging.DEBUG)
"""Says whether anybody reads these lines."""


def patched(names: int, version: str, absent: list[str]) -> None:
    """Tell what was wrapped."""
    lacking = ", ".join(absent) or "nothing"
    _log.debug("litellm: wrapped %d names of LiteLLM %s, which lacks: %s", names, version, lacking)


def delegated(operation: str, enclosing_api: str) -> None:
    """Tell why a call has no span."""
    _log.debug("litellm: %s: no span, as it is LiteLLM carrying out the %s call around it", operation, enclosing_api)


def began(span: Any, enclosing_api: str, *, serves: bool) -> None:
    """Tell the parent of a call."""
    if not enclosing_api:
        where = "beneath no other traced call"
    elif serves:
        where = f"child of {enclosing_api}: attempt or bridge"
    else:
        where = f"unrelated child of {enclosing_api}"
    _tell(span, f"begins {where}")


def decided(span: Any, outcome: Outcome, *, children: int, never_leaf: bool) -> None:
    """Tell what a span became and why, and where a leaf's tokens and cost are from."""
    _tell(span, _role(outcome, children, never_leaf=never_leaf))
    if outcome.leaf:
        _tell(span, _consumed(outcome))


def ended(span: Any, result: Result, ended_as: str) -> None:
    """Tell how a call, or the reading of its stream, ended."""
    if result.chunks is not None:
        how = "read to its end" if result.completed else _STREAM_ENDINGS.get(ended_as, "broken off")
        first = result.first_content
        content = "no content" if first is None else f"first content after {first:.3f} s"
        _tell(span, f"stream {how}, {len(result.chunks)} chunk(s), {content}")
    error = "" if result.error is None else f" ({type(result.error).__name__})"
    _tell(span, f"ended: {ended_as}{error}")


def _role(outcome: Outcome, children: int, *, never_leaf: bool) -> str:
    if outcome.kind != "workflow" and not outcome.leaf:
        return f"{outcome.kind}, as it asks no model itself"
    if outcome.elsewhere:
        return "workflow, as DD_LLMOBS_INSTRUMENTED_PROXY_URLS has its URL: the proxy reports the rest"
    if never_leaf:
        return "workflow, as methods of the Router and batches only pass calls on"
    if not children:
        return f"{outcome.kind}, as no traced call beneath served it"
    if outcome.leaf:
        return f"{outcome.kind}, as it asked a provider itself, beside {children} traced call(s) beneath"
    return f"workflow, as {children} traced call(s) beneath served it"


def _consumed(outcome: Outcome) -> str:
    usage, metrics, model = outcome.usage, outcome.metrics, outcome.model
    source = "unknown" if usage is None else "estimated" if usage.estimated else "reported"
    tokens = ", ".join(f"{name} {value:g}" for name, value in metrics.items() if name.endswith("_tokens"))
    cost = metrics.get("total_cost")
    price = "no cost" if cost is None else f"cost {cost:.6g} USD"
    spent = f"tokens {source}: {tokens}" if tokens else f"tokens {source}"
    return f"{model.provider or 'unknown provider'} {model.name}; {spent}; {price}"


def summed_up(counted: Snapshot) -> None:
    """Log the counters at the end of the process."""
    ends = ", ".join(f"{number} {outcome}" for outcome, number in counted.ended.items() if number)
    errors = ", ".join(f"{place} {number}" for place, number in counted.internal_errors.items())
    _log.debug(
        "litellm: %d spans opened; ended: %s; internal errors: %s", counted.opened, ends or "none", errors or "none"
    )


def _tell(span: Any, what: str) -> None:
    _log.debug("litellm: %s [%d]: %s", span.resource, span.span_id, what)
