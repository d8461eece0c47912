"""The wheel and the sdist: those that CI has built and installed, or else new ones, of the sources beside the tests."""

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.checkout import CHECKOUT


@dataclass(frozen=True)
class Built:
    """A directory with one wheel and one sdist."""

    directory: Path

    @property
    def wheel(self) -> Path:
        """The wheel."""
        (found,) = self.directory.glob("*.whl")
        return found

    @property
    def sdist(self) -> Path:
        """The sdist."""
        (found,) = self.directory.glob("*.tar.gz")
        return found


def build(sources: Path, directory: Path, *kinds: str, environment: Mapping[str, str] = os.environ) -> Built:
    """Build what ``kinds`` says; without any, the sdist and the wheel out of that."""
    command = [sys.executable, "-m", "build", "--no-isolation", *kinds, "--outdir", str(directory), str(sources)]
    subprocess.run(command, capture_output=True, text=True, timeout=120, check=True, env=environment)
    return Built(directory)


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """What is published."""
    if "WHEEL_OF" in os.environ:
        return Built(CHECKOUT / "dist")
    return build(CHECKOUT, tmp_path_factory.mktemp("dist"))


@pytest.fixture(scope="session")
def committed() -> frozenset[str]:
    """The paths of all files of the project, as git knows them."""
    command = ["git", "ls-files", "-z"]
    listed = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip(f"{CHECKOUT} is no git checkout")
    return frozenset(name for name in listed.stdout.split("\0") if (CHECKOUT / name).is_file())
