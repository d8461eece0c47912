"""Where a metrics page is, and how it is to be asked for. Nothing here opens a connection."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import SplitResult, urlsplit

from ddtrace_litellm import masking

PIECE = 1 << 17
"""Bytes that a page is read by; what they were compressed from comes in pieces of twice that at most."""
LARGEST_PAGE = 1 << 29
"""Bytes, decompressed. LiteLLM has 112 MB with 2,000 keys."""

_DEFAULT_PORTS = {"http": 80, "https": 443}
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_HEADER_VALUE = re.compile("[\t -~\x80-\xff]*")


def _secret(default: Any = "") -> Any:
    """Return a field that is in no ``repr``, and so in no log."""
    return field(default=default, repr=False)


@dataclass(frozen=True)
class Tls:
    """The options that begin with ``tls_``; paths may begin with ``~``.

    Attributes:
        verify: whether the server needs a certificate that is trusted.
        ca_cert: a file or a directory of certificates that are trusted, ``""`` for those of the system.
        cert, private_key, private_key_password: who we are; the key may be in the certificate's file.
        ciphers: as OpenSSL writes a list of them, ``""`` for Python's.
        validate_hostname: whether the certificate has to be of the URL's host.
        ignore_warning: say nothing about a certificate that is not verified.
    """

    verify: bool = True
    ca_cert: str = ""
    cert: str = ""
    private_key: str = ""
    private_key_password: str = _secret()
    ciphers: str = ""
    validate_hostname: bool = True
    ignore_warning: bool = False


@dataclass(frozen=True)
class Proxies:
    """Through what the page is asked for. What the environment says is left to the application, whose proxy that is.

    Attributes:
        http, https: the URL of the proxy for pages of this scheme, ``""`` for none. It may hold a user and a password.
        no_proxy: hosts that are asked without: names, which have those below them too, addresses, networks, ``*``.
    """

    http: str = _secret()
    https: str = _secret()
    no_proxy: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        for scheme in _DEFAULT_PORTS:
            self.proxy_for(scheme)

    def proxy_for(self, scheme: str) -> SplitResult | None:
        """Return the proxy for pages of a scheme.

        Raises:
            ValueError: it is none that can be used; the message does not repeat it.
        """
        url = self.https if scheme == "https" else self.http
        try:
            parts = urlsplit(url if "://" in url or not url else f"http://{url}")
            fits = not url or (parts.scheme == "http" and parts.hostname and parts.port != 0)
        except ValueError:
            fits = False
        if not fits:
            raise masking.SafeValueError(
                f"the proxy for {scheme} is no URL of an HTTP proxy, such as http://proxy:3128"
            )
        return parts if url else None


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
class Endpoint:
    """A metrics page.

    Attributes:
        url: as the user gave it, for example ``http://localhost:4000/metrics``.
        token: the bearer token, ``""`` for none.
        connect_timeout: seconds for a connection, TLS included.
        read_timeout: seconds without a byte. LiteLLM makes the whole page first: 5 s for 112 MB.
        total_timeout: seconds for everything, as a server that sends a byte a minute never is silent for long.
        largest_page: bytes, decompressed.
        headers: beyond our own, or in their place. They and all that is secret are for this host only.
        token_file: where another header is from.
        tls: how to speak TLS.
        proxies: through what to ask.
        allow_redirects: LiteLLM has its page at ``/metrics/`` and redirects there.
        piece: bytes that the page is read by.
        use_latest_spec: the page is OpenMetrics, whatever its ``Content-Type`` says.
        log_requests: log each request at the level debug.
        line_filters: lines in which one of them is found are left out.
        names: the names of samples that are asked for, where only some are wanted.

    Raises:
        ValueError: something cannot be what it has to be. The message has nothing that may be secret.
    """

    url: str
    token: str = _secret()
    connect_timeout: float = 5.0
    read_timeout: float = 30.0
    total_timeout: float = 60.0
    largest_page: int = LARGEST_PAGE
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    token_file: TokenFile | None = None
    tls: Tls = Tls()
    proxies: Proxies = Proxies()
    allow_redirects: bool = True
    piece: int = PIECE
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


def split(url: str) -> SplitResult:
    """Return the parts of a page's URL.

    Raises:
        ValueError: it is none; the message does not repeat it.
    """
    if "@" in url:  # wherever: a password may hold a slash
        raise masking.SafeValueError(
            "the URL of the metrics page holds a user or a password, which belong into the configuration; any other @"
            " is written %40"
        )
    try:
        parts = urlsplit(url)
        fits = parts.scheme in _DEFAULT_PORTS and parts.hostname and parts.port != 0
    except ValueError:
        fits = False
    if not fits or not (url.isascii() and url.isprintable() and " " not in url and "\\" not in url):
        raise masking.SafeValueError("that is no URL of a metrics page, such as http://localhost:4000/metrics")
    return parts._replace(fragment="")


def port(url: SplitResult) -> int:
    """Return the port, which the URL need not have."""
    return url.port or _DEFAULT_PORTS[url.scheme]
