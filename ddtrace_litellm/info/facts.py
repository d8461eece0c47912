"""The facts about an environment, before they are judged."""

from __future__ import annotations

import logging
import platform
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from ddtrace_litellm import config, masking
from ddtrace_litellm.info import processes, reach
from ddtrace_litellm.info.processes import Seen
from ddtrace_litellm.info.reach import Answer
from ddtrace_litellm.info.scraping import OFF, Scraping, look
from ddtrace_litellm.versions import __version__

_OUR_LOGGER = "ddtrace.litellm"
DIRECT = ("apm_agentless", "llmobs_agentless")
"""The export modes in which LLM Observability goes to Datadog itself."""


@dataclass(frozen=True)
class Facts:
    """The facts about an environment.

    Attributes:
        environ: the variables.
        versions: of ``python``, ``ddtrace``, ``litellm`` and ``ddtrace-litellm``; ``None`` for what is not installed.
        seen: what a child under ``ddtrace-run`` found.
        warnings: of our variables whose values cannot be used.
        scraping: what the scraper of the proxy's metrics does, and what keeps it from that.
        agent: what the Agent answered, ``None`` where nobody knows which.
        intake: what Datadog itself answered, ``None`` where nothing is sent there.
    """

    environ: Mapping[str, str]
    versions: Mapping[str, str | None]
    seen: Seen
    warnings: tuple[str, ...] = ()
    scraping: Scraping = OFF
    agent: Answer | None = None
    intake: Answer | None = None

    @property
    def found(self) -> Mapping[str, Any]:
        """What the child found; empty if it failed."""
        return self.seen.found or {}

    @property
    def complaints(self) -> tuple[str, ...]:
        """What this package complains about, here or in the child."""
        logged = [line.text for line in self.seen.logged if line.logger.startswith(_OUR_LOGGER)]
        return tuple(dict.fromkeys([*self.warnings, *logged]))

    @property
    def unusable(self) -> set[str]:
        """Our variables whose values cannot be used."""
        return {match[0] for text in self.complaints if (match := re.match(r"DD_\w+", text))}

    @property
    def export(self) -> Mapping[str, str]:
        """How a program sends: :class:`ddtrace_litellm._ddtrace.Export`."""
        return self.found.get("export") or {}


def gather(environ: Mapping[str, str], modules: Sequence[str] = (), proxy_config: str | None = None) -> Facts:
    """Gather the facts about this environment; for the arguments see :func:`processes.look`."""
    versions = {name: processes.installed(name) for name in ("ddtrace", "litellm")}
    seen = processes.look(environ, modules, proxy_config)
    export = (seen.found or {}).get("export") or {}
    warnings, scraping = _settings(environ)
    return Facts(
        environ,
        {"python": platform.python_version(), **versions, "ddtrace-litellm": __version__},
        seen,
        warnings,
        scraping,
        reach.agent(export["agent_url"]) if export else None,
        reach.intake(host_of(export["url"])) if export.get("mode") in DIRECT else None,
    )


def _settings(environ: Mapping[str, str]) -> tuple[tuple[str, ...], Scraping]:
    """Read our own variables; return the warnings about them, and what the scraper does."""
    texts: list[str] = []
    handler = _Listener(texts)
    config.log.addHandler(handler)
    propagates, config.log.propagate = config.log.propagate, False
    try:
        config.capture_config(environ)
        config.health_metrics_enabled(environ)
        scraping = look(environ)
    finally:
        config.log.propagate = propagates
        config.log.removeHandler(handler)
    return tuple(texts), scraping


class _Listener(logging.Handler):
    def __init__(self, texts: list[str]) -> None:
        super().__init__(logging.WARNING)
        self._texts = texts

    def emit(self, record: logging.LogRecord) -> None:
        self._texts.append(record.getMessage())


def host_of(url: str) -> str:
    """Return scheme, host and port of a URL."""
    shown = masking.url(url)
    parts = urlsplit(shown)
    return f"{parts.scheme}://{parts.netloc}" if parts.netloc else shown
