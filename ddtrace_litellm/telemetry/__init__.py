"""What this package counts of itself, in this process: :func:`snapshot`. Standard library only.

A forked process starts at zero: what its parent counted, the parent reports.
"""

from ddtrace_litellm.telemetry.counters import Snapshot, snapshot

__all__ = ["Snapshot", "snapshot"]
