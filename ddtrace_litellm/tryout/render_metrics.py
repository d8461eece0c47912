"""The metrics as a table for people, made with rich, which comes with an extra."""

from rich.console import Console

from ddtrace_litellm.metrics.batch import ServiceCheck
from ddtrace_litellm.openmetrics.render import Row, number, rows, show_table, show_title
from ddtrace_litellm.tryout.metrics import Metrics

_TYPES = ("count", "gauge", "distribution")


def render_metrics(console: Console, metrics: Metrics) -> None:
    """Print one table of what arrived, nothing where nothing did.

    Args:
        console: where to.
        metrics: what to print: of a count the sum, of a gauge the last value.
    """
    if not metrics:
        return
    by_type = {type_: rows(metrics.records, type_) for type_ in _TYPES}
    sizes = [number(len(found), type_) for type_, found in by_type.items() if found]
    if metrics.checks:
        sizes.append(number(len(metrics.checks), "service check"))
    show_title(console, f"Metrics: {', '.join(sizes)}")
    show_table(console, [row for found in by_type.values() for row in found] + [*map(_row, metrics.checks)])


def _row(check: ServiceCheck) -> Row:
    said = [*check.tags, *([check.message] if check.message else ())]
    return check.name, "check", check.status.name.lower(), ", ".join(said)
