"""What is put on a span: once at its start, once at its end."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ddtrace_litellm.config import CaptureConfig, capture_config
from ddtrace_litellm.extract import metadata as extract_metadata
from ddtrace_litellm.extract.cost import add_cost
from ddtrace_litellm.extract.families import Family, Input, Output
from ddtrace_litellm.extract.fields import field, hidden_params, number, text_of
from ddtrace_litellm.extract.usage import Usage, usage_from
from ddtrace_litellm.tracing import _ddtrace, resolve


class Request(NamedTuple):
    """What is known of a call when it begins.

    Attributes:
        arguments: by name, positional ones included.
        input: what it asks; ``None`` where no event is made of it (LLM Observability is off).
        metadata, tags: for the event.
        session_id: the session that the caller named.
    """

    arguments: Mapping[str, Any]
    input: Input | None
    metadata: dict[str, Any]
    tags: dict[str, str]
    session_id: str | None


class Ending(NamedTuple):
    """How a call ended.

    Attributes:
        response: what it returned; for a stream the stream itself, ``None`` after an error.
        error: what it raised.
        chunks: what was read of a stream, ``None`` for a call that is none.
        completed: the stream was read to its end.
        first_content: seconds from the call to the first chunk that a reader would notice.
    """

    response: Any = None
    error: BaseException | None = None
    chunks: Sequence[Any] | None = None
    completed: bool = True
    first_content: float | None = None

    @property
    def latest(self) -> Any:
        """The response, or the last chunk: what LiteLLM put its findings on."""
        return self.response if self.chunks is None else self.chunks[-1] if self.chunks else None


_capture = CaptureConfig()


def configure() -> None:
    """Read the variables that say what of the contents is captured."""
    global _capture  # noqa: PLW0603  # one setting of the process, read again at each patch
    _capture = capture_config(os.environ)


def open_request(span: Any, family: Family, arguments: Mapping[str, Any]) -> Request:
    """Put on the span what its start can say, and read the rest before LiteLLM or the user changes the arguments."""
    model = arguments.get("model")
    if isinstance(model, str):
        span._set_attribute("litellm.request.model", model)  # noqa: SLF001  # set_tag is 4 times slower
    sources = extract_metadata.request_metadata(arguments)
    described: dict[str, Any] = {}
    if sources:
        described = extract_metadata.deployment(arguments, sources)
        host = extract_metadata.request_host(sources)
        if host is not None:
            span._set_attribute("litellm.request.host", host)  # noqa: SLF001
    if not _ddtrace.is_llmobs_span(span):
        return Request(arguments, None, described, {}, None)
    read = family.read_input(arguments, _capture)
    for tool_id in read.tool_result_ids:
        _ddtrace.link_tool_result(span, tool_id)
    described |= extract_metadata.parameters(arguments, family.parameters, contents=_capture.input)
    tags = {"integration": "litellm"}
    session_id = None
    if sources or "user" in arguments or "litellm_session_id" in arguments:
        tags |= extract_metadata.identity_tags(arguments, sources)
        session_id = extract_metadata.session_id(arguments, sources)
    if "model_group" in described:
        tags["model_group"] = described["model_group"]
    return Request(arguments, read, described, tags, session_id)


def close(span: Any, family: Family, request: Request, ending: Ending, *, leaf: bool) -> None:
    """Put on the span what its end can say. A span that is no leaf has neither tokens nor cost."""
    arguments, latest = request.arguments, ending.latest
    base_url = arguments.get("base_url") or arguments.get("api_base")
    elsewhere = base_url and _ddtrace.is_instrumented_proxy(base_url)
    kind = family.kind if leaf and not elsewhere else "workflow"
    hidden = hidden_params(latest)
    has_event = request.input is not None and _ddtrace.is_llmobs_span(span)
    output = None
    if has_event:
        received = ending.chunks
        output = (
            family.read_response(ending.response, arguments, _capture)
            if received is None
            else family.read_chunks(received, arguments, _capture)
        )
    usage, metrics = None, dict[str, float]()
    if kind == family.kind:
        model = resolve.model(arguments, hidden, latest, ending.error)
        usage, metrics = _usage_and_cost(request, ending, hidden, output, model)
    else:
        model = resolve.Model(text_of(arguments.get("model")), "")
    if ending.first_content is not None:
        metrics["time_to_first_token"] = ending.first_content
    _ddtrace.set_apm_tags(span, kind, metrics, model.name, model.provider)
    if request.input is None or output is None:
        return
    _add_response_metadata(request.metadata, ending, hidden, output, usage)
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
        **request.input.annotations,
        **output.annotations,
    )
    if kind != family.kind:
        return
    if _capture.input:  # a managed prompt brings its variables along
        _ddtrace.annotate_tracked_prompt(span, arguments.get("messages") or arguments.get("prompt"))
    for call in output.tool_calls:
        if call.tool_id:
            _ddtrace.link_tool_choice(span, call.tool_id, call.name, call.arguments)


def close_unread(span: Any, family: Family, request: Request | None, *, leaf: bool) -> None:
    """Put on the span what is known without the response: an event without a kind is lost, and an error in the log."""
    if not _ddtrace.is_llmobs_span(span):
        return
    kind = family.kind if leaf else "workflow"
    if request is None or request.input is None:
        _ddtrace.annotate(span, kind=kind)
        return
    name = text_of(request.arguments.get("model"))
    asked = {"metadata": request.metadata, "tags": request.tags, "session_id": request.session_id}
    _ddtrace.annotate(span, kind=kind, model_name=name, **asked, **request.input.annotations)


def _usage_and_cost(
    request: Request, ending: Ending, hidden: Mapping[str, Any], output: Output | None, model: resolve.Model
) -> tuple[Usage | None, dict[str, float]]:
    """Return tokens, and the metrics of them and of their cost, which APM has no place for (``output`` is ``None``)."""
    if ending.chunks is None:
        reported = field(ending.response, "usage")
        usage = usage_from(reported)
        total = resolve.response_cost(reported, hidden) if output is not None else None
    else:
        written = output.written if output is not None else None
        usage, reported = resolve.stream_usage(ending.chunks, ending.response, request.arguments, written)
        total = resolve.stream_cost(ending.response, reported) if output is not None else None
    metrics = usage.metrics() if usage is not None else {}
    if total is not None:
        add_cost(metrics, total, resolve.price(model))
    return usage, metrics


def _add_response_metadata(
    described: dict[str, Any], ending: Ending, hidden: Mapping[str, Any], output: Output, usage: Usage | None
) -> None:
    if output.finish_reason:
        described["finish_reason"] = output.finish_reason
    if ending.chunks is not None:
        described["stream_completed"] = ending.completed
        if usage is not None:
            described["token_source"] = "estimated" if usage.estimated else "reported"
        # Of a stream, the stream object says so, not its chunks.
        hidden = {**hidden_params(ending.response), **hidden}
    if hidden.get("cache_hit"):
        described["cache_hit"] = True
    if call_id := hidden.get("litellm_call_id"):
        described["litellm_call_id"] = text_of(call_id)
    if (overhead := number(hidden.get("litellm_overhead_time_ms"))) is not None:
        described["litellm_overhead_ms"] = overhead
