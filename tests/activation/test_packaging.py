"""What a wheel and an editable install put in site-packages."""

import json
import subprocess
import sys
import zipfile

import pytest

from tests.activation.conftest import PACKAGE

pytest.importorskip("hatchling", reason="hatchling, the build backend, is not installed")

ROOT = PACKAGE.parent
BUILD = "import sys; from hatchling import build; print(getattr(build, sys.argv[1])(sys.argv[2]))"
INSTALLED = """
import json, site, sys
site.addsitedir(sys.argv[1])
bootstrap = sys.modules["ddtrace_litellm.bootstrap"]
print(json.dumps([bootstrap.__file__, any(type(f).__module__ == bootstrap.__name__ for f in sys.meta_path)]))
"""


@pytest.mark.skipif(not (ROOT / "pyproject.toml").exists(), reason="the package is not imported from its sources")
@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_hook_is_installed(tmp_path, kind):
    """Both kinds of install have the two files at the top, and a Python that processes them has the hook."""
    hook = {"wheel": "build_wheel", "editable": "build_editable"}[kind]
    command = [sys.executable, "-c", BUILD, hook, str(tmp_path)]
    built = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    target = tmp_path / "site"
    with zipfile.ZipFile(tmp_path / built.stdout.splitlines()[-1]) as wheel:
        wheel.extractall(target)
    for suffix in ("pth", "start"):
        installed = (target / f"ddtrace_litellm.{suffix}").read_bytes()
        assert installed == (PACKAGE / f"bootstrap.{suffix}").read_bytes()
    assert (target / "ddtrace_litellm" / "py.typed").exists() == (kind == "wheel")
    command = [sys.executable, "-I", "-S", "-B", "-c", INSTALLED, str(target)]
    started = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    source = (target if kind == "wheel" else ROOT) / "ddtrace_litellm" / "bootstrap.py"
    assert json.loads(started.stdout) == [str(source), True]
