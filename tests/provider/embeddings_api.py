"""OpenAI's embeddings as the tests' provider speaks them: every vector is the same three numbers."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.demo.answers import Answer, Usage, words


def answer(request: Mapping[str, Any], _: str | None) -> Answer:
    """Count the tokens of a ``/v1/embeddings`` body."""
    return Answer("", Usage(sum(words(text) if isinstance(text, str) else len(text) for text in _inputs(request)), 0))


def body(request: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    """Return one vector for each input."""
    return {
        "object": "list",
        "model": request.get("model", ""),
        "data": [
            {"object": "embedding", "index": index, "embedding": [0.25, -0.5, 0.75]}
            for index in range(len(_inputs(request)))
        ],
        "usage": {"prompt_tokens": answer.usage.input, "total_tokens": answer.usage.input},
    }


def _inputs(request: Mapping[str, Any]) -> list[Any]:
    given = request.get("input", "")
    return given if isinstance(given, list) and not all(isinstance(item, int) for item in given) else [given]
