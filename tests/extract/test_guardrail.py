"""What a guardrail's verdict lets onto a span: its answer by what is captured, its details by their names."""

import json

import pytest

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract import guardrail
from ddtrace_litellm.extract.capture import captured_output
from ddtrace_litellm.extract.metadata import parameters

QUOTED = "my number is 555-1234"


def _verdict(**recorded):
    record = {
        "guardrail_json_response": f"I will not: {QUOTED}",
        "guardrail_status": "guardrail_intervened",
        **recorded,
    }
    return guardrail.verdict("checked", "pre_call", record)


def _said(verdict, capture):
    return captured_output(guardrail.API.read_response(verdict, {}), capture)


@pytest.mark.parametrize(
    ("capture", "shown"),
    [
        (CaptureConfig(), True),
        (CaptureConfig(input=False), False),
        (CaptureConfig(output=False), False),
        (CaptureConfig(input=False, output=False), False),
    ],
    ids=["everything", "no input", "no output", "nothing"],
)
def test_answer(capture, shown):
    """It may quote a request or a response, so it is left out where either may not be shown."""
    assert (QUOTED in json.dumps(_said(_verdict(), capture))) is shown


def test_long_answer_is_cut():
    """No more of it is kept than the user wants of a text."""
    said = _said(_verdict(guardrail_json_response="x" * 1000), CaptureConfig(max_chars=100))["output_value"]
    assert said.startswith("x" * 100)
    assert said.count("x") < 110


def test_details_are_listed_by_name():
    """What quotes the request or names people is no detail, nor is one that is neither a text nor a number."""
    verdict = _verdict(
        tracing_detail={
            "guardrail_id": "g-1",
            "risk_score": 0.5,
            "patterns_checked": [QUOTED],
            "match_details": [{"snippet": QUOTED}],
            "classification": {"text": QUOTED},
            "alert_recipients": ["jane@example.com"],
        }
    )
    assert dict(verdict.details) == {"guardrail_id": "g-1", "risk_score": 0.5}
    shown = parameters(verdict.metadata(), guardrail.API.parameters, contents=False)
    assert shown == {
        "guardrail_name": "checked",
        "guardrail_mode": "pre_call",
        "guardrail_status": "guardrail_intervened",
        "guardrail_action": "block",
        "guardrail_id": "g-1",
        "risk_score": 0.5,
    }
