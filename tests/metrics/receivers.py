"""What metrics are sent to: DogStatsD's sockets, and Datadog's API."""

import json
import select
import socket
import threading
import time
import zlib
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from ddtrace_litellm.metrics.sinks.address import Address


class Line(NamedTuple):
    """One line as the Agent reads it; ``fields`` by their first character."""

    name: str
    values: list[float]
    type: str
    tags: list[str]
    fields: dict[str, str]


def line(text: str) -> Line:
    """Read a metric's line."""
    head, type_, *rest = text.split("|")
    name, _, values = head.partition(":")
    fields = {field[0]: field[1:] for field in rest}
    tags = fields.pop("#", "").split(",")
    return Line(name, [float(value) for value in values.split(":")], type_, tags, fields)


class DogStatsD:
    """A socket that is read by a thread, or not at all.

    Args:
        path: of a Unix socket; ``None`` for UDP.
        kind: ``SOCK_DGRAM`` or ``SOCK_STREAM``.
        reads: whether anyone does.
        pause: called between two packets.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        kind: int = socket.SOCK_DGRAM,
        reads: bool = True,
        pause: Callable[[], None] = lambda: None,
    ) -> None:
        self.packets: list[bytes] = []
        self._pause, self._reads, self._stream = pause, reads, kind == socket.SOCK_STREAM
        self._socket = socket.socket(socket.AF_UNIX if path else socket.AF_INET, kind)
        self._socket.bind(str(path) if path else ("127.0.0.1", 0))
        self._socket.settimeout(0.02)
        if self._stream:
            self._socket.listen()
        self.address = (
            Address(path=str(path), kind="unix") if path else Address("127.0.0.1", self._socket.getsockname()[1])
        )
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "DogStatsD":
        if self._reads:
            self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()
        self._socket.close()

    def drained(self, _seconds: float) -> None:
        """Pause until all that was sent is read, however busy the machine is: for a sink's ``sleep``."""
        while select.select([self._socket], [], [], 0)[0]:
            time.sleep(0.001)

    def stop(self) -> None:
        """Read what has arrived, then no more."""
        self._stopping.set()
        if self._thread.ident:
            self._thread.join()

    @property
    def texts(self) -> list[str]:
        """All lines, once everything is read."""
        self.stop()
        return b"".join(self.packets).decode().split("\n")[:-1]

    @property
    def lines(self) -> list[Line]:
        """All metrics' lines, once everything is read."""
        return [line(text) for text in self.texts if not text.startswith("_sc|")]

    def _run(self) -> None:
        while True:
            last = self._stopping.is_set()  # before looking: what was sent before that has arrived
            try:
                if self._stream:
                    self._accept()
                    continue
                self.packets.append(self._socket.recv(1 << 16))
                self._pause()
            except TimeoutError:
                if last:
                    return

    def _accept(self) -> None:
        connection, _ = self._socket.accept()
        connection.settimeout(2)
        with connection, connection.makefile("rb") as stream:
            while size := stream.read(4):
                self.packets.append(stream.read(int.from_bytes(size, "little")))


class Request(NamedTuple):
    """A request to the API, its body decompressed."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def items(self) -> list[dict]:
        """The series, distributions or service checks in it."""
        content = json.loads(self.body)
        return content if isinstance(content, list) else content["series"]


class Api:
    """Datadog's API on a free port.

    Args:
        answers: to each request, a status with the headers of its answer; the last answer goes on. ``None``: no answer.
        most: items that one request may have.
        taken: called with each request that is answered with 202.
    """

    def __init__(
        self,
        *answers: tuple[int, dict[str, str]] | int | None,
        most: int = 1 << 30,
        taken: Callable[[Request], None] = lambda _request: None,
    ) -> None:
        self.requests: list[Request] = []
        self.take = taken
        self.taken: list[Request] = []
        self.answers, self.most = [*answers] or [202], most
        self.released = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self._server.api = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Api":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.released.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def items(self, path: str) -> list[dict]:
        """Return what was taken at a path, in the order it came."""
        return [item for request in self.taken if request.path == path for item in request.items]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        api = self.server.api
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.headers.get("Content-Encoding") == "deflate":
            body = zlib.decompress(body)
        request = Request(self.path, dict(self.headers), body)
        api.requests.append(request)
        answer = api.answers.pop(0) if len(api.answers) > 1 else api.answers[0]
        if len(request.items) > api.most:
            answer = 413
        if answer is None:
            api.released.wait(10)
            return
        status, headers = answer if isinstance(answer, tuple) else (answer, {})
        if status == 202:
            api.taken.append(request)
            api.take(request)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        reply = f'{{"errors":["for {self.headers["DD-API-KEY"]}"]}}'.encode()
        self.send_header("Content-Length", str(len(reply)))
        self.end_headers()
        self.wfile.write(reply)

    def log_message(self, *_parts: object) -> None:
        """Write nothing."""
