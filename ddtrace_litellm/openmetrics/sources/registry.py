"""Read the metrics of the process that we are in from ``prometheus_client``'s registry: no HTTP, no key.

Each worker of a proxy sends what it counted itself, and Datadog adds that up: right with any number of workers, and
with all that a worker counted before it ended. Where the workers share a directory, one of them sends the gauges.
"""

import os
import sys
import time
import weakref
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.samples import CUMULATIVE, Sample, samples_of
from ddtrace_litellm.openmetrics.sources import Reading, SourceError
from ddtrace_litellm.openmetrics.sources.multiprocess_dir import Leftovers, gauges_of, shared_directory

if TYPE_CHECKING:
    from prometheus_client import Metric

    from ddtrace_litellm.openmetrics.sources.leader import Leader

_LITELLMS = "litellm_"
_PROCESS_START = "process_start_time_seconds"
_NOTHING = (
    "this process has no LiteLLM metrics yet: those of a proxy with the callback prometheus appear when it starts"
)


class RegistrySource:
    """The registry of this process; a ``Source``.

    To be made before LiteLLM's metrics are: then all that they count is this process', but for ``inherited``. If they
    exist already, they may have been counted in a process that this one was forked from: what is counted in full is
    what began in this process, and with a shared directory what began from now on.

    A process that is forked from this one has to ask for ``started`` and ``inherited`` again, and to begin anew with
    them. ``prometheus_client`` is never imported by this in a process that does not use it.

    Attributes:
        started: in seconds since 1970; 0 where everything counts from its first value on.
    """

    name = "registry"
    endpoint = ""

    def __init__(self) -> None:
        self.started = 0.0
        self._inherited: Iterable[Sample] = ()
        self._leftovers: Leftovers | None = None
        self._leader: Leader | None = None
        self._begin()
        if self.available():
            self.started = time.time()
            if not shared_directory():
                with suppress(Exception):
                    self.started = min(self.started, _process_start(_families()) or self.started)
        else:
            self._look_for_leftovers()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=_weak(self._before_fork),
                after_in_parent=_weak(self._after_fork_in_parent),
                after_in_child=_weak(self._after_fork_in_child),
            )

    def _begin(self) -> None:
        self._at_fork: list[Sample] | None = None
        self._process: float | None = None
        self._created: dict[int, float] = {}

    @property
    def inherited(self) -> Iterable[Sample]:
        """What series of this process began at instead of 0; best asked for when the first page is there.

        The values of the process that it was forked from; or, with a shared directory, of a dead worker that had its
        pid, as long as nobody wiped the directory.
        """
        return self._leftovers.samples() if self._leftovers else self._inherited

    def available(self) -> bool:
        """Whether there is something to read: not where LiteLLM is only imported, and not before the proxy is up."""
        if self._process is not None:  # there was a page
            return True
        try:
            return any(_is_litellms(family) for family in _families())
        except Exception:
            return True  # reading says what is wrong

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """Return a page.

        Its process start is that of this process, always there, as it tells processes apart; where another process
        sends the gauges it is no gauge.

        Raises:
            SourceError: there are no LiteLLM metrics, or a collector in the registry fails.
        """
        asked_at = time.time()
        families = _families()
        head: list[Metric] = []
        with _in_words():
            for family in families:
                head.append(family)
                if _is_litellms(family):
                    break
            else:
                raise SourceError(_NOTHING)
        if self._process is None:
            # Once and for all: a page with another one would be another process'.
            self._process = _process_start(head) or asked_at
        yield Reading(self._samples(chain(head, families), self._process), asked_at)

    def close(self) -> None:
        """Let another process send the gauges."""
        if self._leader:
            self._leader.close()

    def _samples(self, families: "Iterable[Metric]", process: float) -> Iterator[Sample]:
        directory = shared_directory()
        leads = not directory or self._leads(directory)
        yield Sample(_PROCESS_START, "gauge" if leads else "unknown", "", (), "", process)
        with _in_words():
            families = (family for family in families if family.name != _PROCESS_START)
            if not directory:
                yield from samples_of(families)
                return
            gauges = gauges_of(directory) if leads else []
            of_all = {gauge.name for gauge in gauges}
            own = (family for family in families if family.type in CUMULATIVE or (leads and family.name not in of_all))
            yield from map(self._dated, samples_of(own))
            yield from samples_of(gauges)

    def _dated(self, sample: Sample) -> Sample:
        """Keep the first date of a series in a shared directory.

        LiteLLM (since 1.85) removes the series of end users there too, but the file keeps their values: a series that
        comes back goes on where it was, under a date that says it began anew.
        """
        if sample.suffix != "_created":
            return sample
        return sample._replace(value=self._created.setdefault(hash((sample.family, sample.labels)), sample.value))

    def _leads(self, directory: Path) -> bool:
        if self._leader is None:
            from ddtrace_litellm.openmetrics.sources.leader import leader_of_directory

            self._leader = leader_of_directory(directory)
        try:
            return self._leader.leads()
        except OSError:
            return True  # all of them read the same gauges, so sent by each they are still right

    def _look_for_leftovers(self) -> None:
        self._inherited, self._leftovers = (), None
        if directory := shared_directory():
            with suppress(Exception):  # unreadable for prometheus_client too
                self._leftovers = Leftovers(directory)

    def _before_fork(self) -> None:
        # Here, as in the forked process a lock that another thread held would never be released. With a directory, a
        # forked process begins with files of its own.
        if not shared_directory():
            with suppress(Exception):
                self._at_fork = [
                    sample
                    for sample in samples_of(family for family in _families() if family.type in CUMULATIVE)
                    if sample.suffix != "_created"
                ]

    def _after_fork_in_parent(self) -> None:
        self._at_fork = None

    def _after_fork_in_child(self) -> None:
        values = self._at_fork
        self._begin()
        self._look_for_leftovers()
        if shared_directory():
            self.started = 0.0
        elif values is not None:
            self.started, self._inherited = 0.0, values
        else:  # forked by C code, as uWSGI does, which calls no hook before it
            self.started = time.time()


def _families() -> "Iterator[Metric]":
    # Absent too while another thread is just importing it.
    registry: Any = getattr(sys.modules.get("prometheus_client"), "REGISTRY", None)
    return iter(registry.collect() if registry else ())


def _is_litellms(family: "Metric") -> bool:
    return family.name.startswith(_LITELLMS)


def _process_start(families: "Iterable[Metric]") -> float | None:
    return next(
        (sample.value for family in families if family.name == _PROCESS_START for sample in family.samples), None
    )


def _weak(method: Callable[[], None]) -> Callable[[], object]:
    reference = weakref.WeakMethod(method)
    return lambda: (alive := reference()) and alive()


@contextmanager
def _in_words() -> Iterator[None]:
    try:
        yield
    except SourceError:
        raise
    except Exception as error:
        raise SourceError(f"the registry cannot be read: {masking.reason(error)} in a collector") from error
