"""Metrics pages over HTTP.

With ``http.client``, which ddtrace does not trace: a span for every scrape is not what users pay for.
"""

import logging
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from email.utils import parsedate_to_datetime
from http.client import HTTPResponse
from typing import NamedTuple
from urllib.parse import SplitResult

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.samples import Sample
from ddtrace_litellm.openmetrics.sources import Reading
from ddtrace_litellm.openmetrics.sources import connection as connections
from ddtrace_litellm.openmetrics.sources.body import body
from ddtrace_litellm.openmetrics.sources.endpoint import Endpoint, split
from ddtrace_litellm.openmetrics.sources.failures import (
    EmptyAnswerError,
    FetchError,
    StatusError,
    UnauthorizedError,
    in_words,
    status_text,
    where,
)
from ddtrace_litellm.openmetrics.sources.filters import NameFilter, without_lines
from ddtrace_litellm.openmetrics.sources.redirects import MOST_REDIRECTS, same_host, shown, target
from ddtrace_litellm.openmetrics.text.memory import Memory
from ddtrace_litellm.openmetrics.text.parser import parse

_log = logging.getLogger("ddtrace.litellm")

_OPENMETRICS = "application/openmetrics-text"


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

_REDIRECTS = frozenset({301, 302, 303, 307, 308})


class HttpSource:
    """The pages of one endpoint, as ``sources.Source`` describes it.

    Args:
        endpoint: where they are.
        memory: what the parser remembers from page to page.
    """

    started = None
    inherited: tuple[Sample, ...] = ()

    def __init__(self, endpoint: Endpoint, memory: Memory | None = None) -> None:
        self.name = self.endpoint = masking.url(endpoint.url)
        self._endpoint = endpoint
        self._kind = LATEST if endpoint.use_latest_spec else PAGE
        self._memory = Memory() if memory is None else memory
        self._filter = NameFilter(endpoint.names, self._samples_of)
        tls = endpoint.tls
        if endpoint.url.startswith("https:") and not (tls.verify or tls.ca_cert or tls.ignore_warning):
            _log.warning("the certificate of %s is not verified, as tls_verify is false", self.name)

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """Return a page, as ``sources.Source.read`` does."""
        names = self._filter.names(self.name)
        with fetch(self._endpoint, self._kind, names) as answer:
            yield Reading(self._filter.checked(self._parsed(answer), names), answer.asked_at)

    def _parsed(self, answer: "Answer") -> Iterator[Sample]:
        pieces, content_type = answer.pieces, answer.content_type
        if self._endpoint.line_filters:
            pieces = without_lines(pieces, self._endpoint.line_filters)
        if self._kind is LATEST:
            content_type = _OPENMETRICS
        return parse(pieces, content_type, self._memory)

    def _samples_of(self, names: tuple[str, ...]) -> list[Sample]:
        try:
            with fetch(self._endpoint, self._kind, names) as answer:
                return list(self._parsed(answer))
        except EmptyAnswerError:
            return []


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


class _Asked(NamedTuple):
    """An answer's head, where it came from, and when it was asked for on our clock."""

    response: HTTPResponse
    url: SplitResult
    at: float


@contextmanager
def fetch(endpoint: Endpoint, kind: Kind = PAGE, names: tuple[str, ...] = ()) -> Iterator[Answer]:
    """Ask for a page, following redirects; the connection is closed in the end.

    Args:
        endpoint: where it is.
        kind: what it has to be.
        names: of the samples that are asked for, all where empty.

    Raises:
        FetchError: there is no page.
    """
    request = _Request(endpoint, kind, time.monotonic() + endpoint.total_timeout)
    url = split(endpoint.url)
    if names:
        url = url._replace(query="&".join(filter(None, (url.query, *(f"name[]={name}" for name in names)))))
    with ExitStack() as opened:
        asked = _ask_authorized(request, url, opened)
        content_type = asked.response.headers.get("Content-Type", "")
        yield Answer(content_type, _asked_at(*asked), body(*asked[:2], endpoint))


class _Request(NamedTuple):
    """What is the same for all that is sent to get one page. ``deadline``: on the monotonic clock."""

    endpoint: Endpoint
    kind: Kind
    deadline: float


def _ask_authorized(request: _Request, url: SplitResult, opened: ExitStack) -> _Asked:
    """Ask with the token of the file as it is; once more if it was renewed meanwhile."""
    token = _token(request.endpoint)
    try:
        return _follow(request, url, token, opened)
    except StatusError:
        renewed = _token(request.endpoint)
        if renewed == token:
            raise
    return _follow(request, url, renewed, opened)


def _token(endpoint: Endpoint) -> dict[str, str]:
    if endpoint.token_file is None:
        return {"Authorization": f"Bearer {endpoint.token}"} if endpoint.token else {}
    try:
        return endpoint.token_file.read()
    except ValueError as error:
        raise FetchError(f"{masking.url(endpoint.url)} is not asked for: {masking.reason(error)}") from None


def _follow(request: _Request, url: SplitResult, token: Mapping[str, str], opened: ExitStack) -> _Asked:
    endpoint = request.endpoint
    headers = _over(token, endpoint.headers) if endpoint.token_file is None else _over(endpoint.headers, token)
    for _ in range(MOST_REDIRECTS + 1):
        asked = _ask(request, url, headers, opened)
        if asked.response.status not in _REDIRECTS:
            _check(asked.response, url, request.kind)
            return asked
        location = asked.response.headers.get("Location", "")
        if not endpoint.allow_redirects:
            raise StatusError(f"{where(url)} redirects to {shown(url, location)}, and allow_redirects is false")
        leads_to = target(url, location, headers.get("Host", ""))
        if not same_host(url, leads_to):
            # Which of them is a key only the user knows: LiteLLM takes one in `x-litellm-api-key` too.
            headers = {}
        url = leads_to
    raise FetchError(f"{masking.url(endpoint.url)} redirects more than {MOST_REDIRECTS} times, at last to {where(url)}")


def _ask(request: _Request, url: SplitResult, headers: Mapping[str, str], opened: ExitStack) -> _Asked:
    endpoint = request.endpoint
    connection, path, for_proxy = connections.request(url, endpoint, request.deadline)
    opened.callback(connection.close)
    if endpoint.log_requests:
        _log.debug("sending GET request to %s", where(url))
    ours = {
        "Accept": request.kind.accept,
        "Accept-Encoding": "gzip",
        "Connection": "close",
        "User-Agent": "ddtrace-litellm",
    }
    asked_at = time.time()
    with in_words(url, endpoint, connecting=True):
        connection.connect()
    with in_words(url, endpoint):
        connection.sock.settimeout(endpoint.read_timeout)
        connection.request("GET", path, headers=_over(_over(ours, headers), for_proxy))
        response = connection.getresponse()
    opened.callback(response.close)
    return _Asked(response, url, asked_at)


def _over(headers: Mapping[str, str], others: Mapping[str, str]) -> dict[str, str]:
    """Return headers with others in their place, whose names are in title case, as one name may be written two ways."""
    return {name.title(): value for each in (headers, others) for name, value in each.items()}


def _asked_at(response: HTTPResponse, _url: SplitResult, asked: float) -> float:
    """Return the time of the request by the answer's ``Date``, as the clocks of two machines differ."""
    try:
        answered = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (TypeError, ValueError):
        return asked
    return answered - max(0.0, time.time() - asked)


def _check(response: HTTPResponse, url: SplitResult, kind: Kind) -> None:
    status, place = response.status, where(url)
    if status in {401, 403}:
        raise UnauthorizedError(f"{place} answers {status_text(status)}")
    if status == 404:  # noqa: PLR2004
        raise StatusError(
            f'{place} answers 404: LiteLLM has its page at /metrics, and only with callbacks: ["prometheus"]'
        )
    if status != 200:  # noqa: PLR2004
        raise StatusError(f"{place} answers {status_text(status)}")
    content_type = masking.media_type(response.headers.get("Content-Type", ""))
    if kind.types and content_type not in kind.types:
        raise FetchError(f"{place} answers with {content_type}, which is no {kind.name}")
    encoding = response.headers.get("Content-Encoding", "identity").strip().lower()
    if encoding not in {"identity", "gzip"}:
        raise FetchError(f"{place} answers in the encoding {masking.word(encoding)}, which is not read here")
