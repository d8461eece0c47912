"""What can go wrong with a request, said in one line."""

import socket
import ssl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPException, IncompleteRead
from urllib.parse import SplitResult

from ddtrace_litellm.openmetrics.sources import SourceError
from ddtrace_litellm.openmetrics.sources.endpoint import Endpoint

_LONGEST_URL = 200


class FetchError(SourceError):
    """A page that did not come, or not whole. The message says in one line which, why, and what may help."""


class UnreachableError(FetchError):
    """Nothing answers there: what the option ``ignore_connection_errors`` is about."""


class StatusError(FetchError):
    """The server answers with a status that says it has no page for us."""


class UnauthorizedError(StatusError):
    """The server wants a token, or another one."""


class EmptyAnswerError(FetchError):
    """The page has not a byte."""


def where(url: SplitResult) -> str:
    """Return what messages call a URL."""
    text = url.geturl()
    return text if len(text) <= _LONGEST_URL else text[:_LONGEST_URL] + "..."


@contextmanager
def in_words(url: SplitResult, endpoint: Endpoint, *, connecting: bool = False) -> Iterator[None]:
    """Say what a failure of the network means."""
    place = where(url)
    try:
        yield
    except TimeoutError:
        raise (UnreachableError if connecting else FetchError)(
            f"{place} does not answer in time ({endpoint.connect_timeout:g} s to connect, {endpoint.read_timeout:g} s"
            f" without a byte, {endpoint.total_timeout:g} s in all)"
        ) from None
    except ssl.SSLCertVerificationError as error:
        raise FetchError(
            f"{place} has a certificate that is not trusted ({error.verify_message}): SSL_CERT_FILE or tls_ca_cert"
            " names more to trust"
        ) from None
    except ssl.SSLError as error:
        reason = getattr(error, "reason", None) or error
        raise FetchError(f"{place} does not speak TLS as it should ({reason}): is it http?") from None
    except socket.gaierror:
        raise UnreachableError(f"{place} cannot be reached: there is no such host, or no such proxy") from None
    except IncompleteRead:
        raise FetchError(f"{place} ended in the middle of its page") from None
    except zlib.error as error:
        raise FetchError(f"{place} cannot be decompressed: {error}") from None
    except HTTPException as error:
        kind = UnreachableError if isinstance(error, ConnectionError) else FetchError
        raise kind(f"{place} does not answer in HTTP: {str(error).strip()!r}") from None
    except OSError as error:
        raise UnreachableError(f"{place} cannot be reached: {error.strerror or error}") from None
