"""Where a redirect leads, and what may be sent there. LiteLLM redirects from ``/metrics`` to ``/metrics/``."""

from urllib.parse import SplitResult, urljoin

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.sources.endpoint import port, split
from ddtrace_litellm.openmetrics.sources.failures import FetchError, where

MOST_REDIRECTS = 3

_HTTP_PORT, _HTTPS_PORT = 80, 443


def target(url: SplitResult, location: str, host: str = "") -> SplitResult:
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
        raise FetchError(f"{where(url)} redirects to {shown(url, location)}, which cannot be followed") from None
    # LiteLLM makes an absolute URL of the header, a name that need not lead back to where it was sent.
    if host and leads_to.netloc.lower() == host.lower():
        return leads_to._replace(scheme=url.scheme, netloc=url.netloc)
    # Behind something that speaks TLS for it, LiteLLM does not know that it was asked by https and redirects to http.
    forgets_tls = (url.scheme, leads_to.scheme) == ("https", "http") and leads_to.hostname == url.hostname
    if forgets_tls and port(leads_to) in {_HTTP_PORT, port(url)}:
        return leads_to._replace(scheme="https", netloc=url.netloc)
    return leads_to


def shown(url: SplitResult, location: str) -> str:
    """Return what messages call the place that a redirect leads to."""
    try:
        return masking.url(urljoin(url.geturl(), location))
    except ValueError:
        return masking.HIDDEN


def same_host(url: SplitResult, other: SplitResult) -> bool:
    """Whether what is meant for the one may be sent to the other: never from https to http."""
    if other.hostname != url.hostname:
        return False
    if other.scheme == url.scheme:
        return port(other) == port(url)
    return other.scheme == "https" and (port(url), port(other)) == (_HTTP_PORT, _HTTPS_PORT)
