"""The metrics of the proxy that a program sends to DogStatsD, received and added up."""

import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from types import MappingProxyType, TracebackType
from typing import NamedTuple

from ddtrace_litellm.metrics.batch import Record, ServiceCheck, Status
from ddtrace_litellm.openmetrics.names import NAMESPACE

_OURS = f"{NAMESPACE}."
_CHECK = "_sc|"
_TYPES = {"c": "count", "g": "gauge", "d": "distribution"}
_UPPER_BOUND = "upper_bound:"

_LARGEST_PACKET = 1 << 16
_BUFFER = 1 << 22
_PAUSE = 0.1


# A scrape every ten seconds, for half an hour.
_POINTS = 180


class Point(NamedTuple):
    """What arrived of a metric within one second, of all its series.

    Attributes:
        second: which one, seconds since 1970.
        total: the sum of what came: of a ``gauge`` its values, of a ``distribution`` how many.
        times: how many values that were.
    """

    second: int
    total: float
    times: int


class Metrics(NamedTuple):
    """What arrived under ``litellm.*``, by name.

    Attributes:
        records: one for each series: of a ``count`` the sum, of a ``gauge`` the last value, of a ``distribution`` how
            many values there were.
        checks: of each service check the last result.
        points: by type and name, what arrived when; of long runs the last part.
    """

    records: tuple[Record, ...] = ()
    checks: tuple[ServiceCheck, ...] = ()
    points: Mapping[tuple[str, str], tuple[Point, ...]] = MappingProxyType({})

    def __bool__(self) -> bool:
        """Whether anything arrived."""
        return bool(self.records or self.checks)


class Totals:
    """Adds up packets as they come; may be read from another thread."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._records: dict[tuple[str, str, tuple[str, ...]], Record] = {}
        self._checks: dict[tuple[str, tuple[str, ...]], ServiceCheck] = {}
        self._points: dict[tuple[str, str], deque[Point]] = {}
        self._lock = threading.Lock()

    def add(self, packet: bytes) -> None:
        """Add a packet; lines that are not LiteLLM's or cannot be read are left out."""
        with self._lock:
            for line in packet.decode("utf-8", "replace").splitlines():
                with suppress(ValueError, ZeroDivisionError):
                    if line.startswith(_CHECK + _OURS):
                        check = _check(line)
                        self._checks[check.name, check.tags] = check
                    elif line.startswith(_OURS):
                        self._add(_record(line))

    @property
    def metrics(self) -> Metrics:
        """What was added so far."""
        with self._lock:
            records = sorted(self._records.values(), key=lambda record: (record.name, record.tags))
            checks = sorted(self._checks.values(), key=lambda check: (check.name, check.tags))
            return Metrics(tuple(records), tuple(checks), {key: tuple(each) for key, each in self._points.items()})

    def _add(self, record: Record) -> None:
        self._add_point(record)
        key = record.type, record.name, record.tags
        before = self._records.get(key)
        if before is not None and record.type != "gauge":
            record = replace(record, value=before.value + record.value)
        self._records[key] = record

    def _add_point(self, record: Record) -> None:
        points = self._points.setdefault((record.type, record.name), deque(maxlen=_POINTS))
        second = int(self._clock())
        so_far = points.pop() if points and points[-1].second == second else Point(second, 0, 0)
        points.append(Point(second, so_far.total + record.value, so_far.times + 1))


class DogStatsD:
    """Listens on a free UDP port of 127.0.0.1, as a context manager."""

    def __init__(self) -> None:
        self._totals = Totals()
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        # A page of a proxy is some hundred packets at once, of which UDP drops what does not fit.
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(_PAUSE)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._receive, name="ddtrace-litellm-dogstatsd", daemon=True)

    def __enter__(self) -> "DogStatsD":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._end()
        self._socket.close()

    @property
    def url(self) -> str:
        """The URL for ``DD_DOGSTATSD_URL``."""
        return f"udp://127.0.0.1:{self._socket.getsockname()[1]}"

    def so_far(self) -> Metrics:
        """Return what was received until now."""
        return self._totals.metrics

    def metrics(self) -> Metrics:
        """Return all that was sent until now, and receive no more."""
        self._end()
        return self._totals.metrics

    def _end(self) -> None:
        self._ended.set()
        self._thread.join()

    def _receive(self) -> None:
        while True:
            last = self._ended.is_set()  # before looking: what was sent before that has arrived
            try:
                self._totals.add(self._socket.recv(_LARGEST_PACKET))
            except TimeoutError:
                if last:
                    return


def _record(line: str) -> Record:
    head, type_, *fields = line.split("|")
    name, _, text = head.partition(":")
    if type_ not in _TYPES:
        raise ValueError(f"type {type_}")
    values = [float(value) for value in text.split(":")]
    times = 1 / next((float(field[1:]) for field in fields if field.startswith("@")), 1.0)
    value = {"c": sum(values) * times, "g": values[-1], "d": round(len(values) * times)}[type_]
    return Record(name, _TYPES[type_], value, _tags(fields))


def _check(line: str) -> ServiceCheck:
    _, name, status, *fields = line.split("|")
    message = next((field[2:] for field in fields if field.startswith("m:")), "")
    return ServiceCheck(name, Status(int(status)), _tags(fields), message)


def _tags(fields: Iterable[str]) -> tuple[str, ...]:
    text = next((field[1:] for field in fields if field.startswith("#")), "")
    # The client adds DD_ENV and the like behind the tags of a series, whose last is otherwise a bucket's bound.
    return tuple(sorted(filter(None, text.split(",")), key=lambda tag: tag.startswith(_UPPER_BOUND)))
