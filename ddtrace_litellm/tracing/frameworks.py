"""Spans of ddtrace's integrations of frameworks (LangChain, LlamaIndex) above our calls: theirs become workflows.

Those two say of each model call that it is a request to a provider, which a call of ours beneath says with cost: each
request, and its tokens, would count twice (4.8 to 4.16). ddtrace itself makes LangChain's a workflow where it knows the
integration of the provider beneath, and knows none for LiteLLM.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ddtrace_litellm import _ddtrace
from ddtrace_litellm.tracing.errors import contain

_EVENT = contain("framework's event")
_Method = Callable[..., Any]


def _tags(original: _Method) -> _Method:
    def llmobs_set_tags(integration: Any, span: Any, *args: Any, **kwargs: Any) -> None:
        original(integration, span, *args, **kwargs)
        with _EVENT:
            _ddtrace.as_workflow(span)

    return llmobs_set_tags


def _shadow_metrics(original: _Method) -> _Method:
    def _apply_shadow_metrics(
        integration: Any, span: Any, metrics: Any, span_kind: str, *args: Any, **kwargs: Any
    ) -> None:
        if _ddtrace.is_answered(span, span_kind):
            metrics, span_kind = None, "workflow"
        original(integration, span, metrics, span_kind, *args, **kwargs)

    return _apply_shadow_metrics


_REPLACED = {"llmobs_set_tags": _tags, "_apply_shadow_metrics": _shadow_metrics}
_restore: dict[str, _Method] = {}


def follow() -> None:
    """Look at what ddtrace's integrations say, once they have said it."""
    for name, replaced in _REPLACED.items():
        original = getattr(_ddtrace.FRAMEWORK_SPANS, name, None)
        if original is not None:  # the second is there from 4.9 on
            _restore[name] = original
            setattr(_ddtrace.FRAMEWORK_SPANS, name, replaced(original))


def stop_following() -> None:
    """Undo :func:`follow`."""
    while _restore:
        setattr(_ddtrace.FRAMEWORK_SPANS, *_restore.popitem())
