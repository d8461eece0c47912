"""What is put on a span: once at its start, once at its end."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, NamedTuple

from ddtrace_litellm import _ddtrace
from ddtrace_litellm.config import CaptureConfig, capture_config
from ddtrace_litellm.extract import metadata as extract_metadata
from ddtrace_litellm.extract.api import Family, Output
from ddtrace_litellm.extract.content import without_attachments
from ddtrace_litellm.extract.cost import add_cost
from ddtrace_litellm.extract.fields import field, hidden_params, number, text_of
from ddtrace_litellm.extract.usage import Usage
from ddtrace_litellm.tracing import costs, debug_log, models
from ddtrace_litellm.tracing.call_records import Ending, Request
from ddtrace_litellm.tracing.double_reporting import warn_if_reported_twice

# Of other kinds ddtrace drops model and provider (4.8 to 4.16).
_KINDS_WITH_MODEL = frozenset({"llm", "embedding"})
_capture = CaptureConfig()


def configure() -> None:
    """Read the variables that say what of the contents is captured."""
    global _capture  # noqa: PLW0603  # one setting of the process, read again at each patch
    _capture = capture_config(os.environ)


def open_request(span: Any, family: Family, arguments: Mapping[str, Any], *, router: bool) -> Request:
    """Put on the span what its start can say, and read the rest before LiteLLM or the user changes the arguments."""
    model = arguments.get("model")
    if isinstance(model, str):
        _ddtrace.set_tag(span, "litellm.request.model", model)
    sources = extract_metadata.request_metadata(arguments)
    described: dict[str, Any] = {}
    if sources:
        described = extract_metadata.deployment(arguments, sources)
        host = extract_metadata.request_host(sources)
        if host is not None:
            _ddtrace.set_tag(span, "litellm.request.host", host)
    if router and isinstance(model, str):
        # LiteLLM says so in the metadata too, but only further down, where it chooses a deployment.
        described["model_group"] = model
    if not _ddtrace.is_llmobs_span(span):
        return Request(arguments, None, described, {}, None)
    warn_if_reported_twice()
    read = family.read_input(arguments, _capture)
    for tool_id in read.tool_result_ids:
        _ddtrace.link_tool_result(span, tool_id)
    settings = family.settings(arguments) if family.settings is not None else arguments
    described |= extract_metadata.parameters(settings, family.parameters, contents=_capture.input)
    tags = {"integration": "litellm"}
    session_id = None
    if sources or "user" in arguments or "litellm_session_id" in arguments:
        tags |= extract_metadata.identity_tags(arguments, sources)
        session_id = extract_metadata.session_id(arguments, sources)
    if "model_group" in described:
        tags["model_group"] = described["model_group"]
    return Request(arguments, read.annotations, described, tags, session_id)


class _Found(NamedTuple):
    kind: str
    leaf: bool
    model: models.Model
    metrics: dict[str, float]


def close(span: Any, family: Family, request: Request, ending: Ending, *, leaf: bool) -> None:
    """Put on the span what its end can say. A span that is no leaf has neither tokens nor cost."""
    arguments = request.arguments
    base_url = arguments.get("base_url") or arguments.get("api_base")
    elsewhere = base_url and _ddtrace.is_instrumented_proxy(base_url)
    if elsewhere and leaf and debug_log.wanted():
        debug_log.elsewhere(span)
    leaf = leaf and not elsewhere
    kind = family.kind if leaf else "workflow"
    hidden = hidden_params(ending.latest)
    if ending.chunks is not None:
        # A stream of bytes has nothing on its chunks; and of any stream out of the cache only the object says so.
        hidden = {**hidden_params(ending.response), **hidden}
    has_event = request.contents is not None and _ddtrace.is_llmobs_span(span)
    response = _response(family, ending, arguments, wanted=has_event)
    output = family.read_response(response, arguments, _capture) if has_event else None
    usage, metrics = None, dict[str, float]()
    if leaf:
        model = models.model(family, arguments, hidden, ending.latest, ending.error)
        usage, reported = costs.usage(family, ending, response, arguments, output)
        metrics = usage.metrics() if usage is not None else {}
        if output is not None:  # APM has no place for a cost
            price = models.price(model, request.metadata.get("deployment_id"))
            total = costs.cost(ending, hidden, usage, reported, price)
            if total is not None:
                add_cost(metrics, total, price.entry if price is not None else None)
    else:
        model = models.Model(text_of(arguments.get("model")), "")
    if ending.error is None and (failure := field(response, "error")):
        # An answer, or an event of a stream, that reports an error: LiteLLM hands it on like any other.
        kind_of_failure = field(failure, "type") or field(failure, "code") or type(failure).__name__
        _ddtrace.set_error(span, text_of(kind_of_failure), text_of(field(failure, "message") or failure))
    if ending.first_content is not None:
        metrics["time_to_first_token"] = ending.first_content
    if leaf and debug_log.wanted():
        debug_log.consumed(span, model, usage, metrics)
    _ddtrace.set_apm_tags(span, kind, metrics, model.name, model.provider)
    if output is not None:
        _add_response_metadata(request, ending, hidden, output, usage)
        _annotate(span, request, output, _Found(kind, leaf, model, metrics))


def _annotate(span: Any, request: Request, output: Output, found: _Found) -> None:
    contents = {**(request.contents or {}), **output.annotations}
    kind, leaf, model, metrics = found
    if not leaf:
        contents = _as_values(contents)
    elif kind not in _KINDS_WITH_MODEL:
        named = {"model_name": model.name, "model_provider": model.provider}
        request.metadata.update({name: value for name, value in named.items() if value})
    _ddtrace.annotate(
        span,
        kind=kind,
        model_name=model.name,
        model_provider=model.provider,
        metrics=metrics,
        metadata=request.metadata,
        tags=request.tags,
        cost_tags=sorted(extract_metadata.COST_TAGS & request.tags.keys()) or None if len(request.tags) > 1 else None,
        session_id=request.session_id,
        **contents,
    )
    if not leaf:
        return
    if _capture.input:  # a managed prompt brings its variables along
        arguments = request.arguments
        _ddtrace.annotate_tracked_prompt(span, arguments.get("messages") or arguments.get("prompt"))
    for call in output.tool_calls:
        if call.tool_id:
            _ddtrace.link_tool_choice(span, call.tool_id, call.name, call.arguments)


def _response(family: Family, ending: Ending, arguments: Mapping[str, Any], *, wanted: bool) -> Any:
    """Return the response, of a stream what it makes up: where an event is made of it, or its tokens are only there."""
    streaming = family.streaming
    if ending.chunks is None or streaming is None:
        return ending.response
    return streaming.assemble(ending.chunks, arguments) if wanted or streaming.reported_usage is None else None


def _as_values(contents: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contents for a span that is no leaf.

    LLM Observability shows documents and attachments of its own kinds only, and an empty list as text.
    """
    values: dict[str, Any] = {}
    for name, value in contents.items():
        if name.endswith("_documents"):
            values[name.replace("_documents", "_value")] = [document["text"] for document in value]
        elif name.endswith("_messages"):
            values[name] = list(map(without_attachments, value))
        else:
            values[name] = value
    return {name: value for name, value in values.items() if value}


def close_unread(span: Any, family: Family, request: Request | None, *, leaf: bool) -> None:
    """Put on the span what is known without the response: an event without a kind is lost, and an error in the log."""
    if not _ddtrace.is_llmobs_span(span):
        return
    kind = family.kind if leaf else "workflow"
    if request is None or request.contents is None:
        _ddtrace.annotate(span, kind=kind)
        return
    name = text_of(request.arguments.get("model"))
    asked = {"metadata": request.metadata, "tags": request.tags, "session_id": request.session_id}
    contents = dict(request.contents) if leaf else _as_values(request.contents)
    _ddtrace.annotate(span, kind=kind, model_name=name, **asked, **contents)


def _add_response_metadata(
    request: Request, ending: Ending, hidden: Mapping[str, Any], output: Output, usage: Usage | None
) -> None:
    described = request.metadata
    described.update(output.billed)
    if output.finish_reason:
        described["finish_reason"] = output.finish_reason
    if ending.chunks is not None:
        described["stream_completed"] = ending.completed
        if usage is not None:
            described["token_source"] = "estimated" if usage.estimated else "reported"
    if hidden.get("cache_hit"):
        described["cache_hit"] = True
    if call_id := hidden.get("litellm_call_id") or request.arguments.get("litellm_call_id"):
        described["litellm_call_id"] = text_of(call_id)
    if (overhead := number(hidden.get("litellm_overhead_time_ms"))) is not None:
        described["litellm_overhead_ms"] = overhead
