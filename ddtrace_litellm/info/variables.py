"""The variables that matter to the tracing of LiteLLM, as they are set and as they take effect."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from difflib import get_close_matches
from typing import NamedTuple
from urllib.parse import urlsplit

from ddtrace_litellm.masking import strip_credentials

OWN = {
    "DD_LITELLM_TAKEOVER": "true",
    "DD_LITELLM_CAPTURE_INPUT": "true",
    "DD_LITELLM_CAPTURE_OUTPUT": "true",
    "DD_LITELLM_MAX_CONTENT_CHARS": "",
    "DD_LITELLM_HEALTH_METRICS_ENABLED": "false",
    "DD_LITELLM_OPENMETRICS_ENABLED": "false",
    "DD_LITELLM_OPENMETRICS_ENDPOINT": "",
    "DD_LITELLM_OPENMETRICS_TOKEN": "",
    "DD_LITELLM_OPENMETRICS_TOKEN_FILE": "",
    "DD_LITELLM_OPENMETRICS_INTERVAL": "15",
    "DD_LITELLM_OPENMETRICS_CONFIG": "",
    "DD_LITELLM_OPENMETRICS_AGENTLESS": "",
}
"""This package's, with their defaults."""

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

_SECRET = re.compile(r"KEY|TOKEN$|SECRET|PASSWORD")


class Variable(NamedTuple):
    """One variable.

    Attributes:
        name: its name.
        value: what it is set to, secrets masked; ``None`` where it is not set.
        effective: what holds: that, or the default where it is not set or cannot be used; ``""`` where there is none.
    """

    name: str
    value: str | None
    effective: str


def read(environ: Mapping[str, str], unusable: Collection[str] = ()) -> list[Variable]:
    """Return every variable of :data:`DDTRACE` and :data:`OWN`, and what has our prefix besides.

    Args:
        environ: the variables.
        unusable: those whose values cannot be used.
    """
    names = {**DDTRACE, **OWN, **dict.fromkeys(sorted(unknown(environ)), "")}
    found = []
    for name, default in names.items():
        value = masked(name, environ[name]) if name in environ else None
        found.append(Variable(name, value, (value if name not in unusable else "") or default))
    return found


def unknown(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that have our prefix and are none of ours, each with the one that may be meant or ``""``."""
    names = {name for name in environ if name.startswith("DD_LITELLM_")} - OWN.keys() - DDTRACE.keys()
    return {name: next(iter(get_close_matches(name, OWN, 1)), "") for name in names}


def masked(name: str, value: str) -> str:
    """Return a value as it may be shown: no secret, and no credentials of a URL."""
    if value and _SECRET.search(name):
        return f"*** ({len(value)} characters)"
    return ",".join(_without_credentials(part) for part in value.split(",")) if "://" in value else value


def _without_credentials(url: str) -> str:
    try:
        authorises = "@" in urlsplit(url).netloc or urlsplit(url).query
    except ValueError:
        authorises = True
    return strip_credentials(url) or "***" if authorises else url


def switched_off_by(environ: Mapping[str, str]) -> Iterator[str]:
    """Yield the settings of ddtrace's that keep LiteLLM from being traced, as they are written."""
    for name in ("DD_TRACE_ENABLED", "DD_TRACE_LITELLM_ENABLED"):
        value = environ.get(name, "")
        if value and value.strip().lower() not in ("true", "1"):
            yield f"{name}={value}"
    for part in re.split(r"[ ,]+", environ.get("DD_PATCH_MODULES", "")):
        module, _, value = part.partition(":")
        if module == "litellm" and value.strip().lower() not in ("true", "1"):
            yield f"DD_PATCH_MODULES={part}"
