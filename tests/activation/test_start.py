"""What the ``.pth`` file does to the start of a Python process that may never see ddtrace."""

import importlib
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ddtrace_litellm
from tests.activation.conftest import PACKAGE

# Processes a site directory as Python does at its start, after one with a .pth file that does nothing: what that
# loads is not ours. Prints the modules that came with the second, and whether the rest of the directory was processed.
PROCESS = """
import json, site, sys
nothing, directory = sys.argv[1:]
site.addsitedir(nothing)
before = set(sys.modules)
site.addsitedir(directory)
finders = [type(finder).__module__ for finder in sys.meta_path]
print(json.dumps([sorted(set(sys.modules) - before), finders.count("ddtrace_litellm"), sys.path[-1]]))
"""


def site_directory(parent: Path, *, package: bool = True) -> Path:
    """Return a site directory with our ``.pth`` file, the package, and a ``.pth`` file that comes after ours."""
    directory = parent / "site"
    (directory / "later").mkdir(parents=True)
    (directory / "zz.pth").write_text("later\n")
    shutil.copy(PACKAGE.with_suffix(".pth"), directory)
    if package:
        shutil.copytree(PACKAGE, directory / "ddtrace_litellm", ignore=shutil.ignore_patterns("__pycache__"))
    return directory


@pytest.fixture
def process(tmp_path):
    """Return a function that processes a site directory in a Python of its own and returns what it prints."""
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    (nothing / "nothing.pth").write_text("import sys\n")

    def run(directory):
        command = [sys.executable, "-I", "-S", "-B", "-c", PROCESS, str(nothing), str(directory)]
        finished = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
        assert finished.stderr == ""
        modules, finders, last = json.loads(finished.stdout)
        # The start of Python went on behind our file.
        assert last == str(directory / "later")
        return modules, finders

    return run


def test_loads_one_module(process, tmp_path):
    """A start of Python loads our package's own module, and nothing on its behalf."""
    assert process(site_directory(tmp_path)) == (["ddtrace_litellm"], 1)


@pytest.mark.parametrize(
    "source",
    [
        "raise RuntimeError('broken')",
        "this is no Python",
        "def install():\n    raise OSError('broken')",
        "import no_such",
    ],
    ids=["raises", "no Python", "install raises", "misses a module"],
)
def test_broken_package(process, tmp_path, source):
    """A package that fails, in whatever way, neither stops the start of Python nor says anything."""
    directory = site_directory(tmp_path)
    (directory / "ddtrace_litellm" / "__init__.py").write_text(source)
    _, finders = process(directory)
    assert finders == 0


def test_missing_package(process, tmp_path):
    """A ``.pth`` file that was left behind without its package is silent."""
    assert process(site_directory(tmp_path, package=False)) == ([], 0)


def test_pth_is_one_line_that_python_runs():
    """Python executes a line of a ``.pth`` file only if it begins with ``import``, each line on its own."""
    (line,) = PACKAGE.with_suffix(".pth").read_text().splitlines()
    assert line.startswith("import ")


def test_start_file_names_the_same_function():
    """The ``.start`` file (PEP 829), which supersedes the ``.pth`` from Python 3.15, names the same function."""
    module, _, name = PACKAGE.with_suffix(".start").read_text().strip().partition(":")
    assert getattr(importlib.import_module(module), name) is ddtrace_litellm.install


@pytest.mark.e2e
def test_real_start_is_silent(programs):
    """In this environment a Python process starts without a word and without ddtrace, LiteLLM or wrapt."""
    shown = programs.run("-c", "import sys; print({'ddtrace', 'litellm', 'wrapt', 'logging'} & sys.modules.keys())")
    assert (shown.stdout, shown.stderr) == ("set()\n", "")
