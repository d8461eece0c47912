"""Metrics pages in the Agent's check: its HTTP client asks, so that all its options mean what they mean there.

The client is what ``datadog_checks.base`` makes of ``requests``; nothing of the former is imported here.
"""

import re
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any, ClassVar
from urllib.parse import SplitResult

from requests import exceptions
from urllib3 import BaseHTTPResponse

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.sources import page
from ddtrace_litellm.openmetrics.sources.filters import LineFilter
from ddtrace_litellm.transport import FetchError, Timeouts, explained

LONGEST_BODY = 60.0
"""Seconds from an answer's head to its end. The client's timeout only bounds the time without a byte."""

_KEY_HINT = ": LiteLLM wants a key, as in extra_headers: {Authorization: Bearer <KEY>}"


class AgentTransport:
    """A ``RequestsWrapper``, as ``page.Transport`` describes it. It sends all headers, and renews a key by itself."""

    can_hide_keys: ClassVar[bool] = False

    def __init__(self, http: Any) -> None:
        self.http = http
        self.host = http.options["headers"].get("Host", "")
        self.timeouts = _timeouts(http)

    @contextmanager
    def get(self, url: SplitResult, _accept: str = "", *, keys: bool = True) -> Iterator[BaseHTTPResponse]:
        """Ask, with the headers of the client, ``Accept`` too."""
        assert keys
        with asking(masking.url(url.geturl()), self.http):
            response = self.http.get(url.geturl(), stream=True, allow_redirects=False)
        with closing(response):
            yield response.raw

    def renewed(self) -> bool:
        """Never more than by itself."""
        return False


class AgentSource(page.PageSource):
    """The pages of one endpoint.

    Args:
        http: the client, a ``RequestsWrapper``.
        url: of the page; what of it may authorise is for the client only.
        started: since when series count from their first value on, seconds since 1970; ``None`` for the first page's.
        openmetrics_only: the option ``use_latest_spec``.
        line_filters: lines in which one of them is found are left out.
    """

    def __init__(
        self,
        http: Any,
        url: str,
        *,
        started: float | None = None,
        openmetrics_only: bool = False,
        line_filters: Sequence[re.Pattern[str]] = (),
    ) -> None:
        super().__init__(
            page.PageRequest(
                url,
                allow_redirects=http.options["allow_redirects"],
                piece=http.request_size,
                largest_page=page.LARGEST_PAGE,
                longest_body=LONGEST_BODY,
                key_hint=_KEY_HINT,
            ),
            lambda: AgentTransport(http),
            lines=LineFilter(line_filters),
            started=started,
        )
        # As in the base class: the option `headers` takes this default away, and LiteLLM then answers with text 0.0.4.
        if http.options["headers"].get("Accept") == "*/*":
            http.options["headers"]["Accept"] = (page.LATEST if openmetrics_only else page.PAGE).accept


@contextmanager
def asking(place: str, http: Any) -> Iterator[None]:
    """Say what a failure of the client means."""
    with explained(place, _timeouts(http)):
        try:
            yield
        except exceptions.InvalidHeader:
            raise FetchError(f"{place} is not asked: a header has characters that no header has") from None
        except (exceptions.InvalidSchema, exceptions.InvalidURL, exceptions.MissingSchema):
            raise FetchError(f"{place} is not asked: that is no URL, such as http://localhost:4000/metrics/") from None


def _timeouts(http: Any) -> Timeouts:
    connect, read = http.options["timeout"]
    return Timeouts(connect, read, None)
