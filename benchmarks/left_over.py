"""What is left in this process: its memory and, where this package traces, spans, calls and streams."""

import gc
import os
import sys
import threading
from pathlib import Path


def memory() -> int:
    """Return the resident memory in bytes; Linux only."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def left_over() -> dict[str, object]:
    """Return what is left after the garbage is collected."""
    for _ in range(3):
        gc.collect()
    left: dict[str, object] = {"memory": memory(), "threads": threading.active_count()}
    if "ddtrace_litellm.tracing.calls" not in sys.modules:
        return left
    from ddtrace.trace import Span

    from ddtrace_litellm.telemetry import snapshot
    from ddtrace_litellm.tracing.calls import Call
    from ddtrace_litellm.tracing.streams import open_streams

    alive, counted = gc.get_objects(), snapshot()
    return {
        **left,
        "spans alive": sum(isinstance(found, Span) for found in alive),
        "calls alive": sum(isinstance(found, Call) for found in alive),
        "streams open": len(open_streams),
        "spans opened": counted.opened,
        "spans open": counted.open,
        "internal errors": sum(counted.internal_errors.values()),
        "ended": dict(counted.ended),
    }
