"""Integrations of ddtrace for frameworks, whose model calls are calls of LiteLLM's."""

import json

import litellm
import pytest
from ddtrace import config
from ddtrace.llmobs._integrations.base import BaseLLMIntegration
from ddtrace.llmobs._utils import _annotate_llmobs_span_data

from tests.provider import Script
from tests.tracing.scenarios import ASK, to

TOKENS = {"input_tokens": 1, "output_tokens": 2, "total_tokens": 3}
SAID = {
    "llm": {"input_messages": [{"role": "user", "content": "Hi"}], "output_messages": [{"content": "Heard"}]},
    "embedding": {"input_documents": [{"text": "one"}, {"text": "two"}], "output_value": "[2 embeddings]"},
}


class Framework(BaseLLMIntegration):
    """An integration that says what ddtrace's of LangChain and LlamaIndex say of a model call."""

    _integration_name = "langchain"

    def _llmobs_set_tags(self, span, *arguments):
        kind = arguments[-1]
        _annotate_llmobs_span_data(span, kind=kind, model_name="m", metrics=TOKENS, **SAID[kind])

    def _set_apm_shadow_tags(self, span, *arguments):
        self._apply_shadow_metrics(span, TOKENS, arguments[-1], model_name="m")


def ask(kind, model_call):
    """Run a model call as one of the framework."""
    framework = Framework(config.langchain)
    with framework.trace("Model", submit_to_llmobs=True) as span:
        try:
            model_call()
        finally:
            framework.llmobs_set_tags(span, [], {}, None, kind)


def chat(provider, **more):
    """Return a chat that can be called."""
    return lambda: litellm.completion("mistral/m", ASK, **to(provider), **more)


def embedding(provider):
    """Return an embedding that can be called."""
    return lambda: litellm.embedding("openai/text-embedding-3-small", ["one two"], **to(provider))


@pytest.mark.parametrize(
    ("kind", "call", "asked"),
    [
        ("llm", chat, SAID["llm"]["input_messages"]),
        ("llm", lambda provider: lambda: list(chat(provider, stream=True)()), SAID["llm"]["input_messages"]),
        ("embedding", embedding, ["one", "two"]),
    ],
    ids=["chat", "stream", "embedding"],
)
def test_one_event_for_each_request(kind, call, asked, provider, recorder):
    """The framework's event is a workflow above ours, with what it says, but its tokens are on ours alone."""
    ask(kind, call(provider))
    ours, theirs = recorder.events
    assert [event["meta"]["span"]["kind"] for event in recorder.events] == [kind, "workflow"]
    assert ours["parent_id"] == theirs["span_id"]
    assert (json.loads(theirs["meta"]["input"].pop("value")), theirs["meta"]["input"]) == (asked, {})
    assert theirs["metrics"] == {}
    assert theirs["meta"]["output"]["value"]
    assert ours["metrics"]["input_tokens"] > 0
    tags = {**theirs["span"].get_tags(), **theirs["span"].get_metrics()}
    assert not [name for name in tags if name.endswith("_tokens")]
    assert tags.get("_dd.llmobs.span_kind", "workflow") == "workflow"


@pytest.mark.parametrize("call", [lambda _provider: lambda: None, embedding], ids=["nothing", "embedding"])
def test_model_call_that_goes_elsewhere(call, provider, recorder):
    """What no call of ours beneath answers stays the request's event, with its tokens."""
    ask("llm", call(provider))
    theirs = recorder.events[-1]
    assert (theirs["meta"]["span"]["kind"], theirs["metrics"]) == ("llm", TOKENS)
    assert theirs["meta"]["input"]["messages"][0]["content"] == "Hi"


def test_failed_request(provider, recorder):
    """A request that fails is one event too."""
    provider.behaviours["m"] = Script(status=500)
    with pytest.raises(litellm.InternalServerError):
        ask("llm", chat(provider))
    assert [event["meta"]["span"]["kind"] for event in recorder.events] == ["llm", "workflow"]


def test_apm_tags_without_llm_observability(provider, apm_recorder):
    """The tokens on the APM span are on ours alone there as well."""
    ask("llm", chat(provider))
    ours, theirs = apm_recorder.finished[-2:]
    assert (ours.name, theirs.name) == ("litellm.request", "langchain.request")
    assert not [name for name in theirs.get_metrics() if name.endswith("_tokens")]


def test_unpatch_restores():
    """Without us ddtrace's class is as it was."""
    assert BaseLLMIntegration.llmobs_set_tags.__module__ == BaseLLMIntegration.__module__
