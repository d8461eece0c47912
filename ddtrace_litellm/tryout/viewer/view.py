"""Traces and metrics as JSON for the page: pure functions.

Ids are text of hex digits, times are milliseconds. A number that JavaScript would round, or that JSON has no form for,
is text too.
"""

import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

from ddtrace_litellm.metrics.batch import Record
from ddtrace_litellm.tryout import contents
from ddtrace_litellm.tryout.metrics import Metrics
from ddtrace_litellm.tryout.report import summarize
from ddtrace_litellm.tryout.traces import Span, SpanError, Trace

_NS_PER_MS = 1e6
_LARGEST_INTEGER = 2**53 - 1
_SHORT_CHARS = 200
_TEXT_CHARS = 20_000
"""How much of what was said in a trace its row has, for the page's text filter."""
_SERIES = 200


def row(trace: Trace) -> dict[str, Any]:
    """Return a trace as one line of the list."""
    tops = tuple(_tops(trace))
    observed = tuple(span for span in trace.spans if span.llm is not None)
    first = tops[0] if tops else trace.roots[0]
    total = summarize([trace])
    times = [seconds * 1000 for span in observed if (seconds := span.metric("time_to_first_token")) is not None]
    failures = [span.error for span in (*tops, *trace.roots, *trace.spans) if span.error is not None]
    return _object(
        {
            "id": trace.trace_id,
            "start": trace.start_ns / _NS_PER_MS,
            "duration": trace.duration_ns / _NS_PER_MS,
            "title": first.title,
            "asked": _last(first, "input"),
            "answered": _last(first, "output"),
            "models": _distinct(span.llm.model for span in sorted(observed, key=_answering) if span.llm),
            "kinds": _distinct(span.llm.kind for span in observed if span.llm),
            "sessions": _distinct(str(span.llm.tags.get("session_id") or "") for span in observed if span.llm),
            "status": _status(trace, tops),
            "error": _why(failures[0]) if failures else None,
            "llm": total.llm_spans,
            "input_tokens": total.input_tokens,
            "output_tokens": total.output_tokens,
            "estimated": any(span.is_estimated for span in observed),
            "cost": total.total_cost_usd if any(span.metric("total_cost") is not None for span in observed) else None,
            "first_token": min(times, default=None),
            "text": _text(trace, observed),
        }
    )


def detail(trace: Trace) -> dict[str, Any]:
    """Return a trace with all that its spans say, in order of their start."""
    leading = set(_leading(trace))
    return _object(
        {
            "id": trace.trace_id,
            "start": trace.start_ns / _NS_PER_MS,
            "duration": trace.duration_ns / _NS_PER_MS,
            "lost_parents": [_hex(parent) for parent in trace.lost_parents],
            "spans": [_span(trace, span, leading=span.span_id in leading) for span in trace.spans],
        }
    )


def metrics(arrived: Metrics) -> list[dict[str, Any]]:
    """Return one entry for each name and type: its value, what arrived when, and its series.

    The value of a ``gauge`` of several series is left out, as is the rest of more than 200 series.
    """
    by_name: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in arrived.records:
        by_name[record.type, record.name].append(record)
    entries = [
        {
            "name": name,
            "type": type_,
            "value": sum(each.value for each in records) if type_ != "gauge" or len(records) == 1 else None,
            "points": [
                [point.second * 1000, point.total / point.times if type_ == "gauge" else point.total]
                for point in arrived.points.get((type_, name), ())
            ],
            "count": len(records),
            "series": [{"value": each.value, "tags": each.tags} for each in records[:_SERIES]],
        }
        for (type_, name), records in by_name.items()
    ]
    checks = [
        {
            "name": check.name,
            "type": "check",
            "value": check.status.name.lower(),
            "points": [],
            "count": 1,
            "series": [{"value": check.message or check.status.name.lower(), "tags": check.tags}],
        }
        for check in arrived.checks
    ]
    return sorted(_plain([*entries, *checks]), key=lambda entry: entry["name"])


def _span(trace: Trace, span: Span, *, leading: bool) -> dict[str, Any]:
    llm = span.llm
    return {
        "id": _hex(span.span_id),
        "parent": None if span.parent_id is None else _hex(span.parent_id),
        "title": span.title,
        "name": span.name,
        "resource": span.resource,
        "service": span.service,
        "start": (span.start_ns - trace.start_ns) / _NS_PER_MS,
        "duration": span.duration_ns / _NS_PER_MS,
        "error": None if span.error is None else {**asdict(span.error), "why": _why(span.error)},
        "leading": leading,
        "llm": None
        if llm is None
        else {
            **vars(llm),
            "links": [_link(link) for link in llm.links],
            "estimated": span.is_estimated,
        },
        "evaluations": [_evaluation(each) for each in span.evaluations],
        "apm": {name: value for name, value in span.apm_tags.items() if name != "error.stack"},
    }


def _link(link: Mapping[str, Any]) -> dict[str, Any]:
    ends = link.get("attributes") or {}
    number = str(link.get("span_id", ""))
    return {
        "id": _hex(int(number)) if number.isdecimal() else number,
        "from": str(ends.get("from", "")),
        "to": str(ends.get("to", "")),
    }


def _evaluation(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    type_ = str(evaluation.get("metric_type", ""))
    said = {name: evaluation[name] for name in ("assessment", "reasoning", "metadata", "tags") if evaluation.get(name)}
    return {"label": evaluation.get("label", ""), "type": type_, "value": evaluation.get(f"{type_}_value"), **said}


def _tops(trace: Trace) -> Iterator[Span]:
    """Yield the LLM Observability spans that no other is above."""
    by_id = {span.span_id: span for span in trace.spans}
    for span in trace.spans:
        if span.llm is not None and all(above.llm is None for above in _above(span, by_id)):
            yield span


def _leading(trace: Trace) -> Iterator[int]:
    """Yield the ids of LLM Observability's spans and of those above them."""
    by_id = {span.span_id: span for span in trace.spans}
    seen: set[int] = set()
    for span in trace.spans:
        if span.llm is None:
            continue
        for each in (span, *_above(span, by_id)):
            if each.span_id in seen:
                break
            seen.add(each.span_id)
            yield each.span_id


def _above(span: Span, by_id: Mapping[int, Span]) -> Iterator[Span]:
    passed = {span.span_id}
    above = by_id.get(span.parent_id or 0)
    while above is not None and above.span_id not in passed:
        yield above
        passed.add(above.span_id)
        above = by_id.get(above.parent_id or 0)


def _status(trace: Trace, tops: Sequence[Span]) -> str:
    if any(span.error is not None for span in (*tops, *trace.roots)):
        return "error"
    if any(span.error is not None for span in trace.spans):
        return "recovered"
    return "incomplete" if trace.lost_parents else "ok"


def _why(error: SpanError) -> str:
    """Return type and message on one line, the type once: LiteLLM repeats it within the message."""
    name = error.type.rpartition(".")[2]
    message = re.sub(rf"^(?:(?:litellm\.)?{re.escape(name)}: )+", "", error.message)
    return contents.shortened(f"{name}: {message}", _SHORT_CHARS)


def _last(span: Span, side: str) -> str:
    """Return what was said last, of what was asked preferably by the user."""
    if span.llm is None:
        return ""
    lines = contents.lines(span.llm.input if side == "input" else span.llm.output)
    said = [line for line in lines if line.speaker == "user"] if side == "input" else []
    return contents.shortened((said or list(lines))[-1].text, _SHORT_CHARS) if lines else ""


def _text(trace: Trace, observed: Sequence[Span]) -> str:
    """Return what the text filter looks at, each line once: ids, names, tags and what was said, in lower case."""
    lines: dict[str, None] = {trace.trace_id: None}
    room = _TEXT_CHARS
    for text in _texts(trace, observed):
        if text not in lines:
            lines[text[:room]] = None
            room -= len(text)
        if room <= 0:
            break
    return "\n".join(lines).lower()


def _texts(trace: Trace, observed: Sequence[Span]) -> Iterator[str]:
    for span in observed:
        assert span.llm is not None  # the caller chose them for that
        yield f"{span.title} {span.llm.kind} {span.llm.model} {span.llm.provider}"
        yield from (f"{name}:{value}" for name, value in span.llm.tags.items() if value != "")
        for side in (span.llm.input, span.llm.output):
            yield from (line.text for line in contents.lines(side))
    for span in trace.spans:
        if span.error is not None:
            yield f"{span.error.type}: {span.error.message}"
        if span.llm is None:
            yield f"{span.name} {span.resource}"


def _answering(span: Span) -> tuple[bool, bool]:
    """Sort the models that answered before those that failed, and those that were asked before those for embeddings."""
    return span.error is not None, span.llm is None or span.llm.kind != "llm"


def _distinct(values: Iterator[str]) -> list[str]:
    return list(dict.fromkeys(filter(None, values)))


def _hex(span_id: int) -> str:
    return f"{span_id:016x}"


def _object(value: Mapping[str, Any]) -> dict[str, Any]:
    return {str(name): _plain(each) for name, each in value.items()}


def _plain(value: Any) -> Any:
    """Return JSON that a browser reads as it is meant."""
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, (list, tuple)):
        return [_plain(each) for each in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, int) and not isinstance(value, bool) and abs(value) > _LARGEST_INTEGER:
        return str(value)
    return value
