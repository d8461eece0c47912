"""This package's counters of the process: :func:`snapshot`. Standard library only.

A forked process starts at zero: what its parent counted, the parent reports.
"""

from ddtrace_litellm.telemetry.counters import Snapshot, snapshot

__all__ = ["Snapshot", "snapshot"]
