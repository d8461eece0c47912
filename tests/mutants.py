"""Changes the product in small ways, one at a time, and prints which change no test notices.

    python -m tests.mutants [--number 50] [--seed 1] [--only tracing/streams.py]

Each change is made in a process of its own, forked from one that has imported LiteLLM, ddtrace and the tests' helpers:
that import costs more than most tests, and is why this is no mutmut or cosmic-ray, which start pytest for each change.
It runs the tests of the module that is changed, in this process' environment, until the first fails.
"""

import argparse
import ast
import contextlib
import copy
import os
import random
import select
import shutil
import signal
import sys
import tempfile
import time
from importlib import import_module
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import pytest

_ROOT = Path(__file__).parents[1]
_PACKAGE = _ROOT / "ddtrace_litellm"
_TRACING = tuple(
    f"tests/{name}.py"
    for name in (
        "tracing/test_spans",
        "telemetry/test_counters",
        "builtin_defects/test_streams",
        "tracing/test_calls_within_calls",
        "tracing/test_partial_streams",
        "tracing/test_identity",
        "tracing/test_apm_tags",
        "tracing/test_capture",
        "tracing/test_router",
        "tracing/test_error_text",
        "tracing/test_redaction",
        "tracing/test_interactions",
        "tracing/test_mcp",
        "tracing/test_prices",
        "tracing/test_retrieval",
        "tracing/test_prompts",
        "tracing/test_guardrails",
        "tracing/test_scenarios",
        "tracing/test_passthrough",
        "tracing/test_debug_log",
        "tracing/test_endings",
    )
)
TESTS = {
    "tracing": _TRACING,
    "extract": ("tests/extract", *_TRACING),
    "openmetrics/pipeline/deltas.py": ("tests/openmetrics/pipeline",),
    "metrics/sinks": ("tests/metrics",),
}
"""What is changed, and the tests that are to notice it."""
_NOTHING = "nothing"
_SECONDS = 400
_SINGLY = 5
"""So many files of tests have a run of their own, as all of them take longer to import than one takes to fail."""
_SWAPS: dict[type[ast.AST], type[ast.AST]] = {
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}


class Mutant(NamedTuple):
    """One change: the file, the line, and the source before and after."""

    path: Path
    line: int
    before: str
    after: str
    source: str


def places(path: Path) -> list[tuple[Path, int]]:
    """Return the places in a file where there is something to change: nodes of its functions, by number."""
    tree = ast.parse(path.read_text())
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    inside = {id(node) for function in functions for statement in function.body for node in ast.walk(statement)}
    nodes = enumerate(ast.walk(tree))
    return [(path, number) for number, node in nodes if id(node) in inside and _changed(node) is not None]


def mutant(path: Path, number: int) -> Mutant:
    """Return the change of a file at a place."""
    tree = ast.parse(path.read_text())
    node = next(islice(ast.walk(tree), number, None))
    changed = _changed(node)
    before, line = _first_line(node), node.lineno
    tree = ast.fix_missing_locations(_Put(node, changed).visit(tree))
    return Mutant(path, line, before, _first_line(changed), ast.unparse(tree))


def _changed(node: ast.AST) -> ast.AST | None:
    """Return what takes the place of a node, ``None`` where nothing does."""
    changed = copy.deepcopy(node)
    if isinstance(node, ast.BoolOp) or (isinstance(node, ast.BinOp) and type(node.op) in _SWAPS):
        changed.op = _SWAPS[type(node.op)]()
    elif isinstance(node, ast.Compare) and type(node.ops[0]) in _SWAPS:
        changed.ops[0] = _SWAPS[type(node.ops[0])]()
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        return changed.operand
    elif isinstance(node, ast.Constant) and type(node.value) in {bool, int}:
        changed.value = (not node.value) if type(node.value) is bool else node.value + 1
    elif isinstance(node, ast.If):
        changed.test = ast.UnaryOp(ast.Not(), node.test)
    elif isinstance(node, ast.Return) and ast.unparse(node) not in {"return", "return None"}:
        changed.value = ast.Constant(None)
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.Pass()
    else:
        return None
    return changed


def _first_line(node: ast.AST) -> str:
    return ast.unparse(node).partition("\n")[0]


class _Put(ast.NodeTransformer):
    def __init__(self, target: ast.AST, changed: ast.AST) -> None:
        self.target, self.changed = target, changed

    def visit(self, node: ast.AST) -> ast.AST:
        return self.changed if node is self.target else self.generic_visit(node)


def sample(number: int, seed: int, only: str) -> list[Mutant]:
    """Return so many changes, by chance."""
    files = [path for place in TESTS for path in sorted(_files(_PACKAGE / place)) if only in str(path)]
    found = [place for path in files for place in places(path)]
    return [mutant(*place) for place in random.Random(seed).sample(found, min(number, len(found)))]


def _files(place: Path) -> list[Path]:
    return [place] if place.suffix else [path for path in place.rglob("*.py") if path.name != "__init__.py"]


def noticed(change: Mutant) -> str:
    """Return the first test that fails with a change, or what else shows it; ``""`` where nothing does."""
    reading, writing = os.pipe()
    folder = tempfile.mkdtemp()
    child = os.fork()
    if not child:
        os.close(reading)
        os.setsid()
        _put_in(change, Path(folder))
        _run(change, writing)
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as result:
        if select.select([result], [], [], _SECONDS)[0]:
            said = result.read() or "the process died"
        else:
            said = f"no end in {_SECONDS} s"
    with contextlib.suppress(ProcessLookupError):
        os.killpg(child, signal.SIGKILL)  # what tests have started
    os.waitpid(child, 0)
    shutil.rmtree(folder)
    return "" if said == _NOTHING else said


def _put_in(change: Mutant, folder: Path) -> None:
    """Let this process and those that it starts import a changed copy of the package."""
    copied = shutil.copytree(_PACKAGE, folder / _PACKAGE.name)
    (copied / change.path.relative_to(_PACKAGE)).write_text(change.source)
    for name in [name for name in sys.modules if name.partition(".")[0] in {_PACKAGE.name, "tests"}]:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    import_module(_PACKAGE.name)  # before pytest puts the checkout in front
    os.environ["PYTHONPATH"] = str(folder)


def _run(change: Mutant, writing: int) -> None:
    """Run the tests, and write which failed."""
    # The first span of a fork renews ddtrace's writer (4.16), which tests replace.
    import_module("ddtrace").tracer.trace("forked").finish()
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    options = ["-x", "-q", "--assert=plain", "-pno:cacheprovider", "-pno:xdist"]
    os.write(writing, next(filter(None, (_failing([*options, *tests]) for tests in _runs(change))), _NOTHING).encode())
    os.close(writing)


def _failing(command: list[str]) -> str:
    """Return what fails."""
    failed = _Failed()
    code = pytest.main(command, [failed])
    return failed.first or ("" if code == pytest.ExitCode.OK else f"pytest ended with {code}")


def _runs(change: Mutant) -> list[list[str]]:
    """Return the tests: those of the module, those that speak of it most, one by one; then all others at once."""
    about = change.path.stem
    own = [f"tests/{folder}/test_{about}.py" for folder in ("extract", "tracing", "metrics/sinks")]
    paths = [path for test in TESTS[_place(change)] for path in _files(Path(test)) if path.name.startswith("test_")]
    paths.sort(key=lambda path: -path.read_text().count(about.rstrip("s")))
    tests = list(dict.fromkeys([*filter(os.path.exists, own), *map(str, paths)]))
    groups = [*([test] for test in tests[:_SINGLY]), tests[_SINGLY:]]
    return [group for group in groups if group]


def _place(change: Mutant) -> str:
    return next(place for place in TESTS if _PACKAGE / place in (change.path, *change.path.parents))


class _Failed:
    """A plugin of pytest that keeps the name of the test that fails."""

    first = ""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the first."""
        if report.failed and not self.first:
            self.first = report.nodeid


def main() -> int:
    """Print each change with the test that has noticed it; return 1 where there is one that none did."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--number", type=int, default=50, help="of changes")
    parser.add_argument("--seed", type=int, default=1, help="of the choice among all")
    parser.add_argument("--only", default="", help="files whose path has this in it")
    options = parser.parse_args()
    os.chdir(_ROOT)
    chosen = sample(options.number, options.seed, options.only)
    for module in ("tests.conftest", "litellm.proxy._types", "hypothesis"):
        with contextlib.suppress(ImportError):
            import_module(module)
    for change in {_place(change): change._replace(source=change.path.read_text()) for change in chosen}.values():
        if by := noticed(change):
            print(f"{by} fails without a change of {_place(change)}")
            return 2
    survived = 0
    for change in chosen:
        started = time.monotonic()
        by = noticed(change)
        survived += not by
        print(f"{change.path.relative_to(_PACKAGE)}:{change.line}: {change.before}  ->  {change.after}")
        print(f"    {by or 'SURVIVED'} ({time.monotonic() - started:.0f} s)", flush=True)
    print(f"{len(chosen) - survived} of {len(chosen)} changes make a test fail")
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main())
