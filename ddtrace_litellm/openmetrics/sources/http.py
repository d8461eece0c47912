"""Fetch a metrics page over HTTP.

With ``http.client``, which ddtrace does not trace: a span for every scrape is not what users pay for.
"""

import io
import socket
import ssl
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any, NamedTuple
from urllib.parse import SplitResult, urljoin, urlsplit

PIECE = 1 << 17
"""Bytes that a page is read by; what they were compressed from comes in pieces of twice that at most."""
LARGEST_PAGE = 1 << 29
"""Bytes, decompressed. LiteLLM has 112 MB with 2,000 keys."""

# `_created` stands right behind its series there, and `# EOF` tells that the page is whole.
_ACCEPT = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5"
_METRICS_TYPES = frozenset({"", "application/openmetrics-text", "text/plain"})
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS = 3
_DEFAULT_PORTS = {"http": 80, "https": 443}


class FetchError(Exception):
    """A page that did not come, or not whole. The message says in one line which, why, and what may help."""


class UnauthorizedError(FetchError):
    """The server wants a token, or another one."""


@dataclass(frozen=True)
class Endpoint:
    """Where a metrics page is.

    Attributes:
        url: as the user gave it, for example ``http://localhost:4000/metrics``.
        token: the bearer token, ``""`` for none.
        connect_timeout: seconds for a connection, TLS included.
        read_timeout: seconds without a byte. LiteLLM makes the whole page first: 5 s for 112 MB.
        total_timeout: seconds for everything, as a server that sends a byte a minute never is silent for long.
        largest_page: bytes, decompressed.

    Raises:
        ValueError: the URL or the token cannot be one; the message has the URL, never the token.
    """

    url: str
    token: str = ""
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    total_timeout: float = 60.0
    largest_page: int = LARGEST_PAGE

    def __post_init__(self) -> None:
        _split(self.url)
        if not all("!" <= character <= "~" for character in self.token):
            raise ValueError("the token has white space or other characters that no token has")


class Answer(NamedTuple):
    """A page that has begun to arrive.

    Attributes:
        content_type: the header.
        asked_at: a time on the server's clock, in seconds since 1970, when it had not been asked yet.
        pieces: the body, decompressed. Raises ``FetchError`` where it is not whole.
    """

    content_type: str
    asked_at: float
    pieces: Iterator[bytes]


@contextmanager
def fetch(endpoint: Endpoint) -> Iterator[Answer]:
    """Ask for a page, following redirects; the connection is closed in the end.

    Raises:
        FetchError: there is no page.
    """
    url, token = _split(endpoint.url), endpoint.token
    deadline = time.monotonic() + endpoint.total_timeout
    for _ in range(_MOST_REDIRECTS + 1):
        connection = _connection(url, endpoint, deadline)
        try:
            asked = time.time()
            with _in_words(url, endpoint):
                response = _ask(connection, url, token, endpoint)
            with response:
                if response.status not in _REDIRECTS:
                    _check(response, url)
                    content_type = response.headers.get("Content-Type", "")
                    yield Answer(content_type, _asked_at(response, asked), _pieces(response, url, endpoint))
                    return
                target = _target(url, response)
        finally:
            connection.close()
        if not _same_host(url, target):
            token = ""
        url = target
    raise FetchError(f"{endpoint.url} redirects more than {_MOST_REDIRECTS} times, at last to {url.geturl()}")


def _split(url: str) -> SplitResult:
    if "@" in url.partition("://")[2].partition("/")[0]:
        raise ValueError("the URL of the metrics page holds a user or a password; only a bearer token can be sent")
    try:
        parts = urlsplit(url)
        fits = parts.scheme in _DEFAULT_PORTS and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not (url.isascii() and url.isprintable() and " " not in url):
        raise ValueError(f"{url!r} is no URL of a metrics page, such as http://localhost:4000/metrics")
    return parts._replace(fragment="")


def _connection(url: SplitResult, endpoint: Endpoint, deadline: float) -> HTTPConnection:
    connection = HTTPSConnection if url.scheme == "https" else HTTPConnection
    opened = connection(url.hostname or "", _port(url), timeout=endpoint.connect_timeout)

    def response(sock: socket.socket, *args: Any, **options: Any) -> HTTPResponse:
        return HTTPResponse(_Timed(sock, endpoint.read_timeout, deadline), *args, **options)  # type: ignore[arg-type]

    opened.response_class = response  # type: ignore[assignment]
    return opened


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


def _ask(connection: HTTPConnection, url: SplitResult, token: str, endpoint: Endpoint) -> HTTPResponse:
    headers = {"Accept": _ACCEPT, "Accept-Encoding": "gzip", "Connection": "close", "User-Agent": "ddtrace-litellm"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.connect()
    connection.sock.settimeout(endpoint.read_timeout)
    path = url.path or "/"
    connection.request("GET", f"{path}?{url.query}" if url.query else path, headers=headers)
    return connection.getresponse()


def _asked_at(response: HTTPResponse, asked: float) -> float:
    """Return the time of the request by the answer's ``Date``, as the clocks of two machines differ."""
    try:
        answered = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (TypeError, ValueError):
        return asked
    return answered - max(0.0, time.time() - asked)


def _check(response: HTTPResponse, url: SplitResult) -> None:
    status, where = response.status, url.geturl()
    if status in {401, 403}:
        raise UnauthorizedError(f"{where} answers {status} {response.reason}")
    if status == 404:  # noqa: PLR2004
        raise FetchError(
            f'{where} answers 404: LiteLLM has its page at /metrics, and only with callbacks: ["prometheus"]'
        )
    if status != 200:  # noqa: PLR2004
        raise FetchError(f"{where} answers {status} {response.reason}")
    content_type = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if content_type not in _METRICS_TYPES:
        raise FetchError(f"{where} answers with {content_type}, which is no metrics page")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise FetchError(f"{where} answers in the encoding {encoding}, which was not asked for")


def _target(url: SplitResult, response: HTTPResponse) -> SplitResult:
    location = response.headers.get("Location", "")
    try:
        target = _split(urljoin(url.geturl(), location))
    except ValueError:
        raise FetchError(f"{url.geturl()} redirects to {location!r}, which cannot be followed") from None
    # Behind something that speaks TLS for it, LiteLLM does not know that it was asked by https and redirects to http.
    if url.scheme == "https" and target.scheme == "http" and target.hostname == url.hostname:
        port = target.port or _DEFAULT_PORTS["http"]
        if port in {_DEFAULT_PORTS["http"], _port(url)}:
            return target._replace(scheme="https", netloc=url.netloc)
    return target


def _same_host(url: SplitResult, target: SplitResult) -> bool:
    """Whether a token for the one may be sent to the other: never from https to http."""
    if target.hostname != url.hostname:
        return False
    if target.scheme == url.scheme:
        return _port(target) == _port(url)
    return target.scheme == "https" and (_port(url), _port(target)) == (80, 443)


def _port(url: SplitResult) -> int:
    return url.port or _DEFAULT_PORTS[url.scheme]


def _pieces(response: HTTPResponse, url: SplitResult, endpoint: Endpoint) -> Iterator[bytes]:
    read = _gunzip if response.headers.get("Content-Encoding", "").strip().lower() == "gzip" else iter
    size = 0
    with _in_words(url, endpoint):
        for piece in read(_body(response)):
            size += len(piece)
            if size > endpoint.largest_page:
                raise FetchError(f"{url.geturl()} has more than {endpoint.largest_page} bytes")
            yield piece
    if not size:
        raise FetchError(f"{url.geturl()} is empty: a name[] in it has to be a sample's name, with _total or _count")


def _body(response: HTTPResponse) -> Iterator[bytes]:
    # http.client itself notices an end that is too early only where the answer comes in chunks.
    expected, got = response.length, 0
    while piece := response.read(PIECE):
        got += len(piece)
        yield piece
    if expected is not None and got < expected:
        raise IncompleteRead(b"", expected - got)


def _gunzip(pieces: Iterator[bytes]) -> Iterator[bytes]:
    decompressor = zlib.decompressobj(wbits=31)
    for piece in pieces:
        pending = piece
        while pending and not decompressor.eof:
            if text := decompressor.decompress(pending, 2 * PIECE):
                yield text
            pending = decompressor.unconsumed_tail
    if not decompressor.eof:
        raise IncompleteRead(b"")


@contextmanager
def _in_words(url: SplitResult, endpoint: Endpoint) -> Iterator[None]:
    """Say what a failure of the network means."""
    where = url.geturl()
    try:
        yield
    except TimeoutError:
        raise FetchError(
            f"{where} does not answer in time ({endpoint.connect_timeout:g} s to connect, {endpoint.read_timeout:g} s"
            f" without a byte, {endpoint.total_timeout:g} s in all)"
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise FetchError(
            f"{where} has a certificate that is not trusted ({error.verify_message}): SSL_CERT_FILE names more to trust"
        ) from None
    except ssl.SSLError as error:
        raise FetchError(f"{where} does not speak TLS as it should ({error.reason or error}): is it http?") from None
    except socket.gaierror:
        raise FetchError(f"{where} cannot be reached: there is no host {url.hostname}") from None
    except IncompleteRead:
        raise FetchError(f"{where} ended in the middle of its page") from None
    except zlib.error as error:
        raise FetchError(f"{where} cannot be decompressed: {error}") from None
    except HTTPException as error:
        raise FetchError(f"{where} does not answer in HTTP: {str(error).strip()!r}") from None
    except OSError as error:
        raise FetchError(f"{where} cannot be reached: {error.strerror or error}") from None
