"""Embeddings: the texts of a request as documents, and what kind of vectors came back."""

import json
import re
from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.api import Arguments, Input, Output
from ddtrace_litellm.extract.content import clip
from ddtrace_litellm.extract.fields import field, sequence, text_of
from ddtrace_litellm.extract.text import prompts_from

PARAMETERS = frozenset(
    {
        "api_version",
        "custom_llm_provider",
        "dimensions",
        "encoding_format",
        "input_type",
        "max_retries",
        "num_retries",
        "timeout",
        "user",
    }
)
_DATA_URL = re.compile(r"\s*data:(?P<mime>[\w.+-]+/[\w.+-]+)[^,]*;base64,", re.IGNORECASE)


def read_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Read the texts, or lists of token ids, one document each."""
    given = prompts_from(arguments.get("input")) if capture.input else []
    return Input({"input_documents": [{"text": clip(document_text(document), capture)} for document in given]})


def read_response(response: Any, _arguments: Arguments, _capture: CaptureConfig) -> Output:
    """Say how many vectors an ``EmbeddingResponse`` has, and of how many dimensions."""
    vectors = [field(item, "embedding") for item in sequence(field(response, "data"))]
    if not vectors:
        return Output({})
    count = f"{len(vectors)} embedding{'s' if len(vectors) > 1 else ''}"
    first = vectors[0]
    return Output({"output_value": f"{count} of {len(first)} dimensions" if isinstance(first, list) else count})


def document_text(document: Any) -> str:
    """Return a document as text: a dict that has no ``text`` as JSON, token ids as a list, data by its type only."""
    if isinstance(document, dict):
        if not document.get("text"):
            return json.dumps(_without_data(document), default=str, ensure_ascii=False, skipkeys=True)
        document = document["text"]
    return text_of(_without_data(document))


def _without_data(value: Any) -> Any:
    if isinstance(value, str):
        data = _DATA_URL.match(value)
        return value if data is None else f"[data: {data['mime']}]"
    if isinstance(value, dict):
        return {name: _without_data(item) for name, item in value.items()}
    return [_without_data(item) for item in value] if isinstance(value, (list, tuple)) else value
