"""The traces as trees for people, made with rich, which comes with an extra."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.measure import Measurement
from rich.segment import Segment
from rich.style import Style
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from ddtrace_litellm.masking import visible
from ddtrace_litellm.tryout import contents
from ddtrace_litellm.tryout.report import summarize
from ddtrace_litellm.tryout.selection import Folded, folded
from ddtrace_litellm.tryout.traces import LLMData, Span, Trace

_KIND_STYLES = {
    "llm": "bold cyan",
    "embedding": "bold magenta",
    "retrieval": "bold magenta",
    "workflow": "bold blue",
    "agent": "bold blue",
    "task": "bold blue",
    "tool": "bold yellow",
}
# The bar gives way to the rest where there is not much room.
_BAR_CELLS, _NARROW_BAR_CELLS, _WIDE = 16, 8, 100
_MS_PER_S = 1000.0
_NS_PER_MS = 1e6
# Prices of single calls are fractions of a cent: two digits that count say more than two decimals.
_COST_DIGITS = 2
_ERROR_CHARS = 300
# What APM keeps for itself, and what the rest of the span shows already.
_INTERNAL_TAGS = ("_", "error.", "llmobs_", "gen_ai.", "language", "process_id", "runtime-id")
_INCOMPLETE = (
    "It never ended, or it belongs to another process. Outside of `try`, ddtrace sends nothing of a trace before all"
    " its spans have ended: Datadog would see none of this."
)


def render(console: Console, traces: Sequence[Trace], *, full: bool, everything: bool = False) -> None:
    """Print one tree for each trace, and the sums.

    Args:
        console: where to.
        traces: what to print.
        full: everything that was said, all metadata and stacks, in place of short lines.
        everything: the spans too that explain no call: inside of HTTP clients, health checks.
    """
    cells = _BAR_CELLS if console.width >= _WIDE else _NARROW_BAR_CELLS
    shown = Folded(tuple(traces), 0) if everything else folded(traces)
    for number, trace in enumerate(shown.traces, 1):
        console.print()
        console.print(_trace_tree(_View(trace, full, cells), f"trace {number} of {len(shown.traces)}"))
    if traces:
        console.print()
        console.print(_summary_line(traces))
    if shown.spans:
        spans = _count(shown.spans, "span")
        console.print(Text(f"{spans} of HTTP clients, frameworks and health checks folded; see --all", "dim"))


def duration(nanoseconds: float) -> str:
    """Return a duration with a unit that suits it, in three digits."""
    milliseconds = nanoseconds / _NS_PER_MS
    if milliseconds >= _MS_PER_S:
        return f"{milliseconds / _MS_PER_S:.2f} s"
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"  # noqa: PLR2004


def cost(usd: float) -> str:
    """Return a price in USD, with as many decimals as it takes to see it."""
    if usd <= 0:
        return "$0"
    decimals = max(2, _COST_DIGITS - 1 - math.floor(math.log10(usd)))
    return f"${usd:.{decimals}f}"


@dataclass(frozen=True)
class _View:
    """What is shown of a trace, and how wide its bars are."""

    trace: Trace
    full: bool
    cells: int


def _trace_tree(view: _View, title: str) -> Tree:
    trace = view.trace
    tree = Tree(
        Text.assemble((title, "bold"), (f"  {trace.trace_id}  {duration(trace.duration_ns)}", "dim")),
        guide_style="dim",
    )
    for parent in trace.lost_parents:
        orphans = ", ".join(sorted({span.title for span in trace.spans if span.parent_id == parent}))
        warning = Text(f"incomplete: span {parent}, the parent of {_clean(orphans)}, did not arrive", "bold red")
        tree.add(warning.append(f"\n{_INCOMPLETE}", "not bold"))
    for root in trace.roots:
        _add(tree, view, root)
    return tree


def _add(tree: Tree, view: _View, span: Span, of_parent: str = "") -> None:
    header = Table.grid(expand=True, padding=(0, 1))
    header.add_column(ratio=1, overflow="fold")
    header.add_column(width=8, justify="right", no_wrap=True)
    header.add_column(width=view.cells, no_wrap=True)
    style = "red" if span.error else ("cyan" if span.llm else "dim")
    took = Text(duration(span.duration_ns), "" if span.llm else "dim")
    header.add_row(_headline(span), took, _bar(view, span, style))
    children = view.trace.children(span)
    details = Table.grid(padding=(0, 2, 0, 0))
    details.add_column(style="dim", no_wrap=True)
    details.add_column(overflow="fold")
    if span.llm is not None or view.full:
        for label, text in _details(span, full=view.full):
            details.add_row(label, text)
    whose = _whose(span)
    if whose and whose != of_parent:
        details.add_row("", Text(whose, "dim"))
    branch = tree.add(Group(header, _Beside("│ " if children else "  ", details)) if details.row_count else header)
    for child in children:
        _add(branch, view, child, whose or of_parent)


@dataclass(frozen=True)
class _Beside:
    """Something with a line drawn at its left, from a span's head down to its children."""

    line: str
    content: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        inner = options.update_width(max(options.max_width - len(self.line), 1))
        for row in console.render_lines(self.content, inner, pad=False):
            yield Segment(self.line, Style(dim=True))
            yield from row
            yield Segment.line()


def _headline(span: Span) -> RenderableType:
    if span.llm is None:
        title = span.title if span.title != span.name else ""
        # A server's own address is that of all its requests, while the resource has method and path.
        is_server = span.apm_tags.get("span.kind") == "server"
        target = title if is_server and title else span.apm_tags.get("http.url") or title
        parts = [span.name, str(target), str(span.apm_tags.get("http.status_code", ""))]
        style = "dim" if span.error is None else "dim red"
        return _Packed([Text(_clean(part), style) for part in parts if part])
    llm = span.llm
    model = Text(_clean(llm.model)).append(_clean(f" · {llm.provider}") if llm.provider else "", "dim")
    return _Packed(
        (
            Text(_clean(llm.kind), _KIND_STYLES.get(llm.kind, "bold")),
            Text(_clean(span.title), "bold"),
            *([model] if llm.model else []),
            *(Text(part, style) for part, style in _numbers(span)),
            Text("ok", "green") if span.error is None else Text("error", "bold red"),
        )
    )


@dataclass(frozen=True)
class _Packed:
    """Parts on as many lines as they need; a line breaks between parts only, so that numbers stay whole."""

    parts: Sequence[Text]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        line = Text()
        for part in self.parts:
            if line and line.cell_len + 2 + part.cell_len > options.max_width:
                yield line
                line = Text()
            line = Text.assemble(line, "  " if line else "", part)
        yield line

    def __rich_measure__(self, console: Console, options: ConsoleOptions) -> Measurement:
        return Measurement(1, options.max_width)


def _numbers(span: Span) -> Iterator[tuple[str, str]]:
    tokens_in, tokens_out = span.metric("input_tokens"), span.metric("output_tokens")
    if tokens_in is not None or tokens_out is not None:
        about = "~" if span.is_estimated else ""
        yield f"{about}{tokens_in or 0:.0f} → {about}{tokens_out or 0:.0f} tokens", ""
    for name, label in (
        ("cache_read_input_tokens", "read from cache"),
        ("cache_write_input_tokens", "written to cache"),
        ("reasoning_output_tokens", "reasoning"),
    ):
        if span.metric(name):
            yield f"{span.metric(name):.0f} {label}", "dim"
    total = span.metric("total_cost")
    if total is not None:
        yield cost(total), "green"
    first = span.metric("time_to_first_token")
    if first is not None:
        yield f"first token {duration(first * _MS_PER_S * _NS_PER_MS)}", "yellow"


def _whose(span: Span) -> str:
    """Return whose call it is: a child's is shown where it differs from its parent's."""
    tags = {} if span.llm is None else span.llm.tags
    named = {"session": "session_id", "user": "user", "end user": "end_user", "tags": "request_tags"}
    return " · ".join(f"{label} {_clean(str(tags[name]))}" for label, name in named.items() if tags.get(name))


def _bar(view: _View, span: Span, style: str) -> Text:
    """Draw when in the trace the span ran."""
    whole, cells = max(view.trace.duration_ns, 1), view.cells
    begin = min(int((span.start_ns - view.trace.start_ns) * cells / whole), cells - 1)
    length = max(1, min(round(span.duration_ns * cells / whole), cells - begin))
    return Text.assemble(("·" * begin, "dim"), ("━" * length, style), ("·" * (cells - begin - length), "dim"))


def _details(span: Span, *, full: bool) -> Iterator[tuple[str, Text]]:
    if span.llm is not None:
        yield from _said("in", contents.lines(span.llm.input), full=full, last_only=True)
        yield from _said("out", contents.lines(span.llm.output), full=full, last_only=False)
    if span.error is not None:
        message = _clean(f"{span.error.type}: {span.error.message}")
        yield "error", Text(message if full else contents.shortened(message, _ERROR_CHARS), "red")
        if full and span.error.stack and span.llm is not None:
            yield "stack", Text(_clean(span.error.stack.rstrip()), "dim")
    if span.llm is not None:
        yield from _metadata(span.llm) if full else _notes(span.llm)
    if full and span.apm_tags:
        shown = {name: value for name, value in span.apm_tags.items() if not name.startswith(_INTERNAL_TAGS)}
        yield "APM", Text(_pairs(shown), "dim")


def _said(label: str, said: Sequence[contents.Line], *, full: bool, last_only: bool) -> Iterator[tuple[str, Text]]:
    shown = said if full or not last_only else said[-1:]
    for number, line in enumerate(shown):
        text = Text.assemble((f"{_clean(line.speaker)}  " if line.speaker else "", "italic dim"))
        text.append(_clean(line.text if full else contents.shortened(line.text)))
        if len(shown) < len(said):
            text.append(f"  (+{len(said) - len(shown)} before)", "dim")
        yield "" if number else label, text


def _metadata(llm: LLMData) -> Iterator[tuple[str, Text]]:
    if llm.tool_definitions:
        yield "tools", Text("\n".join(_as_text(tool) for tool in llm.tool_definitions))
    if llm.metrics:
        yield "metrics", Text(_pairs(llm.metrics), "dim")
    if llm.metadata:
        yield (
            "metadata",
            Text("\n".join(f"{_clean(name)} {_as_text(llm.metadata[name])}" for name in sorted(llm.metadata)), "dim"),
        )
    if llm.tags:
        yield "tags", Text(_pairs(llm.tags, ":"), "dim")


def _notes(llm: LLMData) -> Iterator[tuple[str, Text]]:
    """Yield a line of what is unusual about a span."""
    metadata = llm.metadata
    failed = metadata.get("failed_attempts") or ()
    tools = ", ".join(str(tool.get("name", "")) for tool in llm.tool_definitions)
    notes = (
        f"attempt {metadata.get('attempt_number')}" if metadata.get("attempt_number") else "",
        _count(len(failed), "failed attempt") if failed else "",
        f"finish_reason {metadata.get('finish_reason')}" if metadata.get("finish_reason") else "",
        "from LiteLLM's cache" if metadata.get("cache_hit") is True else "",
        "stream not read to its end" if metadata.get("stream_completed") is False else "",
        f"tools {tools}" if tools else "",
    )
    shown = " · ".join(note for note in notes if note)
    if shown:
        yield "", Text(contents.shortened(_clean(shown), _ERROR_CHARS), "dim")


def _pairs(values: Mapping[str, object], between: str = " ") -> str:
    return "  ".join(
        f"{_clean(name)}{between}{_as_text(values[name])}" for name in sorted(values) if values[name] != ""
    )


def _as_text(value: object) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    return _clean(value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str))


def _clean(text: str) -> str:
    """Escape what would control the terminal."""
    return visible(text, keep="\n\t")


def _summary_line(traces: Sequence[Trace]) -> Text:
    total = summarize(traces)
    about = "~" if any(span.is_estimated for trace in traces for span in trace.spans) else ""
    text = Text.assemble(
        (f"{_count(total.traces, 'trace')}, {_count(total.llm_spans, 'LLM Observability span')}", "bold"),
        f" of {_count(total.spans, 'span')} · {about}{total.input_tokens} → {about}{total.output_tokens} tokens"
        f" · {cost(total.total_cost_usd)}",
    )
    if total.errors:
        text.append(f" · {_count(total.errors, 'error')}", "bold red")
    incomplete = sum(bool(trace.lost_parents) for trace in traces)
    if incomplete:
        text.append(f" · {incomplete} incomplete", "bold red")
    return text


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"
