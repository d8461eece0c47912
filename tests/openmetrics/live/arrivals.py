"""Real receivers of metrics: a UDP socket as an Agent has it, and an HTTP server as Datadog's intake is."""

import gzip
import json
import socket
import threading
import time
import zlib
from collections import Counter
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

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
            for line in packet.decode().splitlines():
                self._read(line)

    def _read(self, line: str) -> None:
        if line.startswith("_sc|"):
            _, name, status, *_rest = line.split("|")
            self.checks.append((name, int(status)))
            return
        head, kind, *parts = line.split("|")
        name, *values = head.split(":")
        tags = next((frozenset(part[1:].split(",")) for part in parts if part.startswith("#")), frozenset[str]())
        for value in values:
            self.add(name, kind, float(value), tags)


class Intake(Received):
    """Datadog's API: series, distributions and service checks."""

    def __enter__(self) -> "Intake":
        intake = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                unpack = {"gzip": gzip.decompress, "deflate": zlib.decompress}
                intake.take(self.path, json.loads(unpack.get(self.headers["Content-Encoding"], bytes)(body)))
                self.send_response(202)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    @property
    def environment(self) -> dict[str, str]:
        """What makes a process send here."""
        return {
            "DD_LITELLM_OPENMETRICS_AGENTLESS": "true",
            "DD_API_KEY": "0123456789abcdef",
            "DD_DD_URL": f"http://127.0.0.1:{self._server.server_port}",
        }

    def take(self, path: str, body: Any) -> None:
        """Take one request."""
        if path == "/api/v1/check_run":
            for check in body if isinstance(body, list) else [body]:
                self.checks.append((check["check"], check["status"]))
            return
        assert path == "/api/v2/series", path
        for series in body["series"]:
            for point in series["points"]:
                kind = {1: "c", 3: "g"}[series["type"]]
                self.add(series["metric"], kind, point["value"], frozenset(series.get("tags", ())))
