"""One HTTP request over urllib3, for the pages that are scraped and for what is sent to Datadog's API.

ddtrace traces neither, as nobody wants to pay for a span for each scrape: it wraps the pools of urllib3, whose bare
connections are used here, and leaves out connections that are marked (4.8 to 4.16). ``httpx`` and ``requests`` are
traced by default. Ours are the deadline for a whole answer, the networks of ``no_proxy`` and what a failure means in
words, which no client has.
"""

import io
import re
import socket
import ssl
import time
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPException, HTTPResponse, IncompleteRead, RemoteDisconnected
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit

from urllib3 import BaseHTTPResponse
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, HTTPError
from urllib3.util import make_headers

from ddtrace_litellm import masking

PIECE = 1 << 17
"""Bytes that a body is read by; what they were compressed from comes in pieces of twice that at most."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_PROXY_PORT = 80
_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")


class FetchError(masking.SafeError):
    """An answer that did not come, or not whole. The message says in one line which, why, and what may help.

    Attributes:
        sent: whether the request may have arrived.
    """

    sent = True


class EmptyAnswerError(FetchError):
    """The answer has not a byte."""


class UnreachableError(FetchError):
    """Nothing answers there: what the option ``ignore_connection_errors`` is about."""


@dataclass(frozen=True)
class Timeouts:
    """Seconds to wait: for a connection, TLS included; without a byte; for everything.

    A server that sends a byte a minute is never silent for long. ``total``: ``None`` where the client has no such.
    """

    connect: float = 5.0
    read: float = 30.0
    total: float | None = 60.0

    def __str__(self) -> str:
        in_all = "" if self.total is None else f", {self.total:g} s in all"
        return f"({self.connect:g} s to connect, {self.read:g} s without a byte{in_all})"


@dataclass(frozen=True)
class Tls:
    """The options that begin with ``tls_``; paths may begin with ``~``.

    Attributes:
        verify: whether the server needs a certificate that is trusted.
        ca_cert: a file or a directory of certificates that are trusted, ``""`` for those of the system.
        cert, private_key, private_key_password: who we are; the key may be in the certificate's file.
        ciphers: as OpenSSL writes a list of them, ``""`` for Python's.
        validate_hostname: whether the certificate has to be of the URL's host.
        ignore_warning: say nothing about a certificate that is not verified.
    """

    verify: bool = True
    ca_cert: str = ""
    cert: str = ""
    private_key: str = ""
    private_key_password: str = field(default="", repr=False)
    ciphers: str = ""
    validate_hostname: bool = True
    ignore_warning: bool = False

    def context(self) -> ssl.SSLContext:
        """Return how TLS is spoken, from files as they are now: whoever puts certificates there may renew them.

        Raises:
            FetchError: a file cannot be used; names the option.
        """
        with _naming("tls_ca_cert", self.ca_cert):
            trusted = Path(self.ca_cert).expanduser() if self.ca_cert else None
            place = "capath" if trusted and trusted.is_dir() else "cafile"
            context = ssl.create_default_context(**{place: trusted})  # type: ignore[arg-type]
        # As in the Agent, a certificate that is named to be trusted is not named in vain.
        verify = self.verify or bool(self.ca_cert)
        context.check_hostname = verify and self.validate_hostname
        context.verify_mode = ssl.CERT_REQUIRED if verify else ssl.CERT_NONE
        if self.ciphers:
            with _naming("tls_ciphers"):
                context.set_ciphers(self.ciphers)
        if self.cert:
            key = Path(self.private_key).expanduser() if self.private_key else None
            with _naming("tls_cert, tls_private_key or its password", self.cert, self.private_key):
                # Without a password, OpenSSL would ask for one at the terminal of the user's process, and wait.
                context.load_cert_chain(Path(self.cert).expanduser(), key, self.private_key_password)
        return context


VERIFIED = Tls()


@contextmanager
def _naming(option: str, *paths: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:  # those of TLS too
        shown = f" ({', '.join(masking.path(path) for path in paths if path)})" if paths else ""
        raise FetchError(f"{option} cannot be used{shown}: {_tls_reason(error)}") from None


def _tls_reason(error: BaseException) -> str:
    return getattr(error, "reason", None) or masking.system_reason(error)


@dataclass(frozen=True)
class Proxies:
    """Through what a server is asked. What the environment says is left to the application, whose proxy that is.

    Attributes:
        http, https: the URL of the proxy for pages of this scheme, ``""`` for none. It may hold a user and a password.
        no_proxy: hosts that are asked without: names, which have those below them too, addresses, networks, ``*``.

    Raises:
        ValueError: a proxy is none that can be used; the message does not repeat it.
    """

    http: str = field(default="", repr=False)
    https: str = field(default="", repr=False)
    no_proxy: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for scheme in _DEFAULT_PORTS:
            self._of_scheme(scheme)

    def proxy_for(self, url: SplitResult) -> SplitResult | None:
        """Return the proxy that a URL is asked for through."""
        host = url.hostname or ""
        return None if any(_covers(entry, host) for entry in self.no_proxy) else self._of_scheme(url.scheme)

    def _of_scheme(self, scheme: str) -> SplitResult | None:
        url = self.https if scheme == "https" else self.http
        try:
            parts = urlsplit(url if "://" in url or not url else f"http://{url}")
            fits = not url or (parts.scheme == "http" and parts.hostname and parts.port != 0)
        except ValueError:
            fits = False
        if not fits:
            raise masking.SafeValueError(
                f"the proxy for {scheme} is no URL of an HTTP proxy, such as http://proxy:3128"
            )
        return parts if url else None


DIRECT = Proxies()


def _covers(entry: str, host: str) -> bool:
    """Whether an entry of ``no_proxy`` has a host, by the rules of the Agent's check."""
    if entry == "*":
        return True
    try:
        return ip_address(host) in ip_network(entry)
    except ValueError:
        name = entry.removeprefix("*")
        return host == name or host.endswith(name if name.startswith(".") else f".{name}")


def split(url: str) -> SplitResult:
    """Return the parts of a URL.

    Raises:
        ValueError: it is none; the message does not repeat it.
    """
    if "@" in url:  # wherever: a password may hold a slash
        raise masking.SafeValueError(
            "the URL of the metrics page holds a user or a password, which belong into the configuration; any other @"
            " is written %40"
        )
    try:
        parts = urlsplit(url)
        fits = parts.scheme in _DEFAULT_PORTS and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not (url.isascii() and url.isprintable() and " " not in url and "\\" not in url):
        raise masking.SafeValueError("that is no URL of a metrics page, such as http://localhost:4000/metrics")
    return parts._replace(fragment="")


def port(url: SplitResult) -> int:
    """Return the port, which the URL need not have."""
    return url.port or _DEFAULT_PORTS[url.scheme]


def where(url: SplitResult) -> str:
    """Return what messages call a URL."""
    return masking.url(url.geturl())


def status_text(status: int) -> str:
    """Return an answer's status with the standard's word for it; the server's own may be anything, of any length."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


@contextmanager
def request(  # noqa: PLR0913
    method: str,
    url: SplitResult,
    headers: Mapping[str, str],
    content: bytes | None = None,
    *,
    timeouts: Timeouts,
    deadline: float,
    tls: Tls = VERIFIED,
    proxies: Proxies = DIRECT,
) -> Iterator[BaseHTTPResponse]:
    """Ask, and return the answer as soon as its head is there; the connection is closed in the end.

    Args:
        method: of HTTP.
        url: what is asked for.
        headers: beside ``Connection``.
        content: the body of the request.
        timeouts: how long each step may take.
        deadline: until when everything has to be there, on the monotonic clock.
        tls: how to speak TLS.
        proxies: through what to ask.

    Raises:
        FetchError: there is no answer.
    """
    place, target = where(url), f"{url.path or '/'}{'?' * bool(url.query)}{url.query}"
    proxy = proxies.proxy_for(url)
    address = (proxy.hostname or "", proxy.port or _PROXY_PORT) if proxy else (url.hostname or "", port(url))
    connection: HTTPConnection
    if url.scheme == "https":
        context = tls.context()
        # urllib3 looks at the name by itself where the context does not, unless it is told not to.
        match: Literal[False] | None = None if context.check_hostname else False
        connection = HTTPSConnection(*address, timeout=timeouts.connect, ssl_context=context, assert_hostname=match)
    else:
        connection = HTTPConnection(*address, timeout=timeouts.connect)
    connection._dd_no_trace = True  # type: ignore[attr-defined]  # noqa: SLF001 - ddtrace's own mark

    def timed(sock: socket.socket, *args: Any, **options: Any) -> HTTPResponse:
        return HTTPResponse(_Timed(sock, timeouts.read, deadline), *args, **options)  # type: ignore[arg-type]

    connection.response_class = timed  # type: ignore[assignment]
    if proxy and url.scheme == "https":
        connection.set_tunnel(url.hostname or "", port(url), _authorization(proxy))
    elif proxy:
        target, headers = f"http://{url.netloc}{target}", {**headers, **_authorization(proxy)}
    try:
        with explained(place, timeouts, connecting=True):
            connection.connect()
        with explained(place, timeouts):
            connection.timeout = min(timeouts.read, max(0.1, deadline - time.monotonic()))
            connection.request(
                method, target, content, {"Connection": "close", **headers}, preload_content=False, decode_content=False
            )
            response = connection.getresponse()
        with response:
            yield response
    finally:
        connection.close()


def _authorization(proxy: SplitResult) -> dict[str, str]:
    if proxy.username is None:
        return {}
    return make_headers(proxy_basic_auth=f"{unquote(proxy.username)}:{unquote(proxy.password or '')}")


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


def body(response: BaseHTTPResponse, piece: int = PIECE) -> Iterator[bytes]:
    """Yield a body, decompressed; to be read within :func:`explained`.

    urllib3's own decoder of gzip takes half a stream for a whole one (2.0 to 2.8), and before 2.6 it makes a piece of
    any size of a small one.
    """
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    raw = _pieces(response, piece, decode=encoding not in {"", "gzip", "identity"})
    return _gunzip(raw, 2 * piece) if encoding == "gzip" else raw


def _pieces(response: BaseHTTPResponse, piece: int, *, decode: bool) -> Iterator[bytes]:
    while data := response.read(piece, decode_content=decode):
        yield data


def _gunzip(pieces: Iterator[bytes], at_most: int) -> Iterator[bytes]:
    decompressor = zlib.decompressobj(wbits=31)
    for piece in pieces:
        pending = piece
        while pending:
            if decompressor.eof:  # one member of several
                decompressor = zlib.decompressobj(wbits=31)
            if text := decompressor.decompress(pending, at_most):
                yield text
            pending = decompressor.unconsumed_tail or decompressor.unused_data
    if not decompressor.eof:
        raise IncompleteRead(b"")


@contextmanager
def explained(place: str, timeouts: Timeouts, *, connecting: bool = False, reading: bool = False) -> Iterator[None]:
    """Say what a failure means, of ours and of the Agent's client alike. Their own messages quote URLs and headers.

    Args:
        place: what messages call the URL.
        timeouts: those that hold.
        connecting: nothing was sent yet.
        reading: the head of an answer is there. Silence from then on is no connection to the Agent's client, which
            says that a server is slow only if it does not begin to answer.
    """
    try:
        yield
    except (OSError, HTTPException, HTTPError, zlib.error) as error:
        chain = [error]
        while (inner := chain[-1].__cause__ or chain[-1].__context__) is not None:
            chain.append(inner)  # type: ignore[arg-type]
        connecting = connecting or any(isinstance(each, ConnectTimeoutError) for each in chain)
        known = [each for each in chain if isinstance(each, (OSError, HTTPException, zlib.error))]
        failure = _failure(place, (known or chain)[-1], timeouts, silent=connecting or reading)
        failure.sent = not connecting
        raise failure from None


def _failure(  # noqa: PLR0911 - a table of errors and what they mean
    place: str, root: BaseException, timeouts: Timeouts, *, silent: bool
) -> FetchError:
    """Return what happened at the bottom: clients wrap failures into each other."""
    if isinstance(root, TimeoutError):
        return (UnreachableError if silent else FetchError)(f"{place} does not answer in time {timeouts}")
    if isinstance(root, ssl.SSLCertVerificationError):
        return FetchError(
            f"{place} has a certificate that is not trusted ({root.verify_message}): SSL_CERT_FILE or tls_ca_cert"
            " names more to trust"
        )
    if isinstance(root, ssl.SSLError):
        return FetchError(f"{place} does not speak TLS as it should ({_tls_reason(root)}): is it http?")
    if isinstance(root, socket.gaierror):
        return UnreachableError(f"{place} cannot be reached: there is no such host, or no such proxy")
    if isinstance(root, IncompleteRead):
        return FetchError(f"{place} ended in the middle of its page")
    if isinstance(root, zlib.error):
        return FetchError(f"{place} cannot be decompressed")
    if isinstance(root, RemoteDisconnected):
        return UnreachableError(f"{place} closes the connection without response")
    if isinstance(root, HTTPException):
        # The error's own text is what came, which may be an echo of what was sent.
        return FetchError(f"{place} does not answer in HTTP ({type(root).__name__})")
    tunnel = _TUNNEL.match(str(root))
    reason = f"the proxy answers {status_text(int(tunnel[1]))}" if tunnel else masking.system_reason(root)
    return UnreachableError(f"{place} cannot be reached: {reason}")
