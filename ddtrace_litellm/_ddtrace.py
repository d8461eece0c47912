"""Everything that is private in ddtrace and used here; no other module imports a private ddtrace name.

Read for 4.8 to 4.16. A name that a version in this range lacks is probed for; any other that is missing makes the
import fail, and ddtrace's built-in integration stays active.
"""

from __future__ import annotations

import _thread
import inspect
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from types import FrameType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ddtrace import config, tracer
from ddtrace._trace.provider import _DD_CONTEXTVAR, DefaultContextProvider
from ddtrace.constants import _SPAN_MEASURED_KEY, ERROR_MSG, ERROR_STACK, ERROR_TYPE
from ddtrace.contrib.internal.trace_utils import int_service, set_service_and_source
from ddtrace.internal import core
from ddtrace.internal.settings._agent import config as _agent_config
from ddtrace.internal.utils.formats import format_trace_id
from ddtrace.llmobs import LLMObs
from ddtrace.llmobs import _constants as llmobs_constants
from ddtrace.llmobs import _utils as llmobs_utils
from ddtrace.llmobs._constants import (
    DISPATCH_ON_LLM_TOOL_CHOICE,
    DISPATCH_ON_TOOL_CALL,
    DISPATCH_ON_TOOL_CALL_OUTPUT_USED,
    INPUT_PROMPT,
)
from ddtrace.llmobs._context import _DD_LLMOBS_CONTEXTVAR
from ddtrace.llmobs._integrations.base import BaseLLMIntegration
from ddtrace.llmobs._utils import _annotate_llmobs_span_data
from ddtrace.trace import Span

SPAN_NAME = "litellm.request"
_INVOCATION = "aws.lambda"  # datadog-lambda's name of it
_LLM = "llm"
_EVENT = "_llmobs"
_DEMOTED = "ddtrace_litellm.demoted"
_CALL = "ddtrace_litellm.call"
_ATTACHED = "ddtrace_litellm.attached"
_COUNT = "ddtrace_litellm.count"
_FAILURES = "ddtrace_litellm.failures"
# By the kind of a call's event: what says of a span above that such a call of ours is how it gets its answer.
_ANSWERED = {kind: f"ddtrace_litellm.answered.{kind}" for kind in ("llm", "embedding")}
# ddtrace's integrations of the SDKs that LiteLLM can call a provider through.
_PROVIDER_SPANS = frozenset({"anthropic.request", "google_genai.request", "openai.request", "vertexai.request"})
# Its integration of MCP: name and resource of the span of ClientSession.call_tool.
_TOOL_SPAN = ("mcp.request", "client_tool_call")

config._add("litellm", {})
# Not config.litellm: its lookup takes longer than the setting of a tag. Not the value: it may be exchanged.
_configs = config._integration_configs


class _Integration(BaseLLMIntegration):  # type: ignore[misc]  # ddtrace carries no types
    _integration_name = "litellm"


_integration = _Integration(integration_config=config.litellm)
_HAS_SHADOW_TAGS = hasattr(_integration, "_apply_shadow_metrics")  # 4.9 and later
_HAS_GEN_AI_TAGS = hasattr(llmobs_utils, "set_gen_ai_apm_tags")  # 4.15 and later
_APM_METRICS = tuple(
    (name, f"_dd.llmobs.{name}", f"gen_ai.usage.{name}")
    for name in ("input_tokens", "output_tokens", "total_tokens", "cache_read_input_tokens", "cache_write_input_tokens")
)
_REASONING = "reasoning_output_tokens"
# 4.15 and later: prompts of Datadog's prompt management that travel in the arguments.
_get_tracked_prompt = getattr(llmobs_utils, "get_tracked_prompt", None)
_SESSION_KEY = getattr(llmobs_constants, "PROPAGATED_SESSION_ID_KEY", None)
_UNTRACKED = (list, str, type(None))
# 4.11 and later: a fifth element of the tool choice event.
_get_tool_version = getattr(llmobs_utils, "get_tool_version_from_llm_span", None)
_UNKNOWN_ANNOTATIONS = {"agent_manifest", "cost_tags"} - inspect.signature(_annotate_llmobs_span_data).parameters.keys()

# The variables, and not the providers' activate(), which costs more than reading a chunk does.
get_llmobs_context = _DD_LLMOBS_CONTEXTVAR.get
set_llmobs_context = _DD_LLMOBS_CONTEXTVAR.set


_VARIABLE_ACCESS = (_DD_CONTEXTVAR.get, _DD_CONTEXTVAR.set)


def apm_context_access() -> tuple[Callable[[], Any], Callable[[Any], Any]]:
    """Return the functions that read and set the active APM span or context.

    They are of the context variable, or of the user's own provider (``tracer.configure(context_provider=...)``).
    """
    provider = tracer.context_provider
    if type(provider) is DefaultContextProvider:
        return _VARIABLE_ACCESS
    return provider.active, provider.activate


def active_context() -> Any:
    """Return the active span or context, an ancestor where that has finished."""
    return tracer.context_provider.active()


def nearest_call(active: Any) -> Any:
    """Return the call that is kept with the active span, or with its nearest ancestor that has one."""
    span = active if isinstance(active, Span) else None
    while span is not None:
        call = span._get_ctx_item(_CALL)
        if call is not None:
            return call
        span = span._parent
    return None


def keep_call(span: Any, call: Any) -> None:
    """Keep a call with a span, in this process: it goes wherever ddtrace takes the active span."""
    span._set_ctx_item(_CALL, call)


def spans_above(span: Any) -> Iterator[Any]:
    """Yield the spans of this process that a span is beneath, the nearest first."""
    while (span := span._parent) is not None:
        yield span


def kept_failures(span: Any) -> Any:
    """Return what is kept with a span of others about the calls beneath it that failed."""
    return span._get_ctx_item(_FAILURES)


def keep_failures(span: Any, failures: Any) -> None:
    """Keep that with a span, in this process."""
    span._set_ctx_item(_FAILURES, failures)


class Export(NamedTuple):
    """How this process sends, as ddtrace has decided by now.

    Attributes:
        mode: ddtrace's name of the way that LLM Observability takes: ``apm_agent`` (with the Agent's traces),
            ``apm_agentless``, ``llmobs_agent_proxy``, ``llmobs_agentless``; ``""`` where it is off.
        url: where to, without the path.
        agent_url: where the Agent is, or would be.
        site: Datadog's.
        app: the name in LLM Observability.
    """

    mode: str
    url: str
    agent_url: str
    site: str
    app: str


def export() -> Export:
    """Return how this process sends."""
    agent_url = str(_agent_config.trace_agent_url)
    mode, url = "", agent_url
    if LLMObs.enabled:
        instance = LLMObs._instance
        found = getattr(instance, "_export_mode", None)  # 4.10 and later
        agentless = bool(config._llmobs_agentless_enabled)
        mode = str(found.value) if found is not None else "llmobs_agentless" if agentless else "llmobs_agent_proxy"
        writer = instance._llmobs_span_writer if mode.startswith("llmobs") else tracer._span_aggregator.writer
        url = str(writer._intake if mode.startswith("llmobs") else writer.intake_url)
    return Export(mode, url, agent_url, str(config._dd_site), str(config._llmobs_ml_app or config.service or ""))


def start_span(operation: str, parent: Any, call: Any, at: float | None = None, *, event: bool = True) -> Any:
    """Start and activate a span, of type ``llm`` (which makes it an LLM Observability span) if that is on.

    LLM Observability can be enabled after the patch (AWS Lambda does). ``call`` is kept with the span. ``at``: when the
    span began, seconds since 1970; ``None``: now. Without ``event`` it has no event.
    """
    span = tracer.start_span(
        SPAN_NAME,
        child_of=parent,
        resource=operation,
        span_type=_LLM if event and LLMObs.enabled else None,
        activate=True,
    )
    if at is not None:
        span.start_ns = int(at * 1e9)
    own = _configs["litellm"]
    set_service_and_source(span, int_service(None, own) or "", own)
    span._set_attribute(_SPAN_MEASURED_KEY, 1)
    span._set_ctx_item(_CALL, call)
    return span


def set_tag(span: Any, name: str, value: str) -> None:
    """Set a text tag; ``Span.set_tag``, which tries each value as a number first, is 4 times slower."""
    span._set_attribute(name, value)


def set_exception(span: Any, error: BaseException) -> str:
    """Mark a span as one that ended in an exception, without its texts; return its traceback as a text."""
    span.set_exc_info(type(error), error, error.__traceback__)
    return take_error_texts(span)[1]


def take_error_texts(span: Any) -> tuple[str, str]:
    """Take message and stack of an error off a span, and return them; ``""`` for what it does not have."""
    message, stack = span.get_tag(ERROR_MSG) or "", span.get_tag(ERROR_STACK) or ""
    if message:
        span._set_attribute(ERROR_MSG, "")
    if stack:
        span._set_attribute(ERROR_STACK, "")
    return message, stack


def set_error_texts(span: Any, message: str, stack: str) -> None:
    """Set message and stack of a span's error, where there are any."""
    if message:
        span._set_attribute(ERROR_MSG, message)
    if stack:
        span._set_attribute(ERROR_STACK, stack)


def set_error(span: Any, kind: str, message: str) -> None:
    """Mark a span as an error that no exception was raised for."""
    span.error = 1
    span._set_attribute(ERROR_TYPE, kind)
    span._set_attribute(ERROR_MSG, message)


def mend_error(span: Any, mended: Callable[[str], str]) -> None:
    """Put texts of a span's error, whoever set them, through ``mended``."""
    if span.error:
        for name in (ERROR_TYPE, ERROR_MSG, ERROR_STACK):
            if text := span.get_tag(name):
                span._set_attribute(name, mended(text))


def count_beneath(active: Any) -> int:
    """Return how often this was asked of an active span, with this time; 1 where another process's is active."""
    if not isinstance(active, Span):
        return 1
    count = (active._get_ctx_item(_COUNT) or 0) + 1
    active._set_ctx_item(_COUNT, count)
    return count


def attached_to_trace(span: Any) -> int:
    """Return what :func:`attach_to_trace` has added up, in this process."""
    return (span._local_root or span)._get_ctx_item(_ATTACHED) or 0


def attach_to_trace(span: Any, size: int) -> None:
    """Add to the size of what is attached to the spans of a trace."""
    (span._local_root or span)._set_ctx_item(_ATTACHED, attached_to_trace(span) + size)


def is_llmobs_span(span: Any) -> bool:
    """Whether this span becomes an LLM Observability event when it finishes; if not, no content may be put on it."""
    return bool(span.span_type == _LLM and LLMObs.enabled)


def _annotate_known(span: Any, **annotations: Any) -> None:
    for name in _UNKNOWN_ANNOTATIONS:
        annotations.pop(name, None)
    _annotate_llmobs_span_data(span, **annotations)


annotate: Callable[..., None] = _annotate_known if _UNKNOWN_ANNOTATIONS else _annotate_llmobs_span_data
"""Puts annotations on a span's event, but for those that this ddtrace does not know (cost tags before 4.9)."""


def propagate_session(span: Any, session_id: str) -> None:
    """Make a session the one of the whole trace, in other processes too, if it has none yet; as ddtrace's own spans do.

    A ddtrace without such a key propagates none (4.8, 4.12).
    """
    if _SESSION_KEY is not None:
        span.context._meta.setdefault(_SESSION_KEY, session_id)


def set_apm_tags(span: Any, kind: str, metrics: Mapping[str, float], model: str, provider: str) -> None:
    """Put tokens, model and provider on the APM span, as ddtrace's integrations do from 4.9 (4.15: ``gen_ai.*``) on.

    The same tags as ``BaseLLMIntegration._apply_shadow_metrics`` sets, a third of its cost: it goes through
    ``set_tag``, which tries each value as a number first.
    """
    if not _HAS_SHADOW_TAGS:
        return
    set_attribute = span._set_attribute
    enabled = LLMObs.enabled
    set_attribute("_dd.llmobs.span_kind", kind)
    set_attribute("_dd.llmobs.enabled", 1 if enabled else 0)
    if model:
        set_attribute("_dd.llmobs.model_name", model)
    if provider:
        set_attribute("_dd.llmobs.model_provider", provider)
    if kind != "workflow":
        for name, shadow, _ in _APM_METRICS:
            if (value := metrics.get(name)) is not None:
                set_attribute(shadow, value)
    if _HAS_GEN_AI_TAGS and not enabled:
        _set_gen_ai_tags(set_attribute, kind, metrics, model, provider)


def _set_gen_ai_tags(
    set_attribute: Callable[[str, Any], None], kind: str, metrics: Mapping[str, float], model: str, provider: str
) -> None:
    """Set what ddtrace sets itself when it makes an event, with LLM Observability on."""
    set_attribute("gen_ai.operation.name", kind)
    set_attribute("_dd.llmobs.artificial_gen_ai_tags", "true")
    if kind != "workflow":
        model, provider = model or "unknown", provider or "unknown"
        for name, _, gen_ai in _APM_METRICS:
            if (value := metrics.get(name)) is not None:
                set_attribute(gen_ai, value)
        if _REASONING in metrics:
            set_attribute(f"gen_ai.usage.{_REASONING}", metrics[_REASONING])
    if model:
        set_attribute("gen_ai.request.model", model)
    if provider:
        set_attribute("gen_ai.provider.name", provider.lower())


def annotate_prompt(span: Any, prompt: dict[str, Any]) -> None:
    """Put a managed prompt on the event, unless the user has put one there."""
    if span._get_ctx_item(INPUT_PROMPT) is None:
        LLMObs.annotate(span, prompt=prompt, tags={"prompt_tracking_instrumentation_method": "auto"})


def annotate_tracked_prompt(span: Any, rendered: Any) -> None:
    """Put the managed prompt that ``rendered`` (messages, or a text prompt) came from on the event, if there is one."""
    if _get_tracked_prompt is None or type(rendered) in _UNTRACKED or span._get_ctx_item(INPUT_PROMPT) is not None:
        return
    prompt = _get_tracked_prompt([rendered], {})
    if prompt is not None:
        annotate_prompt(span, prompt)


def link_tool_result(span: Any, tool_id: str) -> None:
    """Tell ddtrace's link tracker that this request uses a tool's result."""
    core.dispatch(DISPATCH_ON_TOOL_CALL_OUTPUT_USED, (tool_id, span))


def _link_context(span: Any) -> dict[str, str]:
    return {"trace_id": format_trace_id(span.trace_id), "span_id": str(span.span_id)}


def link_tool_choice(span: Any, tool_id: str, name: str, arguments: str) -> None:
    """Tell ddtrace's link tracker that the model chose a tool, so that the tool's span is linked to this one."""
    event: tuple[Any, ...] = (tool_id, name, arguments, _link_context(span))
    if _get_tool_version is not None:
        event = (*event, _get_tool_version(span, name))
    core.dispatch(DISPATCH_ON_LLM_TOOL_CHOICE, event)


def began(span: Any) -> float:
    """Return when a span, or what is active in its place, began, seconds since 1970; 0 for another process's."""
    return span.start_ns / 1e9 if isinstance(span, Span) else 0.0


def submit_evaluation(span: Any, label: str, value: str, *, passed: bool, reasoning: str) -> None:
    """Send an evaluation of a span that has an event. ddtrace refuses a label with a dot (4.8 to 4.16)."""
    LLMObs.submit_evaluation(
        label=label.replace(".", "_"),
        metric_type="categorical",
        value=value,
        span=LLMObs.export_span(span),
        assessment="pass" if passed else "fail",
        reasoning=reasoning or None,
    )


def link_tool_call(span: Any, tool_id: str, name: str, arguments: str) -> None:
    """Tell ddtrace's link tracker that a tool was run: it links the span to the one that chose the tool, if any did.

    Without an id the choice is found by name and arguments.
    """
    core.dispatch(DISPATCH_ON_TOOL_CALL, (name, arguments, "function", span, tool_id or None))


def is_instrumented_proxy(url: Any) -> bool:
    """Whether requests to this URL are traced by another service, where the model call's span is then."""
    return bool(_integration._is_instrumented_proxy_url(str(url)))


def is_at_instrumented_proxy(url: str) -> bool:
    """Whether this URL, of something else than a model's API, is one of such a service: its path is another."""
    proxies = config._llmobs_instrumented_proxy_urls or ()
    return any(urlsplit(url)[:2] == urlsplit(proxy)[:2] for proxy in proxies)


FRAMEWORK_SPANS = BaseLLMIntegration
"""The class of all of ddtrace's integrations that make events: its methods say what is on a span of theirs."""


def note_answered(active: Any, kind: str) -> None:
    """Note for the active span and those above it, in this process, that a call of this kind beneath answers them."""
    key = _ANSWERED.get(kind)
    span = active if key is not None and isinstance(active, Span) else None
    while span is not None and not span._get_ctx_item(key):  # above one that knows, all do
        span._set_ctx_item(key, True)
        span = span._parent


def is_answered(span: Any, kind: str | None) -> bool:
    """Whether a call of ours beneath a span, with an event of this kind, answers it."""
    key = _ANSWERED.get(kind or "")
    return key is not None and bool(span._get_ctx_item(key))


def as_workflow(span: Any) -> None:
    """Make the event of a span of others a workflow without tokens, where a call of ours beneath answers it."""
    event = span._get_struct_tag(_EVENT) or {}
    meta = event.get("meta") or {}
    if not is_answered(span, (meta.get("span") or {}).get("kind")):
        return
    event["metrics"] = {name: value for name, value in event["metrics"].items() if not name.endswith("_tokens")}
    asked, said = meta["input"], meta["output"]
    documents = [document["text"] for document in asked.pop("documents", ())]
    shown = {
        "input_value": documents or None,
        "input_messages": asked.pop("messages", None),
        "output_messages": said.pop("messages", None),
    }
    span._set_struct_tag(_EVENT, event)
    annotate(span, kind="workflow", **shown)


def listen_to_other_spans(
    our_leaf: Callable[[], Any],
    beneath_our_tool: Callable[[], bool],
    on_failed: Callable[[Any, BaseException], None],
) -> None:
    """Demote the spans of others that show what a call of ours shows to plain APM spans, and follow what fails.

    These are the spans of provider SDKs, and with mcp 1 those of calls of MCP tools.

    Two steps (measured on 4.8, 4.12 and 4.16): the type, so that no event is made; and at the finish the content, which
    would travel with the APM trace, past the user's span processor. What such a span says that a model has chosen, our
    leaf around it says: a link to a span without an event leads nowhere.

    Args:
        our_leaf: returns the span of the traced call that is running here and may reach a provider itself, if any.
        beneath_our_tool: says whether a traced call of an MCP tool is running here.
        on_failed: called with each span of others that gets the texts of an exception, and the exception, before an
            event is made of it.
    """
    shown_by: dict[str, dict[str, str]] = {}  # our leaf, by the id of the provider's span within

    def on_start(span: Any) -> None:
        if span.span_type != _LLM:
            return
        leaf = our_leaf() if span.name in _PROVIDER_SPANS else None
        if leaf is not None or ((span.name, span.resource) == _TOOL_SPAN and beneath_our_tool()):
            span.span_type = None
            span._set_ctx_item(_DEMOTED, True)
            if leaf is not None:
                shown_by[str(span.span_id)] = _link_context(leaf)

    def on_finish(span: Any) -> None:
        if span._get_ctx_item(_DEMOTED):
            span._remove_struct_tag(_EVENT)
            shown_by.pop(str(span.span_id), None)

    def on_choice(_tool_id: str, _name: str, _arguments: str, context: dict[str, str], *_version: Any) -> None:
        context.update(shown_by.get(context["span_id"], {}))

    def on_exception(span: Any, _kind: Any, error: BaseException, _traceback: Any) -> None:
        if span.name != SPAN_NAME:
            on_failed(span, error)

    _listen("span.exception", on_exception, "ddtrace_litellm")
    _listen(DISPATCH_ON_LLM_TOOL_CHOICE, on_choice, "ddtrace_litellm")
    _listen("trace.span_start", on_start, "ddtrace_litellm")
    _listen("trace.span_finish", on_finish, "ddtrace_litellm")


def listen_to_invocations(on_end: Callable[[], None], on_finish_of: Callable[[Any], None]) -> None:
    """Listen, in AWS Lambda, to what ends spans that are still open.

    Args:
        on_end: called when the span of an invocation finishes, before its trace is sent.
        on_finish_of: called with each span of this integration when it finishes, before an event is made of it where
            LLM Observability was enabled after the patch: ddtrace finishes the active span and all above it itself,
            shortly before an invocation times out.
    """

    def on_finish(span: Any) -> None:
        if span.name == _INVOCATION:
            on_end()
        elif span.name == SPAN_NAME:
            on_finish_of(span)

    _listen("trace.span_finish", on_finish, "ddtrace_litellm.invocations")


_listeners: list[tuple[str, Callable[..., None]]] = []


def _listen(event: str, callback: Callable[..., None], name: str) -> None:
    core.on(event, callback, name)  # one of each name: a second one takes the place of the first
    _listeners.append((event, callback))


def stop_listening() -> None:
    """Undo :func:`listen_to_other_spans` and :func:`listen_to_invocations`."""
    while _listeners:
        core.reset_listeners(*_listeners.pop())


def send() -> None:
    """Send the traces, events and evaluations that ddtrace holds back, within the 5 s it has at a process's end.

    In a thread, for a signal's handler: what it interrupts may hold a lock of ddtrace's writers, or of ``threading``.
    """
    done = _thread.allocate_lock()
    done.acquire()

    def flush() -> None:
        with suppress(Exception):  # they log their failures
            tracer.flush()
            if LLMObs.enabled:
                LLMObs.flush()
        done.release()

    _thread.start_new_thread(flush, ())
    done.acquire(timeout=tracer.SHUTDOWN_TIMEOUT)


def on_sigterm(handler: Callable[[], None]) -> None:
    """Call ``handler`` before whatever SIGTERM does, if this is the main thread: no other may say so.

    ddtrace's own handlers end the process by the signal, without ``atexit``. ddtrace's ``handle_signal`` (4.16) would
    leave a process that nothing ends, where the handlers that it was forked with have been put away.
    """
    before = signal.getsignal(signal.SIGTERM)
    if before in (None, signal.SIG_IGN) or threading.current_thread() is not threading.main_thread():
        return

    def answer(number: int, frame: FrameType | None) -> None:
        handler()
        if callable(before):
            before(number, frame)
        else:
            signal.signal(number, signal.SIG_DFL)
            signal.raise_signal(number)

    signal.signal(signal.SIGTERM, answer)
