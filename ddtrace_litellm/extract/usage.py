"""Tokens: what the provider or LiteLLM reported, as LLM Observability's metrics."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ddtrace_litellm.extract.fields import field, number, sequence


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one provider request. ``None``: nobody said; 0: they said zero.

    Attributes:
        input_tokens: prompt tokens, cache reads and writes included.
        output_tokens: completion tokens, reasoning included.
        cache_read_tokens, cache_write_tokens: the part of the input that was read from, written to the cache.
        cache_write_5m_tokens, cache_write_1h_tokens: that write by time to live, where the provider tells.
        reasoning_tokens: the part of the output that is reasoning.
        estimated: counted by LiteLLM, not reported by the provider.
    """

    input_tokens: float | None = None
    output_tokens: float | None = None
    cache_read_tokens: float | None = None
    cache_write_tokens: float | None = None
    cache_write_5m_tokens: float | None = None
    cache_write_1h_tokens: float | None = None
    reasoning_tokens: float | None = None
    estimated: bool = False

    def metrics(self) -> dict[str, float]:
        """Return LLM Observability's token metrics; nothing for what is unknown."""
        total = None
        if self.input_tokens is not None or self.output_tokens is not None:
            total = (self.input_tokens or 0) + (self.output_tokens or 0)
        named = {
            "input_tokens": self.input_tokens,
            "output_tokens": self.output_tokens,
            "total_tokens": total,
            "cache_read_input_tokens": self.cache_read_tokens,
            "cache_write_input_tokens": self.cache_write_tokens,
            "ephemeral_5m_input_tokens": self.cache_write_5m_tokens,
            "ephemeral_1h_input_tokens": self.cache_write_1h_tokens,
            "reasoning_output_tokens": self.reasoning_tokens,
        }
        return {name: value for name, value in named.items() if value is not None}


def usage_from(reported: Any, *, estimated: bool = False) -> Usage | None:
    """Read LiteLLM's ``Usage``; ``None`` where there is none.

    0 prompt and 0 completion tokens are LiteLLM's way to say that it does not know (1.72 to 1.106, on streams whose
    provider sends no usage), since a request without a single input token does not exist.
    """
    input_tokens, output_tokens = number(field(reported, "prompt_tokens")), number(field(reported, "completion_tokens"))
    if not input_tokens and not output_tokens:
        return None
    prompt, completion = field(reported, "prompt_tokens_details"), field(reported, "completion_tokens_details")
    # LiteLLM before 1.77.3 leaves Anthropic's cache writes on the usage object only.
    write = number(field(prompt, "cache_creation_tokens")) or number(field(reported, "cache_creation_input_tokens"))
    by_ttl = field(prompt, "cache_creation_token_details")
    return Usage(
        input_tokens=input_tokens,
        output_tokens=output_tokens,
        cache_read_tokens=number(field(prompt, "cached_tokens")) or number(field(reported, "cache_read_input_tokens")),
        cache_write_tokens=write or number(field(prompt, "cache_write_tokens")),
        cache_write_5m_tokens=number(field(by_ttl, "ephemeral_5m_input_tokens")),
        cache_write_1h_tokens=number(field(by_ttl, "ephemeral_1h_input_tokens")),
        reasoning_tokens=number(field(completion, "reasoning_tokens")),
        estimated=estimated,
    )


def reported_usage(chunks: Sequence[Any], stream: Any) -> Any:
    """Return LiteLLM's own ``Usage`` object of a finished stream, ``None`` where it has none.

    It is on the last chunk with ``include_usage``, in that chunk's hidden parameters without (litellm.md 5.3), and for
    a text stream only among the chunks that the chat stream beneath it has kept.
    """
    for chunk in reversed(chunks[-3:]):
        for usage in (field(chunk, "usage"), _hidden(chunk, "usage")):
            if field(usage, "prompt_tokens") or field(usage, "completion_tokens"):
                return usage
    return _provider_usage(stream)


def is_estimate(stream: Any) -> bool:
    """Whether LiteLLM counted a stream's tokens itself: no chunk that it got from the provider holds a usage."""
    return _provider_usage(stream) is None


def _provider_usage(stream: Any) -> Any:
    kept = sequence(field(stream, "chunks") or field(field(stream, "completion_stream"), "chunks"))
    # At the end, but for Anthropic's input tokens, which come with the first event.
    return next((usage for chunk in (*reversed(kept[-4:]), *kept[:2]) if (usage := field(chunk, "usage"))), None)


def _hidden(chunk: Any, name: str) -> Any:
    return field(getattr(chunk, "_hidden_params", None), name)
