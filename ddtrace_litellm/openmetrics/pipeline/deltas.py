"""Turn totals since a process started, as a metrics page has them, into what was added since the page before.

A page repeats totals, Datadog counts events. The difference is only right if both values belong to the same series of
the same process, and that is what this module decides: a worker behind a shared port that happens to answer, a restart
that a failed scrape hid, a series that the proxy drops and begins again. The rules:

* A series is its labels as the page has them, before any filter, in the process that the page's
  ``process_start_time_seconds`` names, since its ``_created``. Workers forked together share the first, hardly ever the
  second. All of a histogram is one series.
* A series that is known adds what it grew by; if it fell, all of its value, as then it restarted, whatever else was.
* A series that is new adds all of its value if it began while we were watching, else nothing: then it is the baseline.
* A shared directory (``PROMETHEUS_MULTIPROC_DIR``) dates nothing, but keeps all that it ever had until a proxy that
  starts empties it. A pid, a series or a value of LiteLLM's that is gone means that, and that every total began again:
  also those that have overtaken what they were, of which the missing part is added with the next page.
* A page counts when it was read to its end, or not at all.
* What was not seen for long is forgotten, and a series that may be one of those is a baseline again. So memory is
  bounded, and forgetting can lose a step but never counts one twice.

No library does this. Prometheus' own ``rate`` and the Agent's monotonic count know a series by its labels alone, take
every fall for a restart and keep no memory of whom the values came from: with four workers behind one port the Agent
counts ten times too much within an hour.
"""

from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, islice
from math import isnan
from typing import NamedTuple

from ddtrace_litellm.masking import SafeError
from ddtrace_litellm.openmetrics.pipeline.series import GaugeValue, Series, series_of
from ddtrace_litellm.openmetrics.samples import Labels, Sample

FORGET_AFTER = 3600.0
"""Seconds. One of 16 workers that a port picks by chance every 15 s goes unseen so long once in five million times."""

CAPACITY = 250_000
"""Series, a histogram with all its buckets being one: about six workers whose pages have 112 MB each."""

_HEAD = 1000  # samples among which to find the process' start; prometheus_client has it among its first 20
_PROCESS_START = "process_start_time_seconds"
_PROCESS_TIME = "process_cpu_seconds"
_LITELLMS = "litellm_"
# prometheus_client's multiprocess collector adds floats in the order in which the directory lists its files, so the sum
# of unchanged values may come out some units in the last place lower. That is no restart.
_ROUNDING = 1 - 1e-9


class CounterStep(NamedTuple):
    """What a counter grew by: always more than 0."""

    family: str
    labels: Labels
    value: float


@dataclass(frozen=True, slots=True)
class Observations:
    """What a histogram or a summary observed.

    Attributes:
        count: how many values.
        sum: of those values.
        bounds: the upper bounds of the buckets as the page writes them, in the page's order; none for a summary.
        buckets: for each bound how many values were at most that.
    """

    count: float
    sum: float
    bounds: tuple[str, ...]
    buckets: tuple[float, ...]


class HistogramStep(NamedTuple):
    """What a histogram or a summary observed since the page before: never nothing."""

    family: str
    labels: Labels
    observations: Observations


class Page(NamedTuple):
    """What one page says that the pages before it did not, and its gauges.

    Attributes:
        counters, histograms: what they grew by.
        gauges: as they are.
        new: series that were not known and add nothing, as they are the baseline or still 0.
        mixed: another worker answered than the one before, and nothing on the page tells the series of the two apart.
    """

    counters: list[CounterStep]
    histograms: list[HistogramStep]
    gauges: list[GaugeValue]
    new: list[Series]
    mixed: bool = False


class EmptyPageError(SafeError, ValueError):
    """A page without a sample, which is what LiteLLM answers to a filter that it does not understand."""


class Deltas:
    """The memory of one endpoint. Not to be used by two threads at once.

    Args:
        started: when watching began, in seconds of the server's clock: what began later counts from its first page on.
            In the process that holds the registry, the start of that process.
        inherited: what this process' counters started at instead of 0. With a shared directory, a worker whose pid a
            dead worker had goes on with that worker's file, under a new ``_created``.
        forget_after: how long a series may at least go unseen, in seconds; it is forgotten after twice that at most.
        capacity: of how many series to remember when they were last seen; with more, they are forgotten sooner. At most
            twice as many, and two pages, are held.
    """

    def __init__(
        self,
        started: float,
        *,
        inherited: Iterable[Sample] = (),
        forget_after: float = FORGET_AFTER,
        capacity: int = CAPACITY,
    ) -> None:
        self._recent = _Generation(started)
        self._older = _Generation(started)
        self._pids: frozenset[str] = frozenset()
        self._forget_after, self._capacity = forget_after, capacity
        self._inherited = {_hash(series): series.values for series in series_of(inherited, [])}

    def __len__(self) -> int:
        """How many series are remembered."""
        return len(self._recent) + len(self._older)

    def read(self, samples: Iterable[Sample], now: float, *, complete: bool = True) -> Page:
        """Read one page and remember it.

        Args:
            samples: in the page's order. Where they raise before their end, the page leaves no trace.
            now: a time on the server's clock when the page's values were not collected yet: that of the request.
            complete: whether the pages before had all their series; if not, an undated one that is new may be old.

        Raises:
            EmptyPageError: the page has no sample.
        """
        samples = iter(samples)
        head = list(islice(samples, _HEAD))
        if not head:
            raise EmptyPageError("the page has no samples")
        process = next((sample.value for sample in head if sample.family == _PROCESS_START), None)
        seen = _Generation(now)
        page = Page([], [], [], [])
        # Whatever was forgotten was last seen, and so had begun, before this time.
        watched_since = self._older.since
        # Without `_created`, a series that a whole page does not have is gone: only the last such page matters.
        last, others_last = self._last(process, litellms=True), self._last(process, litellms=False)
        page_began = (last is not None and complete) or (process is not None and process >= watched_since)
        this = seen.pages[process, True] = {}
        others = seen.pages[process, False] = {}
        fell = other_worker = False
        for series in series_of(chain(head, samples), page.gauges):
            key = hash((_hash(series), series.created, process))
            litellms = series.family.startswith(_LITELLMS)
            if series.created is None:
                memory, last_of = (this, last) if litellms else (others, others_last)
                began, before = page_began, (last_of or {}).get(key)
            else:
                memory, began = seen.series, series.created >= watched_since
                before = self._recent.series.get(key) or self._older.series.get(key)
            if key in memory:  # the page has it twice, in two blocks
                continue
            if before is None:
                before = self._first(series) if began else series.values
                if series.values[0] <= before[0]:
                    page.new.append(series)
            if _fell(series.values, before):
                fell |= litellms
                other_worker |= series.family == _PROCESS_TIME
                before = _zeros(before)
            # What stands still stays the same object: it takes no memory twice.
            memory[key] = before if before == series.values else _step(series, before, page)
        if process is None:
            pids = frozenset(_pids(page.gauges))
            if last and self._pids and (fell or not self._pids <= pids or not last.keys() <= this.keys()):
                _owe(this, last)
                _owe(others, others_last or {})
            self._pids = pids
        self._remember(seen)
        # No process' own time falls. Workers that were started together may have one start in common.
        return page._replace(mixed=process is not None and other_worker and bool(this))

    def _last(self, process: float | None, *, litellms: bool) -> "dict[int, array[float]] | None":
        key = process, litellms
        return self._recent.pages.get(key, self._older.pages.get(key))

    def _first(self, series: Series) -> "array[float]":
        """Return what a series that began while we were watching began at."""
        return self._inherited.get(_hash(series)) or _zeros(series.values)

    def _remember(self, seen: "_Generation") -> None:
        if seen.since - self._recent.since >= self._forget_after or len(self._recent) > self._capacity:
            self._recent, self._older = _Generation(seen.since), self._recent
        self._recent.series.update(seen.series)
        self._recent.pages.update(seen.pages)
        for series in seen.series:
            self._older.series.pop(series, None)
        for key in seen.pages:
            self._older.pages.pop(key, None)


class _Generation:
    """Totals last seen since a time: of series with ``_created``, and of those without by the process of their page.

    Those without by whether they are LiteLLM's too: whoever else has metrics on the page may take them away.

    By 64-bit hashes, as labels take kilobytes a series; among 500,000 of them two are equal once in 10^8 times.
    """

    __slots__ = ("pages", "series", "since")

    def __init__(self, since: float) -> None:
        self.since = since
        self.series: dict[int, array[float]] = {}
        self.pages: dict[tuple[float | None, bool], dict[int, array[float]]] = {}

    def __len__(self) -> int:
        return len(self.series) + sum(map(len, self.pages.values()))


def _pids(gauges: Iterable[GaugeValue]) -> Iterator[str]:
    """Yield the pids of the workers that gauges of LiteLLM's are of, whatever their values."""
    for gauge in gauges:
        if gauge.family.startswith(_LITELLMS):
            yield from (pid for name, pid in gauge.labels if name == "pid")


def _hash(series: Series) -> int:
    return hash((series.family, series.labels, series.bounds))


def _zeros(values: "array[float]") -> "array[float]":
    return array("d", bytes(8 * len(values)))


def _fell(values: "array[float]", before: "array[float]") -> bool:
    """Tell whether a series restarted. A histogram's sum, the second value, also falls by a negative value."""
    if values == before:
        return False
    pairs = list(zip(values, before, strict=True))
    return any(value < old * _ROUNDING for value, old in (pairs[0], *pairs[2:]))


def _owe(this: "dict[int, array[float]]", last: "dict[int, array[float]]") -> None:
    """Leave what series had before they restarted to be added with the next page, as their labels are gone by now."""
    for key, values in this.items():
        before = last.get(key)
        if before is not None and not _fell(values, before):
            this[key] = array("d", [value - old for value, old in zip(values, before, strict=True)])


def _step(series: Series, before: "array[float]", page: Page) -> "array[float]":
    """Add to the page what a series grew by, and return what to remember of it."""
    pairs = list(zip(series.values, before, strict=True))
    grown = [value - old if value > old else 0.0 for value, old in pairs]
    if any(grown):
        if series.bounds is None:
            page.counters.append(CounterStep(series.family, series.labels, grown[0]))
        else:
            observed = Observations(grown[0], grown[1], series.bounds, tuple(grown[2:]))
            page.histograms.append(HistogramStep(series.family, series.labels, observed))
    # What is no number, or less by rounding, is not remembered; after no number at all, a number is a baseline.
    return array("d", [value if value >= old or isnan(old) else old for value, old in pairs])
