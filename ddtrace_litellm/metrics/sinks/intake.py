"""One request to Datadog's API.

``datadog-api-client`` would do it, with 94 MB of models of everything else that Datadog has.
"""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import NamedTuple
from urllib.request import getproxies

from ddtrace_litellm.metrics.sinks.payloads import Payload
from ddtrace_litellm.transport import Proxies, Timeouts, explained, request, split, where

_CONNECT_TIMEOUT = 5.0
_LONGEST_REASON = 300


class Answer(NamedTuple):
    """What Datadog says.

    Attributes:
        status: of HTTP.
        retry_after: seconds that it wants to be left alone, 0 for none that it names.
        reason: the beginning of the body, which says what is wrong.
    """

    status: int
    retry_after: float
    reason: str


class Intake:
    """Datadog's API at an address.

    Args:
        url: without a path.
        key: the API key; in no message.
        proxies: where requests go through. ``None``: what ``https_proxy`` and ``no_proxy`` say.

    Raises:
        ValueError: the URL is none.
    """

    def __init__(self, url: str, key: str, proxies: Proxies | None = None) -> None:
        self._url, self._key = split(url).geturl().rstrip("/"), key
        self._proxies = _from_environment(getproxies()) if proxies is None else proxies

    def post(self, payload: Payload, timeout: float) -> Answer:
        """Send, and return what comes back.

        Raises:
            FetchError: nothing does within so many seconds.
        """
        headers = {"Content-Type": "application/json", "DD-API-KEY": self._key, "User-Agent": "ddtrace-litellm"}
        if payload.kind.compressed:
            headers["Content-Encoding"] = "deflate"
        url = split(self._url + payload.kind.path)
        timeouts, deadline = Timeouts(min(_CONNECT_TIMEOUT, timeout), timeout, timeout), time.monotonic() + timeout
        with (
            request(
                "POST", url, headers, payload.body, timeouts=timeouts, deadline=deadline, proxies=self._proxies
            ) as response,
            explained(where(url), timeouts),
        ):
            reason = response.read(_LONGEST_REASON).decode("utf-8", "replace")
            later = _retry_after(response.headers.get("Retry-After", ""))
            return Answer(response.status, later, reason.replace(self._key, "***"))


def _from_environment(variables: Mapping[str, str]) -> Proxies:
    """Return the proxy that every library goes through; one that cannot be used, such as SOCKS, is left out."""
    hosts = tuple(host.strip() for host in variables.get("no", "").split(",") if host.strip())
    try:
        return Proxies(https=variables.get("https", ""), no_proxy=hosts)
    except ValueError:
        return Proxies()


def _retry_after(text: str) -> float:
    """Return the seconds of the header, which has them or a date."""
    try:
        return max(0.0, float(text))
    except ValueError:
        pass
    try:
        return max(0.0, parsedate_to_datetime(text).timestamp() - time.time())
    except (TypeError, ValueError):
        return 0.0
