"""The child process that gathers facts where the user's program would run."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from ddtrace_litellm.info.variables import scrubbed
from ddtrace_litellm.tryout.runner import find_ddtrace_run

SECONDS = 120.0
"""The child's timeout; importing LiteLLM alone takes seconds."""

# "2026-01-31 12:00:00,000 WARNING [ddtrace.litellm] [bootstrap.py:127] - text", as ddtrace writes it.
_LINE = re.compile(r"^\S+ \S+ (?P<level>[A-Z]+) \[(?P<logger>[^\]]+)\] \[[^\]]+\] (?:\[[^\]]*\] )?- (?P<text>.*)$")

_QUIET = {
    # What would send something, or read the user's own log.
    "DD_CRASHTRACKING_ENABLED": "false",
    "DD_DYNAMIC_INSTRUMENTATION_ENABLED": "false",
    "DD_EXCEPTION_REPLAY_ENABLED": "false",
    "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
    "DD_LITELLM_HEALTH_METRICS_ENABLED": "false",
    "DD_PROFILING_ENABLED": "false",
    "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    "DD_RUNTIME_METRICS_ENABLED": "false",
    "DD_SYMBOL_DATABASE_UPLOAD_ENABLED": "false",
    "DD_TRACE_LOG_FILE_LEVEL": "WARNING",
    "DD_TRACE_STARTUP_LOGS": "false",
    "LITELLM_LOCAL_MODEL_COST_MAP": "True",
}
_LEFT_OUT = ("DD_LITELLM_OPENMETRICS_",)
_READ_BY_DDTRACE = ("DD_", "_DD_", "OTEL_")


@dataclass(frozen=True)
class Logged:
    """A line of the log, from WARNING on."""

    level: str
    logger: str
    text: str


@dataclass(frozen=True)
class Seen:
    """What the child has found.

    Attributes:
        found: what :func:`ddtrace_litellm.info.probe.look` returned, ``None`` where it did not come to that.
        logged: what ddtrace, and we, have warned of.
        failure: why nothing was found, ``""`` where something was.
        refused: the variables with which ddtrace does not start at all, where that is why.
    """

    found: dict[str, Any] | None
    logged: tuple[Logged, ...] = ()
    failure: str = ""
    refused: tuple[str, ...] = ()


def installed(name: str) -> str | None:
    """Return the version of a distribution by its metadata, without importing it; ``None`` where there is none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return None


def look(environ: Mapping[str, str], modules: Sequence[str] = (), proxy_config: str | None = None) -> Seen:
    """Run the probe under ``ddtrace-run`` with ``environ``, but for what would send data.

    Args:
        environ: the user's environment.
        modules: what the probe imports first, as they may register callbacks.
        proxy_config: the configuration file of a LiteLLM Proxy.

    Raises:
        ddtrace_litellm.tryout.errors.TryoutError: ``ddtrace-run`` is not there.
    """
    with tempfile.TemporaryDirectory(prefix="ddtrace-litellm-") as directory:
        result, log = Path(directory, "found.json"), Path(directory, "log")
        command = [find_ddtrace_run(), sys.executable, "-m", "ddtrace_litellm.info.probe", str(result)]
        command += [f"--import={module}" for module in modules]
        command += [f"--proxy-config={proxy_config}"] if proxy_config is not None else []
        try:
            ended = subprocess.run(  # noqa: S603 - our own module
                command,
                env=_environment(environ, log),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return Seen(None, _logged(log, environ), f"it did not end within {SECONDS:.0f} s")
        if not result.exists():
            last = next(reversed(ended.stderr.strip().splitlines()), "")
            return Seen(
                None,
                _logged(log, environ),
                f"it ended with status {ended.returncode}; {scrubbed(last, environ)}",
                _refused(environ),
            )
        return Seen(json.loads(result.read_text(encoding="utf-8")), _logged(log, environ))


def _refused(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the variables ddtrace does not start with: its errors quote a value, and seldom name the variable."""

    def starts(more: Mapping[str, str]) -> bool:
        command = [find_ddtrace_run(), sys.executable, "-c", ""]
        try:
            ended = subprocess.run(  # noqa: S603 - nothing of the user's
                command,
                env={**others, **_QUIET, **more},
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return False
        return not ended.returncode

    others = {name: value for name, value in environ.items() if not name.startswith(_READ_BY_DDTRACE)}
    if not starts({}):
        return ()
    read = (name for name in environ if name.startswith(_READ_BY_DDTRACE) and name not in _QUIET)
    return tuple(name for name in read if not starts({name: environ[name]}))


def _environment(environ: Mapping[str, str], log: Path) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if not name.startswith(_LEFT_OUT)}
    return {**kept, **_QUIET, "DD_TRACE_LOG_FILE": str(log)}


def _logged(log: Path, environ: Mapping[str, str]) -> tuple[Logged, ...]:
    if not log.exists():
        return ()
    found: list[Logged] = []
    cause = ""
    for line in reversed(log.read_text(encoding="utf-8", errors="replace").splitlines()):
        match = _LINE.match(line)
        if match is None:
            cause = cause or line.strip()  # the last line of a traceback, which says what it was
            continue
        text = f"{match['text']}: {cause}" if cause else match["text"]
        found.append(Logged(match["level"], match["logger"], scrubbed(text, environ)))
        cause = ""
    return tuple(line for line in reversed(found) if line.level in ("WARNING", "ERROR", "CRITICAL"))
