"""The report for people: with rich where it is installed, as plain text where it is not."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from importlib.util import find_spec

from ddtrace_litellm.info import checks, report, variables
from ddtrace_litellm.info.facts import Facts
from ddtrace_litellm.info.report import Row
from ddtrace_litellm.masking import visible

_MARKS = {True: "✓", False: "✗", None: " "}
_STYLES = {True: "green", False: "bold red", None: ""}
_WIDTH = 120


def show(facts: Facts) -> None:
    """Print the report on standard output."""
    if find_spec("rich") is not None:
        _print_styled(facts)
    else:
        print("\n".join(plain(facts)))


def plain(facts: Facts) -> Iterator[str]:
    """Yield the report's lines as plain text."""
    for row in report.rows(facts):
        yield from _wrapped(f"{_MARKS[row.good]} {row.label:<19}", row.text)
    yield ""
    for row in _variables(facts):
        yield visible(f"  {row.label:<34} {row.text}")
    yield ""
    for line in facts.seen.logged:
        yield from _wrapped(f"  {line.level.lower()} ", f"{line.text} [{line.logger}]")
    for note in checks.notes(facts):
        yield from _wrapped("  note: ", note)
    for problem in checks.problems(facts):
        yield from _wrapped("✗ ", problem.what)
        yield from _wrapped("  → ", problem.remedy)
    yield _verdict(facts)


def _print_styled(facts: Facts) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    console = Console(highlight=False)
    table = Table.grid(padding=(0, 2))
    for row in report.rows(facts):
        table.add_row(Text(_MARKS[row.good], _STYLES[row.good]), Text(row.label, "bold"), Text(visible(row.text)))
    console.print(table)
    console.print()
    table = Table.grid(padding=(0, 2))
    for row in _variables(facts):
        style = "" if row.good else "dim"
        table.add_row(" ", Text(visible(row.label), style), Text(visible(row.text), style))
    console.print(table)
    console.print()
    for line in facts.seen.logged:
        console.print(Text(visible(f"  {line.level.lower()} {line.text} [{line.logger}]"), "yellow"))
    for note in checks.notes(facts):
        console.print(Text(visible(f"  note: {note}")))
    for problem in checks.problems(facts):
        console.print(Text(visible(f"✗ {problem.what}"), "bold red"))
        console.print(Text(visible(f"  → {problem.remedy}")))
    console.print(Text(_verdict(facts), "bold red" if checks.problems(facts) else "bold green"))


def _variables(facts: Facts) -> Iterator[Row]:
    """Yield the variables that are set, or have a default."""
    for name, value, effective in variables.read(facts.environ, facts.unusable):
        if value is not None:
            used = "" if effective in (value, "") else f" ({effective} is used)"
            yield Row(name, f"{value or '(empty)'}{used}", good=True)
        elif effective:
            yield Row(name, f"{effective} (default)")


def _verdict(facts: Facts) -> str:
    number = len(checks.problems(facts))
    return f"{number} problem{'s' if number > 1 else ''}" if number else "everything is well"


def _wrapped(first: str, text: str) -> list[str]:
    return textwrap.wrap(
        visible(text),
        _WIDTH,
        initial_indent=first,
        subsequent_indent=" " * len(first),
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]
