"""What would be sent of a page, as tables for people."""

import time
from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ddtrace_litellm.masking import visible
from ddtrace_litellm.metrics.batch import MetricBatch, Record, UnmappedFamilies

_UPPER_BOUND = "upper_bound:"


def baseline(batch: MetricBatch) -> None:
    """Show the first page of several: its gauges only, as its counts are 0."""
    console = _console()
    gauges = rows(batch.records, "gauge")
    show_title(console, f"{_now()}  first page: {number(len(gauges), 'gauge')}; counts begin with the next page")
    show_table(console, gauges)
    _show_unmapped(console, batch.unmapped)


def steps(batch: MetricBatch) -> None:
    """Show a later page: what was counted since the one before, and its gauges."""
    console = _console()
    counted, gauges = rows(batch.records, "count"), rows(batch.records, "gauge")
    counts = number(len(counted), "count")
    show_title(console, f"{_now()}  {counts} since the last page, {number(len(gauges), 'gauge')}")
    show_table(console, [*counted, *gauges])
    _show_unmapped(console, batch.unmapped)


def once(batch: MetricBatch) -> None:
    """Show a single page: its gauges, and totals in the place of counts."""
    console = _console()
    gauges, counted = rows(batch.records, "gauge"), rows(batch.records, "count")
    show_title(console, f"{_now()}  {number(len(gauges), 'gauge')}")
    show_table(console, gauges)
    show_title(console, f"{number(len(counted), 'total')}, which are not sent")
    console.print("Counts need two pages: they are what a page adds to the one before, and the first is the baseline.")
    show_table(console, [(name, "total", value, tags) for name, _, value, tags in counted])
    _show_unmapped(console, batch.unmapped)


Row = tuple[str, str, str, str]
"""Name, type, value, tags."""


def rows(records: Iterable[Record], type_: str) -> list[Row]:
    """Return the rows of one type by name; the buckets of a histogram, dozens often, are one row."""
    found: dict[tuple[str, tuple[str, ...]], list[Record]] = {}
    for record in records:
        if record.type == type_:
            is_bucket = bool(record.tags) and record.tags[-1].startswith(_UPPER_BOUND)
            found.setdefault((record.name, record.tags[:-1] if is_bucket else record.tags), []).append(record)
    return sorted(_row(name, tags, of_row) for (name, tags), of_row in found.items())


def _row(name: str, tags: tuple[str, ...], records: list[Record]) -> Row:
    first = records[0]
    if first.tags == tags:
        return name, first.type, _value(first.value), ", ".join(tags)
    bounds = [record.tags[-1].removeprefix(_UPPER_BOUND) for record in records]
    span = bounds[0] if len(bounds) == 1 else f"{bounds[0]} ... {bounds[-1]}"
    return name, first.type, f"x{len(records)}", ", ".join([*tags, f"{_UPPER_BOUND}{span}"])


def show_table(console: Console, shown: Sequence[Row]) -> None:
    """Print rows beneath each other, nothing where there are none."""
    if not shown:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("name", overflow="fold")
    table.add_column("type")
    table.add_column("value", justify="right", no_wrap=True)
    table.add_column("tags", overflow="fold")
    for row in shown:
        # What others sent must not steer the terminal.
        table.add_row(*(Text(visible(cell)) for cell in row))
    console.print(table)


def _show_unmapped(console: Console, unmapped: UnmappedFamilies) -> None:
    named = (f"{family} as {name}" for family, name in unmapped.by_rule.items())
    _list(console, "Not in the table of names, named by its rule", named)
    _list(console, "Ignored, as they are not LiteLLM's or of a type that cannot be sent", unmapped.ignored)


def _list(console: Console, title: str, entries: Iterable[str]) -> None:
    if text := ", ".join(map(visible, entries)):
        console.print()
        console.print(Text(f"{title}:"))
        console.print(Padding(Text(text), (0, 0, 0, 2), expand=False))


def show_title(console: Console, text: str) -> None:
    """Print what stands above a table."""
    console.print()
    console.print(Text(text, style="bold"))


def _console() -> Console:
    return Console(highlight=False)


def _now() -> str:
    return time.strftime("%H:%M:%S")


def number(count: int, noun: str) -> str:
    """Return how many there are, in words."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _value(value: float) -> str:
    return str(int(value)) if value.is_integer() else f"{value:.12g}"
