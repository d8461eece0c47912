"""The real command: real ddtrace-run, real agent, real programs."""

import json
import os
import pty
import signal
import stat
import subprocess
import sys

import pytest

from ddtrace_litellm import cli
from tests import launch
from tests.tryout.processes import children, gone

pytestmark = pytest.mark.e2e

TRY = [sys.executable, "-m", "ddtrace_litellm", "try"]
SPAN = """
from ddtrace.llmobs import LLMObs
with LLMObs.llm(model_name="m", model_provider="p", name="answer") as span:
    LLMObs.annotate(span, input_data="q", output_data="a", metrics={"input_tokens": 3, "output_tokens": 4})
"""
FLUSHED = """
import time
from ddtrace.trace import tracer
tracer.flush()
LLMObs.flush()
print("ready", flush=True)
time.sleep(60)
"""
WAITING = """
import signal, sys, time
interrupts = []
signal.signal(signal.SIGINT, lambda *_: interrupts.append(1))
print("ready", flush=True)
while not interrupts:
    time.sleep(0.02)
time.sleep(0.3)
print("interrupted", len(interrupts), flush=True)
sys.exit(5)
"""


def environment(**more):
    """Return the environment of a tryout, with the package importable."""
    return launch.environment(launch.PACKAGES, **{"COLUMNS": "120", **more})


def tryout(*arguments, **options):
    """Run ``ddtrace-litellm try`` to its end."""
    more = options.pop("environment", {})
    return subprocess.run(
        [*TRY, *arguments], env=environment(**more), capture_output=True, text=True, timeout=120, check=False, **options
    )


def started(code):
    """Start a tryout of ``code``, wait until the program is ready, return the tryout and its two children's ids."""
    process = subprocess.Popen(
        [*TRY, "--", sys.executable, "-c", code],
        env=environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert process.stdout.readline() == "ready\n"
    pids = children(process.pid)
    assert len(pids) == 2
    return process, pids


def test_status_streams_and_json_of_a_program(tmp_path):
    """Exit status, stdin and stdout are the program's own; the tree is on stderr, the JSON in a file for its user."""
    target = readable_by_all(tmp_path / "traces.json")
    code = SPAN + "import sys; print('got', sys.stdin.read()); sys.exit(7)"
    finished = tryout("--json", str(target), "--", sys.executable, "-c", code, input="through stdin")
    assert (finished.returncode, finished.stdout) == (7, "got through stdin\n")
    assert "llm  answer  m · p  3 → 4 tokens  ok" in finished.stderr
    report = json.loads(target.read_text())
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
    assert report["exit_status"] == 7
    ((span,),) = [trace["spans"] for trace in report["traces"]]
    assert (span["title"], span["metrics"]["input_tokens"], span["tags"]["ml_app"]) == ("answer", 3, "try")


def test_json_on_stdout_is_the_last_line():
    """With ``--json -`` the last line of stdout is the JSON, after the program's own output.

    With APM tracing off the events come another way and are shown all the same.
    """
    variables = {"DD_APM_TRACING_ENABLED": "false", "DD_LLMOBS_ML_APP": "mine"}
    finished = tryout("--json", "-", "--", sys.executable, "-c", SPAN + "print('hello')", environment=variables)
    first, last = finished.stdout.splitlines()
    assert first == "hello"
    assert json.loads(last)["traces"][0]["spans"][0]["tags"]["ml_app"] == "mine"
    assert "llm  answer  m · p  3 → 4 tokens  ok" in finished.stderr


def test_unfinished_parent_is_called_out():
    """A span that never ends does not hide its children, and is named as lost."""
    code = "from ddtrace.trace import tracer; tracer.start_span('web.request', activate=True)" + SPAN
    finished = tryout("--", sys.executable, "-c", code)
    assert "the parent of answer, did not arrive" in finished.stderr
    assert "llm  answer" in finished.stderr


def test_options_of_the_program_are_its_own():
    """Whatever stands behind the program is not ours, also without ``--``; one that sends nothing gets a hint."""
    finished = tryout(sys.executable, "-c", "import sys; print(sys.argv[1:])", "--full", "--", "--json")
    assert (finished.returncode, finished.stdout) == (0, "['--full', '--', '--json']\n")
    assert f"no traces arrived. Is {sys.executable} from an environment with ddtrace" in finished.stderr


def test_crash_before_any_call_is_told():
    """A program that fails before it calls anything has its exit status named, and no advice about its environment."""
    finished = tryout("--", sys.executable, "-c", "import sys; sys.exit(3)")
    assert finished.returncode == 3
    assert "no traces arrived. The program ended before any call, with exit status 3\n" in finished.stderr


def test_filter_chooses_what_is_shown():
    """``--filter`` leaves traces out of the terminal and says how many; a field that it does not know is refused."""
    finished = tryout("--filter", "kind=embedding", "--", sys.executable, "-c", SPAN)
    assert "--filter shows 0 of 1 traces" in finished.stderr
    assert "answer" not in finished.stderr
    finished = tryout("--filter", "colour=red", "--", sys.executable, "-c", SPAN)
    assert finished.returncode == 2
    assert "colour is none of kind, model, session, status, tag, text, user" in finished.stderr


def test_interrupt_reaches_the_program_and_the_report_still_comes():
    """SIGINT is passed on once; we wait for the program, report, and leave nothing running."""
    process, pids = started(SPAN + WAITING)
    process.send_signal(signal.SIGINT)
    output, errors = process.communicate(timeout=60)
    assert (process.returncode, output) == (5, "interrupted 1\n")
    assert "llm  answer" in errors
    assert gone(*pids)


def test_program_ended_by_a_signal_is_128_plus_n():
    """SIGTERM ends the program, and the status says so as a shell would; what it sent before is shown."""
    process, pids = started(SPAN + FLUSHED)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 143
    assert "llm  answer" in errors
    assert gone(*pids)


def test_ctrl_c_in_a_terminal_interrupts_the_program_once():
    """The terminal interrupts program and tryout; the program must not get it a second time from us."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.execve(TRY[0], [*TRY, "--", sys.executable, "-c", SPAN + WAITING], environment())
    output = b""
    pids = []
    while True:
        try:
            piece = os.read(terminal, 4096)
        except OSError:  # Linux says so when the last process has closed its side
            break
        if not piece:
            break
        output += piece
        if not pids and b"ready" in output:
            pids = children(pid)
            os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 5
    assert b"interrupted 1\r\n" in output
    assert b"answer" in output
    assert gone(*pids)


def test_killed_tryout_leaves_no_agent():
    """Even SIGKILL of the tryout takes the agent along."""
    process, pids = started("import time; print('ready', flush=True); time.sleep(2)")
    process.kill()
    process.communicate(timeout=60)
    assert gone(*pids)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (["--", "no-such-program"], 127, "program not found: no-such-program"),
        (["--"], 2, "no program given"),
        ([], 2, "no program given"),
    ],
)
def test_wrong_command_lines_are_one_sentence(capsys, arguments, status, message):
    """A mistake is one sentence on stderr that names the value."""
    assert cli.main(["try", *arguments]) == status
    output, errors = capsys.readouterr()
    assert (output, errors.count("\n")) == ("", 1)
    assert message in errors


def readable_by_all(file):
    """Write a file for everybody, longer than a report, and return it."""
    file.write_text("x" * 100_000)
    file.chmod(0o644)
    return file


def test_json_does_not_follow_a_link(tmp_path):
    """What a link leads to stays as it is, and the error names the link."""
    elsewhere, link = readable_by_all(tmp_path / "elsewhere"), tmp_path / "link"
    link.symlink_to(elsewhere)
    finished = tryout("--json", str(link), "--", sys.executable, "-c", SPAN)
    assert f"cannot write the report to {link}: " in finished.stderr
    assert elsewhere.read_text() == "x" * 100_000


def test_unwritable_json_file_is_named():
    """A file that cannot be written is an error that names it."""
    finished = tryout("--json", "/no/such/directory/x.json", "--", sys.executable, "-c", SPAN)
    assert finished.returncode == 1
    assert "cannot write the report to /no/such/directory/x.json: No such file or directory" in finished.stderr


@pytest.mark.parametrize(
    ("command", "arguments"), [("try", ["--", "true"]), ("demo", []), ("scrape", ["http://localhost/metrics"])]
)
def test_missing_packages_name_the_extra(command, arguments, monkeypatch, capsys):
    """Without the extra's packages there is one sentence that says what to install."""
    monkeypatch.setitem(sys.modules, "rich", None)
    assert cli.main([command, *arguments]) == 2
    assert capsys.readouterr().err == f"ddtrace-litellm: {command} needs rich: pip install 'ddtrace-litellm[demo]'\n"
