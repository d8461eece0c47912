"""Secrets in texts that others wrote: those that a call is known to have, and what looks like one.

A provider's error quotes the key that it refused, a client's the URL that it asked. No allow-list can say what may be
in such a text, so that here secrets are looked for, and hidden.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any
from urllib.parse import quote, unquote

from ddtrace_litellm.extract.plain import MAX_TAG_CHARS, cut, mended
from ddtrace_litellm.masking import HIDDEN, strip_credentials

LONGEST = MAX_TAG_CHARS
"""Characters kept of one text."""

_LONGEST_SECRET = 4_096
_SHORTEST_SECRET = 6
"""A shorter one is a word of many texts."""

_NAME = re.compile(r"key|token|secret|passw|credential|auth|cookie|signature", re.IGNORECASE)
_KEY_OF_PROCESS = ("key", "token", "secret", "password", "credentials")
_DEPLOYMENTS = frozenset({"model_list", "fallbacks", "context_window_fallbacks", "content_policy_fallbacks"})
"""Lists that hold arguments of calls; any other list holds contents."""
_DEPTH, _WIDTH = 5, 200

_URL = re.compile(r"://[^\s\"'<>`]+")
_PUNCTUATION = ".,;:!?)]}\\"
_USER_AND_PASSWORD = re.compile(r"(?<![\w.%+-])[\w.%+-]{1,64}:[^\s/:@\"']{1,128}@(?=\w)")
_NAMED = re.compile(
    r"""(?<![a-z0-9])(
      (?:(?:api|access|secret|private|auth|virtual|master|account|security|session|refresh|subscription|id)[-_ ]?
         (?:key|token)
        |secret|password|passwd|pwd|credentials?|authorization|signature|sig|cookie)
      (?:\ provided|\ passed\ in)?["']?\s{0,5}[:=]\s{0,5}b?["']?(?:(?:bearer|basic)\s{1,5})?
     |(?:key|token)=b?["']?
    )[^\s"',;&)}\]]{4,}""",
    re.IGNORECASE | re.VERBOSE,
)
_SCHEME = re.compile(r"\b(bearer|basic)\s{1,5}[\w.~+/=:*-]{6,}", re.IGNORECASE)
_SHAPE = re.compile(
    r"""(?<![A-Za-z0-9])(?:
      (?:sk|pk|rk|csk|xai|pplx|nvapi|glpat|xox[abeprs]|tvly|sess)[-_][\w*.-]{6,}
     |(?:gsk|hf|r8|gh[oprsu]|github_pat|jina|fw|lsv2|tgp|dop_v1)_\w{16,}
     |AIza[\w-]{20,}|(?:AKIA|ASIA)[A-Z0-9]{12,}|dapi[0-9a-f]{32}|ya29\.[\w.-]{10,}|eyJ[\w.-]{20,}
    )""",
    re.VERBOSE,
)
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,30}KEY-----[\w+/=\s\\-]*")
# What a line with any of the above has in it: most lines of a traceback have nothing.
_MARK = re.compile(
    r"://|@|key|token|secret|passw|pwd|credential|authorization|sig|cookie|bearer|basic|[spr]k[-_]|xai|pplx|nvapi|glpat|xox"
    r"|tvly|sess|gsk|hf_|r8_|gh[oprsu]_|github|jina|fw_|lsv2|tgp|dop_|aiza|akia|asia|dapi|ya29|eyj"
)


def mask(text: str, known: Iterable[str] = ()) -> str:
    """Return ``text`` without secrets, as UTF-8 can hold it, and no more than :data:`LONGEST` characters of it.

    Args:
        text: what others wrote; its length is theirs to choose.
        known: secrets that are hidden wherever they are, whatever they look like.
    """
    shown = mended(text[: LONGEST + _LONGEST_SECRET])
    for secret in sorted(known, key=len, reverse=True):
        shown = shown.replace(secret, HIDDEN)
    shown = "\n".join(map(_masked, _PRIVATE_KEY.sub(HIDDEN, shown).split("\n")))
    if len(text) <= LONGEST:
        return shown
    if len(text) > LONGEST + _LONGEST_SECRET:
        shown = shown[:-_LONGEST_SECRET]  # where a secret may be cut, and not be known by its beginning
    return cut(shown, LONGEST, len(text))


def _masked(line: str) -> str:
    if _MARK.search(line.lower()) is None:
        return line
    line = _URL.sub(_without_credentials, line)
    line = _USER_AND_PASSWORD.sub(f"{HIDDEN}@", line)
    line = _NAMED.sub(rf"\1{HIDDEN}", line)
    return _SHAPE.sub(HIDDEN, _SCHEME.sub(rf"\1 {HIDDEN}", line))


def _without_credentials(match: re.Match[str]) -> str:
    """Return a URL's part behind the scheme as far as it is known to hold no secret."""
    url = match[0].rstrip(_PUNCTUATION)
    shown = strip_credentials(f"s{url}").removeprefix("s") or f"://{HIDDEN}"
    query = f"?{HIDDEN}" if "?" in url and HIDDEN not in shown else ""
    return f"{shown}{query}{match[0][len(url) :]}"


def of_call(arguments: Mapping[str, Any]) -> set[str]:
    """Return the secrets in a call's arguments, and in deployments there: keys, headers, parts of URLs."""
    found: set[str] = set()
    owners: Iterable[Mapping[str, Any]] = [arguments]
    for _ in range(_DEPTH):
        owners = list(islice((inner for owner in owners for inner in _look_into(owner, found)), _WIDTH))
    return found


def of_process(settings: Mapping[str, Any]) -> set[str]:
    """Return the secrets where LiteLLM finds the keys that a call does not name.

    Args:
        settings: LiteLLM's own, beside the environment.
    """
    found: set[str] = set()
    for name, value in (*os.environ.items(), *settings.items()):
        if isinstance(value, str) and name.lower().endswith(_KEY_OF_PROCESS):
            found.update(_forms(value))
    return found


def _look_into(owner: Mapping[str, Any], found: set[str]) -> Iterator[Mapping[str, Any]]:
    for name, value in islice(owner.items(), _WIDTH):
        if isinstance(value, str):
            if len(value) > _LONGEST_SECRET:
                continue
            if "://" in value:
                found.update(_secrets_of_url(value))
            elif isinstance(name, str) and _NAME.search(name) and not name.startswith("user_api_key_"):
                found.update(_forms(value))
        elif isinstance(value, Mapping):
            yield value
        elif name in _DEPLOYMENTS and isinstance(value, list):
            yield from (item for item in islice(value, _WIDTH) if isinstance(item, Mapping))


def _secrets_of_url(url: str) -> Iterator[str]:
    rest = url.partition("://")[2]
    user_and_password, _, _ = rest.rpartition("@")
    pairs = rest.partition("?")[2].partition("#")[0].split("&")
    for part in (user_and_password, user_and_password.partition(":")[2], *(pair.partition("=")[2] for pair in pairs)):
        yield from _forms(part)


def _forms(secret: str) -> Iterator[str]:
    """Yield a secret as texts may have it: without the name of its scheme, and as a part of a URL."""
    for form in {secret.strip(), secret.strip().rpartition(" ")[2], quote(secret, safe=""), unquote(secret)}:
        if len(form) >= _SHORTEST_SECRET:
            yield form
