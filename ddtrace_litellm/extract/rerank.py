"""Reranking: the documents of a request, best first."""

from collections.abc import Mapping, Sequence
from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output
from ddtrace_litellm.extract.embeddings import document_text
from ddtrace_litellm.extract.fields import field, fields_of, number, sequence, text_of
from ddtrace_litellm.extract.plain import abridged
from ddtrace_litellm.extract.usage import Usage

PARAMETERS = CALL_PARAMETERS | {"max_chunks_per_doc", "max_tokens_per_doc", "rank_fields", "return_documents", "top_n"}


def read_input(arguments: Arguments) -> Input:
    """Read what is looked for: a query, or a list of them."""
    query = arguments.get("query")
    queries = query if isinstance(query, (list, tuple)) else [query]
    return Input({"input_value": "\n".join(map(text_of, queries))})


def read_response(response: Any, arguments: Arguments) -> Output:
    """Read a ``RerankResponse``, best first. Where it has no texts, they are those of the request."""
    asked = sequence(arguments.get("documents"))
    found = [_ranked(fields_of(result), asked) for result in abridged(field(response, "results"), "results")]
    searches = field(field(field(response, "meta"), "billed_units"), "search_units")
    billed_units = {"search_units": searches} if searches else {}
    return Output({"output_documents": found}, billed_units=billed_units, quotes_input=True)


def _ranked(result: Mapping[str, Any], asked: Sequence[Any]) -> dict[str, Any]:
    index, document = result.get("index"), result.get("document")
    has_text = isinstance(document, str) or field(document, "text")
    if not has_text and isinstance(index, int) and 0 <= index < len(asked):
        document = asked[index]
    return {"text": document_text(document), "id": text_of(index), **score_field(result.get("relevance_score"))}


def score_field(value: Any) -> dict[str, float]:
    """Return a document's ``score``, nothing where it is no number."""
    score = number(value)
    return {} if score is None else {"score": score}


def read_usage(response: Any) -> Usage | None:
    """Read the tokens that some providers bill (Jina, Voyage); Cohere bills searches."""
    meta = field(response, "meta")
    tokens = fields_of(field(meta, "tokens"))
    billed = field(field(meta, "billed_units"), "total_tokens")
    input_tokens = tokens.get("input_tokens") or billed
    return Usage(input_tokens, tokens.get("output_tokens")) if input_tokens else None


API = Api(
    name="rerank",
    kind="retrieval",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
    read_usage=read_usage,
)
