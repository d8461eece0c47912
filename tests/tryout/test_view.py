"""What the viewer's page is given, without a browser."""

import json
import math

import pytest

from ddtrace_litellm.metrics.batch import Record, ServiceCheck, Status
from ddtrace_litellm.tryout.metrics import Metrics, Point
from ddtrace_litellm.tryout.traces import Trace, read_span
from ddtrace_litellm.tryout.viewer import page, view
from tests.tryout.conftest import MS, START, llm_data, span


def trace(*spans):
    """Return a trace of spans as the tracer sends them, with LLM Observability data as the agent decodes it."""
    return Trace(
        "f" * 32,
        tuple(read_span({**each, "meta_struct": {"_llmobs": data}}) for each, data in spans),
    )


def asks(*messages, **parts):
    """Return LLM Observability data of a call with messages of a role and a text."""
    return llm_data(input={"messages": [{"role": role, "content": text} for role, text in messages]}, **parts)


def test_row_says_what_was_asked_by_whom_and_what_came_of_it():
    """Of a conversation it is the user's last word; of the answer the last line, of each list no value twice."""
    spent = {"input_tokens": 8, "output_tokens": 5, "total_cost": 0.25, "time_to_first_token": 0.5}
    answer = {"messages": [{"role": "assistant", "content": "Yes.\nIndeed."}]}
    asked = (("user", "First"), ("assistant", "?"), ("user", "Is it?"), ("tool", "x"))
    data = {**asks(*asked, output=answer, metrics=spent), "tags": {"session_id": "s", "team": "Red"}}
    row = view.row(
        trace((span(1), data), (span(2, 1), asks(("user", "Is it?"), metadata={"token_source": "estimated"})))
    )
    assert (row["asked"], row["answered"], row["title"]) == ("Is it?", "Yes. Indeed.", "completion")
    assert (row["models"], row["kinds"], row["sessions"]) == (["gpt-4o-mini"], ["llm"], ["s"])
    assert (row["input_tokens"], row["output_tokens"], row["cost"], row["first_token"]) == (8, 5, 0.25, 500)
    assert (row["estimated"], row["llm"], row["status"], row["error"]) == (True, 2, "ok", None)
    assert (row["start"], row["duration"]) == ((START + MS) / 1e6, 11)
    assert "team:red" in row["text"]


def test_row_has_no_cost_where_nobody_knows_one():
    """Unknown is not 0."""
    assert view.row(trace((span(1), llm_data())))["cost"] is None


def test_text_of_a_row_has_an_end():
    """Each line of a trace is in it once, and a book is not in it whole."""
    row = view.row(
        trace((span(1), asks(("user", "same"), ("user", "same"), ("user", "long " * 10_000), ("user", "late"))))
    )
    assert row["text"].count("same") == 1
    assert len(row["text"]) < 25_000
    assert "late" not in row["text"]


@pytest.mark.parametrize(
    ("failed", "lost", "status"),
    [((1,), 0, "error"), ((2,), 0, "recovered"), ((), 0, "ok"), ((), 99, "incomplete"), ((1,), 99, "error")],
)
def test_status_of_a_trace(failed, lost, status):
    """A failure at the top is one of the trace, one beneath is recovered from; else it counts whether all is there."""
    meta = {"error.type": "a.Late", "error.message": "litellm.Late: Late: too late"}
    spans = [span(number, parent, error=number in failed, meta=meta) for number, parent in ((1, lost), (2, 1))]
    row = view.row(trace(*((each, llm_data()) for each in spans)))
    assert row["status"] == status
    assert row["error"] == ("Late: too late" if failed else None)


def test_numbers_are_those_that_javascript_reads():
    """Ids are hexadecimal text, and so is a number that JavaScript has no room or JSON no form for."""
    metadata = {
        "large": 2**53,
        "small": -(2**53),
        "fits": 2**53 - 1,
        "none": math.nan,
        "yes": True,
        "in": [{1: math.inf}],
    }
    link = {"span_id": str(2**64 - 1), "attributes": {"from": "output", "to": "input"}}
    data = {**llm_data(metadata=metadata), "span_links": [link]}
    whole = view.detail(trace((span(2**63, 255), data)))
    (only,) = json.loads(json.dumps(whole, allow_nan=False))["spans"]
    assert (only["id"], only["parent"], whole["lost_parents"]) == ("8" + "0" * 15, "0" * 14 + "ff", ["0" * 14 + "ff"])
    assert only["llm"]["links"] == [{"id": "f" * 16, "from": "output", "to": "input"}]
    assert only["llm"]["metadata"] == {
        "large": str(2**53),
        "small": str(-(2**53)),
        "fits": 2**53 - 1,
        "none": "nan",
        "yes": True,
        "in": [{"1": "inf"}],
    }


def test_spans_that_lead_to_llm_spans():
    """Those above LLM Observability's spans lead to them, also where parents go round in a circle."""
    spans = [(span(1, 4), None), (span(2, 1), None), (span(3, 2), llm_data()), (span(4, 3), None), (span(5, 1), None)]
    whole = view.detail(trace(*((each, data or {}) for each, data in spans)))
    assert [each["leading"] for each in whole["spans"]] == [True, True, True, True, False]


def test_metrics_are_one_entry_a_name():
    """Counts are added up, a gauge of several series has no one value, points of a gauge are means."""
    records = (
        *(Record("litellm.a", "count", value, (f"n:{value}",)) for value in (1.0, 2.0)),
        *(Record("litellm.b", "gauge", value, (f"n:{value}",)) for value in (4.0, 8.0)),
        Record("litellm.c", "gauge", 5.0, ()),
    )
    check = ServiceCheck("litellm.health", Status.CRITICAL, (), "refused")
    points = {
        ("count", "litellm.a"): (Point(7, 3.0, 2),),
        ("gauge", "litellm.b"): (Point(7, 12.0, 2), Point(9, 4.0, 1)),
    }
    a, b, c, health = view.metrics(Metrics(records, (check,), points))
    assert (a["name"], a["type"], a["value"], a["count"], a["points"]) == ("litellm.a", "count", 3.0, 2, [[7000, 3.0]])
    assert (b["value"], b["points"]) == (None, [[7000, 6.0], [9000, 4.0]])
    assert b["series"] == [{"value": 4.0, "tags": ["n:4.0"]}, {"value": 8.0, "tags": ["n:8.0"]}]
    assert c["value"] == 5.0
    assert (health["value"], health["series"]) == ("critical", [{"value": "refused", "tags": []}])


def test_data_in_a_report_ends_no_element():
    """Whatever was said, the element with the data ends where we end it, and the data come back as they were."""
    said = "</script><!--<script>&amp;\u2028"
    text = page.in_script({said: said})
    assert "<" not in text
    assert json.loads(text) == {said: said}
