"""The command ``ddtrace-litellm assets``: dashboards and monitors, as files to import."""

import argparse
import sys
from collections.abc import Iterator
from importlib.resources import files
from operator import attrgetter
from pathlib import Path

from ddtrace_litellm.masking import visible

FOLDERS = ("dashboards", "monitors")
TERRAFORM = "litellm.tf"


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("--to", metavar="DIR", type=Path, required=True, help="where to write the files")


def run(arguments: argparse.Namespace) -> int:
    """Write the files and name each on standard output.

    Returns:
        0, or 1 where they cannot be written.
    """
    to: Path = arguments.to
    try:
        for path, text in contents():
            target = to / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
            sys.stdout.write(f"{visible(str(target))}\n")
    except OSError as error:
        place = visible(str(error.filename or to))
        sys.stderr.write(f"ddtrace-litellm: cannot write {place}: {error.strerror}\n")
        return 1
    return 0


def contents() -> Iterator[tuple[str, str]]:
    """Yield the path of every file below the directory, and its text."""
    package = files(__package__)
    yield TERRAFORM, (package / TERRAFORM).read_text(encoding="utf-8")
    for folder in FOLDERS:
        for file in sorted((package / folder).iterdir(), key=attrgetter("name")):
            yield f"{folder}/{file.name}", file.read_text(encoding="utf-8")
