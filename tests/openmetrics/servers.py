"""Metrics pages behind real sockets: answered as a test says, and every request kept."""

import select
import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import Message
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import urlsplit

import pytest

OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Server:
    """A server on a free port as a context manager.

    Args:
        answer: is called with the handler of each request and answers it.
        certificate: makes it speak TLS; a file that also has the key.
        clients: the certificates of those that may ask; all may without.
    """

    def __init__(
        self, answer: Callable[["Handler"], None], certificate: Path | None = None, clients: Path | None = None
    ) -> None:
        self.requests: list[tuple[str, Message]] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.answer, self._server.requests = answer, self.requests
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self.port = self._server.server_address[1]
        self.url = f"http://127.0.0.1:{self.port}/metrics"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            if clients:
                context.load_verify_locations(clients)
                context.verify_mode = ssl.CERT_REQUIRED
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
            self.url = f"https://localhost:{self.port}/metrics"

    @property
    def paths(self) -> list[str]:
        """What was asked for."""
        return [path for path, _ in self.requests]

    def __enter__(self) -> "Server":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class Handler(BaseHTTPRequestHandler):
    """Hands each request to the test's function."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        """Answer, and close: what is not whole shall end."""
        self.server.requests.append((self.path, self.headers))
        self.close_connection = True
        self.server.answer(self)

    def reply(self, body: bytes, *, status: int = 200, length: int | None = None, **headers: str) -> None:
        """Send a whole answer; ``length``: what it says its length was."""
        self.send_response(status)
        for name, value in {"Content_Type": OPENMETRICS, **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        self.wfile.write(body)

    def do_CONNECT(self) -> None:
        """Be a proxy: connect to this machine, whatever the host's name is, and pass on what either says."""
        self.server.requests.append((self.path, self.headers))
        self.close_connection = True
        if self.server.answer is not proxied:
            self.server.answer(self)
            return
        self.send_response(200)
        self.end_headers()
        with socket.create_connection(("127.0.0.1", int(self.path.rpartition(":")[2]))) as other:
            peers = {self.connection: other, other: self.connection}
            while True:
                for ready in select.select([*peers], [], [], 5)[0]:
                    if not (data := ready.recv(1 << 16)):
                        return
                    peers[ready].sendall(data)

    def log_message(self, *_parts: object) -> None:
        """Write nothing."""


def proxied(handler: Handler) -> None:
    """Answer as a proxy, from this machine, whatever the host's name is."""
    url = urlsplit(handler.path)
    connection = HTTPConnection("127.0.0.1", url.port)
    connection.request("GET", url.path, headers=dict(handler.headers))
    with connection.getresponse() as response:
        handler.reply(response.read(), status=response.status)
    connection.close()


def certificate_for(name: str, directory: Path, *, password: str = "") -> Path:
    """Make a certificate for a host that nobody has signed, and return a file of it and its key."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("no openssl to make a certificate with")
    alone, key, both = (directory / f"{name}{ending}" for ending in (".pem", ".key", ".both"))
    secret = ["-passout", f"pass:{password}"] if password else ["-nodes"]
    options = f"req -x509 -newkey rsa:2048 -days 2 -subj /CN={name} -addext subjectAltName=DNS:{name}"
    subprocess.run([openssl, *options.split(), *secret, "-keyout", key, "-out", alone], check=True, capture_output=True)
    both.write_text(key.read_text() + alone.read_text())
    return both


@contextmanager
def silent() -> Iterator[str]:
    """Yield the URL of something that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/metrics"


def closed_url() -> str:
    """Return a URL where nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return f"http://127.0.0.1:{listening.getsockname()[1]}/metrics"
