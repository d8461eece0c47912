"""Retrieval: reranking and search, whose answers are documents."""

from collections.abc import Mapping, Sequence
from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.api import Arguments, Input, Output
from ddtrace_litellm.extract.content import clip
from ddtrace_litellm.extract.embeddings import document_text
from ddtrace_litellm.extract.fields import field, fields_of, number, sequence, text_of
from ddtrace_litellm.extract.usage import Usage

RERANK_PARAMETERS = frozenset(
    {
        "custom_llm_provider",
        "max_chunks_per_doc",
        "max_tokens_per_doc",
        "num_retries",
        "rank_fields",
        "return_documents",
        "timeout",
        "top_n",
    }
)
SEARCH_PARAMETERS = frozenset(
    {
        "country",
        "custom_llm_provider",
        "max_num_results",
        "max_results",
        "max_tokens_per_page",
        "num_retries",
        "ranking_options",
        "rewrite_query",
        "search_domain_filter",
        "search_provider",
        "timeout",
        "vector_store_id",
    }
)


def read_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Read what is looked for: a query, or a list of them."""
    query = arguments.get("query") if capture.input else None
    if isinstance(query, (list, tuple)):
        query = "\n".join(map(text_of, query))
    return Input({"input_value": clip(text_of(query), capture)})


def read_ranking(response: Any, arguments: Arguments, capture: CaptureConfig) -> Output:
    """Read a ``RerankResponse``, best first. Where it has no texts, they are those of the request.

    A text is the request's in any case: where that is not captured, indexes and scores are left.
    """
    asked = sequence(arguments.get("documents"))
    results = sequence(field(response, "results")) if capture.output else ()
    found = [_ranked(fields_of(result), asked, capture) for result in results]
    units = field(field(field(response, "meta"), "billed_units"), "search_units")
    return Output({"output_documents": found}, billed={"search_units": units} if units else {})


def _ranked(result: Mapping[str, Any], asked: Sequence[Any], capture: CaptureConfig) -> dict[str, Any]:
    index, document = result.get("index"), result.get("document")
    has_text = isinstance(document, str) or field(document, "text")
    if not has_text and isinstance(index, int) and 0 <= index < len(asked):
        document = asked[index]
    text = clip(document_text(document), capture) if capture.input else ""
    return {"text": text, "id": text_of(index), **_score(result.get("relevance_score"))}


def rerank_usage(response: Any) -> Usage | None:
    """Read the tokens that some providers bill (Jina, Voyage); Cohere bills searches."""
    meta = field(response, "meta")
    tokens = fields_of(field(meta, "tokens"))
    billed = field(field(meta, "billed_units"), "total_tokens")
    input_tokens = tokens.get("input_tokens") or billed
    return Usage(input_tokens, tokens.get("output_tokens")) if input_tokens else None


def read_findings(response: Any, _arguments: Arguments, capture: CaptureConfig) -> Output:
    """Read a ``SearchResponse``, or the answer of a vector store."""
    results = field(response, "results") or field(response, "data")
    found = sequence(results) if capture.output else ()
    return Output({"output_documents": [_finding(fields_of(result), capture) for result in found]})


def _finding(result: Mapping[str, Any], capture: CaptureConfig) -> dict[str, Any]:
    parts = [text_of(field(part, "text")) for part in sequence(result.get("content"))]
    text = text_of(result.get("snippet")) or "\n".join(parts)
    name = text_of(result.get("title") or result.get("filename"))
    identifier = text_of(result.get("url") or result.get("file_id"))
    return {"text": clip(text, capture), "name": name, "id": identifier, **_score(result.get("score"))}


def _score(value: Any) -> dict[str, float]:
    score = number(value)
    return {} if score is None else {"score": score}
