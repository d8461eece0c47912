"""Read a metrics page through the HTTP client of the Agent's checks, so that all its options mean what they mean there.

The client is what ``datadog_checks.base`` makes of ``requests``; nothing of the former is imported here.
"""

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from requests import exceptions

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.samples import Sample
from ddtrace_litellm.openmetrics.sources import Reading
from ddtrace_litellm.openmetrics.sources.endpoint import LARGEST_PAGE
from ddtrace_litellm.openmetrics.sources.failures import FetchError, UnreachableError, status_text, where
from ddtrace_litellm.openmetrics.sources.filters import without_lines
from ddtrace_litellm.openmetrics.sources.redirects import MOST_REDIRECTS, same_host, target
from ddtrace_litellm.openmetrics.text.memory import Memory
from ddtrace_litellm.openmetrics.text.parser import parse

LONGEST_ANSWER = 60.0
"""Seconds from an answer's head to its end. The client's timeout only bounds the time without a byte."""

_OPENMETRICS = "application/openmetrics-text"
_ACCEPT = f"{_OPENMETRICS};version=1.0.0,text/plain;version=0.0.4;q=0.5"
_ACCEPT_LATEST = f"{_OPENMETRICS};version=1.0.0,{_OPENMETRICS};version=0.0.1"
_METRICS_TYPES = frozenset({"", _OPENMETRICS, "text/plain"})


class AgentSource:
    """The pages of one endpoint, as ``sources.Source`` describes it.

    Args:
        http: the client, a ``RequestsWrapper``.
        url: of the page; what of it may authorise is for the client only.
        started: since when series count from their first value on, seconds since 1970; ``None`` for the first page's.
        openmetrics_only: the option ``use_latest_spec``.
        line_filters: lines in which one of them is found are left out.

    Attributes:
        size: bytes of the page read last, decompressed.
        lines_left_out: how many of its lines the filters left out.
    """

    inherited: Iterable[Sample] = ()

    def __init__(
        self,
        http: Any,
        url: str,
        *,
        started: float | None = None,
        openmetrics_only: bool = False,
        line_filters: Sequence[re.Pattern[str]] = (),
    ) -> None:
        self.name = self.endpoint = masking.url(url)
        self.started = started
        self.size = self.lines_left_out = 0
        self._http, self._url, self._line_filters, self._memory = http, url, line_filters, Memory()
        # As in the base class: the option `headers` takes this default away, and LiteLLM then answers with text 0.0.4.
        if http.options["headers"].get("Accept") == "*/*":
            http.options["headers"]["Accept"] = _ACCEPT_LATEST if openmetrics_only else _ACCEPT

    @contextmanager
    def read(self) -> Iterator[Reading]:
        """Return a page, as ``sources.Source.read`` does."""
        asked = time.time()
        with in_words(self.name, self._http):
            response = self._ask()
        with closing(response):
            self._check(response)
            pieces = self._pieces(response)
            if self._line_filters:
                self.lines_left_out = 0
                filtered = without_lines(self._counted(pieces, 1), self._line_filters)
                pieces = self._counted(filtered, -1)
            content_type = response.headers.get("Content-Type", "")
            yield Reading(parse(pieces, content_type, self._memory), _asked_at(response, asked))

    def _ask(self) -> Any:
        """Return the answer behind redirects. All headers go along, and which of them is a key only the user knows."""
        options = self._http.options
        try:
            url = urlsplit(self._url)
        except ValueError:
            raise FetchError("openmetrics_endpoint is no URL") from None
        for _ in range(MOST_REDIRECTS + 1):
            response = self._http.get(url.geturl(), stream=True, allow_redirects=False)
            if not (response.is_redirect and options["allow_redirects"]):
                return response
            response.close()
            leads_to = target(url, response.headers["Location"], options["headers"].get("Host", ""))
            if not same_host(url, leads_to):
                raise FetchError(
                    f"{self.name} redirects to {where(leads_to)}, which is another server and is not sent what may be a"
                    " key: if the page is there, openmetrics_endpoint has to say so"
                )
            url = leads_to
        raise FetchError(f"{self.name} redirects more than {MOST_REDIRECTS} times, at last to {where(url)}")

    def _check(self, response: Any) -> None:
        status, place = response.status_code, self.name
        if status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise FetchError(
                f"{place} answers {status_text(status)}: LiteLLM wants a key, as in"
                " extra_headers: {Authorization: Bearer <KEY>}"
            )
        if status == HTTPStatus.NOT_FOUND:
            raise FetchError(
                f'{place} answers 404: LiteLLM has its page at /metrics/, and only with callbacks: ["prometheus"]'
            )
        if status != HTTPStatus.OK:
            raise FetchError(f"{place} answers {status_text(status)}")
        media_type = masking.media_type(response.headers.get("Content-Type", ""))
        if media_type not in _METRICS_TYPES:
            raise FetchError(f"{place} answers with {media_type}, which is no metrics page")

    def _pieces(self, response: Any) -> Iterator[bytes]:
        deadline = time.monotonic() + LONGEST_ANSWER
        self.size = 0
        with in_words(self.name, self._http):
            for piece in response.iter_content():
                self.size += len(piece)
                if self.size > LARGEST_PAGE:
                    raise FetchError(f"{self.name} has more than {LARGEST_PAGE} bytes")
                if time.monotonic() > deadline:
                    raise FetchError(f"{self.name} did not end within {LONGEST_ANSWER:g} s")
                yield piece

    def _counted(self, pieces: Iterable[bytes], sign: int) -> Iterator[bytes]:
        for piece in pieces:
            self.lines_left_out += sign * piece.count(b"\n")
            yield piece


@contextmanager
def in_words(place: str, http: Any) -> Iterator[None]:
    """Say what a failure of the client means. Its own messages quote URLs and headers."""
    try:
        yield
    except exceptions.SSLError as error:
        raise FetchError(f"{place} cannot be reached by TLS: {_root(error)}") from None
    except exceptions.Timeout as error:
        kind = UnreachableError if isinstance(error, exceptions.ConnectionError) else FetchError
        connect, read = http.options["timeout"]
        raise kind(f"{place} does not answer in time ({connect:g} s to connect, {read:g} s without a byte)") from None
    except exceptions.ConnectionError as error:
        raise UnreachableError(f"{place} cannot be reached: {_root(error)}") from None
    except exceptions.ChunkedEncodingError:
        raise FetchError(f"{place} ended in the middle of its page") from None
    except exceptions.ContentDecodingError:
        raise FetchError(f"{place} cannot be decompressed") from None
    except exceptions.InvalidHeader:
        raise FetchError(f"{place} is not asked: a header has characters that no header has") from None
    except (exceptions.InvalidSchema, exceptions.InvalidURL, exceptions.MissingSchema):
        raise FetchError(f"{place} is not asked: that is no URL, such as http://localhost:4000/metrics/") from None
    except exceptions.RequestException as error:
        raise FetchError(f"{place}: {type(error).__name__}") from None


def _asked_at(response: Any, asked: float) -> float:
    """Return the time of the request by the answer's ``Date``, as the clocks of two machines differ."""
    try:
        answered = parsedate_to_datetime(response.headers.get("Date", "")).timestamp()
    except (TypeError, ValueError):
        return asked
    return answered - max(0.0, time.time() - asked)


def _root(error: BaseException) -> str:
    """Return what happened at the bottom: requests and urllib3 wrap failures into each other."""
    while (inner := error.__cause__ or error.__context__) is not None:
        error = inner
    verified = getattr(error, "verify_message", None)
    return verified if isinstance(verified, str) and verified else masking.system_reason(error)
