"""Where a metrics page is, and how it is to be asked for. Nothing here opens a connection."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.sources.page import PageRequest
from ddtrace_litellm.transport import DIRECT, VERIFIED, Proxies, Timeouts, Tls, split

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
class Endpoint(PageRequest):
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
