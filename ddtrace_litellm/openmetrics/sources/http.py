"""Metrics pages in process: where they are, and how they are asked for over urllib3."""

import logging
import re
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import SplitResult

from urllib3 import BaseHTTPResponse, HTTPHeaderDict

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.sources import page
from ddtrace_litellm.openmetrics.sources.filters import LineFilter
from ddtrace_litellm.openmetrics.text.memory import Memory
from ddtrace_litellm.transport import DIRECT, VERIFIED, FetchError, Proxies, Timeouts, Tls, request, split, where

_log = logging.getLogger("ddtrace.litellm")


_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile("[\t -~\x80-\xff]*")


def _secret(default: Any = "") -> Any:
    """Return a field that is in no ``repr``, and so in no log."""
    return field(default=default, repr=False)


@dataclass(frozen=True)
class TokenFile:
    """A file that holds the token, read for each page, as whoever puts it there may renew it.

    Attributes:
        path: of the file.
        pattern: its one group is the token; ``None``: the token is all of the file.
        header, value, placeholder: the header that is sent, and what in its value is replaced by the token.
    """

    path: str
    pattern: re.Pattern[str] | None = None
    header: str = "Authorization"
    value: str = "Bearer <TOKEN>"
    placeholder: str = "<TOKEN>"

    def read(self) -> dict[str, str]:
        """Return the header.

        Raises:
            ValueError: there is no token; the message does not say what is there instead.
        """
        try:
            token = Path(self.path).read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as error:  # of a path or a text that is none
            raise masking.SafeValueError(
                f"cannot read the token from {masking.path(self.path)}:"
                f" {masking.system_reason(error) if isinstance(error, OSError) else 'it is not UTF-8'}"
            ) from None
        if self.pattern is not None:
            match = self.pattern.search(token)
            if not match:
                raise masking.SafeValueError(
                    f"the pattern of auth_token's reader matches nothing in {masking.path(self.path)}"
                )
            token = match[1] or ""
        if not token or not token.isascii() or not token.isprintable():
            raise masking.SafeValueError(
                f"{masking.path(self.path)} holds no token: it is empty, or has characters that no token has"
            )
        return {self.header: self.value.replace(self.placeholder, token, 1)}


@dataclass(frozen=True)
class Endpoint(page.PageRequest):
    """A metrics page, and how this process asks for it.

    Attributes:
        token: the bearer token, ``""`` for none.
        connect_timeout: seconds for a connection, TLS included.
        read_timeout: seconds without a byte. LiteLLM makes the whole page first: 5 s for 112 MB.
        total_timeout: seconds for everything, as a server that sends a byte a minute never is silent for long.
        headers: beyond our own, or in their place. They and all that is secret are for this host only.
        token_file: where another header is from.
        tls: how to speak TLS.
        proxies: through what to ask.
        use_latest_spec: the page is OpenMetrics, whatever its ``Content-Type`` says.
        log_requests: log each request at the level debug.
        line_filters: lines in which one of them is found are left out.
        names: the names of samples that are asked for, where only some are wanted.

    Raises:
        ValueError: something cannot be what it has to be. The message has nothing that may be secret.
    """

    token: str = _secret()
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    total_timeout: float = 60.0
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token_file: TokenFile | None = None
    tls: Tls = VERIFIED
    proxies: Proxies = DIRECT
    use_latest_spec: bool = False
    log_requests: bool = False
    line_filters: tuple[re.Pattern[str], ...] = ()
    names: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        split(self.url)
        if not all("!" <= character <= "~" for character in self.token):
            raise masking.SafeValueError("the token has white space or other characters that no token has")
        for name, value in self.headers.items():
            if not _HEADER_NAME.fullmatch(name):
                raise masking.SafeValueError("the name of a header has characters that no such name has")
            if not _HEADER_VALUE.fullmatch(value):
                raise masking.SafeValueError(f"the header {masking.name(name)} has characters that no header has")

    @property
    def timeouts(self) -> Timeouts:
        """All three."""
        return Timeouts(self.connect_timeout, self.read_timeout, self.total_timeout)


class EndpointTransport:
    """The requests for one page of an endpoint, as ``page.Transport`` describes it, all within its total time."""

    can_hide_keys: ClassVar[bool] = True

    def __init__(self, endpoint: Endpoint) -> None:
        self.timeouts = endpoint.timeouts
        self.host = HTTPHeaderDict(endpoint.headers).get("Host", "")
        self._endpoint, self._deadline = endpoint, time.monotonic() + endpoint.total_timeout
        self._token: Mapping[str, str] = {}

    def get(self, url: SplitResult, accept: str, *, keys: bool) -> AbstractContextManager[BaseHTTPResponse]:
        """Ask, with the token as it is now."""
        endpoint = self._endpoint
        headers = HTTPHeaderDict({"Accept": accept, "Accept-Encoding": "gzip", "User-Agent": "ddtrace-litellm"})
        if keys:
            self._token = self._read_token()
            theirs = (endpoint.headers, self._token) if endpoint.token_file else (self._token, endpoint.headers)
            for each in theirs:
                headers.update(each)
        if endpoint.log_requests:
            _log.debug("sending GET request to %s", where(url))
        return request(
            "GET",
            url,
            headers,
            timeouts=self.timeouts,
            deadline=self._deadline,
            tls=endpoint.tls,
            proxies=endpoint.proxies,
        )

    def renewed(self) -> bool:
        """Whether the token's file has another one."""
        return self._read_token() != self._token

    def _read_token(self) -> dict[str, str]:
        endpoint = self._endpoint
        if endpoint.token_file is None:
            return {"Authorization": f"Bearer {endpoint.token}"} if endpoint.token else {}
        try:
            return endpoint.token_file.read()
        except ValueError as error:
            raise FetchError(f"{masking.url(endpoint.url)} is not asked for: {masking.reason(error)}") from None


class HttpSource(page.PageSource):
    """The pages of one endpoint.

    Args:
        endpoint: where they are.
        memory: what the parser remembers from page to page.
    """

    def __init__(self, endpoint: Endpoint, memory: Memory | None = None) -> None:
        super().__init__(
            endpoint,
            lambda: EndpointTransport(endpoint),
            page.LATEST if endpoint.use_latest_spec else page.PAGE,
            lines=LineFilter(endpoint.line_filters),
            names=endpoint.names,
            memory=memory,
        )
        tls = endpoint.tls
        if endpoint.url.startswith("https:") and not (tls.verify or tls.ca_cert or tls.ignore_warning):
            _log.warning("the certificate of %s is not verified, as tls_verify is false", self.name)


def fetch(endpoint: Endpoint, kind: page.Kind = page.PAGE) -> AbstractContextManager[page.Answer]:
    """Ask an endpoint, as ``page.fetch`` does."""
    return page.fetch(endpoint, EndpointTransport(endpoint), kind)
