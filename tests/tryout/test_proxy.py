"""A LiteLLM proxy under ``try --ui``: its requests in the page while it runs, its metrics in the report."""

import json
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest

from ddtrace_litellm.tryout.agent import free_ports
from tests.tryout.processes import children, gone
from tests.tryout.test_e2e import TRY, environment
from tests.tryout.test_web_ui import get

pytestmark = pytest.mark.e2e

CONFIGURATION = """
model_list:
  - model_name: weather
    litellm_params: {model: openai/gpt-4o-mini, api_key: no-key, mock_response: It is 27 degrees.}
litellm_settings: {callbacks: ["prometheus"]}
general_settings: {master_key: sk-of-the-tests-0123456789abcdef}
"""
SECONDS = 90


@pytest.fixture(autouse=True, scope="module")
def _installed():
    for module in ("apscheduler", "backoff", "fastapi", "orjson", "uvicorn", "prometheus_client", "datadog"):
        pytest.importorskip(module, reason=f"LiteLLM's proxy needs {module}: pip install litellm[proxy]")


def test_is_seen_while_it_runs_and_ends_at_ctrl_c(tmp_path):
    """A request is on the page before the proxy ends; Ctrl-C ends the proxy, a second one the page, all of it."""
    (tmp_path / "config.yaml").write_text(CONFIGURATION)
    (port,) = free_ports(1)
    command = [Path(sys.executable).parent / "litellm", "--config", tmp_path / "config.yaml", "--port", str(port)]
    told = (tmp_path / "told").open("w+")
    with told, (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(
            [*TRY, "--ui", "--json", tmp_path / "report.json", "--", *command, "--host", "127.0.0.1"],
            env=environment(DD_LITELLM_OPENMETRICS_ENABLED="true", LITELLM_LOCAL_MODEL_COST_MAP="True"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=told,
            start_new_session=True,
        )
    pids = []
    try:
        url = until(lambda: line_with("is shown at", tmp_path / "told")).split()[-1]
        until(lambda: answered(port, "GET", "/health/liveliness"))
        asked = {"model": "weather", "messages": [{"role": "user", "content": "How warm is it in Lisbon?"}]}
        assert "27 degrees" in answered(port, "POST", "/v1/chat/completions", asked)
        pids = children(process.pid)
        until(lambda: "user: How warm is it in Lisbon?" in get(url)[1])
        process.send_signal(signal.SIGINT)
        until(lambda: line_with("stays until Ctrl-C", tmp_path / "told"))
        report = json.loads((tmp_path / "report.json").read_text())
        time.sleep(0.2)  # from the line to the wait
        process.send_signal(signal.SIGINT)
        process.wait(30)
    finally:
        process.kill()
        process.wait()
    assert len(pids) == 2
    assert gone(*pids)
    (total,) = [each for each in report["metrics"] if each["name"] == "litellm.total.tokens.count"]
    assert (total["type"], total["value"]) == ("count", report["summary"]["input_tokens"] + 20)
    assert [each["status"] for each in report["service_checks"]] == ["ok"]
    assert line_with("litellm.total.tokens.count", tmp_path / "told")


def line_with(text, file):
    """Return the line of a file that has ``text``, ``""`` for none."""
    return next((line for line in file.read_text().splitlines() if text in line), "")


def answered(port, method, path, body=None):
    """Return the answer of the proxy, ``""`` while there is none."""
    connection = HTTPConnection("127.0.0.1", port, timeout=30)
    headers = {"Authorization": "Bearer sk-of-the-tests-0123456789abcdef", "Content-Type": "application/json"}
    try:
        connection.request(method, path, body and json.dumps(body), headers)
        response = connection.getresponse()
        text = response.read().decode()
    except (OSError, HTTPException):
        return ""
    finally:
        connection.close()
    return text if response.status == 200 else ""


def until(answer):
    """Return what a function returns as soon as that is something."""
    deadline = time.monotonic() + SECONDS
    while not (value := answer()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return value
