"""The metrics as lines for people, made with rich, which comes with an extra."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ddtrace_litellm.masking import visible
from ddtrace_litellm.metrics.batch import Record, ServiceCheck
from ddtrace_litellm.openmetrics.render import Row, number, rows, show_title
from ddtrace_litellm.tryout.metrics import Metrics

_TYPES = ("count", "gauge", "distribution")
_BUCKETS = ".bucket"


def render_metrics(console: Console, metrics: Metrics, *, full: bool = False) -> None:
    """Print a line for each name that arrived, nothing where nothing did.

    Args:
        console: where to.
        metrics: what to print: of a count the sum, of a gauge the last value, or the smallest and the largest.
        full: a line for each series, with its tags beneath.
    """
    if not metrics:
        return
    by_type = {type_: rows(metrics.records, type_) for type_ in _TYPES}
    sizes = [number(len(found), type_) for type_, found in by_type.items() if found]
    if metrics.checks:
        sizes.append(number(len(metrics.checks), "service check"))
    show_title(console, f"Metrics: {', '.join(sizes)}")
    shown = [row for found in by_type.values() for row in found] if full else list(_by_name(metrics.records))
    _show(console, [*shown, *map(_row, metrics.checks)], tags=full)


def _by_name(records: Iterable[Record]) -> Iterator[Row]:
    def key(record: Record) -> tuple[int, str]:
        return _TYPES.index(record.type), record.name

    for (index, name), of_name in groupby(sorted(records, key=key), key):
        type_ = _TYPES[index]
        values = [record.value for record in of_name]
        if name.endswith(_BUCKETS):
            value = f"x{len(values)}"
        elif type_ == "gauge" and min(values) < max(values):
            value = f"{min(values):.12g} ... {max(values):.12g}"
        else:
            value = f"{values[0] if type_ == 'gauge' else sum(values):.12g}"
        yield name, type_, value, ""


def _row(check: ServiceCheck) -> Row:
    said = [*check.tags, *([check.message] if check.message else ())]
    return check.name, "check", check.status.name.lower(), ", ".join(said)


def _show(console: Console, shown: Sequence[Row], *, tags: bool) -> None:
    """Print rows that keep names whole in a narrow terminal, which a table of rich's would break."""
    # What others sent must not steer the terminal.
    cells = [[visible(cell) for cell in row] for row in shown]
    widths = [max(len(row[column]) for row in cells) for column in range(2)]
    for name, type_, value, said in cells:
        console.print(Text(f"{name:<{widths[0]}}  {type_:<{widths[1]}}  {value}"))
        if said and (tags or type_ == "check"):
            console.print(Padding(Text(said, "dim"), (0, 0, 0, 4), expand=False))
