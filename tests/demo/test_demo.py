import json
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from ddtrace_litellm.demo import scenarios
from ddtrace_litellm.demo.checks import missing
from ddtrace_litellm.tryout.traces import LLMData, Span, SpanError, Trace
from tests import launch

SPENT = {"input_tokens": 8, "output_tokens": 5, "total_cost": 0.01}


def request(question, *, span_id=1, parent_id=None, error=None, metadata=None, **parts):
    """Return an llm span that asked ``question``, complete unless the arguments say otherwise."""
    data = {
        "metrics": SPENT,
        "input": {"messages": [{"role": "user", "content": question}]},
        "output": {"messages": [{"role": "assistant", "content": "An answer."}]},
        **parts,
    }
    llm = LLMData("completion", "llm", "m", "p", metadata=metadata or {}, **data)
    return Span(span_id, parent_id, "litellm.request", "completion", span_id, 10**9, error, llm=llm)


def complete():
    """Return the traces of a demo at which nothing is wrong, by their title."""
    call = {"name": "get_temperature", "arguments": {"city": "Lisbon"}}
    value = json.dumps([{"role": "user", "content": scenarios.ROUTER}])
    router = LLMData("router.completion", "workflow", metadata={"failed_attempts": [{}]}, input={"value": value})
    return {
        "chat": Trace("1", (request(scenarios.CHAT),)),
        "stream": Trace(
            "2",
            (
                request(
                    scenarios.STREAM,
                    metrics={**SPENT, "time_to_first_token": 0.5},
                    metadata={"stream_completed": True},
                ),
            ),
        ),
        "tool": Trace(
            "3",
            (
                request(
                    scenarios.TOOL,
                    output={"messages": [{"role": "assistant", "tool_calls": [call]}]},
                    tool_definitions=({"name": "get_temperature"},),
                ),
            ),
        ),
        "router": Trace(
            "4",
            (
                Span(1, None, "litellm.request", "router.completion", 1, 10**9, llm=router),
                request(
                    scenarios.ROUTER,
                    span_id=2,
                    parent_id=1,
                    error=SpanError("InternalServerError", "down", ""),
                    metadata={"attempt_number": 1},
                ),
                request(scenarios.ROUTER, span_id=3, parent_id=1, metadata={"attempt_number": 2}),
            ),
        ),
        "error": Trace(
            "5", (request(scenarios.ERROR, error=SpanError("litellm.exceptions.RateLimitError", "limit", "")),)
        ),
    }


def changed(trace, number=0, **changes):
    """Return ``trace`` with one of its spans changed; metrics, metadata and output are the event's."""
    spans = list(trace.spans)
    of_event = {name: changes.pop(name) for name in ("metrics", "metadata", "output", "kind") if name in changes}
    spans[number] = replace(spans[number], llm=replace(spans[number].llm, **of_event), **changes)
    return replace(trace, spans=tuple(spans))


def test_complete_traces_miss_nothing():
    """When everything arrived nothing is reported."""
    assert missing(tuple(complete().values())) == ()


def test_nothing_arrived():
    """Without traces each of the five calls is reported."""
    assert [problem.split(":")[0] for problem in missing(())] == ["chat", "stream", "tool call", "router", "error"]


@pytest.mark.parametrize(
    ("title", "number", "changes", "problem"),
    [
        ("chat", 0, {"metrics": {}}, "chat: completion has no cost"),
        ("chat", 0, {"output": {}}, "chat: completion has no output"),
        ("chat", 0, {"kind": "workflow"}, "chat: the spans are workflow completion, expected one of kind llm"),
        ("chat", 0, {"parent_id": 99}, "chat: its trace is incomplete"),
        ("chat", 0, {"error": SpanError("E", "no", "")}, "chat: completion failed: E: no"),
        ("stream", 0, {"metrics": SPENT}, "stream: the stream has no time to first token"),
        (
            "stream",
            0,
            {"metrics": {**SPENT, "time_to_first_token": 2}},
            "stream: its time to first token, 2 s, does not lie within its duration",
        ),
        ("stream", 0, {"metadata": {}}, "stream: the stream does not say that it was completed"),
        ("tool", 0, {"output": {}}, "tool call: the output has no call of get_temperature"),
        ("router", 0, {"kind": "llm"}, "router: the first span is llm router.completion, expected one workflow"),
        ("router", 0, {"metadata": {}}, "router: the router's span does not name the attempt that failed"),
        ("router", 1, {"metadata": {}}, "router: the attempts are numbered [None, 2], expected [1, 2]"),
        ("router", 2, {"parent_id": 2}, "router: the attempts are not right beneath the router's span"),
        ("error", 0, {"error": None}, "error: the llm span is not an error"),
        ("error", 0, {"error": SpanError("E", "", "")}, "error: the error is E, expected RateLimitError"),
    ],
)
def test_what_is_missing_is_named(title, number, changes, problem):
    """Each thing that is missing is one sentence that names the call."""
    traces = complete()
    traces[title] = changed(traces[title], number, **changes)
    assert problem in missing(tuple(traces.values()))


@pytest.mark.e2e
def test_demo_succeeds(tmp_path):
    """The real demo under the real ddtrace-run: everything arrives, the exit status says so, and the viewer stays."""
    process = subprocess.Popen(
        [sys.executable, "-m", "ddtrace_litellm", "demo", "--ui", "--json", "-"],
        cwd=tmp_path,
        env=launch.environment(launch.PACKAGES),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    lines = []
    while not lines or "stays until Ctrl-C" not in lines[-1]:
        lines.append(process.stderr.readline())
        assert lines[-1], "".join(lines)
    time.sleep(0.2)  # from the line to the wait
    process.send_signal(signal.SIGINT)
    output, _ = process.communicate(timeout=60)
    assert process.returncode == 0, "".join(lines)
    assert "everything arrived\n" in lines
    report = json.loads(output.splitlines()[-1])
    assert (report["exit_status"], report["summary"]["traces"], report["summary"]["errors"]) == (0, 5, 2)
    assert report["summary"]["total_cost_usd"] > 0
