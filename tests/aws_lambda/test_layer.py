"""The command that builds the layer, and what it builds."""

import os
import re
import shutil
import subprocess
import sys
import zipfile
from pathlib import PurePosixPath

import pytest

from ddtrace_litellm import __version__
from tests.aws_lambda.conftest import PACKAGE, RUNNING, run_command
from tests.aws_lambda.runtime import SITE_PACKAGES, unpack
from tests.checkout import CHECKOUT

COMMANDS = {"__main__.py", "assets", "cli.py", "demo", "info", "tryout"}


@pytest.fixture(scope="module")
def contents(layer):
    """The layer's files by path."""
    with zipfile.ZipFile(layer) as archive:
        return {PurePosixPath(entry.filename): entry for entry in archive.infolist()}


def test_holds_this_package_and_nothing_else(contents):
    """In site-packages there are this package and its two start files; beside it the exec wrapper and its folder."""
    site_packages = PurePosixPath(SITE_PACKAGES)
    tops = {path.relative_to(site_packages).parts[0] for path in contents if path.is_relative_to(site_packages)}
    assert tops == {"ddtrace_litellm", "ddtrace_litellm.pth", "ddtrace_litellm.start"}
    assert {path.parts[0] for path in contents} == {"python", "ddtrace_litellm_run", "ddtrace_litellm_path"}


def test_has_every_module_of_a_function_with_its_bytecode(contents):
    """All but the commands is there, compiled: /opt is read-only, Python cannot keep bytecode in it."""
    expected = {path.relative_to(PACKAGE.parent).as_posix() for path in PACKAGE.rglob("*.py")}
    expected = {name for name in expected if name.split("/")[1] not in COMMANDS}
    modules = {
        path.relative_to(SITE_PACKAGES).as_posix() for path in contents if path.suffix == ".py" and len(path.parts) > 2
    }
    assert modules == expected
    tag = sys.implementation.cache_tag
    for name in modules:
        module = PurePosixPath(SITE_PACKAGES, name)
        assert module.parent / "__pycache__" / f"{module.stem}.{tag}.pyc" in contents


def test_no_module_needs_a_command(layer, tmp_path):
    """What is in the layer imports nothing of the package that is not."""
    unpack(layer, tmp_path)
    package = tmp_path / SITE_PACKAGES / "ddtrace_litellm"
    imported = re.compile(r"^\s*(?:from|import) ddtrace_litellm\.(\w+)", re.MULTILINE)
    needed = {name for path in package.rglob("*.py") for name in imported.findall(path.read_text())}
    assert len(needed) > 10
    assert not {f"{name}.py" for name in needed} & COMMANDS
    assert not needed & COMMANDS


def test_size_is_the_documented_one(layer, contents):
    """The documentation has the sizes of the zip and of what it is in /opt."""
    text = (CHECKOUT / "docs" / "install.md").read_text()
    documented = re.search(r"The layer is about ([\d.]+) MB, and ([\d.]+) MB in `/opt`", text)
    sizes = [layer.stat().st_size / 1e6, sum(entry.file_size for entry in contents.values()) / 1e6]
    assert [float(size) for size in documented.groups()] == pytest.approx(sizes, rel=0.2)


def test_bytecode_is_used(layer, tmp_path):
    """Python takes the bytecode without looking at the sources, which have other times when they are unpacked."""
    unpack(layer, tmp_path)
    site_packages = tmp_path / SITE_PACKAGES
    for module in site_packages.rglob("*.py"):
        module.write_text("raise AssertionError('compiled')")
    program = "import ddtrace_litellm; print(ddtrace_litellm.__version__)"
    command = [sys.executable, "-S", "-c", program]
    ran = subprocess.run(command, cwd=site_packages, capture_output=True, text=True, check=True)
    assert ran.stdout == f"{__version__}\n"


def test_files_can_be_read_by_the_function_and_the_wrapper_be_run(contents):
    """Lambda takes permissions over, and runs a function as another user than the one who has unpacked the layer."""
    modes = {str(path): entry.external_attr >> 16 & 0o777 for path, entry in contents.items()}
    assert modes.pop("ddtrace_litellm_run") == 0o755
    assert set(modes.values()) == {0o644}


def test_same_bytes_again(layer, tmp_path):
    """Another copy of the package, with other times and modes, another umask and hash seed: the same bytes."""
    copy = tmp_path / "elsewhere"
    shutil.copytree(PACKAGE, copy / "ddtrace_litellm", ignore=shutil.ignore_patterns("__pycache__"))
    for suffix in (".pth", ".start"):
        shutil.copy(PACKAGE.with_suffix(suffix), copy)
    for number, path in enumerate(sorted(copy.rglob("*.py"), reverse=True)):
        os.utime(path, (1_500_000_000 + number,) * 2)
        path.chmod(0o600)
    mask = os.umask(0o077)
    try:
        built = run_command(
            tmp_path,
            "--python",
            RUNNING,
            "--output",
            "again.zip",
            PYTHONPATH=str(copy),
            PYTHONHASHSEED="42",
            TZ="Asia/Tokyo",
        )
    finally:
        os.umask(mask)
    assert (built.returncode, built.stderr) == (0, "")
    assert (tmp_path / "again.zip").read_bytes() == layer.read_bytes()


@pytest.mark.parametrize(
    ("epoch", "shown"),
    [
        ("1700000000", (2023, 11, 14, 22, 13, 20)),
        ("0", (1980, 1, 1, 0, 0, 0)),
        ("99999999999", (2107, 12, 31, 23, 59, 58)),
    ],
)
def test_source_date_epoch(tmp_path, epoch, shown):
    """The time of the files is SOURCE_DATE_EPOCH, as near as a zip can say it."""
    built = run_command(tmp_path, "--output", "layer.zip", SOURCE_DATE_EPOCH=epoch)
    assert built.returncode == 0
    with zipfile.ZipFile(tmp_path / "layer.zip") as archive:
        assert {entry.date_time for entry in archive.infolist()} == {shown}


def test_report(tmp_path):
    """The command says how large the layer is, what it is for, and how to publish it."""
    built = run_command(tmp_path, "--python", RUNNING, "--arch", "arm64", "--output", "my layer.zip")
    size = (tmp_path / "my layer.zip").stat().st_size
    first, second, *_ = built.stdout.splitlines()
    assert first.startswith(f"my layer.zip: {size / 1024:.0f} KiB, ")
    assert re.fullmatch(rf"for Python {re.escape(RUNNING)} on arm64, compiled by CPython [\d.]+\w*", second)
    assert "--zip-file 'fileb://my layer.zip'" in built.stdout
    assert f"--compatible-runtimes python{RUNNING} --compatible-architectures arm64" in built.stdout


def test_python_that_is_not_here(tmp_path):
    """Without the runtime's Python the layer has no bytecode, and a warning says what that costs."""
    other = "3.10" if RUNNING == "3.13" else "3.13"
    built = run_command(tmp_path, "--python", other, "--output", "layer.zip", PATH=str(tmp_path))
    assert built.returncode == 0
    assert f"warning: there is no python{other} here" in built.stderr
    assert "not compiled" in built.stdout
    with zipfile.ZipFile(tmp_path / "layer.zip") as archive:
        names = archive.namelist()
    assert not any(name.endswith(".pyc") for name in names)
    assert f"python/lib/python{other}/site-packages/ddtrace_litellm.pth" in names


def test_python_that_is_another(tmp_path):
    """A program of the right name that is another Python is not compiled with."""
    other = "3.10" if RUNNING == "3.13" else "3.13"
    (tmp_path / f"python{other}").symlink_to(sys.executable)
    built = run_command(tmp_path, "--python", other, "--output", "layer.zip", PATH=str(tmp_path))
    assert built.returncode == 0
    assert "not compiled" in built.stdout


@pytest.mark.parametrize(
    ("arguments", "environment", "status", "message"),
    [
        (["--python", "2.7"], {}, 2, "argument --python: invalid choice: '2.7' (choose from"),
        (["--arch", "sparc"], {}, 2, "argument --arch: invalid choice: 'sparc' (choose from"),
        (["--output", "."], {}, 1, "cannot write the layer to .: it is a directory"),
        (["--output", "no/layer.zip"], {}, 1, "cannot write the layer to no/layer.zip: No such file or directory"),
        ([], {"SOURCE_DATE_EPOCH": "today"}, 2, "SOURCE_DATE_EPOCH='today' is no number of seconds since 1970"),
    ],
)
def test_bad_values(tmp_path, arguments, environment, status, message):
    """A value that cannot be used is one sentence that names it, and nothing is written."""
    ran = run_command(tmp_path, *arguments, **environment)
    assert ran.returncode == status
    assert message in ran.stderr
    assert "Traceback" not in ran.stderr
    assert list(tmp_path.iterdir()) == []
