"""The viewer in a real browser: what it shows of spans that a test makes up, while they arrive."""

import json
import socket
import time
from http import HTTPStatus
from urllib.parse import urlsplit

import pytest

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.metrics import DogStatsD, Metrics
from ddtrace_litellm.tryout.received import Received
from ddtrace_litellm.tryout.viewer.page import report
from ddtrace_litellm.tryout.viewer.server import Viewer
from tests.tryout.chromium import CHROMIUM, Page
from tests.tryout.conftest import START, UPPER_HALF, Sender, llm_data, span
from tests.tryout.servers import get

pytestmark = pytest.mark.e2e
in_browser = pytest.mark.skipif(CHROMIUM is None, reason="needs Chromium (Debian: apt-get install chromium)")

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
EVIL = "<img src=x onerror=hacked()><script>hacked()</script></script>\"'>\u2028${1}{{x}}"
ELEMENTS = "document.querySelectorAll('main script, main img[src=x], main [onerror], main [onclick]').length"


class Watched:
    """A viewer over a real agent, one page that shows it, and means to send to both."""

    def __init__(self, agent, receiver, received, viewer, page):
        self.agent, self.sender, self.received, self.viewer, self.page = agent, Sender(agent), received, viewer, page
        self._receiver = receiver
        self._last = 0x1000

    def trace(self, *chunks):
        """Send chunks of spans as one trace of its own; return its id in hexadecimal."""
        self._last += 1
        return self.grow(self._last, *chunks)

    def grow(self, number, *chunks):
        """Send more chunks of a trace."""
        self.sender.chunks(
            *(
                [
                    {**each, "trace_id": number, "start": START + number * 10**9 + each["start"] % 10**9}
                    for each in chunk
                ]
                for chunk in chunks
            )
        )
        return f"{UPPER_HALF}{number:016x}"

    def metrics(self, *lines):
        """Send lines to DogStatsD."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto("\n".join(lines).encode(), ("127.0.0.1", urlsplit(self._receiver.url).port))

    def go(self, path, seen):
        """Go to a place of the page, and wait until something is there."""
        self.page.value(f"location.hash = {json.dumps('#/' + path)}")
        return self.page.until(seen)

    def open(self, trace_id, span_id=1):
        """Open a span of a trace."""
        self.go(
            f"trace/{trace_id}/{span_id:016x}",
            f"document.querySelector('#panel .facts code')?.textContent == '{span_id:016x}'"
            f" && document.querySelector('#trace-head code').textContent == '{trace_id}'",
        )
        return self.page.value("document.querySelector('#panel').innerText")

    def rows(self):
        """Return what the list asks, from top to bottom."""
        return self.page.value("[...document.querySelectorAll('#rows a')].map(a => a.textContent)")

    def press(self, *keys):
        """Press keys one after the other."""
        for key in keys:
            for kind in ("keyDown", "keyUp"):
                text = (
                    {"text": key if len(key) == 1 else "\r"}
                    if kind == "keyDown" and (len(key) == 1 or key == "Enter")
                    else {}
                )
                self.page.call("Input.dispatchKeyEvent", type=kind, key=key, **text)


@pytest.fixture(scope="module")
def watched(tmp_path_factory):
    """Return a viewer with an open page, for all tests; each sends traces of its own."""
    if CHROMIUM is None:
        pytest.skip("needs Chromium (Debian: apt-get install chromium)")
    with TestAgent() as agent, DogStatsD() as receiver:
        received = Received(agent, receiver)
        with Viewer(received) as viewer, Page(viewer.url, tmp_path_factory.mktemp("profile"), (1400, 900)) as page:
            page.until("document.querySelector('#live')?.textContent == 'Live'")
            yield Watched(agent, receiver, received, viewer, page)


def asks(question, **parts):
    """Return LLM Observability data of a call that asks a question."""
    messages = {"messages": [{"role": "user", "content": question}]}
    return llm_data(parts.pop("kind", "llm"), input=messages, **parts)


def test_viewer_answers_only_to_its_token_and_its_names():
    """Without the token there is nothing, nor under another name; what is there loads nothing from elsewhere."""
    with TestAgent() as agent, DogStatsD() as receiver, Viewer(Received(agent, receiver)) as viewer:
        response, page = get(viewer.url)
        assert response.status == HTTPStatus.OK
        assert "innerHTML" not in page
        policy = response.headers["Content-Security-Policy"]
        assert "default-src 'none'" in policy
        assert "require-trusted-types-for 'script'" in policy
        assert "unsafe" not in policy
        assert response.headers["Referrer-Policy"] == "no-referrer"
        address = urlsplit(viewer.url)
        assert len(address.path) > 20
        for path in ("/", "/events", "/viewer.js", "/metrics", "/wrong-token/", "/wrong-token/metrics"):
            assert get(f"http://{address.netloc}{path}")[0].status == HTTPStatus.NOT_FOUND
        for path in ("", "viewer.js", "metrics"):
            assert get(f"{viewer.url}{path}", Host="rebound.example")[0].status == HTTPStatus.FORBIDDEN
        assert get(f"{viewer.url}traces/{'f' * 32}")[0].status == HTTPStatus.NOT_FOUND


@pytest.fixture(autouse=True)
def _all_are_shown(request):
    """Take back the filters that a test has left."""
    yield
    if "watched" in request.fixturenames:
        request.getfixturevalue("watched").page.value("document.querySelector('#filters').reset()")


@in_browser
def test_trace_in_several_payloads_grows_while_it_is_read(watched):
    """Spans join their trace as they come, children first; what was unfolded and selected stays so."""
    watched.go("", "!document.querySelector('#list').hidden")
    child = span(2, 1, llm=asks("Grows?", output={"messages": [{"role": "reasoning", "content": "thought"}]}))
    trace_id = watched.trace([child])
    number = int(trace_id[-16:], 16)
    watched.page.until("[...document.querySelectorAll('#rows a')].some(a => a.textContent == 'Grows?')")
    watched.open(trace_id, 2)
    assert "Incomplete" in watched.page.text
    watched.page.value(
        "document.querySelector('.role-reasoning').open = true; document.querySelector('#panel').focus()"
    )
    watched.grow(number, [span(3, 1, llm=asks("More?"))], [span(1, llm=asks("Grows?", kind="workflow"))])
    watched.page.until("document.querySelectorAll('.span').length == 3")
    assert "Incomplete" not in watched.page.text
    assert (
        watched.page.value("[...document.querySelectorAll('.span')].map(s => s.getAttribute('aria-level')).join()")
        == "1,2,2"
    )
    assert watched.page.value("document.querySelector('.role-reasoning').open")
    assert watched.page.value("document.activeElement.id") == "panel"
    assert watched.page.value("document.querySelector('[aria-selected=true]').dataset.id") == f"{2:016x}"


@in_browser
def test_nothing_that_was_said_is_markup(watched):
    """Markup in questions, answers, tools, models, errors, documents, tags and metrics is text, and runs nowhere."""
    said = {"role": EVIL, "content": EVIL, "tool_calls": [{"name": EVIL, "arguments": {EVIL: EVIL}, "tool_id": EVIL}]}
    picture = {
        "role": "user",
        "content": EVIL,
        "image_parts": [
            {"mime_type": "image/svg+xml", "content": "PHN2Zz4="},
            {"mime_type": 'image/png" onerror="hacked()', "content": PIXEL},
            {"mime_type": "image/png", "content": "x onerror=hacked()"},
        ],
    }
    result = {"role": "tool", "tool_results": [{"name": EVIL, "result": json.dumps({EVIL: EVIL}), "tool_id": EVIL}]}
    data = llm_data(
        input={
            "messages": [picture, said, result],
            "prompt": {"id": EVIL, "template": EVIL, "variables": {EVIL: EVIL}},
        },
        output={"messages": [{**said, "role": "reasoning"}], "documents": [{"name": EVIL, "text": EVIL, "score": 1}]},
        metadata={EVIL: EVIL, "finish_reason": EVIL, "failed_attempts": [{"error": EVIL, "attempt_number": 1}]},
        tool_definitions=[{"name": EVIL, "description": EVIL, "schema": {EVIL: EVIL}}],
        model_name=EVIL,
        model_provider=EVIL,
    )
    data |= {
        "name": EVIL,
        "tags": {EVIL: EVIL, "session_id": EVIL},
        "span_links": [{"span_id": EVIL, "attributes": {"from": EVIL, "to": EVIL}}],
    }
    data["meta"]["span"]["kind"] = EVIL
    error = {"error.type": EVIL, "error.message": EVIL, "error.stack": EVIL, EVIL: EVIL}
    spans = [span(1, llm=data, error=1, meta=error, resource=EVIL, service=EVIL), span(2, 1, name=EVIL, resource=EVIL)]
    watched.page.value("window.hacked = () => { window.was = true }")
    trace_id = watched.trace(spans)
    watched.go("", "[...document.querySelectorAll('#rows a')].some(a => a.textContent.includes('onerror'))")
    assert watched.page.value(ELEMENTS) == 0
    text = watched.open(trace_id)
    watched.page.value("document.querySelectorAll('#panel details').forEach(each => each.open = true)")
    assert text.count("onerror=hacked()") > 10
    assert watched.page.value("document.querySelectorAll('#panel img').length") == 0
    assert watched.page.value(ELEMENTS) == 0
    watched.metrics("litellm.<img src=x onerror=hacked()>:1|c|#<img src=x>", "litellm.evil:1|g|#a:<b>b</b>")
    watched.go("metrics", "document.querySelector('[data-metric=\"gauge litellm.evil\"]')")
    watched.page.value("document.querySelector('[data-metric=\"gauge litellm.evil\"]').click()")
    watched.page.until("document.querySelector('.series')?.textContent.includes('<b>b</b>')")
    assert "litellm.<img src=x onerror=hacked()>" in watched.page.text
    assert watched.page.value(ELEMENTS) == 0
    assert watched.page.value("window.was === undefined")
    # Even a fault of ours would make no markup out of a text.
    assert (
        watched.page.value("(() => { try { document.body.innerHTML = '<b>' } catch (e) { return e.name } })()")
        == "TypeError"
    )


@in_browser
def test_thousand_spans_are_there_at_once(watched):
    """A trace of 1,000 spans is shown within three seconds, on a busy machine too, and each span can be reached."""
    spans = [
        span(1, llm=asks("Many?", kind="workflow")),
        *(
            span(number, 1 if number < 12 else 2 + number % 10, llm=asks(f"Question {number}"))
            for number in range(2, 1001)
        ),
    ]
    trace_id = watched.trace(spans)
    watched.go("", "[...document.querySelectorAll('#rows a')].some(a => a.textContent == 'Many?')")
    begin = time.monotonic()
    watched.go(f"trace/{trace_id}", "document.querySelectorAll('.span').length == 1000")
    assert time.monotonic() - begin < 3
    begin = time.monotonic()
    watched.press("End")
    watched.page.until("document.querySelector('#panel').innerText.includes('Question 999')")
    assert time.monotonic() - begin < 3


@in_browser
def test_filters_choose_traces_and_their_totals(watched):
    """Model, status, kind, session and text each leave the traces that have it; totals are those of what is left."""
    spent = {"input_tokens": 1000, "output_tokens": 50, "total_cost": 0.25}
    watched.trace([span(1, llm=asks("Filtered one", metrics=spent, model_name="filter-model"))])
    watched.trace([span(1, llm=asks("Filtered two", kind="retrieval")), span(2, 1, error=1, llm=asks("x"))])
    watched.trace([span(1, llm={**asks("Filtered three"), "tags": {"session_id": "session-f", "team": "red-f"}})])
    failed = {"error.type": "a.TimeoutError", "error.message": "a.TimeoutError: too slow"}
    watched.trace([span(1, error=1, meta=failed, llm=asks("Filtered four"))])
    watched.trace([span(1, name="web.request", resource="GET /health-f")])
    watched.go("", "document.querySelectorAll('#rows tr').length >= 4")
    form = "document.querySelector('#filters').elements"

    def chosen(name, value):
        return watched.page.value(f"""(() => {{
            const form = document.querySelector('#filters');
            form.reset();
            form.elements['{name}'].value = '{value}';
            form.elements['{name}'].dispatchEvent(new Event('input', {{ bubbles: true }}));
            return [...document.querySelectorAll('#rows a')].map(a => a.textContent);
        }})()""")

    watched.page.until(
        f"[...{form}.model.options].some(o => o.value == 'filter-model') && {form}.session.options.length > 1"
    )
    watched.page.until("[...document.querySelectorAll('#rows a')].some(a => a.textContent == 'Filtered four')")
    assert chosen("model", "filter-model") == ["Filtered one"]
    totals = watched.page.value("document.querySelector('#totals').innerText")
    assert "1,000 → 50" in totals
    assert "$0.25" in totals
    assert chosen("kind", "retrieval") == ["Filtered two"]
    assert "Filtered two" in chosen("status", "recovered")
    assert chosen("session", "session-f") == ["Filtered three"]
    assert chosen("text", "RED-F filtered") == ["Filtered three"]
    assert chosen("text", "toolerror") == []
    assert chosen("text", "too slow") == ["Filtered four"]
    assert "TimeoutError: too slow" in watched.page.value("document.querySelector('#rows').innerText")
    assert chosen("text", "health-f") == []
    assert "No trace matches" in watched.page.text
    watched.page.value(f"{form}.others.click()")
    assert watched.rows() == ["GET /health-f"]
    watched.page.value(f"{form}.others.click(); document.querySelector('[type=reset]').click()")
    watched.page.until("document.querySelectorAll('#rows tr').length >= 4")


@in_browser
def test_keyboard_reaches_everything(watched):
    """Search, list, spans and details are reached, and left, by keys alone."""
    trace_id = watched.trace(
        [span(1, llm=asks("By keys?", kind="workflow")), span(2, 1, llm=asks("First")), span(3, 1, llm=asks("Second"))]
    )
    watched.go("", "[...document.querySelectorAll('#rows a')].some(a => a.textContent == 'By keys?')")
    watched.press("/", *"by keys")
    watched.page.until("document.querySelectorAll('#rows tr').length == 1")
    watched.press("Escape", "j", "Enter")
    watched.page.until(f"document.querySelector('#trace-head code')?.textContent == '{trace_id}'")
    selected = "document.querySelector('[aria-selected=true]').dataset.id"
    watched.press("ArrowDown", "j")
    assert watched.page.value(selected) == f"{3:016x}"
    watched.press("k", "ArrowUp", "ArrowLeft")
    assert watched.page.value(selected) == f"{1:016x}"
    assert watched.page.value("document.querySelectorAll('.span').length") == 1
    watched.press("ArrowRight", "ArrowRight")
    assert watched.page.value(selected) == f"{2:016x}"
    watched.press("Enter")
    assert watched.page.value("document.activeElement.id") == "panel"
    watched.press("Escape")
    assert watched.page.value("document.activeElement.dataset.id") == f"{2:016x}"
    watched.press("Escape")
    watched.page.until("!document.querySelector('#list').hidden")
    watched.page.until("document.activeElement.textContent == 'By keys?'")
    watched.press("?")
    assert watched.page.value("document.querySelector('#help').open")
    watched.page.value("document.querySelector('#help').close(); document.querySelector('#filters').reset()")


@in_browser
def test_conversation_has_tools_beside_their_results(watched):
    """Roles and pictures are seen, reasoning is folded, a call stands beside its result, a later span's as well."""
    call = {"name": "get_temperature", "arguments": {"city": "Lisbon"}, "tool_id": "call_7", "type": "function"}
    asked = [
        {"role": "system", "content": "Be brief."},
        {
            "role": "user",
            "content": "See:\n```py\nprint(1)\n```",
            "image_parts": [{"mime_type": "image/png", "content": PIXEL}],
        },
    ]
    output = {
        "messages": [
            {"role": "reasoning", "content": "A tool."},
            {"role": "assistant", "content": "", "tool_calls": [call]},
        ]
    }
    result = {
        "role": "tool",
        "content": "",
        "tool_results": [{"name": "", "result": '{"celsius": 27}', "tool_id": "call_7"}],
    }
    later = {"messages": [*asked, output["messages"][1], result]}
    tools = [{"name": "get_temperature", "description": "How warm it is", "schema": {"type": "object"}}]
    link = {"span_id": "1", "trace_id": "f", "attributes": {"from": "output", "to": "input"}}
    trace_id = watched.trace(
        [
            span(1, llm=llm_data(input={"messages": asked}, output=output, tool_definitions=tools)),
            span(
                2,
                llm={
                    **llm_data("tool", input={"value": '{"city": "Lisbon"}'}, output={"value": "27"}),
                    "span_links": [link],
                },
            ),
            span(3, llm=llm_data(input=later, output={"messages": [{"role": "assistant", "content": "27 degrees."}]})),
        ]
    )
    watched.go("", f"[...document.querySelectorAll('#rows tr')].some(r => r.dataset.id == '{trace_id}')")
    text = watched.open(trace_id)
    assert watched.page.value("document.querySelector('.role-user img').naturalWidth") == 1
    assert watched.page.value("document.querySelector('.role-user .code').textContent") == "print(1)"
    assert watched.page.value("!document.querySelector('.role-reasoning').open")
    beside = "document.querySelector('.role-assistant .beside').innerText"
    assert '"city": "Lisbon"' in watched.page.value(beside)
    assert '"celsius": 27' in watched.page.value(beside)
    assert "given to completion" in text
    assert "becomes the input of" in text
    assert "How warm it is" in watched.page.value("document.querySelector('#panel').textContent")
    watched.open(trace_id, 3)
    assert '"celsius": 27' in watched.page.value(beside)
    assert watched.page.value("document.querySelectorAll('.role-tool').length") == 0
    assert "its input comes from the output of LLM" in " ".join(watched.open(trace_id, 2).split())


@in_browser
def test_span_says_what_it_cost_found_and_was_judged(watched):
    """Tokens with cache and reasoning, parts of the cost, documents, a prompt, evaluations, an error's stack."""
    figures = {
        "input_tokens": 1000,
        "output_tokens": 300,
        "cache_read_input_tokens": 700,
        "cache_write_input_tokens": 100,
        "reasoning_output_tokens": 200,
        "total_cost": 0.0042,
        "input_cost": 0.0012,
        "output_cost": 0.003,
        "time_to_first_token": 0.005,
    }
    prompt = {
        "id": "greeting",
        "version": "3",
        "chat_template": [{"role": "user", "content": "Hi {{name}}"}],
        "variables": {"name": "Ann"},
    }
    data = llm_data(
        metrics=figures,
        input={"messages": [{"role": "user", "content": "Hi Ann"}], "prompt": prompt},
        output={"documents": [{"name": "a.md", "text": "About", "score": 0.75}]},
        metadata={"big": 2**60},
    )
    error = {
        "error.type": "litellm.exceptions.Timeout",
        "error.message": "litellm.Timeout: late",
        "error.stack": "Traceback: here",
    }
    trace_id = watched.trace([span(1, error=1, meta=error, llm=data), span(2, 1, llm=llm_data("task"))])
    verdict = {
        "join_on": {"span": {"span_id": "2", "trace_id": "f"}},
        "label": "guardrail.pii",
        "metric_type": "categorical",
        "categorical_value": "blocked",
        "assessment": "fail",
        "reasoning": "a number of a card",
    }
    watched.sender.evaluations(
        json.dumps({"data": {"type": "evaluation_metric", "attributes": {"metrics": [verdict]}}}).encode()
    )
    watched.go("", f"[...document.querySelectorAll('#rows tr')].some(r => r.dataset.id == '{trace_id}')")
    text = " ".join(watched.open(trace_id).split())
    assert "1,000 in → 300 out" in text
    for part in (
        "read from cache 700",
        "written to cache 100",
        "input, not cached 200",
        "reasoning 200",
        "output, the rest 100",
    ):
        assert part in text
    assert "$0.0042 input $0.0012 output $0.0030" in text
    assert "a.md 0.75 About" in text
    assert "id greeting version 3 Variables name Ann Template User Hi {{name}}" in text
    assert "First token 5.0 ms" in text
    assert "litellm.exceptions.Timeout litellm.Timeout: late" in text
    assert "Traceback: here" in watched.page.value("document.querySelector('.error pre').textContent")
    assert str(2**60) in watched.page.value("document.querySelector('#panel').textContent")
    watched.page.until("document.querySelectorAll('.span').length == 2")
    assert "guardrail.pii blocked a number of a card" in " ".join(watched.open(trace_id, 2).split())


@in_browser
def test_attempts_of_a_router_say_why_they_failed(watched):
    """The waterfall has each with its reason, the Router's panel all of them, those without a span as well."""
    failed = {
        "error.type": "litellm.exceptions.RateLimitError",
        "error.message": "litellm.RateLimitError: RateLimitError: slow down",
    }
    known = {"attempt_number": 2, "model_group": "m", "error": "RateLimitError: slow down"}
    lost = {"attempt_number": 1, "model_group": "m", "error": "Timeout: no answer"}
    trace_id = watched.trace(
        [
            span(1, llm=asks("Routed?", kind="workflow", metadata={"failed_attempts": [lost, known]})),
            span(2, 1, error=1, meta=failed, llm=asks("Routed?", metadata={"attempt_number": 2}, model_name="first")),
            span(3, 1, llm=asks("Routed?", metadata={"attempt_number": 3}, model_name="second")),
            span(4, 3, name="http.request", resource="http.request"),
        ]
    )
    watched.go("", f"[...document.querySelectorAll('#rows tr')].some(r => r.dataset.id == '{trace_id}')")
    assert "Recovered" in watched.page.value(f"document.querySelector('tr[data-id=\"{trace_id}\"]').innerText")
    watched.open(trace_id)
    lines = watched.page.value(
        "[...document.querySelectorAll('.attempts li')].map(l => l.innerText.replace(/\\s+/g, ' '))"
    )
    assert lines == [
        "1 m Timeout: no answer",
        "2 first · openai 10 ms RateLimitError: slow down",
        "3 second · openai 10 ms answered",
    ]
    assert watched.page.value("document.querySelector('.span > .why').textContent") == "RateLimitError: slow down"
    assert watched.page.value("document.querySelectorAll('.span').length") == 3
    watched.page.value("document.querySelector('#waterfall input').click()")
    assert watched.page.value("document.querySelectorAll('.span').length") == 4
    bars = "[...document.querySelectorAll('.bar')].map(b => b.style.getPropertyValue('--left'))"
    assert watched.page.value(bars) == [f"{100 * ms / 13:.3f}%" for ms in range(4)]


@in_browser
def test_metrics_have_a_line_each(watched):
    """Name, type, value and what came stand on one line while they arrive; tags and values of the series beneath."""
    watched.go("metrics", "!document.querySelector('#metrics').hidden")
    watched.metrics(
        "litellm.seen.count:2|c|#model:a",
        "litellm.seen.count:3|c|#model:b",
        "litellm.room:7.5|g|#model:a",
        "_sc|litellm.openmetrics.health|0|#host:h",
    )
    line = "document.querySelector('[data-metric=\"count litellm.seen.count\"]')?.closest('tr')"
    watched.page.until(f"{line}?.innerText.includes('5')")
    assert watched.page.value(f"{line}.innerText.split(/\\s+/).join(' ')") == "▸ litellm.seen.count count 5 2"
    assert watched.page.value(f"{line}.querySelectorAll('rect').length") >= 1
    watched.page.value(f"{line}.querySelector('button').click()")
    watched.page.until("document.querySelector('.series')")
    assert "3\tmodel:b" in watched.page.value(f"{line}.nextElementSibling.innerText")
    time.sleep(1.1)  # what comes in another second is another bar
    watched.metrics("litellm.seen.count:4|c|#model:a")
    watched.page.until(f"{line}.innerText.includes('9')")
    assert watched.page.value(f"{line}.querySelectorAll('rect').length") == 2
    assert "6\tmodel:a" in watched.page.value(f"{line}.nextElementSibling.innerText")
    assert "ok" in watched.page.value(
        "document.querySelector('[data-metric=\"check litellm.openmetrics.health\"]').closest('tr').innerText"
    )


@in_browser
@pytest.mark.parametrize("view", ["list", "trace", "metrics"])
def test_page_at_200_percent_and_by_ear(watched, view):
    """At twice the size nothing needs scrolling sideways; whatever can be used has a name for a screen reader."""
    trace_id = watched.trace(
        [span(1, llm=asks("Readable " + "word " * 60, kind="agent")), span(2, 1, llm=asks("x" * 300))]
    )
    watched.metrics(f"litellm.{'long_' * 20}name:1|c|#{'tag' * 60}:1")
    watched.go("", f"[...document.querySelectorAll('#rows tr')].some(r => r.dataset.id == '{trace_id}')")
    if view == "trace":
        watched.open(trace_id, 2)
    else:
        watched.go({"list": "", "metrics": "metrics"}[view], "document.querySelector('[aria-current]')")
    watched.page.call("Emulation.setDeviceMetricsOverride", width=640, height=450, deviceScaleFactor=2, mobile=False)
    try:
        assert watched.page.value("document.documentElement.scrollWidth") <= 640
    finally:
        watched.page.call("Emulation.clearDeviceMetricsOverride")
    nodes = [each for each in watched.page.call("Accessibility.getFullAXTree")["nodes"] if not each["ignored"]]
    used = [
        each
        for each in nodes
        if each["role"]["value"] in ("button", "link", "searchbox", "combobox", "checkbox", "treeitem", "image")
    ]
    assert len(used) > 5
    assert [each["role"]["value"] for each in used if not each.get("name", {}).get("value")] == []
    items = [each for each in used if each["role"]["value"] == "treeitem"]
    assert len(items) == (2 if view == "trace" else 0)


@in_browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_on_its_ground(watched, scheme):
    """In light and dark each text has the contrast that WCAG asks for, 4.5 to 1."""
    error = {"error.type": "E", "error.message": "m", "error.stack": "s"}
    roles = [{"role": role, "content": "said"} for role in ("system", "user", "assistant", "tool", "reasoning")]
    kinds = [
        span(number, 1, llm=asks("k", kind=kind))
        for number, kind in enumerate(("tool", "agent", "task", "retrieval", "embedding", "workflow"), 2)
    ]
    data = llm_data(
        input={"messages": roles}, metadata={"a": {"b": [1, "c"]}}, metrics={"input_tokens": 3, "total_cost": 1}
    )
    trace_id = watched.trace([span(1, error=1, meta=error, llm=data), *kinds])
    watched.go("", f"[...document.querySelectorAll('#rows tr')].some(r => r.dataset.id == '{trace_id}')")
    watched.page.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])
    try:
        watched.open(trace_id)
        assert (
            watched.page.value("getComputedStyle(document.body).backgroundColor")
            == {"light": "rgb(246, 247, 249)", "dark": "rgb(17, 19, 24)"}[scheme]
        )
        assert watched.page.value(FAINT) == []
        watched.go("", "!document.querySelector('#list').hidden")
        assert watched.page.value(FAINT) == []
    finally:
        watched.page.call("Emulation.setEmulatedMedia", features=[])


# Colours are drawn, because computed ones come as oklab and with alpha.
FAINT = """
(() => {
    const canvas = document.createElement('canvas').getContext('2d', { willReadFrequently: true });
    const drawn = (colours) => {
        canvas.clearRect(0, 0, 1, 1);
        for (const colour of colours) { canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1); }
        return [...canvas.getImageData(0, 0, 1, 1).data].slice(0, 3);
    };
    const light = (rgb) => rgb.map((v) => v / 255).map((v) => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
        .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
    const faint = [];
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (walker.nextNode()) {
        const element = walker.currentNode.parentElement;
        if (!walker.currentNode.data.trim() || !element.checkVisibility() || element.matches('option')) continue;
        const grounds = [];
        for (let each = element; each; each = each.parentElement) {
            grounds.unshift(getComputedStyle(each).backgroundColor);
        }
        const [a, b] = [light(drawn(grounds)), light(drawn([...grounds, getComputedStyle(element).color]))];
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const name = `${element.className || element.tagName} ${walker.currentNode.data.trim().slice(0, 20)}`;
        if (ratio < 4.5) faint.push(`${name} ${ratio.toFixed(2)}`);
    }
    return [...new Set(faint)];
})()
"""


@in_browser
def test_report_is_opened_from_disk_and_asks_for_nothing(watched, tmp_path):
    """The file shows all, with the links of the live page, whatever is in it; no request goes out, and none could."""
    trace_id = watched.trace(
        [span(1, llm=asks(EVIL, tool_definitions=[{"name": "</script><script>hacked()</script>"}]))]
    )
    watched.go("", f"[...document.querySelectorAll('#rows tr')].some(r => r.dataset.id == '{trace_id}')")
    (tmp_path / "report.html").write_text(report([watched.received.trace(trace_id)], Metrics(), 3), encoding="utf-8")
    address = f"file://{tmp_path}/report.html#/trace/{trace_id}/{1:016x}"
    with Page(address, tmp_path / "profile") as page:
        page.until("document.querySelector('#panel .facts')")
        assert EVIL in page.value("document.querySelector('#panel').textContent")
        assert page.value("document.querySelector('#live').textContent") == "Report · program ended with status 3"
        assert page.value("getComputedStyle(document.querySelector('.top')).display") == "flex"
        assert page.value("performance.getEntriesByType('resource').length") == 0
        assert page.value(ELEMENTS) == 0
        page.value(
            f"fetch('{watched.viewer.url}').then(() => window.got = 'answer', (error) => window.got = error.name)"
        )
        assert page.until("window.got") == "TypeError"
        assert page.value("document.querySelectorAll('script').length") == 2
        page.value("location.hash = '#/'")
        page.until("document.querySelectorAll('#rows tr').length == 1")
