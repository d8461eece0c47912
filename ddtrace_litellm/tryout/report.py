"""The traces and metrics as JSON for machines.

The form is stable within a major version::

    {"exit_status": 0,
     "summary": {"traces": 1, "spans": 2, "llm_spans": 1, "errors": 0,
                 "input_tokens": 8, "output_tokens": 5, "total_cost_usd": 4.2e-06},
     "traces": [{"trace_id": "...", "complete": true, "lost_parents": [], "duration_ms": 59.5,
                 "spans": [{"span_id": "...", "parent_id": null, "name": "litellm.request", "resource": "completion",
                            "title": "completion", "kind": "llm", "model": "gpt-4o-mini", "provider": "openai",
                            "service": "", "start_ns": 0, "duration_ms": 59.5, "status": "ok", "error": null,
                            "metrics": {}, "metadata": {}, "input": {}, "output": {},
                            "tool_definitions": [], "tags": {}, "apm_tags": {}}]}],
     "metrics": [{"name": "litellm.spend.metric.count", "type": "count", "value": 4.2e-06, "tags": ["model:m"]}],
     "service_checks": [{"name": "litellm.openmetrics.health", "status": "ok", "message": "", "tags": []}]}

``kind`` is null for spans of APM alone, and so is what belongs to LLM Observability. Ids of spans are text, because
they do not fit into the numbers of JavaScript. The value of a ``count`` is the sum of what was sent, of a
``gauge`` the last, of a ``distribution`` the number of values.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ddtrace_litellm.tryout.metrics import Metrics
from ddtrace_litellm.tryout.traces import Span, Trace

_NS_PER_MS = 1e6


@dataclass(frozen=True)
class Summary:
    """Sums over all traces. Tokens and cost are those of the spans of kind ``llm`` and ``embedding``; cost in USD."""

    traces: int
    spans: int
    llm_spans: int
    errors: int
    input_tokens: int
    output_tokens: int
    total_cost_usd: float


def summarize(traces: Sequence[Trace]) -> Summary:
    """Return the sums over ``traces``."""
    observed = [span for trace in traces for span in trace.llm_spans()]
    # Workflows and agents may repeat what their children spent; only the spans of the requests themselves are added up.
    paid = [span for span in observed if span.llm is not None and span.llm.kind not in ("workflow", "agent")]
    return Summary(
        traces=len(traces),
        spans=sum(len(trace.spans) for trace in traces),
        llm_spans=len(observed),
        errors=sum(span.error is not None for span in observed),
        input_tokens=int(sum(span.metric("input_tokens") or 0 for span in paid)),
        output_tokens=int(sum(span.metric("output_tokens") or 0 for span in paid)),
        total_cost_usd=sum(span.metric("total_cost") or 0.0 for span in paid),
    )


def as_json(traces: Sequence[Trace], exit_status: int, metrics: Metrics) -> dict[str, Any]:
    """Return what ``--json`` writes."""
    return {
        "exit_status": exit_status,
        "summary": asdict(summarize(traces)),
        "traces": [
            {
                "trace_id": trace.trace_id,
                "complete": not trace.lost_parents,
                "lost_parents": [str(parent) for parent in trace.lost_parents],
                "duration_ms": trace.duration_ns / _NS_PER_MS,
                "spans": [_span(span) for span in trace.spans],
            }
            for trace in traces
        ],
        "metrics": [
            {"name": record.name, "type": record.type, "value": record.value, "tags": list(record.tags)}
            for record in metrics.records
        ],
        "service_checks": [
            {
                "name": check.name,
                "status": check.status.name.lower(),
                "message": check.message,
                "tags": list(check.tags),
            }
            for check in metrics.checks
        ],
    }


def _span(span: Span) -> dict[str, Any]:
    llm = span.llm
    return {
        "span_id": str(span.span_id),
        "parent_id": None if span.parent_id is None else str(span.parent_id),
        "name": span.name,
        "resource": span.resource,
        "title": span.title,
        "service": span.service,
        "kind": llm and llm.kind,
        "model": (llm and llm.model) or None,
        "provider": (llm and llm.provider) or None,
        "start_ns": span.start_ns,
        "duration_ms": span.duration_ns / _NS_PER_MS,
        "status": "ok" if span.error is None else "error",
        "error": None if span.error is None else asdict(span.error),
        "metrics": llm and llm.metrics,
        "metadata": llm and llm.metadata,
        "input": llm and llm.input,
        "output": llm and llm.output,
        "tool_definitions": llm and llm.tool_definitions,
        "tags": llm and llm.tags,
        "apm_tags": span.apm_tags,
    }
