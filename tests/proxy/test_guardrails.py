"""Guardrails of the proxy: their spans, their verdicts, and what a blocked request is."""

import json

import pytest

from tests.presidio import MASK
from tests.proxy.arrivals import asked_of, guardrails, leaves, routers

pytestmark = pytest.mark.e2e


def _ask(caller, text, *names, stream=False):
    return caller.openai.chat.completions.create(
        model="chat",
        messages=[{"role": "user", "content": text}],
        stream=stream,
        extra_body={"guardrails": list(names)} if names else {},
    )


def _before_the_call(trace, name):
    (found,) = [
        span
        for span in guardrails(trace)
        if (span.llm.metadata["guardrail_name"], span.llm.metadata["guardrail_mode"]) == (name, "pre_call")
    ]
    return found


def test_guardrail_that_blocks(arrivals, upstream, caller):
    """A blocked request is a workflow with its input and who asked, the guardrail beneath; nobody was asked."""
    import openai

    with pytest.raises(openai.BadRequestError, match="not allowed here"):
        _ask(caller, "forbidden")
    (trace,) = arrivals.wait(caller.mark)
    workflow, guardrail = trace.llm_spans()
    assert asked_of(upstream) == leaves(trace) == []
    assert (workflow.llm.kind, workflow.llm.name) == ("workflow", "acompletion")
    assert workflow.llm.metrics == {}
    assert "forbidden" in json.dumps(workflow.llm.input)
    assert workflow.error is not None
    assert workflow.llm.tags["team"] == "team-7"
    assert workflow.parent_id == trace.roots[0].span_id
    assert (guardrail.llm.kind, guardrail.parent_id) == ("task", workflow.span_id)
    assert guardrail.llm.metadata["guardrail_action"] == "block"
    assert guardrail.llm.tags["team"] == "team-7"
    assert guardrail.error is None
    (evaluation,) = arrivals.evaluations(guardrail.span_id)
    assert evaluation["label"] == "guardrail_no-forbidden-words"
    assert (evaluation["categorical_value"], evaluation["assessment"]) == ("block", "fail")


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_presidio_that_masks(arrivals, upstream, caller, stream):
    """LiteLLM's Presidio guardrail says what it masked, and no span shows it."""
    answer = _ask(caller, "my number is 555-1234", "masks", stream=stream)
    if stream:
        list(answer)
    (trace,) = arrivals.wait(caller.mark)
    assert asked_of(upstream) == ["gpt-4o-mini"]
    (leaf,), (router,) = leaves(trace), routers(trace)
    assert MASK in json.dumps(leaf.llm.input)
    guardrail = _before_the_call(trace, "masks")
    assert guardrail.parent_id == trace.roots[0].span_id == router.parent_id
    assert router.llm.metadata["applied_guardrails"] == ["masks"]
    metadata = guardrail.llm.metadata
    assert (metadata["guardrail_provider"], metadata["guardrail_action"]) == ("presidio", "mask")
    assert metadata["masked_entity_count"] == {"PHONE_NUMBER": 1}
    assert _before_the_call(trace, "no-forbidden-words").llm.metadata["guardrail_action"] == "allow"
    (evaluation,) = arrivals.evaluations(guardrail.span_id)
    assert (evaluation["assessment"], evaluation["reasoning"]) == ("pass", "masked: 1 PHONE_NUMBER")
    assert arrivals.leaked(["555-1234"]) == set()


def test_guardrails_during_and_after(arrivals, upstream, caller):
    """A guardrail with two modes has a span for each, beside the Router's."""
    _ask(caller, "hello", "looks-on")
    (trace,) = arrivals.wait(caller.mark)
    assert len(asked_of(upstream)) == len(leaves(trace)) == 1
    looked = [span.llm.metadata for span in guardrails(trace) if span.llm.metadata["guardrail_name"] == "looks-on"]
    assert sorted(found["guardrail_mode"] for found in looked) == ["during_call", "post_call"]
    assert {found["guardrail_action"] for found in looked} == {"allow"}


@pytest.mark.parametrize("text", ["interrupt", "refuse"])
def test_guardrail_that_blocks_what_was_asked(arrivals, caller, upstream, text):
    """One that blocks beside or after the call leaves the call what it was: a leaf for each request."""
    import openai

    with pytest.raises(openai.BadRequestError):
        _ask(caller, text, "looks-on")
    (trace,) = arrivals.wait(caller.mark)
    assert len(asked_of(upstream)) == len(leaves(trace))
    assert [span.llm.kind for span in trace.llm_spans() if span.llm.name == "router.acompletion"] == ["workflow"]
    actions = [span.llm.metadata["guardrail_action"] for span in guardrails(trace)]
    assert actions.count("block") == 1
