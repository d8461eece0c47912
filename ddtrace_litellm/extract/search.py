"""Search, of the web or of a vector store: what was found, as documents."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Output
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of
from ddtrace_litellm.extract.plain import abridged
from ddtrace_litellm.extract.rerank import read_input, score_field

PARAMETERS = CALL_PARAMETERS | {
    "country",
    "max_num_results",
    "max_results",
    "max_tokens_per_page",
    "ranking_options",
    "rewrite_query",
    "search_domain_filter",
    "search_provider",
    "vector_store_id",
}


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Read a ``SearchResponse``, or the answer of a vector store."""
    results = abridged(field(response, "results"), "results") or abridged(field(response, "data"), "data")
    return Output({"output_documents": [_found(fields_of(result)) for result in results]})


def _found(result: Mapping[str, Any]) -> dict[str, Any]:
    parts = [text_of(field(part, "text")) for part in sequence(result.get("content"))]
    text = text_of(result.get("snippet")) or "\n".join(parts)
    name = text_of(result.get("title") or result.get("filename"))
    identifier = text_of(result.get("url") or result.get("file_id"))
    return {"text": text, "name": name, "id": identifier, **score_field(result.get("score"))}


API = Api(
    name="search",
    kind="retrieval",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
)
