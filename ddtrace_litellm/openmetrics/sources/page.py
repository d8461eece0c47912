"""Read a metrics page over HTTP, in process and in the Agent's check alike.

What is decided here: which redirects are followed and what may be sent there, which answers are a page, and how much of
one is read for how long. How a request is sent is the transport's.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import KW_ONLY, dataclass
from email.utils import parsedate_to_datetime
from math import inf
from typing import NamedTuple, Protocol
from urllib.parse import SplitResult, urljoin, urlsplit

from urllib3 import BaseHTTPResponse

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.samples import Sample
from ddtrace_litellm.openmetrics.sources import Reading
from ddtrace_litellm.openmetrics.sources.filters import LineFilter, NameFilter
from ddtrace_litellm.openmetrics.text.memory import Memory
from ddtrace_litellm.openmetrics.text.parser import parse
from ddtrace_litellm.transport import (
    PIECE,
    EmptyAnswerError,
    FetchError,
    Timeouts,
    body,
    explained,
    port,
    split,
    status_text,
    where,
)

LARGEST_PAGE = 1 << 29
"""Bytes, decompressed. LiteLLM has 112 MB with 2,000 keys."""
MOST_REDIRECTS = 3

_OPENMETRICS = "application/openmetrics-text"
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_ENCODINGS = frozenset({"", "deflate", "gzip", "identity"})
_HTTP_PORT, _HTTPS_PORT = 80, 443


class StatusError(FetchError):
    """The server answers with a status that says it has no page for us."""


class UnauthorizedError(StatusError):
    """The server wants a token, or another one."""


class Kind(NamedTuple):
    """What is asked for.

    Attributes:
        name: what it is called where something else comes.
        accept: the header.
        types: the media types that will do, any where empty.
    """

    name: str
    accept: str
    types: frozenset[str] = frozenset()


# `_created` stands right behind its series in OpenMetrics, and `# EOF` tells that the page is whole.
PAGE = Kind(
    "metrics page",
    f"{_OPENMETRICS};version=1.0.0,text/plain;version=0.0.4;q=0.5",
    frozenset({"", _OPENMETRICS, "text/plain"}),
)
LATEST = Kind("metrics page", f"{_OPENMETRICS};version=1.0.0,{_OPENMETRICS};version=0.0.1")
JSON = Kind("JSON", "application/json", frozenset({"application/json"}))


@dataclass(frozen=True)
class PageRequest:
    """A page, and how it is read whoever asks for it.

    Attributes:
        url: as the user gave it, for example ``http://localhost:4000/metrics``.
        allow_redirects: LiteLLM has its page at ``/metrics/`` and redirects there.
        piece: bytes that the page is read by.
        largest_page: bytes, decompressed.
        longest_body: seconds from the answer's head to its end, beyond what the transport allows.
        key_hint: how a key is given, where the server wants one.
    """

    url: str
    _: KW_ONLY
    allow_redirects: bool = True
    piece: int = PIECE
    largest_page: int = LARGEST_PAGE
    longest_body: float = inf
    key_hint: str = ""


class Transport(Protocol):
    """What sends the requests for one page.

    Attributes:
        timeouts: that it keeps.
        host: the header ``Host`` that it sends, ``""`` where it is the URL's.
        can_hide_keys: it can leave out all headers of the user, of which only he knows which is a key: LiteLLM takes
            one in ``x-litellm-api-key`` too.
    """

    @property
    def timeouts(self) -> Timeouts: ...
    @property
    def host(self) -> str: ...
    @property
    def can_hide_keys(self) -> bool: ...

    def get(self, url: SplitResult, accept: str, *, keys: bool) -> AbstractContextManager[BaseHTTPResponse]:
        """Return an answer whose head is there, with the user's headers only where ``keys`` says so."""

    def renewed(self) -> bool:
        """Whether there is another key by now, so that a page that was refused may be asked for again."""


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
def fetch(request: PageRequest, transport: Transport, kind: Kind = PAGE, query: str = "") -> Iterator[Answer]:
    """Ask for a page, following redirects; the connection is closed in the end.

    Args:
        request: which.
        transport: through what.
        kind: what it has to be.
        query: what the URL's query has behind its own.

    Raises:
        FetchError: there is no page.
    """
    try:
        url = urlsplit(request.url)
    except ValueError:
        raise FetchError("openmetrics_endpoint is no URL") from None
    url = url._replace(query="&".join(filter(None, (url.query, query))), fragment="")
    with ExitStack() as opened:
        try:
            answer = _follow(request, transport, kind, url, opened)
        except StatusError:
            if not transport.renewed():
                raise
            answer = _follow(request, transport, kind, url, opened)
        yield answer


def _follow(request: PageRequest, transport: Transport, kind: Kind, url: SplitResult, opened: ExitStack) -> Answer:
    name, keys = masking.url(request.url), True
    for _ in range(MOST_REDIRECTS + 1):
        asked = time.time()
        response = opened.enter_context(transport.get(url, kind.accept, keys=keys))
        if response.status not in _REDIRECTS:
            _check(response, url, kind, request.key_hint)
            content_type = response.headers.get("Content-Type", "")
            return Answer(content_type, _asked_at(response, asked), _body(request, transport, response, url))
        location = response.headers.get("Location", "")
        if not request.allow_redirects:
            raise StatusError(
                f"{where(url)} answers {response.status} and redirects to {_shown(url, location)}, and allow_redirects"
                " is false"
            )
        leads_to = redirect_target(url, location, transport.host)
        if not same_server(url, leads_to):
            if not transport.can_hide_keys:
                raise FetchError(
                    f"{name} redirects to {where(leads_to)}, which is another server and is not sent what may be a"
                    " key: if the page is there, openmetrics_endpoint has to say so"
                )
            keys = False
        url = leads_to
    raise FetchError(f"{name} redirects more than {MOST_REDIRECTS} times, at last to {where(url)}")


def redirect_target(url: SplitResult, location: str, host: str = "") -> SplitResult:
    """Return where a redirect leads.

    Args:
        url: what was asked for.
        location: the header of the answer.
        host: the header ``Host`` of the request, ``""`` where it is the URL's.

    Raises:
        FetchError: it cannot be followed.
    """
    try:
        leads_to = split(urljoin(url.geturl(), location))
    except ValueError:
        raise FetchError(f"{where(url)} redirects to {_shown(url, location)}, which cannot be followed") from None
    # LiteLLM makes an absolute URL of the header, a name that need not lead back to where it was sent.
    if host and leads_to.netloc.lower() == host.lower():
        return leads_to._replace(scheme=url.scheme, netloc=url.netloc)
    # Behind something that speaks TLS for it, LiteLLM does not know that it was asked by https and redirects to http.
    forgets_tls = (url.scheme, leads_to.scheme) == ("https", "http") and leads_to.hostname == url.hostname
    if forgets_tls and port(leads_to) in {_HTTP_PORT, port(url)}:
        return leads_to._replace(scheme="https", netloc=url.netloc)
    return leads_to


def same_server(url: SplitResult, other: SplitResult) -> bool:
    """Whether what is meant for the one may be sent to the other: never from https to http."""
    if other.hostname != url.hostname:
        return False
    if other.scheme == url.scheme:
        return port(other) == port(url)
    return other.scheme == "https" and (port(url), port(other)) == (_HTTP_PORT, _HTTPS_PORT)


def _shown(url: SplitResult, location: str) -> str:
    try:
        return masking.url(urljoin(url.geturl(), location))
    except ValueError:
        return masking.HIDDEN


def _check(response: BaseHTTPResponse, url: SplitResult, kind: Kind, key_hint: str) -> None:
    status, place = response.status, where(url)
    if status in {401, 403}:
        raise UnauthorizedError(f"{place} answers {status_text(status)}{key_hint}")
    if status == 404:  # noqa: PLR2004
        raise StatusError(
            f'{place} answers 404: LiteLLM has its page at /metrics/, and only with callbacks: ["prometheus"]'
        )
    if status != 200:  # noqa: PLR2004
        raise StatusError(f"{place} answers {status_text(status)}")
    content_type = masking.media_type(response.headers.get("Content-Type", ""))
    if kind.types and content_type not in kind.types:
        raise FetchError(f"{place} answers with {content_type}, which is no {kind.name}")
    encoding = response.headers.get("Content-Encoding", "").strip().lower()
    if encoding not in _ENCODINGS:
        raise FetchError(f"{place} answers in the encoding {masking.word(encoding)}, which is not read here")


def _asked_at(response: BaseHTTPResponse, asked: float) -> float:
    """Return the time of the request by the answer's ``Date``, as the clocks of two machines differ."""
    try:
        answered = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (TypeError, ValueError):
        return asked
    return answered - max(0.0, time.time() - asked)


def _body(request: PageRequest, transport: Transport, response: BaseHTTPResponse, url: SplitResult) -> Iterator[bytes]:
    place, size, deadline = where(url), 0, time.monotonic() + request.longest_body
    with explained(place, transport.timeouts, reading=True):
        for piece in body(response, request.piece):
            size += len(piece)
            if size > request.largest_page:
                raise FetchError(f"{place} has more than {request.largest_page} bytes")
            if time.monotonic() > deadline:
                raise FetchError(f"{place} did not end within {request.longest_body:g} s")
            yield piece
    if not size:
        hint = "; a name[] in it has to be a sample's name, with _total or _count" if "name[]" in url.query else ""
        raise EmptyAnswerError(f"{place} is empty: it has no samples{hint}")


class PageSource:
    """The pages of one URL, as ``sources.Source`` describes it.

    Args:
        request: which page.
        transport: returns what one page is asked for through.
        kind: what it has to be.
        lines: which of its lines are left out.
        names: of the samples that are asked for, all where empty.
        started: since when series count from their first value on, seconds since 1970; ``None`` for the first page's.
        memory: what the parser remembers from page to page.

    Attributes:
        size: bytes of the page read last, decompressed.
    """

    inherited: tuple[Sample, ...] = ()

    def __init__(  # noqa: PLR0913
        self,
        request: PageRequest,
        transport: Callable[[], Transport],
        kind: Kind = PAGE,
        *,
        lines: LineFilter,
        names: tuple[str, ...] = (),
        started: float | None = None,
        memory: Memory | None = None,
    ) -> None:
        self.name = self.endpoint = masking.url(request.url)
        self.started, self.lines, self.size = started, lines, 0
        self._request, self._transport, self._kind = request, transport, kind
        self._memory = Memory() if memory is None else memory
        self._filter = NameFilter(names, self._samples_of)

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """Return a page, as ``sources.Source.read`` does."""
        names = self._filter.names(self.name)
        with self._fetch(names) as answer:
            yield Reading(self._filter.checked(self._parsed(answer), names), answer.asked_at)

    def _fetch(self, names: tuple[str, ...]) -> AbstractContextManager[Answer]:
        return fetch(self._request, self._transport(), self._kind, "&".join(f"name[]={name}" for name in names))

    def _parsed(self, answer: Answer) -> Iterator[Sample]:
        content_type = _OPENMETRICS if self._kind is LATEST else answer.content_type
        return parse(self.lines.kept(self._counted(answer.pieces)), content_type, self._memory)

    def _counted(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        self.size = 0
        for piece in pieces:
            self.size += len(piece)
            yield piece

    def _samples_of(self, names: tuple[str, ...]) -> list[Sample]:
        try:
            with self._fetch(names) as answer:
                return list(self._parsed(answer))
        except EmptyAnswerError:
            return []
