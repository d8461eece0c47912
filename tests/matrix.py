"""Runs a core of the tests on many versions: ``python -m tests.matrix`` for a sample, with ``--full`` for all of them.

Each cell (ddtrace x LiteLLM x Python) has a fresh environment, and its row in the table of ``docs/compatibility.md``,
which is written after each. riot has the same idea (``riotfile.py``), but it finds no Python that is not on PATH, draws
no sample, and sums nothing up.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tests.checkout import CHECKOUT
from tests.environments import Environment, table

DDTRACE = ("4.8", "4.10", "4.12", "4.14", "4.16")
LITELLM = ("1.72", "1.77", "1.80", "1.85", "1.95", "1.103", "1.106", "1.108", "1.110")
PYTHONS = ("3.10", "3.11", "3.12", "3.13")
ONLY_ON = {"1.95": "3.12"}
"""The Python that a LiteLLM has wheels for, where that is one only."""
PAGE = CHECKOUT / "docs" / "compatibility.md"
BEGIN, END = "<!-- Written by `python -m tests.matrix`. -->\n\n", "\n\n<!-- Until here. -->"
TESTS = (
    "tests/activation/test_entry_points.py",
    "tests/tracing/test_endings.py",
    "tests/tracing/test_entry_points.py",
    "tests/tracing/test_partial_streams.py",
    "tests/tracing/test_router.py",
    "tests/tracing/test_scenarios.py",
)
SECONDS = 1200


class Cell(NamedTuple):
    """Versions that are tested together, each by its first two numbers."""

    ddtrace: str
    litellm: str
    python: str


def sample(count: int, pythons: Sequence[str]) -> list[Cell]:
    """Return cells along the diagonal: the next version of each, again and again.

    5, 9 and 4 versions have no common factor. So 9 cells have every version, no ddtrace meets a LiteLLM twice before it
    has met all, and 45 cells have every pair of versions, which is as few as can be.
    """
    drawn = [
        Cell(DDTRACE[n % len(DDTRACE)], LITELLM[n % len(LITELLM)], pythons[n % len(pythons)]) for n in range(count)
    ]
    return [cell._replace(python=ONLY_ON.get(cell.litellm, cell.python)) for cell in drawn]


def everything(pythons: Sequence[str]) -> list[Cell]:
    """Return every cell that there can be."""
    return [
        Cell(ddtrace, litellm, python)
        for ddtrace in DDTRACE
        for litellm in LITELLM
        for python in pythons
        if ONLY_ON.get(litellm, python) == python
    ]


def find_python(version: str) -> str | None:
    """Return a Python of this version: on PATH, of pyenv, or one that uv knows."""
    for candidate in _candidates(version):
        said = _output(candidate, "-c", "import sys; print('%d.%d' % sys.version_info[:2])")
        if said == version:
            return candidate
    return None


def _candidates(version: str) -> Iterator[str]:
    yield sys.executable
    if found := shutil.which(f"python{version}"):
        yield found
    root = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    yield from map(str, sorted(root.glob(f"versions/{version}.*/bin/python")))
    if (uv := shutil.which("uv")) and (found := _output(uv, "python", "find", version)):
        yield found


def _output(*command: str) -> str:
    """Return what a command prints, ``""`` where it fails: pyenv's shims exist for versions that are not active."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def run(cell: Cell, python: str, folder: Path) -> dict[str, str]:
    """Install a cell, run the tests, and return its row of the table."""
    row = {"on": f"Python {cell.python}", "ddtrace": cell.ddtrace, "LiteLLM": cell.litellm}
    environment = Environment(folder / "-".join(cell))
    requirements = [f"ddtrace~={cell.ddtrace}.0", f"litellm~={cell.litellm}.0", "-e", f"{CHECKOUT}[test]"]
    try:
        environment.make(python, requirements)
    except subprocess.CalledProcessError as error:
        print(f"{cell}: {error.stderr}", file=sys.stderr)
        return row | _not_counted("does not install")
    installed = environment.versions("ddtrace", "litellm")
    row |= {"ddtrace": installed["ddtrace"], "LiteLLM": installed["litellm"]}
    command = [environment.executable("python"), "-m", "pytest", "--quiet", "-p", "no:cacheprovider", *TESTS]
    options: dict[str, Any] = {"cwd": CHECKOUT, "stdin": subprocess.DEVNULL, "capture_output": True, "text": True}
    try:
        ended = subprocess.run(command, timeout=SECONDS, check=False, **options)
    except subprocess.TimeoutExpired:  # the queue of LiteLLM 1.77 can miss that its loop is cancelled (Python 3.11)
        return row | _not_counted(f"no end in {SECONDS} s")
    summary = (ended.stdout.splitlines() or [""])[-1]
    counts = {word: count for count, word in re.findall(r"(\d+) (passed|failed|error|skipped)", summary)}
    failed = int(counts.get("failed", 0)) + int(counts.get("error", 0))
    if ended.returncode:
        print(f"{cell}:\n{ended.stdout[-5000:]}\n{ended.stderr[-2000:]}", file=sys.stderr)
    shutil.rmtree(folder / "-".join(cell))
    return {
        **row,
        "passed": counts.get("passed", "0"),
        "failed": str(failed),
        "skipped": counts.get("skipped", "0"),
        "remarks": "" if failed or not ended.returncode else f"pytest ended with status {ended.returncode}",
    }


def _not_counted(remarks: str) -> dict[str, str]:
    return {"passed": "", "failed": "", "skipped": "", "remarks": remarks}


def record(row: Mapping[str, str], page: str) -> str:
    """Return the page with a row in its table, in the place of the same cell's, in the order of the versions."""
    before, _, rest = page.partition(BEGIN)
    written, _, after = rest.partition(END)
    lines = [[column.strip() for column in line.split("|")[1:-1]] for line in written.splitlines()[2:]]
    known = [dict(zip(row, columns, strict=True)) for columns in lines]
    rows = {_versions(each): each for each in [*known, row]}
    return f"{before}{BEGIN}{table([rows[versions] for versions in sorted(rows)])}{END}{after}"


def _versions(row: Mapping[str, str]) -> tuple[tuple[int, int], ...]:
    """Return the first two numbers of each version in a row."""
    numbers = (re.findall(r"\d+", row[column]) for column in ("LiteLLM", "ddtrace", "on"))
    return tuple((int(first), int(second)) for first, second, *_ in numbers)


def main() -> int:
    """Run what the command line says; the status is 1 where a test fails."""
    parser = argparse.ArgumentParser(prog="python -m tests.matrix", description=__doc__)
    parser.add_argument("--full", action="store_true", help="every cell")
    parser.add_argument("--cells", type=int, default=15, metavar="NUMBER", help="the size of the sample")
    parser.add_argument("--first", type=int, default=0, metavar="NUMBER", help="leave out so many before")
    parser.add_argument("--python", action="append", metavar="VERSION", help=f"in place of {', '.join(PYTHONS)}")
    parser.add_argument("--environments", type=Path, default=CHECKOUT / "build" / "matrix", metavar="DIRECTORY")
    arguments = parser.parse_args()
    pythons = arguments.python or PYTHONS
    found = {version: find_python(version) for version in pythons}
    cells = everything(pythons) if arguments.full else sample(arguments.cells, pythons)
    rows = []
    for cell in cells[arguments.first :]:
        python = found.get(cell.python)
        if python is None:
            print(f"{cell}: there is no Python {cell.python} here", file=sys.stderr)
            continue
        rows.append(run(cell, python, arguments.environments))
        PAGE.write_text(record(rows[-1], PAGE.read_text()))
        print(table(rows[-1:]), flush=True)
    return int(any(row["failed"] != "0" or row["remarks"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
