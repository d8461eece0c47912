"""What is put on a span: once at its start, once at its end."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ddtrace_litellm.config import CaptureConfig, capture_config
from ddtrace_litellm.extract import metadata as extract_metadata
from ddtrace_litellm.extract.families import Family, Input, Output
from ddtrace_litellm.extract.fields import field, number, text_field
from ddtrace_litellm.extract.usage import Usage, usage_from
from ddtrace_litellm.tracing import _ddtrace, resolve

_NOTHING = Output({})


@dataclass(frozen=True, slots=True)
class Request:
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


@dataclass(frozen=True, slots=True)
class Ending:
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

    @property
    def hidden_params(self) -> Any:
        """LiteLLM's hidden parameters, ``None`` where there are none."""
        return getattr(self.latest, "_hidden_params", None)


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
    host = extract_metadata.request_host(sources)
    if host is not None:
        span._set_attribute("litellm.request.host", host)  # noqa: SLF001
    described: dict[str, Any] = extract_metadata.deployment(arguments, sources) if sources else {}
    if not _ddtrace.is_llmobs_span(span):
        return Request(arguments, None, described, {}, None)
    read = family.read_input(arguments, _capture)
    for tool_id in read.tool_result_ids:
        _ddtrace.link_tool_result(span, tool_id)
    described |= extract_metadata.parameters(arguments, family.parameters, contents=_capture.input)
    tags = extract_metadata.identity_tags(arguments, sources)
    if "model_group" in described:
        tags["model_group"] = described["model_group"]
    return Request(arguments, read, described, tags, extract_metadata.session_id(arguments, sources))


def close(span: Any, family: Family, request: Request, ending: Ending, *, leaf: bool) -> None:
    """Put on the span what its end can say. A span that is no leaf has neither tokens nor cost."""
    base_url = request.arguments.get("base_url") or request.arguments.get("api_base")
    kind = family.kind if leaf and not _ddtrace.is_instrumented_proxy(base_url) else "workflow"
    output = _read_output(span, family, request, ending)
    model = resolve.model(request.arguments, ending.hidden_params, ending.latest, ending.error)
    usage, metrics = _usage_and_cost(request, ending, output, model) if kind == family.kind else (None, {})
    if ending.first_content is not None:
        metrics["time_to_first_token"] = ending.first_content
    _ddtrace.set_apm_tags(span, kind, metrics, model.name, model.provider)
    if request.input is None or not _ddtrace.is_llmobs_span(span):
        return
    _ddtrace.annotate(
        span,
        kind=kind,
        model_name=model.name,
        model_provider=model.provider,
        metrics=metrics,
        metadata=request.metadata | _response_metadata(ending, output, usage),
        tags={"integration": "litellm", **request.tags},
        cost_tags=[tag for tag in extract_metadata.COST_TAGS if tag in request.tags] or None,
        session_id=request.session_id,
        **request.input.annotations,
        **output.annotations,
    )
    for call in output.tool_calls if kind == family.kind else ():
        if call.tool_id:
            _ddtrace.link_tool_choice(span, call.tool_id, call.name, call.arguments)


def _read_output(span: Any, family: Family, request: Request, ending: Ending) -> Output:
    if request.input is None or not _ddtrace.is_llmobs_span(span):
        return _NOTHING
    if ending.chunks is not None:
        return family.read_chunks(ending.chunks, request.arguments, _capture)
    return family.read_response(ending.response, request.arguments, _capture)


def _usage_and_cost(
    request: Request, ending: Ending, output: Output, model: resolve.Model
) -> tuple[Usage | None, dict[str, float]]:
    if ending.chunks is None:
        usage = usage_from(field(ending.response, "usage"))
        total = resolve.response_cost(ending.response, ending.hidden_params)
    else:
        written = resolve.output_text(output.annotations.get("output_messages", ()))
        usage, reported = resolve.stream_usage(ending.chunks, ending.response, request.arguments, written)
        total = resolve.stream_cost(ending.response, reported, ending.hidden_params)
    metrics = usage.metrics() if usage is not None else {}
    return usage, metrics | resolve.split_cost(total, usage, model)


def _response_metadata(ending: Ending, output: Output, usage: Usage | None) -> dict[str, Any]:
    hidden = ending.hidden_params
    described: dict[str, Any] = {}
    if output.finish_reason:
        described["finish_reason"] = output.finish_reason
    if ending.chunks is not None:
        described["stream_completed"] = ending.completed
        if usage is not None:
            described["token_source"] = "estimated" if usage.estimated else "reported"
    if resolve.is_cache_hit(ending.response, hidden):
        described["cache_hit"] = True
    if call_id := text_field(hidden, "litellm_call_id"):
        described["litellm_call_id"] = call_id
    overhead = number(field(hidden, "litellm_overhead_time_ms"))
    if overhead is not None:
        described["litellm_overhead_ms"] = overhead
    return described
