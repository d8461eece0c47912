"""The address of the Agent's DogStatsD, from the variables that the ``datadog`` client and ddtrace read."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from ddtrace_litellm import masking

log = logging.getLogger("ddtrace.litellm.openmetrics")

HOST = "localhost"
PORT = 8125
SOCKET = "/var/run/datadog/dsd.socket"
"""Where the Agent has it unless told otherwise; ddtrace takes it where it exists and no variable says otherwise."""

_SOCKETS = ("unix", "unixgram", "unixstream")


class Address(NamedTuple):
    """An address of DogStatsD.

    Attributes:
        host, port: for UDP.
        path: of the socket in place of them, ``""`` for none.
        kind: ``unixgram`` or ``unixstream``, ``unix`` for whichever it is, ``udp``.
    """

    host: str = HOST
    port: int = PORT
    path: str = ""
    kind: str = "udp"

    @property
    def is_local(self) -> bool:
        """Whether packets do not leave the machine, and so may be as large as the Agent reads. By how it is written."""
        return bool(self.path) or self.host in {HOST, "::1"} or self.host.startswith("127.")

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.kind}://{self.path or f'{host}:{self.port}'}"


def address(environ: Mapping[str, str], socket: str = SOCKET) -> Address:
    """Return the address that the environment names.

    ``DD_DOGSTATSD_URL`` (``udp://host:port``, ``unix:///path``) counts before ``DD_DOGSTATSD_SOCKET`` (a path), that
    before ``DD_DOGSTATSD_HOST`` or ``DD_AGENT_HOST`` and ``DD_DOGSTATSD_PORT``. A value that cannot be used is one
    warning, and what comes next counts.

    Args:
        environ: the variables.
        socket: where it may be found without one.
    """
    if (url := environ.get("DD_DOGSTATSD_URL", "")) and (found := _of_url("DD_DOGSTATSD_URL", url)):
        return found
    if path := environ.get("DD_DOGSTATSD_SOCKET", ""):
        found = _of_url("DD_DOGSTATSD_SOCKET", path) if "://" in path else Address(path=path, kind="unix")
        if found:
            return found
    host = environ.get("DD_DOGSTATSD_HOST") or environ.get("DD_AGENT_HOST", "")
    port = _port(environ)
    if not host and not port and Path(socket).exists():
        return Address(path=socket, kind="unix")
    return Address(host.strip("[]") or HOST, port or PORT)


def _of_url(variable: str, url: str) -> Address | None:
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme in _SOCKETS and parts.path:
        return Address(path=parts.path, kind=parts.scheme)
    if parts.scheme == "udp" and parts.hostname:
        return Address(parts.hostname, port or PORT)
    log.warning("%s is no address such as udp://localhost:8125 or unix://%s; not used", variable, SOCKET)
    return None


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("DD_DOGSTATSD_PORT", "").strip()
    if text and not (text.isascii() and text.isdigit() and 0 < int(text) < 1 << 16):
        log.warning("DD_DOGSTATSD_PORT=%s is not a port; using %d", masking.word(text), PORT)
        return 0
    return int(text or 0)
