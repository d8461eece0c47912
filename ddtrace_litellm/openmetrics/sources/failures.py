"""What can go wrong with a request, said in one line."""

import re
import socket
import ssl
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPException, IncompleteRead, RemoteDisconnected
from urllib.parse import SplitResult

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.sources import SourceError
from ddtrace_litellm.openmetrics.sources.endpoint import Endpoint

_TUNNEL = re.compile(r"Tunnel connection failed: (\d{3})\b")


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
    return masking.url(url.geturl())


def status_text(status: int) -> str:
    """Return an answer's status with the standard's word for it; the server's own may be anything, of any length."""
    try:
        return f"{status} {HTTPStatus(status).phrase}"
    except ValueError:
        return str(status)


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
        reason = getattr(error, "reason", None) or masking.system_reason(error)
        raise FetchError(f"{place} does not speak TLS as it should ({reason}): is it http?") from None
    except socket.gaierror:
        raise UnreachableError(f"{place} cannot be reached: there is no such host, or no such proxy") from None
    except IncompleteRead:
        raise FetchError(f"{place} ended in the middle of its page") from None
    except zlib.error:
        raise FetchError(f"{place} cannot be decompressed") from None
    except HTTPException as error:
        if isinstance(error, RemoteDisconnected):
            raise UnreachableError(f"{place} closes the connection without response") from None
        # The error's own text is what came, which may be an echo of what was sent.
        raise FetchError(f"{place} does not answer in HTTP ({type(error).__name__})") from None
    except OSError as error:
        tunnel = _TUNNEL.match(str(error))
        reason = f"the proxy answers {status_text(int(tunnel[1]))}" if tunnel else masking.system_reason(error)
        raise UnreachableError(f"{place} cannot be reached: {reason}") from None
