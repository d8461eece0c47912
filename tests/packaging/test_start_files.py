"""The files that Python runs at start, in a wheel and in an editable install."""

import json
import subprocess
import sys
import zipfile

import pytest

from tests.checkout import CHECKOUT

BUILD = "import sys; from hatchling import build; print(build.build_editable(sys.argv[1]))"
INSTALLED = """
import json, site, sys
site.addsitedir(sys.argv[1])
package = sys.modules["ddtrace_litellm"]
print(json.dumps([package.__file__, any(type(f).__module__ == package.__name__ for f in sys.meta_path)]))
"""


@pytest.fixture
def editable(tmp_path):
    """The wheel that pip makes of the checkout for an editable install."""
    command = [sys.executable, "-c", BUILD, str(tmp_path)]
    made = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=60, check=True)
    return tmp_path / made.stdout.splitlines()[-1]


@pytest.mark.parametrize("kind", ["wheel", "editable"])
def test_hook_is_installed(request, built, tmp_path, kind):
    """Both kinds of install have the two files at the top, and a Python that processes them has the hook."""
    target = tmp_path / "site"
    with zipfile.ZipFile(built.wheel if kind == "wheel" else request.getfixturevalue("editable")) as wheel:
        wheel.extractall(target)
    for name in ("ddtrace_litellm.pth", "ddtrace_litellm.start"):
        assert (target / name).read_bytes() == (CHECKOUT / name).read_bytes()
    assert (target / "ddtrace_litellm").exists() == (kind == "wheel")
    command = [sys.executable, "-I", "-S", "-B", "-c", INSTALLED, str(target)]
    started = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    source = (target if kind == "wheel" else CHECKOUT) / "ddtrace_litellm" / "__init__.py"
    assert json.loads(started.stdout) == [str(source), True]
