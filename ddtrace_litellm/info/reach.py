"""Whether the Agent, or Datadog itself, answers. Nothing is sent but a request for a page: no key, no data."""

from __future__ import annotations

import json
import socket
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ddtrace_litellm import masking

SECONDS = 3.0
"""Until an answer is no longer waited for."""

_LARGEST = 1 << 20


class Answer(NamedTuple):
    """What came back.

    Attributes:
        status: the HTTP status, 0 where there was no answer.
        problem: why there was none, ``""`` where there was.
        info: what an Agent says of itself.
    """

    status: int = 0
    problem: str = ""
    info: dict[str, Any] | None = None


class _SocketConnection(HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(self._path)


def agent(url: str) -> Answer:
    """Ask the Agent at ``url`` (``http://``, ``https://`` or ``unix://``) what it is."""
    status, problem, body = _get(url, "/info")
    if problem:
        return Answer(problem=problem)
    try:
        info = json.loads(body)
    except ValueError:
        info = None
    # An Agent before 7.28 has no such page: it is one nevertheless.
    if status == 404:  # noqa: PLR2004 - HTTP's "not found"
        return Answer(status, info={})
    if not isinstance(info, dict):
        return Answer(status, problem=f"what answers there is no Datadog Agent (HTTP status {status})")
    return Answer(status, info=info)


def intake(url: str) -> Answer:
    """Ask whether a server of Datadog answers. Any answer will do, because it gets no key."""
    status, problem, _ = _get(url, "/")
    return Answer(status, problem)


def _get(url: str, path: str) -> tuple[int, str, bytes]:
    # http.client, as ddtrace itself knows no HTTP proxy here either.
    """Return the status, the reason why there is none, and the body of a path below ``url``."""
    try:
        parts = urlsplit(url)
        connection: HTTPConnection
        if parts.scheme == "unix":
            connection = _SocketConnection(parts.path)
        elif parts.scheme in ("http", "https") and parts.hostname:
            kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
            connection = kind(parts.hostname, parts.port, timeout=SECONDS)
            path = parts.path.rstrip("/") + path  # of an Agent behind a gateway
        else:
            return 0, "not a URL of http, https or unix", b""
    except ValueError:
        return 0, "not a URL of http, https or unix", b""
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, "", response.read(_LARGEST)
    except (OSError, HTTPException) as error:
        return 0, masking.system_reason(error).lower(), b""
    finally:
        connection.close()
