"""A connection to where a page is: over TLS, through a proxy, each with its time."""

import base64
import io
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPResponse, HTTPSConnection
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, unquote

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.sources.endpoint import Endpoint, Proxies, Tls, port
from ddtrace_litellm.openmetrics.sources.failures import FetchError

_PROXY_PORT = 80


def request(url: SplitResult, endpoint: Endpoint, deadline: float) -> tuple[HTTPConnection, str, dict[str, str]]:
    """Return a connection that is not open yet, what to ask it for, and the headers that a proxy needs for it.

    Raises:
        FetchError: something that TLS needs is not there.
    """
    path = f"{url.path or '/'}{'?' * bool(url.query)}{url.query}"
    proxy = None if _bypasses(url.hostname or "", endpoint.proxies) else endpoint.proxies.proxy_for(url.scheme)
    at = proxy or url
    address = at.hostname or "", (proxy.port or _PROXY_PORT) if proxy else port(url)
    opened: HTTPConnection
    if url.scheme == "https":
        opened = HTTPSConnection(*address, timeout=endpoint.connect_timeout, context=context(endpoint.tls))
    else:
        opened = HTTPConnection(*address, timeout=endpoint.connect_timeout)
    # ddtrace's own mark (4.8 to 4.16) for connections that are not traced where DD_TRACE_HTTPLIB_ENABLED is set.
    opened._dd_no_trace = True  # type: ignore[attr-defined]  # noqa: SLF001

    def response(sock: socket.socket, *args: Any, **options: Any) -> HTTPResponse:
        return HTTPResponse(_Timed(sock, endpoint.read_timeout, deadline), *args, **options)  # type: ignore[arg-type]

    opened.response_class = response  # type: ignore[assignment]
    headers = _authorization(proxy) if proxy else {}
    if proxy and url.scheme == "https":
        opened.set_tunnel(url.hostname or "", port(url), headers)
        headers = {}
    return opened, f"http://{url.netloc}{path}" if proxy and url.scheme == "http" else path, headers


def context(tls: Tls) -> ssl.SSLContext:
    """Return how TLS is spoken. Made for each connection, as whoever puts certificates there may renew them.

    Raises:
        FetchError: a file cannot be used; names the option.
    """
    with _naming("tls_ca_cert", tls.ca_cert):
        trusted = Path(tls.ca_cert).expanduser() if tls.ca_cert else None
        if trusted and trusted.is_dir():
            made = ssl.create_default_context(capath=trusted)
        else:
            made = ssl.create_default_context(cafile=trusted)
    # As in the Agent, a certificate that is named to be trusted is not named in vain.
    verify = tls.verify or bool(tls.ca_cert)
    made.check_hostname = verify and tls.validate_hostname
    made.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
    if tls.ciphers:
        with _naming("tls_ciphers"):
            made.set_ciphers(tls.ciphers)
    if tls.cert:
        key = Path(tls.private_key).expanduser() if tls.private_key else None
        with _naming("tls_cert, tls_private_key or its password", tls.cert, tls.private_key):
            # Without a password, OpenSSL would ask for one at the terminal of the user's process, and wait.
            made.load_cert_chain(Path(tls.cert).expanduser(), key, tls.private_key_password)
    return made


@contextmanager
def _naming(option: str, *paths: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # those of TLS too
        shown = f" ({', '.join(masking.path(path) for path in paths if path)})" if paths else ""
        said = getattr(error, "reason", None) or masking.system_reason(error)
        raise FetchError(f"{option} cannot be used{shown}: {said}") from None


def _bypasses(host: str, proxies: Proxies) -> bool:
    """Whether a host is one of ``no_proxy``, by the rules of the Agent's check."""
    for entry in proxies.no_proxy:
        if entry == "*":
            return True
        try:
            if ip_address(host) in ip_network(entry):
                return True
        except ValueError:
            name = entry.removeprefix("*")
            if host == name or host.endswith(name if name.startswith(".") else f".{name}"):
                return True
    return False


def _authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    pair = f"{unquote(proxy.username)}:{unquote(proxy.password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}


class _Timed(io.RawIOBase):
    """A socket's bytes, each read in time. A timeout of the socket alone starts anew with every byte."""

    def __init__(self, sock: socket.socket, timeout: float, deadline: float) -> None:
        # Keeps the socket open where http.client closes it: as soon as an answer says that it is the last.
        self._raw = sock.makefile("rb", buffering=0)
        self._sock, self._timeout, self._deadline = sock, timeout, deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        left = self._deadline - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self._sock.settimeout(min(self._timeout, left))
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()
