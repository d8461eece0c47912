"""Who asked, and through what."""

import pytest

from ddtrace_litellm.extract.metadata import COST_TAGS
from tests.proxy.arrivals import leaves, routers
from tests.proxy.configuration import CALLER_HASH, CLEAR_KEY

pytestmark = pytest.mark.e2e

WHO = {
    "api_key_alias": "the-key",
    "hashed_api_key": CALLER_HASH,
    "team": "team-7",
    "team_alias": "The Team",
    "org_id": "org-3",
    "org_alias": "The Organisation",
    "user": "user-5",
    "end_user": "end-user-9",
}
QUESTION = [{"role": "user", "content": "hi"}]


def test_who_asked_is_on_router_and_leaf(asked):
    """Key, team, organisation, user and end user are tags of both spans on every route."""
    spans = (*routers(asked.trace), *leaves(asked.trace))
    assert len(spans) == 2
    for span in spans:
        assert {name: span.llm.tags.get(name) for name in WHO} == WHO, span.resource


def test_route_is_a_tag(arrivals, caller):
    """The proxy's route is on both spans."""
    caller.openai.chat.completions.create(model="chat", messages=QUESTION)
    (trace,) = arrivals.wait(caller.mark)
    assert {span.llm.tags["route"] for span in trace.llm_spans()} == {"/v1/chat/completions"}


def test_request_tags(arrivals, caller):
    """A request's tags are one list, and those of the form key:value tags of their own."""
    caller.openai.chat.completions.create(
        model="chat", messages=QUESTION, extra_body={"metadata": {"tags": ["blue", "feature:search", "service:other"]}}
    )
    (trace,) = arrivals.wait(caller.mark)
    for span in trace.llm_spans():
        assert set(span.llm.tags["request_tags"].split(",")) >= {"blue", "feature:search", "service:other"}
        assert (span.llm.tags["feature"], span.llm.tags["service"]) == ("search", "litellm-proxy")


def test_model_group_and_deployment(arrivals, caller):
    """The leaf says which deployment of which group answered, the Router's span which group was asked for."""
    caller.openai.chat.completions.create(model="chat", messages=QUESTION)
    (trace,) = arrivals.wait(caller.mark)
    (leaf,), (router,) = leaves(trace), routers(trace)
    assert leaf.llm.metadata["deployment_id"] == "chat-gpt-4o-mini"
    assert leaf.llm.metadata["model_group"] == leaf.llm.tags["model_group"] == "chat"
    assert router.llm.tags["model_group"] == "chat"


def test_cost_tags(arrivals, caller):
    """Whatever costs are shared out by is a cost tag of the leaf, which has the cost."""
    caller.openai.chat.completions.create(model="chat", messages=QUESTION)
    (trace,) = arrivals.wait(caller.mark)
    (leaf,) = leaves(trace)
    assert set(arrivals.cost_tags(leaf.span_id)) == COST_TAGS & leaf.llm.tags.keys()
    assert leaf.llm.tags.keys() >= COST_TAGS


def test_session_of_the_request(arrivals, caller):
    """The session that the caller names is the event's."""
    caller.openai.chat.completions.create(
        model="chat", messages=QUESTION, extra_body={"litellm_session_id": "session-1"}
    )
    (trace,) = arrivals.wait(caller.mark)
    assert {span.llm.tags.get("session_id") for span in trace.llm_spans()} == {"session-1"}


def test_key_that_the_hook_does_not_hash(arrivals, call):
    """A custom key without OpenAI's prefix, which LiteLLM passes on in clear as the "hash", is not sent."""
    caller = call(key=CLEAR_KEY)
    caller.openai.chat.completions.create(model="chat", messages=QUESTION)
    (trace,) = arrivals.wait(caller.mark)
    for span in (*routers(trace), *leaves(trace)):
        assert CLEAR_KEY not in span.llm.tags.values()


def test_user_parameter_of_the_call(arrivals, caller):
    """OpenAI's own ``user`` parameter does not replace who the proxy knows the end user to be."""
    caller.openai.chat.completions.create(model="chat", messages=QUESTION, user="somebody-else")
    (trace,) = arrivals.wait(caller.mark)
    assert {span.llm.tags["end_user"] for span in trace.llm_spans()} == {"end-user-9"}
