"""Commands of whatever install the tests run with, in an empty directory: CI's is the wheel.

``demo``, ``try`` and ``info`` run in one as well: in tests/demo, tests/examples and tests/info.
"""

import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from ddtrace_litellm import __version__
from tests import launch
from tests.openmetrics.servers import Server

SCRIPT = (str(Path(sys.executable).parent / "ddtrace-litellm"),)
MODULE = (sys.executable, "-m", "ddtrace_litellm")
PAGE = b"# TYPE litellm_in_flight_requests gauge\nlitellm_in_flight_requests 1.0\n# EOF\n"


@pytest.fixture
def run(tmp_path):
    """Return the standard output of a command that succeeds in the empty directory."""

    def ran(*command, **environment):
        ended = subprocess.run(
            command,
            cwd=tmp_path,
            env=launch.environment(**environment),
            capture_output=True,
            text=True,
            timeout=180,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return ended.stdout

    return ran


@pytest.mark.parametrize("command", [SCRIPT, MODULE])
def test_version(run, command):
    """The script and the module are the same program, which knows its version."""
    assert run(*command, "--version") == f"ddtrace-litellm {__version__}\n"


def test_scrape(run):
    """``scrape`` shows what a page holds."""
    with Server(lambda handler: handler.reply(PAGE)) as server:
        assert "litellm.in_flight_requests" in run(*SCRIPT, "scrape", server.url, "--once")


def test_assets(run, tmp_path):
    """``assets`` writes dashboards and monitors."""
    run(*SCRIPT, "assets", "--to", "datadog")
    assert {path.parent.name for path in (tmp_path / "datadog").rglob("*.json")} == {"dashboards", "monitors"}


def test_lambda_layer(run, tmp_path):
    """``lambda-layer`` writes a layer with the start files."""
    run(*SCRIPT, "lambda-layer", "--output", "layer.zip")
    with zipfile.ZipFile(tmp_path / "layer.zip") as layer:
        names = {Path(name).name for name in layer.namelist()}
    assert {"ddtrace_litellm.pth", "ddtrace_litellm.start", "ddtrace_litellm_run", "metrics.csv"} <= names
