"""What the test agent received, as records: APM spans joined with their LLM Observability data."""

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

_LOW_64_BITS = 2**64 - 1
# The agent answers with LLM Observability requests of its own making, built from the spans it got: we have those.
_MADE_BY_AGENT = "agent-extract"
_Json = Mapping[str, Any]


@dataclass(frozen=True)
class SpanError:
    """Why a span failed; each part is ``""`` when the span does not say."""

    type: str
    message: str
    stack: str


@dataclass(frozen=True)
class LLMData:
    """A span's LLM Observability event.

    Attributes:
        name: the operation, as Datadog lists it.
        kind: ``llm``, ``workflow``, ``embedding``, ``retrieval``, ``tool``, ``task`` or ``agent``.
        model: the model's name, ``""`` for kinds without one.
        provider: the model's provider in lower case, ``""`` for kinds without one.
        metrics: numbers by Datadog's names: tokens, costs in USD, ``time_to_first_token`` in seconds.
        input: ``messages``, ``documents`` or ``value``.
        output: the same for what came back.
        tool_definitions: the tools that were offered.
        tags: the event's tags.
        links: the spans whose output became this one's input, or the other way round, as ddtrace links them.
    """

    name: str
    kind: str
    model: str = ""
    provider: str = ""
    metrics: _Json = field(default_factory=dict)
    metadata: _Json = field(default_factory=dict)
    input: _Json = field(default_factory=dict)
    output: _Json = field(default_factory=dict)
    tool_definitions: Sequence[_Json] = ()
    tags: _Json = field(default_factory=dict)
    links: Sequence[_Json] = ()


@dataclass(frozen=True)
class Span:
    """One span of a trace.

    Attributes:
        span_id: its id.
        parent_id: the span it belongs under, None for the first one.
        name: the kind of operation, such as ``litellm.request``.
        resource: the operation itself, such as ``completion``.
        start_ns: when it began, nanoseconds since 1970.
        duration_ns: how long it took, nanoseconds.
        error: why it failed, None when it did not.
        llm: its LLM Observability event, None for a span that is APM's alone.
        apm_tags: the span's own tags and numbers, empty when only the event arrived.
        evaluations: what was submitted about it, a guardrail's verdict for example.
    """

    span_id: int
    parent_id: int | None
    name: str
    resource: str
    start_ns: int
    duration_ns: int
    error: SpanError | None = None
    service: str = ""
    llm: LLMData | None = None
    apm_tags: _Json = field(default_factory=dict)
    evaluations: tuple[_Json, ...] = ()

    @property
    def title(self) -> str:
        """What Datadog lists the span by: the event's name, else the resource."""
        return self.resource if self.llm is None else self.llm.name

    @property
    def is_estimated(self) -> bool:
        """Whether its tokens are estimated, as the provider reported none."""
        return self.llm is not None and self.llm.metadata.get("token_source") == "estimated"

    def metric(self, name: str) -> float | None:
        """Return a number of the LLM Observability event, None when it is not there."""
        return None if self.llm is None else self.llm.metrics.get(name)


@dataclass(frozen=True)
class Trace:
    """The spans of one trace in order of their start. ``trace_id`` is in hexadecimal, as Datadog shows it."""

    trace_id: str
    spans: tuple[Span, ...]

    @property
    def lost_parents(self) -> tuple[int, ...]:
        """Ids of spans that others name as their parent and that did not arrive."""
        arrived = {span.span_id for span in self.spans}
        named = (span.parent_id for span in self.spans if span.parent_id is not None)
        return tuple(dict.fromkeys(parent for parent in named if parent not in arrived))

    @property
    def roots(self) -> tuple[Span, ...]:
        """The spans without a parent among those that arrived."""
        arrived = {span.span_id for span in self.spans}
        return tuple(span for span in self.spans if span.parent_id not in arrived)

    @property
    def start_ns(self) -> int:
        """When the first span began, nanoseconds since 1970."""
        return self.spans[0].start_ns

    @property
    def duration_ns(self) -> int:
        """From the first span's begin to the last one's end, nanoseconds."""
        return max(span.start_ns + span.duration_ns for span in self.spans) - self.start_ns

    def children(self, parent: Span) -> tuple[Span, ...]:
        """Return the spans right beneath ``parent``."""
        return tuple(span for span in self.spans if span.parent_id == parent.span_id)

    def llm_spans(self) -> tuple[Span, ...]:
        """Return the spans that are LLM Observability's too."""
        return tuple(span for span in self.spans if span.llm is not None)


def assemble(raw_traces: Iterable[Sequence[_Json]], raw_requests: Iterable[_Json]) -> tuple[Trace, ...]:
    """Build the traces from what the agent returns, in order of their start.

    Args:
        raw_traces: the answer to ``GET /test/traces``.
        raw_requests: the answer to ``GET /test/session/requests``.
    """
    return tuple(sorted(Assembly().add(raw_traces, raw_requests), key=lambda trace: trace.start_ns))


class Assembly:
    """Traces that grow: a trace comes in several payloads, and its spans come apart from what is said about them."""

    def __init__(self) -> None:
        self._spans: dict[int, dict[int, Span]] = {}
        self._events: dict[int, dict[int, _Json]] = {}
        self._upper_halves: dict[int, str] = {}
        self._evaluations: dict[int, list[_Json]] = {}
        self._trace_of: dict[int, int] = {}

    def add(self, raw_traces: Iterable[Sequence[_Json]], raw_requests: Iterable[_Json]) -> tuple[Trace, ...]:
        """Add what arrived, and return the traces that it changes.

        Args:
            raw_traces: spans as the agent returns them.
            raw_requests: requests as the agent returns them, for evaluations and for LLM Observability events that were
                sent on their own, which is what older ddtrace versions do, and all of them without APM tracing.
        """
        changed: dict[int, None] = {}
        for raw in (raw for raw_trace in raw_traces for raw in raw_trace):
            trace_id, span_id = int(raw["trace_id"]), int(raw["span_id"])
            self._spans.setdefault(trace_id, {})[span_id] = read_span(raw)
            upper = (raw.get("meta") or {}).get("_dd.p.tid")
            if upper:
                self._upper_halves[trace_id] = str(upper)
            self._trace_of[span_id] = trace_id
            changed[trace_id] = None
        for request in raw_requests:
            for event in _events(request):
                whole, span_id = _apm_trace_id(event), int(event["span_id"])
                trace_id = whole & _LOW_64_BITS
                if whole != trace_id:
                    self._upper_halves.setdefault(trace_id, f"{whole >> 64:016x}")
                self._events.setdefault(trace_id, {})[span_id] = event
                self._trace_of[span_id] = trace_id
                changed[trace_id] = None
            for evaluation in _evaluations(request):
                span_id = int(evaluation["join_on"]["span"]["span_id"])
                self._evaluations.setdefault(span_id, []).append(evaluation)
                if span_id in self._trace_of:
                    changed[self._trace_of[span_id]] = None
        return tuple(map(self._trace, changed))

    def _trace(self, trace_id: int) -> Trace:
        spans = dict(self._spans.get(trace_id, {}))
        for span_id, event in self._events.get(trace_id, {}).items():
            spans[span_id] = replace(spans[span_id], llm=_llm_data(event)) if span_id in spans else _event_span(event)
        for span_id in spans.keys() & self._evaluations.keys():
            spans[span_id] = replace(spans[span_id], evaluations=tuple(self._evaluations[span_id]))
        ordered = tuple(sorted(spans.values(), key=lambda span: span.start_ns))
        return Trace(self._upper_halves.get(trace_id, "") + f"{trace_id:016x}", ordered)


def read_span(raw: _Json) -> Span:
    """Return a span as APM has it, with its LLM Observability event if it carries one."""
    meta: _Json = raw.get("meta") or {}
    struct: _Json = (raw.get("meta_struct") or {}).get("_llmobs") or {}
    error = None
    if raw.get("error"):
        error = SpanError(meta.get("error.type", ""), meta.get("error.message", ""), meta.get("error.stack", ""))
    return Span(
        span_id=int(raw["span_id"]),
        parent_id=int(raw.get("parent_id") or 0) or None,
        name=str(raw.get("name", "")),
        resource=str(raw.get("resource", "")),
        start_ns=int(raw.get("start", 0)),
        duration_ns=int(raw.get("duration", 0)),
        error=error,
        service=str(raw.get("service", "")),
        # Only an event has a trace id of its own. Data without one was left on a span that is no event.
        llm=_llm_data(struct) if struct.get("trace_id") else None,
        apm_tags={**meta, **(raw.get("metrics") or {})},
    )


def _event_span(event: _Json) -> Span:
    failure: _Json = event.get("meta", {}).get("error") or {}
    parent = str(event.get("parent_id", ""))
    return Span(
        span_id=int(event["span_id"]),
        parent_id=int(parent) if parent.isdecimal() and parent != "0" else None,
        name=str(event.get("name", "")),
        resource=str(event.get("name", "")),
        start_ns=int(event.get("start_ns", 0)),
        duration_ns=int(event.get("duration", 0)),
        error=SpanError(failure.get("type") or "", failure.get("message") or "", failure.get("stack") or "")
        if event.get("status") == "error"
        else None,
        service=str(_tags(event).get("service", "")),
        llm=_llm_data(event),
    )


def _llm_data(event: _Json) -> LLMData:
    meta: _Json = event.get("meta") or {}
    metadata: _Json = meta.get("metadata") or {}
    return LLMData(
        name=str(event.get("name") or ""),
        kind=str((meta.get("span") or {}).get("kind") or meta.get("span.kind") or ""),
        # ddtrace has these fields for kinds with tokens only: a rerank has them in its metadata.
        model=str(meta.get("model_name") or metadata.get("model_name") or ""),
        provider=str(meta.get("model_provider") or metadata.get("model_provider") or ""),
        metrics=event.get("metrics") or {},
        metadata={name: value for name, value in metadata.items() if name != "_dd"},
        input=meta.get("input") or {},
        output=meta.get("output") or {},
        tool_definitions=tuple(meta.get("tool_definitions") or ()),
        tags=_tags(event),
        links=tuple(event.get("span_links") or ()),
    )


def _tags(event: _Json) -> dict[str, Any]:
    tags = event.get("tags") or {}
    if isinstance(tags, Mapping):
        return dict(tags)
    return dict(tag.partition(":")[::2] for tag in tags)


def _apm_trace_id(event: _Json) -> int:
    text = str((event.get("_dd") or {}).get("apm_trace_id") or event.get("trace_id") or "0")
    try:
        return int(text, 16)
    except ValueError:
        return 0


def _events(request: _Json) -> Iterator[_Json]:
    if not _path(request).endswith("/api/v2/llmobs"):
        return
    for batch in _payload(request):
        if batch.get("_dd.tracer_version") != _MADE_BY_AGENT:
            yield from batch.get("spans") or ()


def _evaluations(request: _Json) -> Iterator[_Json]:
    """Yield the evaluations that name their span; those that name a tag are joined by Datadog."""
    if not _path(request).endswith("/eval-metric"):
        return
    for batch in _payload(request):
        for evaluation in batch["data"]["attributes"]["metrics"]:
            if str(((evaluation.get("join_on") or {}).get("span") or {}).get("span_id", "")).isdecimal():
                yield evaluation


def _path(request: _Json) -> str:
    return str(request.get("url", "")).partition("?")[0]


def _payload(request: _Json) -> list[_Json]:
    content = json.loads(base64.b64decode(request.get("body", "")))
    return content if isinstance(content, list) else [content]
