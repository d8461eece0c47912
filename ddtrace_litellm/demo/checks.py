"""Checks that everything arrived that the demo sent: one complete trace for each call, with the right spans."""

from collections.abc import Callable, Iterator, Sequence

from ddtrace_litellm.demo import scenarios
from ddtrace_litellm.tryout import contents
from ddtrace_litellm.tryout.traces import LLMData, Span, Trace


def missing(traces: Sequence[Trace]) -> tuple[str, ...]:
    """Return what is missing, one sentence each."""
    expectations: tuple[tuple[str, str, Callable[[Trace], Iterator[str]]], ...] = (
        ("chat", scenarios.CHAT, _one_request(_chat)),
        ("stream", scenarios.STREAM, _one_request(_stream)),
        ("tool call", scenarios.TOOL, _one_request(_tool)),
        ("router", scenarios.ROUTER, _router),
        ("error", scenarios.ERROR, _one_request(_error)),
    )
    return tuple(
        f"{title}: {problem}"
        for title, question, check in expectations
        for problem in _problems(traces, question, check)
    )


def _problems(traces: Sequence[Trace], question: str, check: Callable[[Trace], Iterator[str]]) -> Iterator[str]:
    asking = [trace for trace in traces if any(_asks(span, question) for span in trace.llm_spans())]
    if len(asking) != 1:
        yield f"{len(asking)} traces whose input is {question!r}, expected 1"
        return
    if asking[0].lost_parents:
        yield "its trace is incomplete"
    yield from check(asking[0])


def _asks(span: Span, question: str) -> bool:
    return span.llm is not None and any(line.text == question for line in contents.lines(span.llm.input))


def _one_request(check: Callable[[Span, LLMData], Iterator[str]]) -> Callable[[Trace], Iterator[str]]:
    """Return a check of a trace whose only LLM Observability span is the request, which ``check`` looks at."""

    def check_trace(trace: Trace) -> Iterator[str]:
        spans = trace.llm_spans()
        if [_kind(span) for span in spans] != ["llm"]:
            yield f"the spans are {_named(spans)}, expected one of kind llm"
        for span in spans[:1]:
            if span.error is not None and check is not _error:
                # Everything else that is missing is a consequence.
                yield f"{span.title} failed: {span.error.type}: {span.error.message}"
            elif span.llm is not None:
                yield from check(span, span.llm)

    return check_trace


def _chat(span: Span, _: LLMData) -> Iterator[str]:
    yield from _answered(span)
    yield from _priced(span)


def _stream(span: Span, llm: LLMData) -> Iterator[str]:
    yield from _answered(span)
    yield from _priced(span)
    first = span.metric("time_to_first_token")
    if first is None:
        yield "the stream has no time to first token"
    elif not 0 < first < span.duration_ns / 1e9:
        yield f"its time to first token, {first} s, does not lie within its duration"
    if llm.metadata.get("stream_completed") is not True:
        yield "the stream does not say that it was completed"


def _tool(span: Span, llm: LLMData) -> Iterator[str]:
    yield from _priced(span)
    calls = [call for message in llm.output.get("messages") or () for call in message.get("tool_calls") or ()]
    if [call.get("name") for call in calls] != ["get_temperature"]:
        yield "the output has no call of get_temperature"
    elif (calls[0].get("arguments") or {}).get("city") != "Lisbon":
        yield "the arguments of the tool call are not those that the model gave"
    if not llm.tool_definitions:
        yield "the tool's definition is missing"


def _router(trace: Trace) -> Iterator[str]:
    top = [span for span in trace.llm_spans() if span in trace.roots]
    if [_kind(span) for span in top] != ["workflow"]:
        yield f"the first span is {_named(top)}, expected one workflow"
        return
    attempts = [span for span in trace.llm_spans() if _kind(span) == "llm"]
    if [span.error is not None for span in attempts] != [True, False]:
        yield f"the attempts are {_named(attempts)}, expected an llm span that failed and one that answered"
        return
    if any(span.parent_id != top[0].span_id for span in attempts):
        yield "the attempts are not right beneath the router's span"
    numbers = [span.llm.metadata.get("attempt_number") for span in attempts if span.llm is not None]
    if numbers != [1, 2]:
        yield f"the attempts are numbered {numbers}, expected [1, 2]"
    if top[0].llm is not None and not top[0].llm.metadata.get("failed_attempts"):
        yield "the router's span does not name the attempt that failed"
    yield from _answered(attempts[1])
    yield from _priced(attempts[1])


def _error(span: Span, _: LLMData) -> Iterator[str]:
    if span.error is None:
        yield "the llm span is not an error"
    elif not span.error.type.endswith("RateLimitError"):
        yield f"the error is {span.error.type}, expected RateLimitError"


def _answered(span: Span) -> Iterator[str]:
    if span.llm is not None and not any(line.text for line in contents.lines(span.llm.output)):
        yield f"{span.title} has no output"


def _priced(span: Span) -> Iterator[str]:
    for metric, name in (("input_tokens", "input tokens"), ("output_tokens", "output tokens"), ("total_cost", "cost")):
        if not span.metric(metric):
            yield f"{span.title} has no {name}"


def _kind(span: Span) -> str:
    return span.llm.kind if span.llm is not None else "APM only"


def _named(spans: Sequence[Span]) -> str:
    described = (f"{_kind(span)} {span.title}{' (error)' if span.error else ''}" for span in spans)
    return ", ".join(described) or "missing"
