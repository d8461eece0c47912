"""A model provider on 127.0.0.1: real HTTP, deterministic answers, no key needed.

It speaks enough of OpenAI's and Anthropic's APIs for the demo. Whatever else a test wants of a provider is added in a
subclass: another ``Behaviour``, more ``routes``, an ``answer`` that fails or waits.
"""

import json
import socket
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.parser import BytesParser
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, ClassVar
from urllib.parse import urlsplit

from ddtrace_litellm.demo import anthropic_api, openai_api
from ddtrace_litellm.demo.answers import Answer


class ConnectionCut(Exception):  # noqa: N818 - it is no error here: it is what the provider was asked to do
    """Raised while an answer is made or sent: the TCP connection ends right there, unfinished."""


@dataclass(frozen=True)
class Behaviour:
    """How the provider answers for one model.

    Attributes:
        status: the HTTP status; anything but 200 answers with ``error`` instead of a completion.
        error: the message of the error body.
        error_type: its type, in OpenAI's words.
        delay: seconds before the first byte.
        pace: seconds before each event of a stream but the first.
        text: what the model says, in place of the default answer.
    """

    status: int = 200
    error: str = "The local provider was told to fail."
    error_type: str = "server_error"
    delay: float = 0.0
    pace: float = 0.0
    text: str | None = None


@dataclass(frozen=True)
class Request:
    """A request as it arrived.

    Attributes:
        path: without the query.
        headers: names in lower case.
        body: the JSON object, or a form's fields: files are their names, a field given more than once is a list.
        method: the HTTP method, in upper case.
        raw: the body's bytes.
    """

    path: str
    headers: Mapping[str, str]
    body: Mapping[str, Any]
    method: str = "POST"
    raw: bytes = b""

    @property
    def model(self) -> str:
        """The model that was asked for, ``""`` when the body names none."""
        return str(self.body.get("model", ""))


@dataclass(frozen=True)
class Reply:
    """What goes back: a JSON ``body``, bytes as they are, or a stream of ready ``events`` when there are any."""

    status: int = 200
    body: Any = None
    events: Iterable[bytes] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Route:
    """One endpoint, as pure functions.

    Attributes:
        compose: decides what to say to a body; the text is the behaviour's, if it has one.
        body: the answer as the API's JSON, or as bytes.
        error: an error of that API from message and type.
        events: the answer as the API's server-sent events, None when the API has no streams.
    """

    compose: Callable[[Mapping[str, Any], str | None], Answer]
    body: Callable[[Mapping[str, Any], Answer], Any]
    error: Callable[[str, str], Any]
    events: Callable[[Mapping[str, Any], Answer], Iterator[bytes]] | None = None


class LocalProvider:
    """The provider as a context manager; it listens while the ``with`` block runs.

    Args:
        behaviours: what to do for which model name.
        otherwise: what to do for the other models; they answer plainly and at once by default.

    Attributes:
        requests: everything received so far, in order of arrival.
    """

    routes: ClassVar[Mapping[str, Route]] = {
        "/v1/chat/completions": Route(
            openai_api.chat_answer, openai_api.chat_body, openai_api.error_body, openai_api.chat_events
        ),
        "/v1/completions": Route(
            openai_api.text_answer, openai_api.text_body, openai_api.error_body, openai_api.text_events
        ),
        "/v1/messages": Route(anthropic_api.answer, anthropic_api.body, anthropic_api.error_body, anthropic_api.events),
    }

    def __init__(self, behaviours: Mapping[str, Behaviour] | None = None, otherwise: Behaviour | None = None) -> None:
        self.behaviours: dict[str, Behaviour] = dict(behaviours or {})
        self.otherwise = otherwise or Behaviour()
        self.requests: list[Request] = []
        self._server: _Server | None = None
        self._thread: Thread | None = None

    def __enter__(self) -> "LocalProvider":
        self._server = _Server(self)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        server, thread = self._running()
        server.shutdown()
        server.server_close()
        thread.join()
        self._server = self._thread = None

    @property
    def url(self) -> str:
        """The base URL, ``http://127.0.0.1:<port>``, without ``/v1``.

        Raises:
            RuntimeError: the provider is not running.
        """
        return f"http://127.0.0.1:{self._running()[0].server_address[1]}"

    def behaviour(self, request: Request) -> Behaviour:
        """Return what to do for ``request``; by its model's name here."""
        return self.behaviours.get(request.model, self.otherwise)

    def route(self, request: Request) -> Route | None:
        """Return the endpoint that ``request`` is for; by its path here."""
        return self.routes.get(request.path)

    def reply(self, request: Request) -> Reply:
        """Answer one request. May sleep, and may raise :class:`ConnectionCut`."""
        route = self.route(request)
        if route is None:
            return Reply(404, openai_api.error_body(f"No such endpoint: {request.path}", "invalid_request_error"))
        behaviour = self.behaviour(request)
        time.sleep(behaviour.delay)
        if behaviour.status != 200:  # noqa: PLR2004 - HTTP's OK
            return Reply(behaviour.status, route.error(behaviour.error, behaviour.error_type))
        answer = self.answer(request, behaviour, route)
        if route.events is not None and request.body.get("stream"):
            return Reply(events=self.paced(route.events(request.body, answer), behaviour))
        return Reply(body=route.body(request.body, answer))

    def answer(self, request: Request, behaviour: Behaviour, route: Route) -> Answer:
        """Decide what to say to ``request``."""
        return route.compose(request.body, behaviour.text)

    def paced(self, events: Iterator[bytes], behaviour: Behaviour) -> Iterator[bytes]:
        """Yield a stream's events at the time they are due. May raise :class:`ConnectionCut`."""
        for number, event in enumerate(events):
            if number:
                time.sleep(behaviour.pace)
            yield event

    def _running(self) -> "tuple[_Server, Thread]":
        if self._server is None or self._thread is None:
            raise RuntimeError("the local provider is not running: use it in a with block")
        return self._server, self._thread


class _Server(ThreadingHTTPServer):
    # A client that keeps its connection open must not hold up the end of the with block.
    daemon_threads = True
    block_on_close = False

    def __init__(self, provider: LocalProvider) -> None:
        self.provider = provider
        self._open: set[socket.socket] = set()
        super().__init__(("127.0.0.1", 0), _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        super().server_close()
        for connection in list(self._open):
            # Idle keep-alive connections would otherwise leave a thread behind that waits for a next request.
            _end(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: clients that disconnect while they are answered are expected."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    # Each event is to leave when it is due, not when the kernel has collected enough of them.
    disable_nagle_algorithm = True
    server: _Server

    def do_POST(self) -> None:
        raw = self._read()
        request = Request(
            path=urlsplit(self.path).path,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=_fields(self.headers.get("Content-Type") or "", raw),
            method=self.command,
            raw=raw,
        )
        provider = self.server.provider
        provider.requests.append(request)
        try:
            self._send(provider.reply(request))
        except ConnectionCut:
            self.close_connection = True
            _end(self.connection)

    def do_GET(self) -> None:
        self.do_POST()

    def _read(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        pieces = []  # http.server leaves them to its handlers
        while size := int(self.rfile.readline().partition(b";")[0], 16):
            pieces.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(pieces)

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.events is None:
            binary = isinstance(reply.body, bytes)
            payload = reply.body if binary else json.dumps(reply.body).encode()
            self.send_header("Content-Type", "application/octet-stream" if binary else "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)
            return
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for event in reply.events:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(event), event))
        self.wfile.write(b"0\r\n\r\n")

    def log_message(self, *args: object) -> None:
        """Keep quiet: the output belongs to the program that is watched."""


def _end(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return  # the client was faster


def _fields(content_type: str, raw: bytes) -> dict[str, Any]:
    return _form(content_type, raw) if content_type.startswith("multipart/form-data") else _json_object(raw)


def _form(content_type: str, raw: bytes) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for part in BytesParser().parsebytes(f"Content-Type: {content_type}\r\n\r\n".encode() + raw).walk():
        name = part.get_param("name", header="content-disposition")
        if not isinstance(name, str):
            continue
        payload = part.get_payload(decode=True)
        value = part.get_filename() or (payload.decode(errors="replace") if isinstance(payload, bytes) else "")
        fields[name] = [*_as_list(fields[name]), value] if name in fields else value
    return fields


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _json_object(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
