"""Ends streams when an AWS Lambda invocation ends: the process is frozen then, and may never run again.

Streams that are open by then are ended, so that the invocation's trace is complete before it is sent: one open span
holds its whole trace back. A call that is still running is not: the spans of its HTTP request are not ours to end.
"""

from __future__ import annotations

import os
from typing import Any

from ddtrace_litellm import _ddtrace
from ddtrace_litellm.telemetry import counters
from ddtrace_litellm.tracing import calls
from ddtrace_litellm.tracing.call_records import Result
from ddtrace_litellm.tracing.streams import end_open_streams

# ddtrace's own words for the span of such an invocation.
_TIMEOUT = ("Impending Timeout", "Datadog detected an Impending Timeout")


def follow() -> None:
    """End what ends with an invocation, until :func:`stop_following`."""
    calls.open_calls = set()
    _ddtrace.listen_to_invocations(end_open_streams, _end_call_of)


def stop_following() -> None:
    """Undo :func:`follow`, but for the listening."""
    calls.open_calls = None


def _end_call_of(span: Any) -> None:
    """Put on a span that ddtrace finishes, as it does shortly before a timeout, what is known of its call by now."""
    for call in tuple(calls.open_calls or ()):
        if call.span is not span:
            continue
        if call.stream is not None:
            call.stream.abandon(counters.LEFT)
        else:
            _ddtrace.set_error(span, *_TIMEOUT)
            call.end(Result())


def _forget() -> None:
    if calls.open_calls is not None:
        calls.open_calls.clear()


if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=_forget)
