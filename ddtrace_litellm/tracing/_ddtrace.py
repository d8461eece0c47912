"""Everything that is private in ddtrace and used here; no other module imports a private ddtrace name.

Read for 4.8 to 4.16. A name that a version in this range lacks is probed for; any other that is missing makes the
import fail, and ddtrace's built-in integration stays active.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any

from ddtrace import config, tracer
from ddtrace._trace.provider import _DD_CONTEXTVAR, DefaultContextProvider
from ddtrace.constants import _SPAN_MEASURED_KEY
from ddtrace.contrib.internal.trace_utils import int_service, set_service_and_source
from ddtrace.internal import core
from ddtrace.internal.utils.formats import format_trace_id
from ddtrace.llmobs import LLMObs
from ddtrace.llmobs import _utils as llmobs_utils
from ddtrace.llmobs._constants import DISPATCH_ON_LLM_TOOL_CHOICE, DISPATCH_ON_TOOL_CALL_OUTPUT_USED
from ddtrace.llmobs._context import _DD_LLMOBS_CONTEXTVAR
from ddtrace.llmobs._integrations.base import BaseLLMIntegration
from ddtrace.llmobs._utils import _annotate_llmobs_span_data

SPAN_NAME = "litellm.request"
_LLM = "llm"
_EVENT = "_llmobs"
_DEMOTED = "ddtrace_litellm.demoted"
# ddtrace's integrations of the SDKs that LiteLLM can call a provider through.
_PROVIDER_SPANS = frozenset({"anthropic.request", "google_genai.request", "openai.request", "vertexai.request"})

config._add("litellm", {})


class _Integration(BaseLLMIntegration):  # type: ignore[misc]  # ddtrace carries no types
    _integration_name = "litellm"


_integration = _Integration(integration_config=config.litellm)
# 4.9 and later: token counts and model as tags of the APM span, with LLM Observability on or off.
_apply_shadow_metrics = getattr(_integration, "_apply_shadow_metrics", None)
# 4.15 and later: prompts of Datadog's prompt management that travel in the arguments.
_get_tracked_prompt = getattr(llmobs_utils, "get_tracked_prompt", None)
# 4.11 and later: a fifth element of the tool choice event.
_get_tool_version = getattr(llmobs_utils, "get_tool_version_from_llm_span", None)
_ANNOTATION_NAMES = frozenset(inspect.signature(_annotate_llmobs_span_data).parameters)

Contexts = tuple[Any, Any]
"""The active APM span or context, and the active LLM Observability one, of an execution context."""


def llmobs_enabled() -> bool:
    """Whether LLM Observability is on now: it can be enabled after the patch (AWS Lambda does)."""
    return bool(LLMObs.enabled)


def active_contexts() -> Contexts:
    """Return what is active here, as it stands."""
    return _DD_CONTEXTVAR.get(), _DD_LLMOBS_CONTEXTVAR.get()


def activate(contexts: Contexts) -> None:
    """Make ``contexts`` active here.

    Sets the variables and not through the providers, whose ``activate`` costs as much as reading a chunk does; a
    context provider of the user's own is told through its API.
    """
    provider = tracer.context_provider
    if type(provider) is DefaultContextProvider:
        _DD_CONTEXTVAR.set(contexts[0])
    else:
        provider.activate(contexts[0])
    _DD_LLMOBS_CONTEXTVAR.set(contexts[1])


def start_span(operation: str) -> Any:
    """Start and activate a span, of type ``llm`` (which makes it an LLM Observability span) if that is on."""
    span = tracer.start_span(
        SPAN_NAME,
        child_of=tracer.context_provider.active(),
        resource=operation,
        span_type=_LLM if llmobs_enabled() else None,
        activate=True,
    )
    set_service_and_source(span, int_service(None, config.litellm) or "", config.litellm)
    span._set_attribute(_SPAN_MEASURED_KEY, 1)
    return span


def is_llmobs_span(span: Any) -> bool:
    """Whether this span becomes an LLM Observability event when it finishes; if not, no content may be put on it."""
    return bool(span.span_type == _LLM and LLMObs.enabled)


def annotate(span: Any, **annotations: Any) -> None:
    """Put ``annotations`` on the span's event, but for those that this ddtrace does not know (cost tags before 4.9)."""
    _annotate_llmobs_span_data(
        span, **{name: value for name, value in annotations.items() if name in _ANNOTATION_NAMES}
    )


def set_apm_tags(span: Any, kind: str, metrics: dict[str, float], model: str, provider: str) -> None:
    """Put tokens, model and provider on the APM span, as ddtrace's integrations do."""
    if _apply_shadow_metrics is not None:
        _apply_shadow_metrics(span, metrics, kind, model_name=model, model_provider=provider)


def tracked_prompt(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Return the managed prompt that was rendered into the arguments, ``None`` where there is none."""
    return _get_tracked_prompt(args, kwargs) if _get_tracked_prompt is not None else None


def link_tool_result(span: Any, tool_id: str) -> None:
    """Tell ddtrace's link tracker that this request uses a tool's result."""
    core.dispatch(DISPATCH_ON_TOOL_CALL_OUTPUT_USED, (tool_id, span))


def link_tool_choice(span: Any, tool_id: str, name: str, arguments: str) -> None:
    """Tell ddtrace's link tracker that the model chose a tool, so that the tool's span is linked to this one."""
    context = {"trace_id": format_trace_id(span.trace_id), "span_id": str(span.span_id)}
    event: tuple[Any, ...] = (tool_id, name, arguments, context)
    if _get_tool_version is not None:
        event = (*event, _get_tool_version(span, name))
    core.dispatch(DISPATCH_ON_LLM_TOOL_CHOICE, event)


def is_instrumented_proxy(url: Any) -> bool:
    """Whether requests to this URL are traced by another service, where the model call's span is then."""
    return bool(_integration._is_instrumented_proxy_url(str(url))) if url else False


def listen_to_provider_spans(beneath_our_leaf: Callable[[], bool]) -> None:
    """Demote the spans of provider SDKs beneath a traced call to plain APM spans.

    ``beneath_our_leaf`` says whether a traced call is running here that is no Router call. Two steps
    (measured on 4.8, 4.12 and 4.16): the type, so that no event is made; and at the finish the content, which would
    travel with the APM trace, past the user's span processor.
    """

    def on_start(span: Any) -> None:
        if span.name in _PROVIDER_SPANS and span.span_type == _LLM and beneath_our_leaf():
            span.span_type = None
            span._set_ctx_item(_DEMOTED, True)

    def on_finish(span: Any) -> None:
        if span.name in _PROVIDER_SPANS and span._get_ctx_item(_DEMOTED):
            span._remove_struct_tag(_EVENT)

    core.on("trace.span_start", on_start, "ddtrace_litellm")
    core.on("trace.span_finish", on_finish, "ddtrace_litellm")
    _listeners[:] = [("trace.span_start", on_start), ("trace.span_finish", on_finish)]


_listeners: list[tuple[str, Callable[[Any], None]]] = []


def stop_listening() -> None:
    """Undo :func:`listen_to_provider_spans`."""
    while _listeners:
        core.reset_listeners(*_listeners.pop())
