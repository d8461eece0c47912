"""Real receivers of metrics that add them up as they come: an Agent's UDP port, and Datadog's API."""

import socket
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

from tests.metrics.receivers import Api, Request, line

_BUFFER = 4 << 20


class Received:
    """What has arrived so far, from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, frozenset[str]]] = Counter()
        self.gauges: dict[tuple[str, frozenset[str]], float] = {}
        self.checks: list[tuple[str, int]] = []
        self.negative: list[tuple[str, float]] = []

    def add(self, name: str, kind: str, value: float, tags: frozenset[str]) -> None:
        """Take one value: ``c``, what was counted, or ``g``, a gauge."""
        with self._lock:
            if kind == "c":
                self._counts[name, tags] += value
                if value < 0:
                    self.negative.append((name, value))
            else:
                self.gauges[name, tags] = value

    def total(self, name: str, *tags: str) -> float:
        """Return what was counted under a name, in all series that have the tags."""
        with self._lock:
            return sum(value for (key, had), value in self._counts.items() if key == name and had.issuperset(tags))

    def wait(self, name: str, expected: float, seconds: float = 30.0) -> float:
        """Wait until a total is at least so much, and return it."""
        return wait_until(lambda: self.total(name), lambda total: total >= expected - 1e-9, seconds)

    def wait_for_check(self, status: int, seconds: float = 60.0) -> None:
        """Wait until the last service check has a status."""
        wait_until(lambda: self.checks[-1:], lambda last: bool(last) and last[0][1] == status, seconds)


def wait_until(read: Callable[[], Any], good: Callable[[Any], bool], seconds: float) -> Any:
    """Return what is read once it is good, or at last."""
    deadline = time.monotonic() + seconds
    while not good(value := read()) and time.monotonic() < deadline:
        time.sleep(0.05)
    return value


class Socket(Received):
    """An Agent's UDP port."""

    def __enter__(self) -> "Socket":
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER)
        self._socket.bind(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._receive, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        # A datagram of its own wakes the thread; to close the socket would not.
        self._socket.sendto(b"", self._socket.getsockname())
        self._thread.join(5)
        self._socket.close()

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process send here."""
        return {"DD_DOGSTATSD_URL": f"udp://127.0.0.1:{self._socket.getsockname()[1]}"}

    def _receive(self) -> None:
        while packet := self._socket.recv(65536):
            for text in packet.decode().splitlines():
                self._read(text)

    def _read(self, text: str) -> None:
        if text.startswith("_sc|"):
            _, name, status, *_rest = text.split("|")
            self.checks.append((name, int(status)))
            return
        had = line(text)
        for value in had.values:
            self.add(had.name, had.type, value, frozenset(had.tags))


class Intake(Received):
    """Datadog's API: series and service checks."""

    def __enter__(self) -> "Intake":
        self._api = Api(taken=self._take)
        self._api.__enter__()
        return self

    def __exit__(self, *exception: object) -> None:
        self._api.__exit__(*exception)

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process send here."""
        return {
            "DD_LITELLM_OPENMETRICS_AGENTLESS": "true",
            "DD_API_KEY": "0123456789abcdef",
            "DD_DD_URL": self._api.url,
        }

    def _take(self, request: Request) -> None:
        if request.path == "/api/v1/check_run":
            self.checks.extend((check["check"], check["status"]) for check in request.items)
            return
        assert request.path == "/api/v2/series", request.path
        for series in request.items:
            for point in series["points"]:
                kind = {1: "c", 3: "g"}[series["type"]]
                self.add(series["metric"], kind, point["value"], frozenset(series.get("tags", ())))
