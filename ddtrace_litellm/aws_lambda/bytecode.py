"""Bytecode for the Python of a Lambda runtime: ``/opt`` is read-only, so Python could not keep what it compiles."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

_SECONDS = 120

# Runs in the Python that is compiled for. Hashes that are not checked, since a zip has no reliable times.
_PROGRAM = """
import json, os, platform, py_compile, sys

version, files = json.load(sys.stdin)
if "%d.%d" % sys.version_info[:2] != version or sys.implementation.name != "cpython":
    sys.exit("another Python")
for source, compiled, shown in files:
    mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(source, compiled, shown, doraise=True, invalidation_mode=mode, optimize=0)
print(platform.python_version())
"""


class Compiled(NamedTuple):
    """Bytecode by its path, and the exact version of the Python that made it."""

    files: dict[PurePosixPath, bytes]
    python: str


def compile_for(version: str, sources: Mapping[PurePosixPath, bytes], root: PurePosixPath) -> Compiled | None:
    """Compile modules with the CPython of that version on this machine; ``None`` where there is none.

    The same modules give the same bytes, wherever they lie on this machine.

    Args:
        version: ``"3.12"``.
        sources: the modules, by their paths below ``root``.
        root: where they will lie, which is what tracebacks show.
    """
    python = _interpreter(version)
    if python is None:
        return None
    tag = f"cpython-{version.replace('.', '')}"
    places = {path: path.parent / "__pycache__" / f"{path.stem}.{tag}.pyc" for path in sources}
    with tempfile.TemporaryDirectory(prefix="ddtrace-litellm-") as directory:
        work = Path(directory)
        files = []
        for path, source in sources.items():
            written = work / path
            written.parent.mkdir(parents=True, exist_ok=True)
            written.write_bytes(source)
            files.append((str(written), str(work / places[path]), str(root / path)))
        try:
            # An empty working directory, which is the first place where -c looks for modules. The seed: up to 3.10 the
            # constants that are sets are written in the order of their hashes.
            done = subprocess.run(  # noqa: S603  # a Python of this machine, with our own program
                [python, "-S", "-s", "-B", "-c", _PROGRAM],
                input=json.dumps([version, files]),
                cwd=_empty(work),
                env=_environment(),
                capture_output=True,
                text=True,
                timeout=_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError):
            return None
        return Compiled({place: (work / place).read_bytes() for place in places.values()}, done.stdout.strip())


def _interpreter(version: str) -> str | None:
    if version == f"{sys.version_info[0]}.{sys.version_info[1]}":
        return sys.executable
    return shutil.which(f"python{version}")


def _environment() -> dict[str, str]:
    # Not an empty one: a Python may need LD_LIBRARY_PATH to find its own library.
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    return {**kept, "PYTHONHASHSEED": "0"}


def _empty(directory: Path) -> Path:
    empty = directory / "empty"
    empty.mkdir()
    return empty
