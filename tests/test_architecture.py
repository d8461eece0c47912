"""The arrows between the modules: who may know whom."""

import ast
from collections import defaultdict
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

import ddtrace_litellm

ROOT = Path(ddtrace_litellm.__file__).parent
# Scripts of a Lambda layer's own folder, which are no part of the package.
FILES = [path for path in ROOT.rglob("*.py") if "opt" not in path.relative_to(ROOT).parts]
MODULES = {
    ".".join((ROOT.name, *path.relative_to(ROOT).with_suffix("").parts)).removesuffix(".__init__"): path
    for path in FILES
}


def imported(name: str) -> Iterator[str]:
    """Yield the modules of the package that one imports, for types and inside functions as well."""
    for node in ast.walk(ast.parse(MODULES[name].read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                yield submodule if submodule in MODULES else node.module
        elif isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)


def arrows(package: str) -> dict[str, set[str]]:
    """Return which of a package's files and folders import which of the others."""
    found: dict[str, set[str]] = defaultdict(set)
    inside = package + "."
    for name in MODULES:
        if name != package and not name.startswith(inside):
            continue
        source = _child(name, package)
        for target in imported(name):
            if target in MODULES and (target == package or target.startswith(inside)):
                child = _child(target, package)
                if child != source:
                    found[source].add(child)
    return found


def _child(name: str, package: str) -> str:
    """Return the file or folder of ``package`` that a module is in; the package's own file is one as well."""
    return name.removeprefix(package).lstrip(".").partition(".")[0] or "__init__"


@pytest.mark.parametrize("package", sorted(name for name, path in MODULES.items() if path.name == "__init__.py"))
def test_no_import_comes_back(package):
    """No two files or folders of a package import each other, directly or by way of others."""
    try:
        TopologicalSorter(arrows(package)).prepare()
    except CycleError as error:
        pytest.fail(" -> ".join(error.args[1]))


def test_circle_is_seen(monkeypatch, tmp_path):
    """A circle through an import inside a function is found."""
    (tmp_path / "a.py").write_text("from ddtrace_litellm.b import x\n")
    (tmp_path / "b.py").write_text("def x():\n    from ddtrace_litellm import a\n")
    monkeypatch.setattr("tests.test_architecture.MODULES", {f"ddtrace_litellm.{n}": tmp_path / f"{n}.py" for n in "ab"})
    with pytest.raises(CycleError):
        TopologicalSorter(arrows("ddtrace_litellm")).prepare()


def test_one_module_knows_private_names_of_ddtrace():
    """Only ``_ddtrace`` imports what ddtrace keeps to itself."""
    public = ("ddtrace", "ddtrace.constants", "ddtrace.llmobs", "ddtrace.trace", "ddtrace.version")
    users = {
        name for name in MODULES for target in imported(name) if target.startswith("ddtrace.") and target not in public
    }
    assert users <= {"ddtrace_litellm._ddtrace"}
