"""LiteLLM's own reporting to LLM Observability: beside ours it makes every request, and its cost, count twice."""

from __future__ import annotations

import logging
from dataclasses import dataclass

import litellm

_log = logging.getLogger("ddtrace.litellm")
_CALLBACK = "datadog_llm_observability"
_LOGGER = "DataDogLLMObsLogger"  # what LiteLLM makes of the name at its first use


@dataclass(slots=True)
class _Watch:
    """What was seen at the last look. As a rule the lists only grow, so their lengths tell whether to look again."""

    lengths: tuple[int, ...] = ()
    warned: bool = False


_watch = _Watch()


def warn_if_reported_twice() -> None:
    """Log one warning when that callback is active, at whatever time it was registered."""
    registered = (litellm.callbacks, litellm.success_callback, litellm._async_success_callback)  # noqa: SLF001
    lengths = tuple(map(len, registered))
    if _watch.warned or lengths == _watch.lengths:
        return
    _watch.lengths = lengths
    if any(callback == _CALLBACK or type(callback).__name__ == _LOGGER for found in registered for callback in found):
        _watch.warned = True
        _log.warning(
            "LiteLLM's callback %r is active beside ddtrace-litellm: every request, and its cost, is reported to LLM "
            "Observability twice. Remove it from litellm.callbacks (litellm_settings.callbacks in a proxy's config), "
            "or set DD_TRACE_LITELLM_ENABLED=false to keep it instead.",
            _CALLBACK,
        )
