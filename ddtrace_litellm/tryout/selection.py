"""Which traces and spans the terminal shows: those that were asked for, without those that explain no call."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from urllib.parse import urlsplit

from ddtrace_litellm.tryout import contents
from ddtrace_litellm.tryout.traces import Span, Trace

# ddtrace's names of the integrations whose spans are HTTP requests. One request is several of them: LiteLLM's httpx
# speaks through aiohttp, which opens connections.
_HTTP_CLIENTS = frozenset({"aiohttp", "aiohttp_client", "httplib", "httpx", "requests", "urllib3"})
_OF_FRAMEWORKS = frozenset({"fastapi.serialize_response"})


@dataclass(frozen=True)
class Folded:
    """Traces without noise.

    Attributes:
        traces: what is left.
        spans: how many spans were left out, those of whole traces included.
    """

    traces: tuple[Trace, ...]
    spans: int


def folded(traces: Sequence[Trace]) -> Folded:
    """Leave out what happens inside of HTTP clients and frameworks, and requests for health and metrics."""
    shorter = (replace(trace, spans=_without_noise(trace)) for trace in traces if not _is_probe(trace))
    left = tuple(trace for trace in shorter if trace.spans)
    return Folded(left, sum(len(trace.spans) for trace in traces) - sum(len(trace.spans) for trace in left))


def _without_noise(trace: Trace) -> tuple[Span, ...]:
    kept = {span.span_id for root in trace.roots for span in _kept(trace, root, inside=False)}
    return tuple(span for span in trace.spans if span.span_id in kept)


def _kept(trace: Trace, span: Span, *, inside: bool) -> list[Span]:
    """Return the spans of a subtree that are shown; ``inside``: of a call, or of an HTTP request that is shown."""
    is_client = span.apm_tags.get("component") in _HTTP_CLIENTS and span.apm_tags.get("span.kind") == "client"
    beneath = [
        kept for child in trace.children(span) for kept in _kept(trace, child, inside=is_client or span.llm is not None)
    ]
    is_noise = span.llm is None and (span.name in _OF_FRAMEWORKS or (is_client and inside))
    # What a request led to, in a server that is watched too, is no noise, and would have lost its parent.
    return beneath if is_noise and not beneath else [span, *beneath]


def _is_probe(trace: Trace) -> bool:
    """Whether a trace is a request for health or metrics, answered without a call and without an error."""
    return all(_asks_for_health(root) for root in trace.roots) and not any(
        span.llm is not None or span.error is not None for span in trace.spans
    )


def _asks_for_health(span: Span) -> bool:
    path = urlsplit(str(span.apm_tags.get("http.url", ""))).path.rstrip("/")
    return span.apm_tags.get("span.kind") == "server" and (path == "/metrics" or path.startswith("/health"))


def _said(span: Span) -> Iterator[str]:
    yield span.title
    if span.error is not None:
        yield span.error.message
    if span.llm is not None:
        yield from (line.text for content in (span.llm.input, span.llm.output) for line in contents.lines(content))


def _tag(span: Span, *names: str) -> list[str]:
    tags = {} if span.llm is None else span.llm.tags
    return [str(tags[name]) for name in names if name in tags]


_FIELDS: Mapping[str, Callable[[Span], Iterable[str]]] = MappingProxyType(
    {
        "kind": lambda span: [] if span.llm is None else [span.llm.kind],
        "model": lambda span: [] if span.llm is None else [span.llm.model],
        "session": lambda span: _tag(span, "session_id"),
        "status": lambda span: ["ok" if span.error is None else "error"],
        "tag": lambda span: [] if span.llm is None else [f"{name}:{value}" for name, value in span.llm.tags.items()],
        "text": _said,
        "user": lambda span: _tag(span, "user", "end_user"),
    }
)
FIELDS = tuple(_FIELDS)
"""What ``--filter`` knows."""


Condition = Callable[[Span], bool]


def condition(text: str) -> Condition:
    """Return what a filter asks of a span.

    Args:
        text: ``FIELD=TEXT``, FIELD one of :data:`FIELDS`, or ``TEXT``, which is ``text=TEXT``. It holds where TEXT is
            part of the field, in whatever case.

    Raises:
        argparse.ArgumentTypeError: there is no such field.
    """
    field, equals, part = text.partition("=")
    if not equals:
        field, part = "text", text
    if field not in _FIELDS:
        raise ArgumentTypeError(f"{field} is none of {', '.join(FIELDS)}")
    return lambda span: any(part.casefold() in value.casefold() for value in _FIELDS[field](span))


def matching(traces: Iterable[Trace], conditions: Sequence[Condition]) -> tuple[Trace, ...]:
    """Return the traces with a span that all conditions hold for."""
    return tuple(trace for trace in traces if any(all(holds(span) for holds in conditions) for span in trace.spans))
