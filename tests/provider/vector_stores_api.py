"""OpenAI's vector stores as the tests' provider speaks them: every search finds the same file twice; files go in."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.demo.answers import Answer, Usage

_Json = Mapping[str, Any]


def answer(request: _Json, text: str | None) -> Answer:
    """Decide what to say to a search: what each passage has to say."""
    return Answer(f"About: {request.get('query', '')}" if text is None else text, Usage(0, 0))


def body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return two passages."""
    return {
        "object": "vector_store.search_results.page",
        "search_query": [request.get("query", "")],
        "data": [
            {
                "file_id": f"file_{number}",
                "filename": "cats.txt",
                "score": round(0.9 - number / 10, 1),
                "attributes": {},
                "content": [{"type": "text", "text": answer.text}],
            }
            for number in range(2)
        ],
        "has_more": False,
        "next_page": None,
    }


def uploaded_body(_request: _Json, _answer: Answer) -> dict[str, Any]:
    """Return the file that was uploaded."""
    return {
        "id": "file_1",
        "object": "file",
        "bytes": 1,
        "created_at": 1_700_000_000,
        "filename": "cats.txt",
        "purpose": "assistants",
        "status": "processed",
    }


def attached_body(_request: _Json, _answer: Answer) -> dict[str, Any]:
    """Return the file as part of its store."""
    return {
        "id": "file_1",
        "object": "vector_store.file",
        "created_at": 1_700_000_000,
        "vector_store_id": "vs_1",
        "status": "completed",
        "usage_bytes": 1,
        "last_error": None,
    }
