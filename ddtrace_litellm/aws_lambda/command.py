"""The command ``ddtrace-litellm lambda-layer``."""

import argparse
import hashlib
import os
import shlex
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from ddtrace_litellm.aws_lambda.layer import PYTHONS, Layer, build

_ARCHITECTURES = ("x86_64", "arm64")
_RUNNING = f"{sys.version_info[0]}.{sys.version_info[1]}"
_EPOCH_VARIABLE = "SOURCE_DATE_EPOCH"
_USAGE_ERROR = 2


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    default = {"default": _RUNNING} if _RUNNING in PYTHONS else {"required": True}
    parser.add_argument(
        "--python", metavar="X.Y", choices=PYTHONS, help=f"Python of the function: {', '.join(PYTHONS)}", **default
    )
    parser.add_argument(
        "--arch",
        choices=_ARCHITECTURES,
        help="architecture to publish the layer for (default: both; it holds no machine code)",
    )
    parser.add_argument(
        "--output", metavar="FILE", type=Path, default=Path("layer.zip"), help="the zip (default: %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Build the layer, write it and say what it is.

    Returns:
        0; 1 where it cannot be written, 2 for a ``SOURCE_DATE_EPOCH`` that is no time.
    """
    output: Path = arguments.output
    try:
        epoch = _epoch(os.environ)
    except ValueError as error:
        return _complain(str(error), _USAGE_ERROR)
    layer = build(arguments.python) if epoch is None else build(arguments.python, epoch)
    try:
        _write(output, layer.content)
    except OSError as error:
        return _complain(f"cannot write the layer to {output}: {error.strerror}", 1)
    if layer.compiled_by is None:
        _complain(
            f"warning: there is no python{arguments.python} here to compile with, so Lambda compiles the layer at every"
            " cold start, which takes about as long as loading it does. Build it where there is one",
            0,
        )
    sys.stdout.write(_described(layer, arguments))
    return 0


def _epoch(environ: Mapping[str, str]) -> int | None:
    """Read ``SOURCE_DATE_EPOCH``, the convention of reproducible builds."""
    text = environ.get(_EPOCH_VARIABLE, "").strip()
    if not text:
        return None
    try:
        return int(text)
    except ValueError:
        raise ValueError(f"{_EPOCH_VARIABLE}={text!r} is no number of seconds since 1970") from None


def _write(path: Path, content: bytes) -> None:
    """Write the file whole or not at all."""
    if path.is_dir():
        raise IsADirectoryError(0, "it is a directory")
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        written = Path(file.name)
        try:
            file.write(content)
            file.close()
            # A temporary file is its owner's only.
            written.chmod(0o666 & ~_umask())
            written.replace(path)
        except BaseException:
            written.unlink(missing_ok=True)
            raise


def _umask() -> int:
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


def _described(layer: Layer, arguments: argparse.Namespace) -> str:
    architectures = (arguments.arch,) if arguments.arch else _ARCHITECTURES
    compiled = f"compiled by CPython {layer.compiled_by}" if layer.compiled_by else "not compiled"
    return (
        f"{arguments.output}: {_size(len(layer.content))}, {_size(layer.unpacked)} in /opt\n"
        f"for Python {arguments.python} on {' and '.join(architectures)}, {compiled}\n"
        f"sha256 {hashlib.sha256(layer.content).hexdigest()}\n"
        "\n"
        "Publish it, and add it to the function beside Datadog's layers:\n"
        "  aws lambda publish-layer-version --layer-name ddtrace-litellm"
        f" --zip-file {shlex.quote(f'fileb://{arguments.output}')} \\\n"
        f"    --compatible-runtimes python{arguments.python} --compatible-architectures {' '.join(architectures)}\n"
    )


def _size(count: int) -> str:
    return f"{count / 1024:.0f} KiB"


def _complain(message: str, status: int) -> int:
    sys.stderr.write(f"ddtrace-litellm: {message}\n")
    return status
