"""``try --ui`` and ``try --html``: real programs, what the viewer shows of them meanwhile, and how it all ends."""

import json
import signal
import stat
import subprocess
import sys
import time

import pytest

from tests.tryout.chromium import CHROMIUM, Page
from tests.tryout.processes import children, gone
from tests.tryout.servers import get
from tests.tryout.test_e2e import FLUSHED, SPAN, TRY, environment, tryout

pytestmark = pytest.mark.e2e


def test_viewer_stays_until_interrupted(tmp_path):
    """The report comes when the program has ended; page and agent stay until Ctrl-C, with the program's status."""
    target = tmp_path / "report.json"
    process = started("--json", str(target), code=SPAN + "raise SystemExit(7)")
    url = shown_at(process)
    until_stays(process)
    assert json.loads(target.read_text())["exit_status"] == 7
    assert get(url)[0].status == 200
    pids = children(process.pid)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)
    assert process.returncode == 7
    assert gone(*pids)


def test_terminated_while_it_stays():
    """SIGTERM ends it as cleanly as Ctrl-C."""
    process = started(code=SPAN)
    until_stays(process)
    pids = children(process.pid)
    process.terminate()
    process.communicate(timeout=30)
    assert process.returncode == 0
    assert gone(*pids)


def test_told_to_end_while_the_program_runs():
    """SIGTERM while the program runs ends it all: who sent it sends no second signal."""
    process = started(code=SPAN + FLUSHED)
    assert process.stdout.readline() == "ready\n"
    pids = children(process.pid)
    process.terminate()
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 143
    assert "llm  answer" in errors
    assert gone(*pids)


@pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)")
def test_calls_appear_while_the_program_runs(tmp_path):
    """An open page has each call a moment after it was made, says how the program ended, and stays as it is."""
    code = """
from ddtrace.llmobs import LLMObs
from ddtrace.trace import tracer
for number in range(3):
    input()
    with LLMObs.llm(model_name="m", model_provider="p", name=f"answer {number}") as span:
        LLMObs.annotate(span, input_data=f"<b>question</b> {number}", output_data="a")
    tracer.flush()
    LLMObs.flush()
raise SystemExit(7)
"""
    process = started(code=code, stdin=subprocess.PIPE)
    with Page(shown_at(process), tmp_path) as page:
        page.until("document.querySelector('#live')?.textContent == 'Live'")
        assert "Waiting for the first trace" in page.text
        for number in range(3):
            process.stdin.write("\n")
            process.stdin.flush()
            page.until(f"document.querySelectorAll('#rows tr').length == {number + 1}")
            assert page.value("document.querySelector('#rows a').textContent") == f"<b>question</b> {number}"
        page.until("document.querySelector('#live').textContent == 'Program ended with status 7'")
        until_stays(process)
        process.send_signal(signal.SIGINT)
        page.until("document.querySelector('#live').textContent == 'Viewer ended'")
        page.value("document.querySelector('#rows a').focus()")
        assert "answer 2" in page.text


def test_report_is_one_file_for_its_user(tmp_path):
    """``--html`` writes a page with what arrived, which nobody else can read; one that cannot be written is named."""
    target = tmp_path / "report.html"
    assert tryout("--html", str(target), "--", sys.executable, "-c", SPAN + "raise SystemExit(7)").returncode == 7
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    page = target.read_text()
    data = json.loads(page.partition('id="data">')[2].partition("</script>")[0])
    assert data["status"] == 7
    assert [row["title"] for row in data["rows"]] == ["answer"]
    finished = tryout("--html", "/no/such/directory/x.html", "--", sys.executable, "-c", "pass")
    assert finished.returncode == 1
    assert "cannot write the report to /no/such/directory/x.html: No such file or directory" in finished.stderr


STARTED = []


@pytest.fixture(autouse=True)
def _none_left():
    """End what a failed test left: a page stays for ever."""
    yield
    for process in STARTED:
        if process.poll() is None:
            process.terminate()
            process.communicate(timeout=30)
    STARTED.clear()


def started(*arguments, code, stdin=subprocess.DEVNULL):
    """Start a tryout of ``code`` with the viewer."""
    process = subprocess.Popen(
        [*TRY, "--ui", *arguments, "--", sys.executable, "-c", code],
        env=environment(),
        stdin=stdin,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    STARTED.append(process)
    return process


def shown_at(process):
    """Return the URL that a tryout tells first."""
    return next(line for line in process.stderr if "is shown at" in line).split()[-1]


def until_stays(process):
    """Read what a tryout tells until the program has ended."""
    assert any("stays until Ctrl-C" in line for line in process.stderr)
    time.sleep(0.2)  # from the line to the wait
