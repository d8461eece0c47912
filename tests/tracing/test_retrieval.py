"""Answers from a vector store: what searches, and what answers."""

import asyncio
import json
from urllib.parse import urlsplit

import litellm
import pytest

from ddtrace_litellm import get_version
from tests.provider import Script, ToolCall

QUESTION = [{"role": "user", "content": "Do cats purr?"}]


@pytest.fixture(autouse=True)
def _keys(monkeypatch, provider):
    # The search takes neither from the query's own arguments.
    monkeypatch.setenv("OPENAI_API_KEY", "sk-local")
    monkeypatch.setattr(litellm, "api_base", f"{provider.url}/v1")


def _query(**more):
    return {
        "model": "openai/gpt-4o-mini",
        "messages": QUESTION,
        "retrieval_config": {"vector_store_id": "vs_1", "custom_llm_provider": "openai", "top_k": 2},
        **more,
    }


def _by_resource(recorder):
    return {event["resource"]: event for event in recorder.events}


async def _read(asked):
    return [chunk async for chunk in await asked]


def _in_a_loop(ask):
    """Call what takes the thread's event loop, as LiteLLM's sync function does."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        ask()
    finally:
        asyncio.set_event_loop(None)
        loop.close()


needs_ingest = pytest.mark.skipif(not hasattr(litellm, "aingest"), reason="LiteLLM has it from 1.85 on")
needs_rag = pytest.mark.skipif(not hasattr(litellm, "aquery"), reason="LiteLLM has it from 1.85 on")


@needs_rag
@pytest.mark.parametrize("way", ["async", "stream", "sync"])
def test_query(recorder, provider, way):
    """The search with its documents and the answer are beside each other, beneath one workflow without tokens."""
    if way == "sync":
        _in_a_loop(lambda: litellm.query(**_query()))
    else:
        asyncio.run(_read(litellm.aquery(**_query(stream=True))) if way == "stream" else litellm.aquery(**_query()))
    query, search, answer = (
        _by_resource(recorder)[name]
        for name in ("query" if way == "sync" else "aquery", "avector_store_search", "acompletion")
    )
    assert len(recorder.events) == 3
    assert len(provider.requests) == 2
    assert [event["meta"]["span"]["kind"] for event in (query, search, answer)] == ["workflow", "retrieval", "llm"]
    assert {search["parent_id"], answer["parent_id"]} == {query["span_id"]}
    documents = search["meta"]["output"]["documents"]
    assert [(document["name"], document["score"]) for document in documents] == [("cats.txt", 0.9), ("cats.txt", 0.8)]
    assert "Do cats purr?" in json.dumps(query["meta"]["input"])
    assert "The local provider heard" in json.dumps(query["meta"]["output"])
    assert query["meta"]["metadata"]["vector_store_id"] == "vs_1"
    assert query["metrics"].keys() <= {"time_to_first_token"}
    assert answer["metrics"]["total_cost"] > 0
    assert recorder.still_open() == []


@needs_rag
def test_query_that_finds_no_store(recorder, provider):
    """The error is told on the search and on the workflow, and nobody was asked for an answer."""
    provider.behaviours["vs_1"] = Script(status=404, error="No such store.")
    provider.otherwise = Script(status=404, error="No such store.")
    with pytest.raises(Exception, match="No such store"):
        asyncio.run(litellm.aquery(**_query()))
    kinds = [(event["meta"]["span"]["kind"], event["status"]) for event in recorder.events]
    assert kinds == [("retrieval", "error"), ("workflow", "error")]


@needs_rag
def test_query_that_is_cancelled(recorder, provider):
    """Every span ends."""
    provider.behaviours["gpt-4o-mini"] = Script(delay=5)

    async def cancel():
        task = asyncio.create_task(litellm.aquery(**_query()))
        await asyncio.sleep(1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(cancel())
    assert recorder.still_open() == []
    assert _by_resource(recorder)["aquery"]["status"] == "error"


def _ingest(provider):
    return {
        "ingest_options": {
            "vector_store": {
                "custom_llm_provider": "openai",
                "vector_store_id": "vs_1",
                "api_base": f"{provider.url}/v1",
                "api_key": "sk-local",
            }
        },
        "file_data": ("cats.txt", b"Cats purr.", "text/plain"),
    }


@needs_ingest
@pytest.mark.parametrize("way", ["async", "sync"])
def test_ingest(recorder, provider, way):
    """One workflow names the document and the store, and says neither what the document says nor a credential."""
    if way == "sync":
        _in_a_loop(lambda: litellm.ingest(**_ingest(provider)))
    else:
        asyncio.run(litellm.aingest(**_ingest(provider)))
    assert [request.path for request in provider.requests] == ["/v1/files", "/v1/vector_stores/vs_1/files"]
    event = recorder.event
    assert event["resource"] == ("ingest" if way == "sync" else "aingest")
    assert (event["meta"]["span"]["kind"], event["status"]) == ("workflow", "ok")
    assert event["meta"]["input"]["value"] == "cats.txt"
    assert event["meta"]["output"]["value"] == "completed vs_1 file_1"
    assert event["meta"]["metadata"]["vector_store_id"] == "vs_1"
    assert "Cats purr" not in json.dumps(event["meta"])
    assert "sk-local" not in json.dumps(event["meta"])
    assert event["metrics"] == {}


@needs_ingest
def test_ingest_that_fails(recorder, provider):
    """LiteLLM raises nothing and returns what has failed: the span says so."""
    provider.otherwise = Script(status=404, error="No such store.")
    response = asyncio.run(litellm.aingest(**_ingest(provider)))
    assert response["status"] == "failed"
    event = recorder.event
    assert event["status"] == "error"
    assert event["meta"]["error"]["type"] == "IngestError"
    assert "No such store" in event["meta"]["error"]["message"]
    assert recorder.still_open() == []


@needs_ingest
def test_ingest_with_embeddings_of_litellms(recorder, provider, monkeypatch):
    """Each request for embeddings is a leaf beneath the workflow, which has neither their tokens nor the texts."""
    stores = pytest.importorskip("litellm.rag.ingestion.s3_vectors_ingestion").S3VectorsRAGIngestion
    provider.behaviours[""] = Script(reply_body={})  # S3, which the requests below have no model for

    async def locally(ingestion, _method, url, data=None, **_more):
        # LiteLLM lets nobody say where S3 is.
        return await ingestion.async_httpx_client.post(provider.url + urlsplit(url).path, data=data)

    monkeypatch.setattr(stores, "_sign_and_execute_request", locally)
    store = {
        "custom_llm_provider": "s3_vectors",
        "vector_bucket_name": "the-cats",
        "index_name": "cats",
        "aws_region_name": "us-east-1",
    }
    options = {"vector_store": store, "embedding": {"model": "openai/text-embedding-3-small"}}
    response = asyncio.run(
        litellm.aingest(ingest_options=options, file_data=("cats.txt", b"Cats purr. " * 300, "text/plain"))
    )
    assert response["status"] == "completed", response
    asked = [request for request in provider.requests if request.path == "/v1/embeddings"]
    (workflow,) = [event for event in recorder.events if event["meta"]["span"]["kind"] == "workflow"]
    assert asked
    assert len(recorder.leaves) == len(asked)
    assert {(leaf["meta"]["span"]["kind"], leaf["parent_id"]) for leaf in recorder.leaves} == {
        ("embedding", workflow["span_id"])
    }
    assert all(leaf["metrics"]["total_cost"] > 0 for leaf in recorder.leaves)
    assert workflow["metrics"] == {}
    assert "Cats purr" not in json.dumps(workflow["meta"])
    assert workflow["meta"]["metadata"]["embedding_model"] == "openai/text-embedding-3-small"
    assert recorder.still_open() == []


def test_store_before_a_chat(recorder, provider, monkeypatch):
    """What LiteLLM finds in a store before it asks is a retrieval, and the call's input is with what was found."""
    registry = pytest.importorskip("litellm.vector_stores.vector_store_registry")
    if get_version().startswith("1.72."):
        pytest.skip("this LiteLLM does not search by itself")
    store = {"vector_store_id": "vs_1", "custom_llm_provider": "openai", "litellm_params": {}}
    monkeypatch.setattr(litellm, "vector_store_registry", registry.VectorStoreRegistry(vector_stores=[store]))
    asyncio.run(litellm.acompletion("openai/gpt-4o-mini", messages=QUESTION, vector_store_ids=["vs_1"]))
    events = _by_resource(recorder)
    search, answer = events["avector_store_search"], events["acompletion"]
    assert len(recorder.events) == len(provider.requests) == 2
    assert search["meta"]["span"]["kind"] == "retrieval"
    assert [document["score"] for document in search["meta"]["output"]["documents"]] == [0.9, 0.8]
    assert answer["meta"]["span"]["kind"] == "llm"
    assert "About: Do cats purr?" in json.dumps(answer["meta"]["input"])


def test_file_search(recorder, provider):
    """For a model without it, LiteLLM searches itself: each of its three requests is one leaf of one tree."""
    pytest.importorskip("litellm.responses.file_search.emulated_handler")
    asked = json.dumps({"query": "Do cats purr?", "vector_store_id": "vs_1"})
    provider.behaviours["claude-sonnet-4-5"] = Script(tool_calls=(ToolCall("call_1", "litellm_file_search", asked),))
    asyncio.run(
        litellm.aresponses(
            model="anthropic/claude-sonnet-4-5",
            input="Do cats purr?",
            tools=[{"type": "file_search", "vector_store_ids": ["vs_1"]}],
            api_base=provider.url,
            api_key="sk-local",
        )
    )
    leaves = [event["meta"]["span"]["kind"] for event in recorder.leaves]
    assert leaves == ["llm", "retrieval", "llm"]
    assert len(provider.requests) == 3
    assert [event["parent_id"] for event in recorder.events].count("undefined") == 1
