"""The variables that matter to the tracing of LiteLLM, as they are set and as they take effect."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from ddtrace_litellm import masking
from ddtrace_litellm.config import OWN, unknown_variables

DDTRACE = {
    "DD_TRACE_ENABLED": "true",
    "DD_TRACE_LITELLM_ENABLED": "true",
    "DD_PATCH_MODULES": "",
    "DD_LITELLM_SERVICE": "",
    "DD_LLMOBS_ENABLED": "false",
    "DD_LLMOBS_ML_APP": "",
    "DD_LLMOBS_AGENTLESS_ENABLED": "",
    "DD_LLMOBS_SAMPLE_RATE": "1.0",
    "DD_LLMOBS_INSTRUMENTED_PROXY_URLS": "",
    "DD_LLMOBS_OVERRIDE_ORIGIN": "",
    "DD_APM_TRACING_ENABLED": "true",
    "DD_API_KEY": "",
    "DD_SITE": "datadoghq.com",
    "DD_SERVICE": "",
    "DD_ENV": "",
    "DD_VERSION": "",
    "DD_TRACE_AGENT_URL": "",
    "DD_AGENT_HOST": "localhost",
    "DD_TRACE_AGENT_PORT": "8126",
    "DD_TRACE_DEBUG": "false",
}
"""ddtrace's, with their defaults in 4.8 to 4.16."""

# By what a variable is for, what its value has to be to be shown.
_SECRETS = frozenset({"DD_API_KEY", "DD_LITELLM_HASH_KEY", "DD_LITELLM_OPENMETRICS_TOKEN"})
_URLS = frozenset(
    {
        "DD_LITELLM_OPENMETRICS_ENDPOINT",
        "DD_LLMOBS_INSTRUMENTED_PROXY_URLS",
        "DD_LLMOBS_OVERRIDE_ORIGIN",
        "DD_TRACE_AGENT_URL",
    }
)
_PATHS = frozenset({"DD_LITELLM_OPENMETRICS_CONFIG", "DD_LITELLM_OPENMETRICS_TOKEN_FILE"})
_TEXTS = frozenset(
    {
        "DD_AGENT_HOST",
        "DD_ENV",
        "DD_LITELLM_SERVICE",
        "DD_LLMOBS_ML_APP",
        "DD_PATCH_MODULES",
        "DD_SERVICE",
        "DD_SITE",
        "DD_VERSION",
    }
)
_TEXT = re.compile(r"(?!.*://)[\w .,:/\[\]-]{1,100}")
_WORD = re.compile(r"[A-Za-z0-9.+-]{1,12}")
_LONGEST_UNSPOKEN = 7
_LIKE_URL = re.compile(r"[^\s'\"<>(),;]*(?:://|@)[^\s'\"<>(),;]*")


class Variable(NamedTuple):
    """One variable.

    Attributes:
        name: its name.
        value: what it is set to, as :func:`masked` shows it; ``None`` where it is not set.
        effective: what holds: that, or the default where it is not set or cannot be used; ``""`` where there is none.
    """

    name: str
    value: str | None
    effective: str


def read(environ: Mapping[str, str], unusable: Collection[str] = ()) -> list[Variable]:
    """Return every variable of :data:`DDTRACE` and ``OWN``, and what has our prefix besides.

    Args:
        environ: the variables.
        unusable: those whose values cannot be used.
    """
    found = []
    for name, default in {**DDTRACE, **OWN}.items():
        value = masked(name, environ[name]) if name in environ else None
        found.append(Variable(name, value, (value if name not in unusable else "") or default))
    return [*found, *(Variable(name, masking.HIDDEN, "") for name in unknown_variables(environ))]


def masked(name: str, value: str) -> str:
    """Return a value as it may be shown: whole only if its variable is known to hold no secret."""
    if name in _URLS:
        return value and masking.urls(value)
    if name in _PATHS:
        return value and masking.path(value)
    known = _TEXT if name in _TEXTS else _WORD if name in OWN or name in DDTRACE else None
    if not value or (known and name not in _SECRETS and known.fullmatch(value)):
        return value
    return f"{masking.HIDDEN} ({len(value)} characters)"


def scrubbed(text: str, environ: Mapping[str, str]) -> str:
    """Return a text without the values of variables that are not shown, and with URLs without credentials."""
    for name, value in sorted(environ.items(), key=lambda item: -len(item[1])):
        if (
            len(value) > _LONGEST_UNSPOKEN
            and value in text
            and masked(name, value) != value
            and not Path(value).exists()
        ):
            text = text.replace(value, masking.HIDDEN)
    return _LIKE_URL.sub(lambda found: masking.url(found[0]), text)


def switched_off_by(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the settings of ddtrace that switch the tracing of LiteLLM off, as they are written."""
    for name in ("DD_TRACE_ENABLED", "DD_TRACE_LITELLM_ENABLED"):
        value = environ.get(name, "")
        if value and value.strip().lower() not in ("true", "1"):
            yield f"{name}={masked(name, value)}"
    for part in re.split(r"[ ,]+", environ.get("DD_PATCH_MODULES", "")):
        module, _, value = part.partition(":")
        if module == "litellm" and value.strip().lower() not in ("true", "1"):
            yield f"DD_PATCH_MODULES={masked('DD_PATCH_MODULES', part)}"
