"""Metrics pages in process: asked for over urllib3 as an endpoint says."""

import logging
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from typing import ClassVar
from urllib.parse import SplitResult

from urllib3 import BaseHTTPResponse, HTTPHeaderDict

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.sources import page
from ddtrace_litellm.openmetrics.sources.endpoint import Endpoint
from ddtrace_litellm.openmetrics.sources.filters import LineFilter
from ddtrace_litellm.openmetrics.text.memory import Memory
from ddtrace_litellm.transport import FetchError, request, where

_log = logging.getLogger("ddtrace.litellm")


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
