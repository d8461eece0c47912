"""What has to hold of an application's traces, whatever the framework."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ddtrace_litellm.demo.answers import Answer, plain_text
from ddtrace_litellm.demo.provider import Request
from ddtrace_litellm.tryout.traces import Span, Trace

LEAVES = ("llm", "embedding")


def leaves(traces: Sequence[Trace]) -> list[Span]:
    """Return the events of provider requests, in order of their start."""
    return sorted(
        (span for trace in traces for span in trace.llm_spans() if span.llm.kind in LEAVES),
        key=lambda span: span.start_ns,
    )


def faults(
    traces: Sequence[Trace], parents: Mapping[int, int], answered: Sequence[tuple[Request, Answer]], theirs: str
) -> Iterator[str]:
    """Yield what does not hold.

    Args:
        traces: what arrived.
        parents: of each event, the event that LLM Observability shows it beneath; 0 for none.
        answered: the provider's requests and answers.
        theirs: ddtrace's integration of the framework, which has to have events above ours; ``""`` for none.
    """
    events = {span.span_id: span for trace in traces for span in trace.llm_spans()}
    found = leaves(traces)
    if len(found) != len(answered):
        yield f"{len(found)} LLM events of {len(answered)} requests: {[_described(span) for span in found]}"
    if lost := [trace.trace_id for trace in traces if trace.lost_parents]:
        yield f"spans without their parents in {lost}"
    if lost := [_described(events[span]) for span, parent in parents.items() if parent and parent not in events]:
        yield f"events without their parents: {lost}"
    ours = [span for span in found if _integration(span) == "litellm"]
    beside_theirs = {
        span.span_id for trace in traces if theirs in map(_integration, trace.llm_spans()) for span in trace.spans
    }
    if theirs and not beside_theirs:
        yield f"no event of {theirs}"
    for span, (request, answer) in zip(ours, answered, strict=False):
        yield from (f"{_described(span)}: {fault}" for fault in _faults_of_leaf(span, request, answer))
        above = list(_above(span.span_id, parents, events))
        if span.span_id in beside_theirs and theirs not in map(_integration, above):
            yield f"{_described(span)}: it is beside events of {theirs}, not beneath one"
        if with_tokens := [_described(other) for other in above if "input_tokens" in other.llm.metrics]:
            yield f"{_described(span)}: its tokens are counted again on {with_tokens}"


def _faults_of_leaf(span: Span, request: Request, answer: Answer) -> Iterator[str]:
    llm = span.llm
    if span.error is not None:
        yield f"it is an error: {span.error.type}"
    if not llm.metrics.get("total_cost"):
        yield "it has no cost"
    asked = request.body.get("messages")
    if asked is not None and len(llm.input.get("messages", ())) != len(asked):
        yield f"{len(llm.input.get('messages', ()))} messages of {len(asked)}"
    texts = [plain_text(message.get("content")) for message in asked or ()] or request.body["input"]
    if missing := [text for text in texts if not _holds(llm.input, text)]:
        yield f"its input has not {missing}"
    if not _holds(llm.output, answer.text):
        yield f"its output has not {answer.text!r}"
    called = [call["name"] for message in llm.output.get("messages", ()) for call in message.get("tool_calls", ())]
    if called != [call.name for call in answer.tool_calls]:
        yield f"it calls {called}"
    if request.body.get("stream") and not (request.body.get("stream_options") or {}).get("include_usage"):
        return  # the provider has not said
    tokens = {"input_tokens": answer.usage.input, "output_tokens": answer.usage.output}
    if wrong := {name: llm.metrics.get(name) for name, count in tokens.items() if llm.metrics.get(name, 0) != count}:
        yield f"its tokens are {wrong}, not {tokens}"


def _above(span_id: int, parents: Mapping[int, int], events: Mapping[int, Span]) -> Iterator[Span]:
    while (span_id := parents.get(span_id, 0)) in events:
        yield events[span_id]


def _holds(value: Any, text: str) -> bool:
    return json.dumps(text)[1:-1] in json.dumps(value)


def _integration(span: Span) -> str:
    return span.llm.tags.get("integration", "")


def _described(span: Span) -> str:
    return f"{_integration(span) or 'other'} {span.llm.kind} {span.title}"
