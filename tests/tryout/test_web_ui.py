"""The web UI of ``try --ui``: the page itself, seen by a real browser, and how the tryout ends."""

import json
import signal
import subprocess
import sys
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.web_ui import traces_for_page
from tests.tryout.chromium import CHROMIUM, Page
from tests.tryout.conftest import Sender, llm_data, span
from tests.tryout.processes import children, gone
from tests.tryout.test_e2e import FLUSHED, SPAN, TRY, environment

pytestmark = pytest.mark.e2e

SAID = llm_data(
    metrics={"input_tokens": 8},
    input={"messages": [{"role": "user", "content": "Is <b>1</b>\n< 2?"}]},
    output={"messages": [{"role": "assistant", "content": "Yes."}]},
    metadata={"finish_reason": "stop"},
)
TRACES = r"[...document.querySelectorAll('.request-row')].filter(r => /v0..\/traces/.test(r.innerText)).length"
SHOW_LAST = r"""
(() => {
    const row = [...document.querySelectorAll('.request-row')].filter(r => /v0..\/traces/.test(r.innerText)).at(-1);
    row.click();
    row.nextElementSibling.querySelectorAll('.tab-button')[2].click();
    [...row.nextElementSibling.querySelectorAll('.span-info')].forEach(each => each.click());
    return row.nextElementSibling.innerText;
})()
"""


def decoded(data):
    """Return LLM Observability data of a span as the agent has it."""
    return {**span(1), "meta_struct": {"_llmobs": data}}


@pytest.fixture(scope="module")
def agent_with_ui():
    """Return a running agent with its UI."""
    with TestAgent(web=True) as agent:
        yield agent


def get(url, **headers):
    """Return the answer to a GET request."""
    parts = urlsplit(url)
    connection = HTTPConnection(parts.hostname, parts.port, timeout=30)
    try:
        connection.request("GET", f"{parts.path}?{parts.query}", headers=headers)
        response = connection.getresponse()
        return response, response.read().decode()
    finally:
        connection.close()


def test_span_for_the_page_has_what_llm_observability_gets():
    """Kind, model, what was said and metadata are among the tags, tokens among the numbers."""
    (((shown,),),) = [traces_for_page([[decoded(SAID)]])]
    assert shown["meta"]["LLM kind"] == "llm"
    assert shown["meta"]["LLM model"] == "gpt-4o-mini · openai"
    assert shown["meta"]["LLM output"] == "assistant: Yes."
    assert shown["meta"]["LLM metadata"] == "finish_reason: stop"
    assert shown["metrics"] == {"LLM input_tokens": 8}


def test_texts_for_the_page_are_no_markup():
    """The page takes texts for HTML: nothing that was said, and no tag, may be read as such."""
    evil = "<img src=x onerror=alert(1)>"
    ((shown,),) = traces_for_page([[{**decoded(SAID), "meta": {evil: evil}, "resource": evil, "service": evil}]])
    assert shown["meta"]["LLM input"] == "user: Is &lt;b&gt;1&lt;/b&gt;<br>&lt; 2?"
    assert "<img" not in json.dumps(shown)


def test_chunks_of_a_trace_are_one_for_the_page():
    """Spans of one trace that were sent apart stand together."""
    traces = traces_for_page([[span(2, 1)], [span(7, trace_id=5)], [span(1)]])
    assert [[each["span_id"] for each in trace] for trace in traces] == [[2, 1], [7]]


def test_page_loads_nothing_from_elsewhere(agent_with_ui):
    """The browser is told to stay with this host, and the page has the request with its LLM Observability data."""
    Sender(agent_with_ui).chunks([span(1, llm=SAID)])
    response, page = get(agent_with_ui.web_url)
    assert response.status == 200
    assert "default-src 'self'" in response.headers["Content-Security-Policy"]
    assert "/v0.4/traces" in page
    assert "assistant: Yes." in page
    assert "updateAllRowIndices();" not in page
    assert "createRequestRow(request, 1000 + window.allRequests.length)" in page


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:1", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("rebound.example:80", 403),
        ("127.0.0.1.rebound.example", 403),
        ("user@rebound.example", 403),
        ("[", 403),
        ("", 403),
    ],
)
def test_answers_only_to_its_own_names(agent_with_ui, host, status):
    """A page of another site whose name leads here (DNS rebinding) reads nothing, of the page or of the agent."""
    for url in (agent_with_ui.web_url, f"{agent_with_ui.url}/test/traces", f"{agent_with_ui.url}/info"):
        assert get(url, Host=host)[0].status == status


def test_ui_stays_until_interrupted(tmp_path):
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
def test_browser_shows_requests_as_they_come(tmp_path):
    """In an open page traces appear while the program runs, each with its own spans; what was said is no markup."""
    code = """
import time
from ddtrace.llmobs import LLMObs
from ddtrace.trace import tracer
for number in range(3):
    input()
    with LLMObs.llm(model_name="m", model_provider="p", name=f"answer {number}") as span:
        LLMObs.annotate(span, input_data=f"<b>question</b> {number}", output_data="a")
    tracer.flush()
print("ready", flush=True)
time.sleep(60)
"""
    process = started(code=code, stdin=subprocess.PIPE)
    with Page(shown_at(process), tmp_path) as page:
        page.until("document.readyState == 'complete' && sseEventSource?.readyState == 1")
        for number in range(1, 4):
            process.stdin.write("\n")
            process.stdin.flush()
            page.until(f"{TRACES} == {number}")
        assert process.stdout.readline() == "ready\n"
        first = page.value(SHOW_LAST)
        # Older versions of ddtrace send what was said in a request of its own.
        page.until("document.querySelector('.requests-table').textContent.includes('<b>question</b> 0')")
        assert page.value("document.querySelectorAll('.requests-table b').length") == 0
    assert "answer 0" in first
    assert "answer 1" not in first


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
    """Start a tryout of ``code`` with the web UI."""
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
