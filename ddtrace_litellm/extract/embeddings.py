"""Embeddings: the texts of a request as documents, and what kind of vectors came back."""

import json
from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output
from ddtrace_litellm.extract.fields import field, sequence, text_of
from ddtrace_litellm.extract.text import prompts_from
from ddtrace_litellm.extract.urls import DATA_URL
from ddtrace_litellm.extract.usage import usage_of

PARAMETERS = CALL_PARAMETERS | {"dimensions", "encoding_format", "input_type", "user"}


def read_input(arguments: Arguments) -> Input:
    """Read the texts, or lists of token ids, one document each."""
    given = prompts_from(arguments.get("input"))
    return Input({"input_documents": [{"text": document_text(document)} for document in given]})


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Say how many vectors an ``EmbeddingResponse`` has, and of how many dimensions."""
    vectors = sequence(field(response, "data"))
    if not vectors:
        return Output({})
    count = f"{len(vectors)} embedding{'s' if len(vectors) > 1 else ''}"
    first = field(vectors[0], "embedding")
    return Output({}, summary=f"{count} of {len(first)} dimensions" if isinstance(first, list) else count)


def document_text(document: Any) -> str:
    """Return a document as text: a dict that has no ``text`` as JSON, token ids as a list, data by its type only."""
    if isinstance(document, dict):
        if not document.get("text"):
            return json.dumps(_without_data(document), default=str, ensure_ascii=False, skipkeys=True)
        document = document["text"]
    return text_of(_without_data(document))


def _without_data(value: Any) -> Any:
    if isinstance(value, str):
        data = DATA_URL.match(value)
        return f"[data: {data['mime']}]" if data and data["mime"] and data["base64"] else value
    if isinstance(value, dict):
        return {name: _without_data(item) for name, item in value.items()}
    return [_without_data(item) for item in value] if isinstance(value, (list, tuple)) else value


API = Api(
    name="embedding",
    kind="embedding",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
    read_usage=usage_of,
)
