"""Tavily's search as the tests' provider speaks it. Searches name no model: their behaviour is the model ``""``'s."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.demo.answers import Answer, Usage

_Json = Mapping[str, Any]


def answer(request: _Json, text: str | None) -> Answer:
    """Decide what to say to a ``/search`` body: what each page found has to say."""
    return Answer(f"About: {request.get('query', '')}" if text is None else text, Usage(0, 0))


def body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return two pages, or one where ``max_results`` is one."""
    count = min(int(request.get("max_results") or 2), 2)
    return {
        "query": request.get("query", ""),
        "answer": None,
        "images": [],
        "results": [
            {
                "title": f"Page {number}",
                "url": f"https://pages.example/{number}",
                "content": answer.text,
                "score": round(0.9 - number / 10, 1),
                "raw_content": None,
            }
            for number in range(count)
        ],
        "response_time": 0.1,
        "request_id": "search-local",
    }


def error_body(message: str, _: str) -> dict[str, Any]:
    """Return an error in Tavily's words."""
    return {"detail": {"error": message}}
