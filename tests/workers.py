"""Which of pytest-xdist's workers runs which test."""

from pathlib import PurePosixPath

from xdist.scheduler import LoadScopeScheduling

_TOGETHER = ("proxy", "activation", "tryout", "aws_lambda", "info", "packaging", "examples", "servers")
"""Folders whose tests share servers and programs that take seconds to start, the longest first."""
_FIRST = ("openmetrics/live", *_TOGETHER, "tracing")
"""What takes long begins first, before all what mostly waits: at the end nothing would be left to run beside it."""


class Scheduling(LoadScopeScheduling):
    """A module's tests run in one worker, as ``--dist loadscope`` has it, and so do those of some folders.

    Not by pytest-xdist's own groups: ``--dist loadgroup`` of 3.8 does not know them under pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        module = nodeid.partition("::")[0]
        folder = PurePosixPath(module).parts[1]
        return folder if folder in _TOGETHER else module


def rank(nodeid: str) -> int:
    """Return the place of a test's module in the order in which modules begin."""
    return next((place for place, folder in enumerate(_FIRST) if nodeid.startswith(f"tests/{folder}/")), len(_FIRST))
