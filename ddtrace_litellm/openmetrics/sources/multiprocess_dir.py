"""The directory in which ``prometheus_client`` keeps the metrics of several workers, a few files for each pid.

Counters and histograms a worker reads from its own registry: what it does is what it sends. Gauges have one truth for
all workers, and only the files have it.
"""

import logging
import os
import sys
import weakref
from collections.abc import Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.samples import CUMULATIVE, Sample, samples_of

if TYPE_CHECKING:
    from prometheus_client import Metric

_log = logging.getLogger("ddtrace.litellm.openmetrics")


def shared_directory() -> Path | None:
    """Return where this process keeps, or would keep, its metrics; ``None`` for its own memory."""
    values: Any = sys.modules.get("prometheus_client.values")
    # Decided when the module is imported, whatever becomes of the variable. No public name tells (0.20 to 0.26).
    if not getattr(getattr(values, "ValueClass", None), "_multiprocess", True):
        return None
    # Both names, as prometheus_client and LiteLLM take them.
    named = os.environ.get("PROMETHEUS_MULTIPROC_DIR") or os.environ.get("prometheus_multiproc_dir")  # noqa: SIM112
    return Path(named) if named else None


def gauges_of(directory: Path) -> "list[Metric]":
    """Return the gauges of all workers as the proxy's page has them: of dead ones too, unless their mode is live.

    Some have a series, with the label ``pid``, for each worker. A file that cannot be read, of a worker that was killed
    while it made it for example, is left out: it may cost its own gauges, and no counters.
    """
    files = list(directory.glob("gauge_*.db"))
    try:
        return list(_merged(files))
    except Exception:
        return list(_merged(filter(_is_whole, files)))


def _is_whole(file: Path) -> bool:
    try:
        list(_merged([file]))
    except Exception as error:
        _warn_of(file, masking.reason(error))
        return False
    return True


@lru_cache(maxsize=64)
def _warn_of(file: Path, reason: str) -> None:
    _log.warning("litellm: gauges in %s are left out, the file cannot be read: %s", file, reason)


class Leftovers:
    """What a dead worker left in the files of this process' pid: values that its counters start at instead of 0.

    To be made while nothing of LiteLLM's was counted yet: from then on the files tell of this process too.
    """

    def __init__(self, directory: Path) -> None:
        self._found: list[tuple[int, list[Sample]]] = []
        for kind in sorted(CUMULATIVE):
            path = directory / f"{kind}_{os.getpid()}.db"
            if path.exists():
                # Held open, so that no other file gets its number, and it can be told whether it is still the one.
                file = os.open(path, os.O_RDONLY)
                weakref.finalize(self, os.close, file)
                self._found.append((file, list(samples_of(_merged([path])))))

    def samples(self) -> Iterator[Sample]:
        """Yield what is still there: LiteLLM wipes the directory when the proxy starts."""
        for file, samples in self._found:
            if os.fstat(file).st_nlink:
                yield from samples


def _merged(files: Iterable[Path]) -> "Iterable[Metric]":
    # If this process has not imported it yet, it will: one with its pid had metrics in this directory.
    from prometheus_client.multiprocess import MultiProcessCollector

    merged: Iterable[Metric] = MultiProcessCollector.merge(map(str, files))  # type: ignore[no-untyped-call]
    return merged
