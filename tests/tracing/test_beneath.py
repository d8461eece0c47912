"""Calls beneath a call that do not answer it: a chat that searches or embeds on its way is a leaf all the same."""

import asyncio
import sys

import litellm
import openai
import pytest
from litellm.integrations.custom_logger import CustomLogger
from litellm.types.router import CustomRoutingStrategyBase

from ddtrace_litellm import get_version
from tests.provider import Script
from tests.tracing.scenarios import ASK, router, to

litellm.suppress_debug_info = True
STORE = {"vector_store_id": "vs_7", "query": "cats", "custom_llm_provider": "openai"}


def _search(asynchronous, **arguments):
    module = sys.modules.get("litellm.vector_stores.main")
    if module is None:
        pytest.skip(f"litellm {get_version()} has no vector stores")
    return asyncio.run(module.asearch(**arguments)) if asynchronous else module.search(**arguments)


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_search_of_a_vector_store(asynchronous, provider, recorder):
    """The query, and the passages with their scores."""
    _search(asynchronous, **STORE, **to(provider))
    event = recorder.event
    assert event["resource"] == ("avector_store_search" if asynchronous else "vector_store_search")
    meta = event["meta"]
    assert meta["span"]["kind"] == "retrieval"
    assert meta["input"]["value"] == "cats"
    assert meta["output"]["documents"] == [
        {"text": "About: cats", "name": "cats.txt", "id": f"file_{number}", "score": score}
        for number, score in enumerate((0.9, 0.8))
    ]
    assert meta["metadata"]["vector_store_id"] == "vs_7"
    assert meta["metadata"]["model_provider"] == "openai"


def test_failed_search_of_a_vector_store(provider, recorder):
    """An error, and still a retrieval."""
    provider.behaviours["vs_7"] = Script(status=500)
    with pytest.raises(openai.APIError):
        _search(False, **STORE, **to(provider))
    assert recorder.event["status"] == "error"
    assert recorder.event["meta"]["span"]["kind"] == "retrieval"


def test_chat_that_embeds_on_its_way_is_a_leaf(provider, recorder, monkeypatch):
    """Whatever a hook of LiteLLM's, or a semantic cache, asks of an embedding model: the chat keeps its tokens."""

    class Embeds(CustomLogger):
        def log_pre_api_call(self, model, messages, kwargs):  # noqa: ARG002  # LiteLLM's signature
            if model == "m":
                litellm.embedding("openai/text-embedding-3-small", ["one two"], **to(provider))

    monkeypatch.setattr(litellm, "callbacks", [Embeds()])
    litellm.completion("mistral/m", ASK, **to(provider))
    embedding, chat = recorder.events
    assert [request.path for request in provider.requests] == ["/v1/embeddings", "/v1/chat/completions"]
    assert (embedding["meta"]["span"]["kind"], chat["meta"]["span"]["kind"]) == ("embedding", "llm")
    assert embedding["parent_id"] == chat["span_id"]
    assert chat["metrics"]["input_tokens"] > 0


@pytest.mark.filterwarnings("ignore:Router.:DeprecationWarning")  # LiteLLM 1.109
def test_router_that_embeds_on_its_way_has_made_one_attempt(provider, recorder):
    """What is embedded to choose a deployment is no try at an answer."""
    routed = router(provider, ("group", "mistral/m"))

    class Embeds(CustomRoutingStrategyBase):
        async def async_get_available_deployment(self, *_arguments, **_keywords):
            await litellm.aembedding("openai/text-embedding-3-small", ["one two"], **to(provider))
            return routed.model_list[0]

    routed.set_custom_routing_strategy(Embeds())
    asyncio.run(routed.acompletion("group", ASK))
    workflow = recorder.events[-1]
    assert [event["resource"] for event in recorder.events] == ["aembedding", "acompletion", "router.acompletion"]
    assert workflow["meta"]["metadata"]["attempts"] == 1
