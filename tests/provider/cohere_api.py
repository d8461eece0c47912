"""Cohere's rerank, versions 1 and 2, as the tests' provider speaks it: what shares more words ranks higher."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.demo.answers import Answer, Usage

_Json = Mapping[str, Any]
# Cohere's search unit: one query with up to so many documents.
_DOCUMENTS_A_UNIT = 100


def answer(_: _Json, text: str | None) -> Answer:
    """Decide what to say to a ``/v2/rerank`` body; nothing of it is text, or counted in tokens."""
    return Answer(text or "", Usage(0, 0))


def body(request: _Json, _: Answer) -> dict[str, Any]:
    """Return the ranking, best first, with the documents where ``return_documents`` asks for them."""
    texts = [_text(document) for document in request.get("documents", ())]
    scores = [_score(str(request.get("query", "")), text) for text in texts]
    ranking = sorted(range(len(texts)), key=lambda index: -scores[index])[: request.get("top_n") or None]
    return {
        "id": "rerank-local",
        "results": [
            {
                "index": index,
                "relevance_score": scores[index],
                **({"document": {"text": texts[index]}} if request.get("return_documents") else {}),
            }
            for index in ranking
        ],
        "meta": {
            "api_version": {"version": "2"},
            "billed_units": {"search_units": -(-len(texts) // _DOCUMENTS_A_UNIT)},
        },
    }


def error_body(message: str, _: str) -> dict[str, Any]:
    """Return an error in Cohere's words."""
    return {"id": "rerank-local", "message": message}


def _text(document: Any) -> str:
    return str(document.get("text", "")) if isinstance(document, Mapping) else str(document)


def _score(query: str, document: str) -> float:
    asked = set(query.lower().split())
    return round(len(asked.intersection(document.lower().split())) / (len(asked) or 1), 4)
