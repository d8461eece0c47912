"""Every ``DD_LITELLM_*`` variable, read in one place."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass

log = logging.getLogger("ddtrace.litellm.config")

_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}


@dataclass(frozen=True, slots=True)
class CaptureConfig:
    """What of the messages goes on spans.

    Attributes:
        input: contents of the request (``DD_LITELLM_CAPTURE_INPUT``, default true).
        output: contents of the response (``DD_LITELLM_CAPTURE_OUTPUT``, default true).
        max_chars: longer contents are cut to this many characters, with a mark (``DD_LITELLM_MAX_CONTENT_CHARS``);
            ``None``: never.
    """

    input: bool = True
    output: bool = True
    max_chars: int | None = None


def capture_config(environ: Mapping[str, str]) -> CaptureConfig:
    """Read :class:`CaptureConfig` from ``environ``; a value that cannot be used is one warning, and the default."""
    return CaptureConfig(
        input=_boolean(environ, "DD_LITELLM_CAPTURE_INPUT", default=True),
        output=_boolean(environ, "DD_LITELLM_CAPTURE_OUTPUT", default=True),
        max_chars=_positive_integer(environ, "DD_LITELLM_MAX_CONTENT_CHARS"),
    )


def _boolean(environ: Mapping[str, str], variable: str, *, default: bool) -> bool:
    text = environ.get(variable, "").strip()
    value = _BOOLEANS.get(text.lower())
    if text and value is None:
        log.warning("%s=%r is not a boolean (true, false, 1 or 0); using %s", variable, text, str(default).lower())
    return default if value is None else value


def _positive_integer(environ: Mapping[str, str], variable: str) -> int | None:
    text = environ.get(variable, "").strip()
    if not text:
        return None
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        log.warning("%s=%r is not a positive integer; contents are not cut", variable, text)
        return None
    return value
