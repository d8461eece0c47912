"""A LiteLLM proxy under ``try --ui``: its requests in the viewer while it runs, its metrics in the report."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.request import urlopen

import pytest

from ddtrace_litellm.tryout.agent import free_ports
from tests.tryout.processes import children, gone
from tests.tryout.servers import answered, ask, get
from tests.tryout.test_e2e import TRY, environment

pytestmark = pytest.mark.e2e

CONFIGURATION = """
model_list:
  - model_name: weather
    litellm_params: {model: openai/gpt-4o-mini, api_key: no-key, mock_response: It is 27 degrees.}
litellm_settings: {callbacks: ["prometheus"]}
general_settings: {master_key: sk-of-the-tests-0123456789abcdef}
"""
KEY = "sk-of-the-tests-0123456789abcdef"
SECONDS = 90


@pytest.fixture(autouse=True, scope="module")
def _installed():
    for module in ("apscheduler", "backoff", "fastapi", "orjson", "uvicorn", "prometheus_client", "datadog"):
        pytest.importorskip(module, reason=f"LiteLLM's proxy needs {module}: pip install litellm[proxy]")


def test_is_seen_while_it_runs_and_ends_at_ctrl_c(tmp_path):
    """Requests and metrics are there before the proxy ends; Ctrl-C ends the proxy, a second one the page, all of it."""
    (tmp_path / "config.yaml").write_text(CONFIGURATION)
    (port,) = free_ports(1)
    command = [Path(sys.executable).parent / "litellm", "--config", tmp_path / "config.yaml", "--port", str(port)]
    told = (tmp_path / "told").open("w+")
    with told, (tmp_path / "out").open("w") as out:
        process = subprocess.Popen(
            [*TRY, "--ui", "--json", tmp_path / "report.json", "--", *command, "--host", "127.0.0.1"],
            env=environment(DD_LITELLM_OPENMETRICS_ENABLED="true"),
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=told,
            start_new_session=True,
        )
    pids = []
    try:
        url = until(lambda: line_with("is shown at", tmp_path / "told")).split()[-1]
        until(lambda: answered(port, "GET", "/health/liveliness", KEY))
        assert "27 degrees" in ask(port, KEY, "weather", "How warm is it in Lisbon?")
        pids = children(process.pid)
        until(lambda: asked_last(url) == "How warm is it in Lisbon?")
        until(lambda: "litellm.total.tokens.count" in get(f"{url}metrics")[1])
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


def asked_last(url):
    """Return what the newest trace of LLM calls asks."""
    with urlopen(f"{url}events", timeout=30) as events:
        news = json.loads(next(line for line in events if line.startswith(b"data: "))[6:])
    rows = sorted((row for row in news["rows"] if row["llm"]), key=lambda row: row["start"])
    return rows[-1]["asked"] if rows else ""


def line_with(text, file):
    """Return the line of a file that has ``text``, ``""`` for none."""
    return next((line for line in file.read_text().splitlines() if text in line), "")


def until(answer):
    """Return what a function returns as soon as that is something."""
    deadline = time.monotonic() + SECONDS
    while not (value := answer()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return value
