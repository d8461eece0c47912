"""Every route of the proxy, asked by the real clients."""

import pytest

from tests.proxy.arrivals import asked_of, leaves, routers
from tests.proxy.load import ANSWERED

pytestmark = pytest.mark.e2e


def test_one_event_for_each_request_to_the_provider(asked):
    """Whatever the route, the trace is whole, begins with the web span, and has one leaf for the provider's request."""
    case, trace, models = asked
    assert models in ([case.model], [""])  # Gemini's model is in the path
    (root,) = trace.roots
    assert trace.lost_parents == ()
    assert (root.name, root.parent_id) == ("fastapi.request", None)
    (leaf,) = leaves(trace)
    model = leaf.llm.model or leaf.llm.metadata["model_name"]  # the events of retrievals have no model of their own
    assert (leaf.llm.kind, model, leaf.error) == (case.kind, case.model, None)
    assert leaf.name == "litellm.request"
    assert leaf.llm.tags["integration"] == "litellm"
    assert (leaf.llm.input, leaf.llm.output) != ({}, {})


def test_leaf_lies_beneath_the_router(asked):
    """The Router's span is the leaf's ancestor, and neither counts tokens that it did not spend."""
    (router,) = routers(asked.trace)
    assert (router.llm.kind, router.llm.metadata["attempts"]) == ("workflow", 1)
    assert not {"input_tokens", "output_tokens", "total_cost"} & router.llm.metrics.keys()
    (leaf,) = leaves(asked.trace)
    by_id = {span.span_id: span for span in asked.trace.spans}
    above = by_id[leaf.parent_id]
    while above.span_id != router.span_id:
        assert above.llm is None or above.llm.kind == "workflow"
        above = by_id[above.parent_id]


@pytest.mark.parametrize("question", ANSWERED, ids=lambda question: question.name)
def test_call_id_of_the_answer(arrivals, caller, question):
    """The id that the proxy gives its caller in a header finds the leaf."""
    with caller.http.stream("POST", question.path, json=question.body) as answer:
        answer.read()
    (trace,) = arrivals.wait(caller.mark)
    (leaf,) = leaves(trace)
    assert leaf.llm.metadata.get("litellm_call_id") == answer.headers["x-litellm-call-id"]


def test_no_event_but_ours(arrivals, caller):
    """The web framework, the HTTP client and an SDK that ddtrace knows leave spans without an event."""
    caller.openai.chat.completions.create(model="chat", messages=[{"role": "user", "content": "hi"}])
    (trace,) = arrivals.wait(caller.mark)
    assert {span.name for span in trace.llm_spans()} == {"litellm.request"}
    assert {"fastapi.request", "http.request"} <= {span.name for span in trace.spans}


def test_retry_is_a_second_leaf(arrivals, upstream, caller):
    """Each try of a group with a broken deployment is a leaf; the Router's span lists those that failed."""
    answer = caller.openai.chat.completions.create(
        model="two", messages=[{"role": "user", "content": "hi"}], extra_body={"num_retries": 2}
    )
    assert answer.choices[0].message.content == "The local provider heard: hi"
    (trace,) = arrivals.wait(caller.mark)
    tried = leaves(trace)
    assert [leaf.llm.model for leaf in tried] == asked_of(upstream)
    assert (tried[0].llm.model, tried[-1].llm.model) == ("gpt-fails", "gpt-4o-mini")
    assert [leaf.error is None for leaf in tried] == [False] * (len(tried) - 1) + [True]
    assert [leaf.llm.metadata["attempt_number"] for leaf in tried] == list(range(1, len(tried) + 1))
    (router,) = routers(trace)
    failed = router.llm.metadata["failed_attempts"]
    assert [each["deployment_id"] for each in failed] == ["two-gpt-fails"] * (len(tried) - 1)
    assert router.error is None


def test_fallback_is_a_second_leaf_of_another_group(arrivals, upstream, caller):
    """A fallback's leaf is of the other model group, and both groups are told."""
    caller.openai.chat.completions.create(model="falls-back", messages=[{"role": "user", "content": "hi"}])
    (trace,) = arrivals.wait(caller.mark)
    first, second = leaves(trace)
    assert asked_of(upstream) == ["gpt-fails", "gpt-4o-mini"]
    assert (first.llm.metadata["model_group"], second.llm.metadata["model_group"]) == ("falls-back", "chat")
    assert "The provider failed." in first.error.message
    (router,) = routers(trace)
    assert (router.llm.metadata["attempted_fallbacks"], router.error) == (1, None)


def test_last_failure_is_on_every_span(arrivals, caller):
    """When nothing helps, leaf, Router and web span are all errors."""
    import openai

    with pytest.raises(openai.InternalServerError):
        caller.openai.chat.completions.create(model="fails", messages=[{"role": "user", "content": "hi"}])
    (trace,) = arrivals.wait(caller.mark)
    (leaf,), (router,), (root,) = leaves(trace), routers(trace), trace.roots
    assert leaf.error.type == router.error.type == "litellm.exceptions.InternalServerError"
    assert root.error is not None
    assert root.apm_tags["http.status_code"] == "500"


@pytest.mark.parametrize("stream", [False, True])
def test_cached_answer_costs_nothing(arrivals, upstream, caller, stream):
    """The second of two equal requests is a leaf too, marked as a cache hit, at no cost, without a provider request."""
    question = [{"role": "user", "content": f"Is it cached? stream={stream} {caller.mark}"}]
    cached = {"cache": {"use-cache": True}}
    for _ in range(2):
        answer = caller.openai.chat.completions.create(
            model="chat", messages=question, stream=stream, extra_body=cached
        )
        if stream:
            list(answer)
    spent, free = (leaves(trace) for trace in arrivals.wait(caller.mark, 2))
    assert len(asked_of(upstream)) == 1
    (spent,), (free,) = spent, free
    assert spent.llm.metrics["total_cost"] > 0
    assert "cache_hit" not in spent.llm.metadata
    assert (free.llm.kind, free.llm.metrics["total_cost"], free.llm.metadata["cache_hit"]) == ("llm", 0, True)
    assert free.llm.output == spent.llm.output
