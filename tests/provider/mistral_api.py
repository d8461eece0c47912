"""Mistral's OCR as the tests' provider speaks it: every document has two pages with the same words."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.demo.answers import Answer, Usage

_Json = Mapping[str, Any]


def answer(_: _Json, text: str | None) -> Answer:
    """Decide what to say to a ``/v1/ocr`` body; pages are billed, not tokens."""
    return Answer("# The local provider\n\nread a page." if text is None else text, Usage(0, 0))


def body(request: _Json, answer: Answer) -> dict[str, Any]:
    """Return the pages' Markdown; of the pages asked for where some were."""
    pages = request.get("pages") or (0, 1)
    return {
        "pages": [
            {
                "index": index,
                "markdown": answer.text,
                "images": [],
                "dimensions": {"dpi": 200, "height": 2200, "width": 1700},
            }
            for index in pages
        ],
        "model": request.get("model", ""),
        "document_annotation": None,
        "usage_info": {"pages_processed": len(pages), "doc_size_bytes": 2048},
    }


def error_body(message: str, error_type: str) -> dict[str, Any]:
    """Return an error in Mistral's words."""
    return {"object": "error", "message": message, "type": error_type, "param": None, "code": None}
