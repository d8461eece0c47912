"""Retrieval-augmented generation: a question that is answered from a vector store, and a document that goes into one.

The search, the reranking, the embeddings and the answer are calls of their own.
"""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.extract import chat
from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output, failure_of
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of
from ddtrace_litellm.masking import strip_credentials

_STORE = ("custom_llm_provider", "embedding_model", "top_k", "vector_store_id")
"""What of the settings of a store may be shown; others may be credentials."""


def _query_settings(arguments: Arguments) -> dict[str, Any]:
    reranking = fields_of(arguments.get("rerank"))
    described = {**arguments, **_store(arguments.get("retrieval_config"))}
    return described | {"rerank_model": reranking.get("model"), "top_n": reranking.get("top_n")}


def _ingest_settings(arguments: Arguments) -> dict[str, Any]:
    options = fields_of(arguments.get("ingest_options"))
    embedding = field(options.get("embedding"), "model")
    return {**arguments, **_store(options.get("vector_store")), "embedding_model": embedding}


def _store(settings: Any) -> Mapping[str, Any]:
    known = fields_of(settings)
    return {name: known[name] for name in _STORE if name in known}


def _read_document(arguments: Arguments) -> Input:
    """Name the document: where it comes from, not what it says."""
    name = next(iter(sequence(arguments.get("file_data"))), None) or field(arguments.get("file"), "filename")
    name = name or strip_credentials(text_of(arguments.get("file_url"))) or arguments.get("file_id")
    return Input({"input_value": text_of(name)})


def _read_ingested(response: Any, _arguments: Arguments) -> Output:
    found = [text_of(field(response, name)) for name in ("status", "vector_store_id", "file_id")]
    return Output({"output_value": " ".join(filter(None, found))})


def _ingest_error(response: Any) -> tuple[str, str] | None:
    """Return why it failed: LiteLLM raises nothing, and has the error as text (1.85 to 1.110)."""
    failure = text_of(failure_of(response))
    return ("IngestError", failure) if failure else None


QUERY = Api(
    name="rag_query",
    kind="workflow",
    parameters=CALL_PARAMETERS | {"rerank_model", "top_k", "top_n", "vector_store_id"},
    read_input=chat.read_input,
    read_response=chat.read_response,
    settings=_query_settings,
    streaming=chat.API.streaming,
)

INGEST = Api(
    name="rag_ingest",
    kind="workflow",
    parameters=CALL_PARAMETERS | {"embedding_model", "vector_store_id"},
    read_input=_read_document,
    read_response=_read_ingested,
    read_error=_ingest_error,
    settings=_ingest_settings,
)
