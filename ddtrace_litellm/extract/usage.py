"""Tokens: what the provider or LiteLLM reported, as LLM Observability's metrics."""

from typing import Any, NamedTuple

from ddtrace_litellm.extract.fields import field, fields_of, number


class Usage(NamedTuple):
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
        """Return LLM Observability's token metrics; nothing for what is unknown, or no number."""
        found: dict[str, float] = {}
        for name, value in zip(_METRICS, self, strict=False):
            if value is not None and type(value) in _NUMBERS:
                found[name] = value  # noqa: PERF403  # a comprehension loses the type that the test establishes
        found["total_tokens"] = found.get("input_tokens", 0) + found.get("output_tokens", 0)
        return found


_NUMBERS = (int, float)
# In the order of Usage's fields.
_METRICS = (
    "input_tokens",
    "output_tokens",
    "cache_read_input_tokens",
    "cache_write_input_tokens",
    "ephemeral_5m_input_tokens",
    "ephemeral_1h_input_tokens",
    "reasoning_output_tokens",
)


def usage_from(reported: Any, *, estimated: bool = False) -> Usage | None:
    """Read LiteLLM's ``Usage``; ``None`` where there is none.

    0 prompt and 0 completion tokens are LiteLLM's way to say that it does not know (1.72 to 1.106, on streams whose
    provider sends no usage), since a request without a single input token does not exist.
    """
    usage = fields_of(reported)
    input_tokens, output_tokens = usage.get("prompt_tokens"), usage.get("completion_tokens")
    if not input_tokens and not output_tokens:
        return None
    read, written = usage.get("cache_read_input_tokens"), None
    written_5m = written_1h = reasoning = None
    if (prompt := usage.get("prompt_tokens_details")) is not None:
        details = fields_of(prompt)
        read = details.get("cached_tokens") or read
        written = details.get("cache_creation_tokens") or details.get("cache_write_tokens")
        by_ttl = fields_of(details.get("cache_creation_token_details"))
        written_5m, written_1h = by_ttl.get("ephemeral_5m_input_tokens"), by_ttl.get("ephemeral_1h_input_tokens")
    if not written and (beside := number(usage.get("cache_creation_input_tokens"))):
        # LiteLLM before 1.77.3, which does not count them among the prompt's either.
        written, input_tokens = beside, (number(input_tokens) or 0) + beside
    if (completion := usage.get("completion_tokens_details")) is not None:
        reasoning = field(completion, "reasoning_tokens")
    return Usage(input_tokens, output_tokens, read, written, written_5m, written_1h, reasoning, estimated)


def usage_of(response: Any) -> Usage | None:
    """Read the tokens of a response that has LiteLLM's ``Usage``."""
    return usage_from(field(response, "usage"))


def openai_usage(response: Any) -> Usage | None:
    """Read the tokens of a response in OpenAI's newer form; ``None`` where it reports none, or 0 and 0 as in Chat."""
    usage = fields_of(field(response, "usage"))
    input_tokens, output_tokens = usage.get("input_tokens"), usage.get("output_tokens")
    if not input_tokens and not output_tokens:
        # LiteLLM puts Chat's usage into the copies that it logs (1.95 to 1.109).
        return usage_from(usage)
    read = fields_of(usage.get("input_tokens_details"))
    written = fields_of(usage.get("output_tokens_details"))
    return Usage(
        input_tokens,
        output_tokens,
        cache_read_tokens=read.get("cached_tokens"),
        cache_write_tokens=read.get("cache_write_tokens"),
        reasoning_tokens=written.get("reasoning_tokens"),
    )


def no_usage(_response: Any) -> None:
    """Return nothing: the API has no tokens."""


class StreamUsage(NamedTuple):
    """What is reported of a stream's tokens.

    Attributes:
        reported: LiteLLM's own ``Usage`` object, ``None`` where there is none.
        estimated: LiteLLM counted them itself: no chunk that it got from the provider holds a usage.
        is_opening: more has come since the provider reported them.
    """

    reported: Any
    estimated: bool
    is_opening: bool
