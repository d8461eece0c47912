"""Every ``DD_LITELLM_*`` variable, read in one place."""

import logging
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from math import inf, nan

from ddtrace_litellm import masking

log = logging.getLogger("ddtrace.litellm.config")

LAMBDA_VARIABLE = "AWS_LAMBDA_FUNCTION_NAME"  # how ddtrace tells as well

OWN = {
    "DD_LITELLM_TAKEOVER": "true",
    "DD_LITELLM_CAPTURE_INPUT": "true",
    "DD_LITELLM_CAPTURE_OUTPUT": "true",
    "DD_LITELLM_MAX_CONTENT_CHARS": "",
    "DD_LITELLM_HASH_USERS": "false",
    "DD_LITELLM_HASH_KEY": "",
    "DD_LITELLM_HEALTH_METRICS_ENABLED": "false",
    "DD_LITELLM_OPENMETRICS_ENABLED": "false",
    "DD_LITELLM_OPENMETRICS_ENDPOINT": "",
    "DD_LITELLM_OPENMETRICS_TOKEN": "",
    "DD_LITELLM_OPENMETRICS_TOKEN_FILE": "",
    "DD_LITELLM_OPENMETRICS_INTERVAL": "15",
    "DD_LITELLM_OPENMETRICS_CONFIG": "",
    "DD_LITELLM_OPENMETRICS_AGENTLESS": "",
}
"""This package's variables, with their defaults."""

OF_DDTRACE = frozenset({"DD_LITELLM_SERVICE", "DD_LITELLM_SERVICE_NAME"})
"""What ddtrace (4.8 to 4.16) reads under our prefix."""

_PREFIX = "DD_LITELLM_"
_NAME = re.compile(r"DD_LITELLM_[A-Z_]{0,60}")
_told: set[str] = set()
_BOOLEANS = {"true": True, "1": True, "false": False, "0": False}

_OPENMETRICS = "DD_LITELLM_OPENMETRICS_"
_AGENT_ADDRESSES = (
    "DD_AGENT_HOST",
    "DD_DOGSTATSD_HOST",
    "DD_DOGSTATSD_SOCKET",
    "DD_DOGSTATSD_URL",
    "DD_TRACE_AGENT_URL",
)


@dataclass(frozen=True, slots=True)
class CaptureConfig:
    """Which contents go on spans.

    Attributes:
        input: contents of the request (``DD_LITELLM_CAPTURE_INPUT``, default true).
        output: contents of the response (``DD_LITELLM_CAPTURE_OUTPUT``, default true).
        max_chars: longer contents are truncated to this many characters, and say how many were cut
            (``DD_LITELLM_MAX_CONTENT_CHARS``);
            ``None``: never.
    """

    input: bool = True
    output: bool = True
    max_chars: int | None = None


NOTHING = CaptureConfig(input=False, output=False)
"""Of a call that is redacted."""


def capture_config(environ: Mapping[str, str]) -> CaptureConfig:
    """Read :class:`CaptureConfig` from ``environ``; a value that cannot be used is one warning, and the default."""
    return CaptureConfig(
        input=_boolean(environ, "DD_LITELLM_CAPTURE_INPUT", default=True),
        output=_boolean(environ, "DD_LITELLM_CAPTURE_OUTPUT", default=True),
        max_chars=_positive_integer(environ, "DD_LITELLM_MAX_CONTENT_CHARS"),
    )


@dataclass(frozen=True, slots=True)
class UserConfig:
    """How users and end users are named on spans.

    Attributes:
        hashed: by a keyed hash, not in clear (``DD_LITELLM_HASH_USERS``, default false).
        key: of the hash (``DD_LITELLM_HASH_KEY``, or else ``DD_API_KEY``, which an organisation's processes share).
            Without any, users are not named: a hash without a key can be undone by trying names.
    """

    hashed: bool = False
    key: bytes = field(default=b"", repr=False)


def user_config(environ: Mapping[str, str]) -> UserConfig:
    """Read :class:`UserConfig` from ``environ``; where there is no key, one warning says what happens then."""
    if not _boolean(environ, "DD_LITELLM_HASH_USERS", default=False):
        return UserConfig()
    key = _text(environ, "DD_LITELLM_HASH_KEY") or _text(environ, "DD_API_KEY")
    if not key:
        log.warning("DD_LITELLM_HASH_USERS=true needs DD_LITELLM_HASH_KEY or DD_API_KEY; users are left out")
    return UserConfig(hashed=True, key=key.encode())


@dataclass(frozen=True, slots=True)
class OpenMetricsConfig:
    """The settings of the scraper of the LiteLLM Proxy's metrics.

    Attributes:
        endpoint: the URL of the metrics page (``DD_LITELLM_OPENMETRICS_ENDPOINT``; setting it starts the scraper);
            ``""``: the registry of this process, where it holds LiteLLM's metrics
            (``DD_LITELLM_OPENMETRICS_ENABLED=true``).
        token: the bearer token for the endpoint (``DD_LITELLM_OPENMETRICS_TOKEN``).
        token_file: a file that holds the token, read for each page (``DD_LITELLM_OPENMETRICS_TOKEN_FILE``).
        interval: seconds between scrapes (``DD_LITELLM_OPENMETRICS_INTERVAL``, default 15).
        conf: an Agent's ``conf.yaml``, whose every instance gets a scraper (``DD_LITELLM_OPENMETRICS_CONFIG``). It says
            everything, so that the four above are left alone.
        agentless: send to Datadog itself with ``DD_API_KEY``, not to an Agent's DogStatsD
            (``DD_LITELLM_OPENMETRICS_AGENTLESS``). By default so where ``DD_LLMOBS_AGENTLESS_ENABLED=true`` does the
            same to the spans, there is a key, and no variable has an Agent's address.
    """

    endpoint: str = ""
    token: str = field(default="", repr=False)
    token_file: str = ""
    interval: float = 15.0
    conf: str = ""
    agentless: bool = False


def openmetrics_config(environ: Mapping[str, str]) -> OpenMetricsConfig | None:
    """Read :class:`OpenMetricsConfig` from ``environ``; a value that cannot be used is one warning, and the default.

    Returns:
        ``None`` where no scraper is wanted: no variable asks for one, ``DD_LITELLM_OPENMETRICS_ENABLED`` is ``false``,
        or it is not ``true`` in an AWS Lambda function, which sleeps between two calls.
    """
    endpoint, conf = _text(environ, _OPENMETRICS + "ENDPOINT"), _text(environ, _OPENMETRICS + "CONFIG")
    asked = bool(endpoint or conf) and LAMBDA_VARIABLE not in environ
    if not _boolean(environ, _OPENMETRICS + "ENABLED", default=asked):
        return None
    if conf:
        _warn_of_unused(
            environ, ("ENDPOINT", "TOKEN", "TOKEN_FILE", "INTERVAL"), f"{_OPENMETRICS}CONFIG says everything"
        )
        return OpenMetricsConfig(conf=conf, agentless=_agentless(environ))
    if not endpoint:
        _warn_of_unused(environ, ("TOKEN", "TOKEN_FILE"), f"there is no {_OPENMETRICS}ENDPOINT")
    token = _text(environ, _OPENMETRICS + "TOKEN")
    if token:
        _warn_of_unused(environ, ("TOKEN_FILE",), f"{_OPENMETRICS}TOKEN has the token")
    return OpenMetricsConfig(
        endpoint,
        token=token if endpoint else "",
        token_file=_text(environ, _OPENMETRICS + "TOKEN_FILE") if endpoint and not token else "",
        interval=_positive_number(environ, _OPENMETRICS + "INTERVAL", default=OpenMetricsConfig().interval),
        agentless=_agentless(environ),
    )


def _agentless(environ: Mapping[str, str]) -> bool:
    spans = _text(environ, "DD_LLMOBS_AGENTLESS_ENABLED").lower() in ("true", "1")  # ddtrace reports bad values itself
    key = bool(_text(environ, "DD_API_KEY"))
    default = spans and key and not any(_text(environ, variable) for variable in _AGENT_ADDRESSES)
    agentless = _boolean(environ, _OPENMETRICS + "AGENTLESS", default=default)
    if agentless and not key:
        log.warning("%sAGENTLESS=true needs DD_API_KEY, which is not set; using the Agent's DogStatsD", _OPENMETRICS)
    return agentless and key


def _warn_of_unused(environ: Mapping[str, str], names: tuple[str, ...], reason: str) -> None:
    # Without their values: one is a secret.
    if unused := [_OPENMETRICS + name for name in names if _text(environ, _OPENMETRICS + name)]:
        log.warning("%s: not used, because %s", ", ".join(unused), reason)


def _text(environ: Mapping[str, str], variable: str) -> str:
    return environ.get(variable, "").strip()


def unknown_variables(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the unknown variables with our prefix, each with the one that may be meant, or ``""``.

    What in place of a name may be something else is hidden, and a value never looked at.
    """
    names = sorted(name for name in environ if name.startswith(_PREFIX) and name not in OWN and name not in OF_DDTRACE)
    if not names:
        return {}
    from difflib import get_close_matches

    known = [name.removeprefix(_PREFIX) for name in (*OWN, *OF_DDTRACE)]
    found = {}
    for name in names:
        like = get_close_matches(name.removeprefix(_PREFIX), known, 1)
        found[name if _NAME.fullmatch(name) else _PREFIX + masking.HIDDEN] = _PREFIX + like[0] if like else ""
    return found


def warn_of_unknown(environ: Mapping[str, str]) -> None:
    """Log one warning for each unknown variable with our prefix, because it has no effect."""
    for name, meant in unknown_variables(environ).items():
        if name in _told:
            continue
        _told.add(name)
        log.warning("%s is not a variable of this version%s", name, f"; is it {meant}?" if meant else "")


def health_metrics_enabled(environ: Mapping[str, str]) -> bool:
    """Whether this package's counters go to DogStatsD (``DD_LITELLM_HEALTH_METRICS_ENABLED``, default false)."""
    return _boolean(environ, "DD_LITELLM_HEALTH_METRICS_ENABLED", default=False)


def _boolean(environ: Mapping[str, str], variable: str, *, default: bool) -> bool:
    text = _text(environ, variable)
    value = _BOOLEANS.get(text.lower())
    if text and value is None:
        shown = masking.word(text)
        log.warning("%s=%s is not a boolean (true, false, 1 or 0); using %s", variable, shown, str(default).lower())
    return default if value is None else value


def _positive_number(environ: Mapping[str, str], variable: str, *, default: float) -> float:
    text = _text(environ, variable)
    if not text:
        return default
    try:
        value = float(text)
    except ValueError:
        value = nan
    if not 0 < value < inf:
        log.warning("%s=%s is not a positive number; using %g", variable, masking.word(text), default)
        return default
    return value


def _positive_integer(environ: Mapping[str, str], variable: str) -> int | None:
    text = _text(environ, variable)
    if not text:
        return None
    try:
        value = int(text)
    except ValueError:
        value = 0
    if value < 1:
        log.warning("%s=%s is not a positive integer; contents are not cut", variable, masking.word(text))
        return None
    return value
