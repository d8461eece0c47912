"""Embeddings: the texts of a request as documents, and what kind of vectors came back."""

from typing import Any

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.content import clip
from ddtrace_litellm.extract.family import Arguments, Input, Output
from ddtrace_litellm.extract.fields import field, sequence
from ddtrace_litellm.extract.text import prompts_from

PARAMETERS = frozenset(
    {"custom_llm_provider", "dimensions", "encoding_format", "input_type", "num_retries", "timeout", "user"}
)


def read_input(arguments: Arguments, capture: CaptureConfig) -> Input:
    """Read the texts, or lists of token ids, one document each."""
    texts = prompts_from(arguments.get("input")) if capture.input else []
    return Input({"input_documents": [{"text": clip(str(text), capture)} for text in texts]})


def read_response(response: Any, _arguments: Arguments, _capture: CaptureConfig) -> Output:
    """Say how many vectors an ``EmbeddingResponse`` has, and of how many dimensions."""
    vectors = [field(item, "embedding") for item in sequence(field(response, "data"))]
    if not vectors:
        return Output({})
    count = f"{len(vectors)} embedding{'s' if len(vectors) > 1 else ''}"
    first = vectors[0]
    return Output({"output_value": f"{count} of {len(first)} dimensions" if isinstance(first, list) else count})
