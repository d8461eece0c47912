"""What messages may show: texts known to hold no secret; the rest is :data:`HIDDEN`. Standard library only."""

from __future__ import annotations

import os
import re
import traceback
from typing import Any
from urllib.parse import urlsplit

HIDDEN = "***"
"""In the place of what is not shown."""

LONGEST = 200
"""Characters of what others wrote that one message shows."""

# Without a digit, and short: no key is.
_NAME = re.compile(r"(?=.{1,40}\Z)[A-Za-z]+([_-][A-Za-z]+)*")
_WORD = re.compile(r"[A-Za-z0-9_.+-]{1,12}")
_MEDIA_TYPE = re.compile(r"[a-z]{1,20}/[a-z0-9.+-]{1,60}")
_ABSOLUTE = re.compile(r"[a-z]+://[!-~]*")
# A key has no such ending, and begins otherwise.
_FILE = re.compile(r"[/~.][\w./~-]*/[\w-]+\.[a-z]{1,6}", re.ASCII)
# Not printable to Python: the spaces of other scripts, and what joins letters and emoji.
_PLAIN = frozenset("\xa0\u1680\u202f\u205f\u3000\u200c\u200d" + "".join(map(chr, range(0x2000, 0x200B))))
_SOCKET = re.compile(r"unix(gram|stream)?:///[\w./-]*", re.ASCII)


class SafeError(Exception):
    """An error whose text is ours: nothing in it may be secret, and it is not long."""


class SafeValueError(SafeError, ValueError):
    """A value that cannot be used; the text is ours."""


def reason(error: BaseException) -> str:
    """Return the text of an error if it is ours, else the name of its type."""
    return (isinstance(error, SafeError) and str(error)) or type(error).__name__


def raised_at(error: BaseException) -> str:
    """Return the lines of code that an error came through, as a traceback has them, without the error's text."""
    return "".join([*traceback.format_tb(error.__traceback__), reason(error)])


def system_reason(error: BaseException) -> str:
    """Return the system's text of a system error, else the name of the error's type."""
    if isinstance(error, TimeoutError):
        return "timed out"
    said = getattr(error, "strerror", None) if isinstance(error, OSError) else None
    return said[:LONGEST] if isinstance(said, str) and said else type(error).__name__


def strip_credentials(url: str) -> str:
    """Return scheme, host, port and path of a URL: user, password, query and fragment may authorise.

    Returns:
        ``""`` where it cannot be told for sure which part is which.
    """
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if "\\" in url:
        return ""
    behind = f"{parts.path}{parts.query}{parts.fragment}"
    if not parts.hostname:
        return parts.path if not (parts.scheme or parts.netloc or "@" in url) else ""
    # A password with a slash in it ends early what urlsplit takes for the host.
    if "@" in behind and ("@" in parts.netloc or ":" in parts.netloc or "." not in parts.hostname):
        return ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}{':' * bool(parts.scheme)}//{host}{port}{parts.path}"


def url(text: str) -> str:
    """Return a URL as messages and tags show it: without credentials, hidden if it is not complete."""
    if _SOCKET.fullmatch(text):
        return text
    shown = strip_credentials(text) if _ABSOLUTE.fullmatch(text) else ""
    return shortened(shown) or HIDDEN


def urls(text: str) -> str:
    """Return a list of URLs with commas between them as messages show it."""
    parts = text.split(",")
    # What is behind a comma and begins like no URL may be the rest of a password.
    return ",".join(map(url, parts)) if all(map(_ABSOLUTE.match, parts)) else HIDDEN


def path(text: str) -> str:
    """Return a file's path; without an ending only if it exists, because it may be the secret itself."""
    shown = text
    if _FILE.fullmatch(text):
        return shortened(text)
    while shown and not os.path.exists(os.path.expanduser(shown)):  # noqa: PTH110, PTH111 - of a text that may be none
        shown = os.path.dirname(shown) if shown != os.path.dirname(shown) else ""  # noqa: PTH120
    return shown if shown == text else f"{shown.rstrip('/')}/{HIDDEN}" if shown.strip("/") else HIDDEN


def name(text: object) -> str:
    """Return the name of an option, a label or a header if it looks like one."""
    return text if isinstance(text, str) and _NAME.fullmatch(text) else HIDDEN


def word(value: Any) -> str:
    """Return a number or a short word; hide anything longer."""
    if value is None or isinstance(value, bool | int | float):
        return repr(value)[:LONGEST]
    if isinstance(value, str) and (not value or _WORD.fullmatch(value)):
        return repr(value)
    return f"(a {type(value).__name__})"


def media_type(text: str) -> str:
    """Return a ``Content-Type`` without its parameters."""
    found = text.partition(";")[0].strip().lower()
    return found if not found or _MEDIA_TYPE.fullmatch(found) else HIDDEN


def shortened(text: str) -> str:
    """Return the beginning of what others wrote, with a mark where there is more."""
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def visible(text: str, keep: str = "") -> str:
    """Escape control characters, and those that change the direction of text.

    Args:
        text: what a program, a provider or a proxy chose.
        keep: characters that stay as they are.
    """
    return "".join(
        character if character.isprintable() or character in _PLAIN or character in keep else ascii(character)[1:-1]
        for character in text
    )
