"""Environments of their own, for what needs other versions than the tests do."""

import json
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class Environment:
    """A virtual environment in a folder. It is made with uv where there is one, else with venv and pip."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def executable(self, name: str) -> str:
        """Return the path of one of its programs."""
        return str(self._folder / "bin" / name)

    def make(self, python: str, requirements: Sequence[str]) -> None:
        """Make it, unless there is one with the same requirements.

        Raises:
            subprocess.CalledProcessError: what is required cannot be installed; ``stderr`` says why.
        """
        made = self._folder / "requirements.json"
        wanted = json.dumps([python, *requirements])
        if made.exists() and made.read_text() == wanted:
            return
        uv = shutil.which("uv")
        if uv:
            _run(uv, "venv", "--clear", "--python", python, str(self._folder))
            _run(uv, "pip", "install", "--python", self.executable("python"), *requirements)
        else:
            _run(python, "-m", "venv", "--clear", str(self._folder))
            _run(self.executable("python"), "-m", "pip", "install", "--quiet", *requirements)
        made.write_text(wanted)

    def versions(self, *packages: str) -> dict[str, str]:
        """Return the installed versions of packages."""
        program = "import sys, importlib.metadata as m; print(*map(m.version, sys.argv[1:]))"
        return dict(zip(packages, _run(self.executable("python"), "-c", program, *packages).split(), strict=True))


def table(rows: Sequence[Mapping[str, str]]) -> str:
    """Return rows as a table in Markdown; the first one's keys are the columns."""
    if not rows:
        return ""
    lines = [list(rows[0]), *(list(row.values()) for row in rows)]
    formatted = [f"| {' | '.join(cells)} |" for cells in lines]
    return "\n".join([formatted[0], "|" + "---|" * len(rows[0]), *formatted[1:]])


def _run(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=True, stdin=subprocess.DEVNULL).stdout
