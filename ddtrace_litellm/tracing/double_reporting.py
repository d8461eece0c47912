"""LiteLLM's own reporting to LLM Observability: beside ours it makes every request, and its cost, count twice."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import litellm

_log = logging.getLogger("ddtrace.litellm")
CALLBACK = "datadog_llm_observability"
_LOGGER = "DataDogLLMObsLogger"  # what LiteLLM makes of the name at its first use


@dataclass(slots=True)
class _Watch:
    """What was seen at the last look. As a rule the lists only grow, so their lengths tell whether to look again."""

    lengths: tuple[int, ...] = ()
    warned: bool = False


_watch = _Watch()


def _registered() -> tuple[list[Any], ...]:
    return litellm.callbacks, litellm.success_callback, litellm._async_success_callback  # noqa: SLF001


def reports_twice(callbacks: Iterable[Any]) -> bool:
    """Whether that callback is among them, by its name or as the object that LiteLLM makes of it."""
    return any(callback == CALLBACK or type(callback).__name__ == _LOGGER for callback in callbacks)


def reported_twice() -> bool:
    """Whether that callback is active in this process."""
    return any(map(reports_twice, _registered()))


def warn_if_reported_twice() -> None:
    """Log one warning when that callback is active, at whatever time it was registered."""
    registered = _registered()
    lengths = tuple(map(len, registered))
    if _watch.warned or lengths == _watch.lengths:
        return
    _watch.lengths = lengths
    if any(map(reports_twice, registered)):
        _watch.warned = True
        _log.warning(
            "LiteLLM's callback %r is active beside ddtrace-litellm: every request, and its cost, is reported to LLM "
            "Observability twice. Remove it from litellm.callbacks (litellm_settings.callbacks in a proxy's config), "
            "or set DD_TRACE_LITELLM_ENABLED=false to keep it instead.",
            CALLBACK,
        )
