"""How LiteLLM says that a call of its own only carries out the one around it."""

from __future__ import annotations

from collections.abc import Mapping

DELEGATE_FLAGS = frozenset(
    {
        "_is_async",
        "acompact_responses",
        "acompletion",
        "acreate_interaction",
        "aembedding",
        "agenerate_content",
        "agenerate_content_stream",
        "aimg_generation",
        "aingest",
        "allm_passthrough_route",
        "aocr",
        "aquery",
        "arerank",
        "aresponses",
        "asearch",
        "aspeech",
        "async_call",
        "atext_completion",
        "atranscription",
        "is_async",
        "text_completion",
    }
)
"""Arguments by which LiteLLM marks such a call (found in 1.60 to 1.110)."""


def is_delegated(api: str, enclosing_api: str, arguments: Mapping[str, object]) -> bool:
    """Whether a call of ``api`` inside one of ``enclosing_api`` is LiteLLM going one layer down in the same call.

    A flag counts within its own API only: on the way through a bridge the flag of the outer API comes along
    (``acompletion=True`` on ``aresponses``, LiteLLM 1.106.2).
    """
    return api == enclosing_api and any(arguments[flag] is True for flag in arguments.keys() & DELEGATE_FLAGS)
