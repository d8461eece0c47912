"""The layer's zip: what lies in it, and the same bytes whenever it is built from the same files."""

import io
import time
import zipfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from ddtrace_litellm.aws_lambda.bytecode import compile_for

PYTHONS = ("3.10", "3.11", "3.12", "3.13")
"""Those that Lambda has a runtime for, and this package supports."""

_OPT = PurePosixPath("/opt")  # where Lambda unpacks a layer
_PACKAGE = Path(__file__).parents[1]
_AT_ROOT = _PACKAGE / "aws_lambda" / "opt"
_EXECUTABLE = PurePosixPath("ddtrace_litellm_run")
_COMMANDS = frozenset({"__main__.py", "assets", "cli.py", "demo", "info", "tryout"})
"""What only the command line uses, which is two fifths of the package; a function has none."""

# All that a zip can say, in UTC.
_EARLIEST = 315532800  # 1980-01-01
_LATEST = 4354819198  # 2107-12-31


class Layer(NamedTuple):
    """A layer that has been built.

    Attributes:
        content: the zip.
        unpacked: bytes that it takes in ``/opt``; Lambda allows 250 MB for a function and all its layers.
        compiled_by: the exact version of the Python that compiled it; ``None``: there was none, it holds sources only.
    """

    content: bytes
    unpacked: int
    compiled_by: str | None


def build(python: str, epoch: int = _EARLIEST) -> Layer:
    """Build the layer for one of :data:`PYTHONS`.

    It holds this package without its commands, its ``.pth`` file where Lambda's runtime reads it, the exec wrapper and
    what that needs.
    ddtrace and wrapt come with Datadog's own layer, LiteLLM with the function. There is no machine code in it.

    Args:
        python: the runtime's version.
        epoch: the time of all files in the zip, in seconds since 1970.
    """
    site_packages = PurePosixPath("python", "lib", f"python{python}", "site-packages")
    package = {
        PurePosixPath("ddtrace_litellm", path): content
        for path, content in _files(_PACKAGE).items()
        if path.parts[0] not in _COMMANDS
    }
    modules = {path: content for path, content in package.items() if path.suffix == ".py"}
    compiled = compile_for(python, modules, _OPT / site_packages)
    if compiled is not None:
        package |= compiled.files
    for suffix in (".pth", ".start"):
        start_file = _PACKAGE.with_suffix(suffix)  # beside the package, in site-packages and in the sources alike
        package[PurePosixPath(start_file.name)] = start_file.read_bytes()
    files = _files(_AT_ROOT) | {site_packages / path: content for path, content in package.items()}
    return Layer(_zip(files, epoch), sum(map(len, files.values())), compiled.python if compiled is not None else None)


def _files(directory: Path) -> dict[PurePosixPath, bytes]:
    """Return the files below a directory in a fixed order, without what editors and Python leave behind."""
    found = {PurePosixPath(path.relative_to(directory).as_posix()): path for path in directory.rglob("*")}
    return {
        path: found[path].read_bytes()
        for path in sorted(found)
        if found[path].is_file()
        and path.suffix != ".pyc"
        and not any(part.startswith(".") or part == "__pycache__" for part in path.parts)
    }


def _zip(files: Mapping[PurePosixPath, bytes], epoch: int) -> bytes:
    date_time = time.gmtime(min(max(epoch, _EARLIEST), _LATEST))[:6]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path in sorted(files):
            entry = zipfile.ZipInfo(str(path), date_time)
            entry.create_system = 3  # Unix: the one whose permissions Lambda takes over
            entry.external_attr = (0o100755 if path == _EXECUTABLE else 0o100644) << 16
            archive.writestr(entry, files[path], zipfile.ZIP_DEFLATED, compresslevel=9)
    return buffer.getvalue()
