import litellm
import pytest

from ddtrace_litellm.extract.usage import Usage, usage_from

OPENAI = {
    "prompt_tokens": 20,
    "completion_tokens": 7,
    "total_tokens": 27,
    "prompt_tokens_details": {"cached_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 3},
}


@pytest.mark.parametrize("form", [dict, lambda usage: litellm.Usage(**usage)], ids=["dict", "litellm"])
@pytest.mark.parametrize(
    ("reported", "metrics"),
    [
        (
            {"prompt_tokens": 20, "completion_tokens": 7, "total_tokens": 27},
            {"input_tokens": 20, "output_tokens": 7, "total_tokens": 27},
        ),
        (
            OPENAI,
            {
                "input_tokens": 20,
                "output_tokens": 7,
                "total_tokens": 27,
                "cache_read_input_tokens": 5,
                "reasoning_output_tokens": 3,
            },
        ),
        (
            {"prompt_tokens": 20, "completion_tokens": 0, "total_tokens": 20},
            {"input_tokens": 20, "output_tokens": 0, "total_tokens": 20},
        ),
    ],
    ids=["plain", "details", "no output"],
)
def test_openais_usage(form, reported, metrics):
    """Prompt, completion, cached and reasoning tokens; a zero that was said is a zero."""
    found = usage_from(form(reported)).metrics()
    assert metrics.items() <= found.items()
    assert {name for name, value in found.items() if value} == {name for name, value in metrics.items() if value}


WRITTEN = {"cached_tokens": 5, "cache_creation_tokens": 11}
BY_TTL = {"ephemeral_5m_input_tokens": 4, "ephemeral_1h_input_tokens": 7}


@pytest.mark.parametrize(
    ("prompt_tokens", "details", "ttl"),
    [
        (25, None, {}),
        (25, {"cached_tokens": 5}, {}),
        (36, WRITTEN, {}),
        (36, {"cached_tokens": 5, "cache_write_tokens": 11}, {}),
        (36, {**WRITTEN, "cache_creation_token_details": BY_TTL}, BY_TTL),
    ],
    ids=["top level", "read in details", "both in details", "write tokens", "by time to live"],
)
def test_anthropics_cache(prompt_tokens, details, ttl):
    """Cache reads and writes are found where each version of LiteLLM puts them; before 1.77.3 beside the prompt's."""
    reported = {
        "prompt_tokens": prompt_tokens,
        "completion_tokens": 7,
        "cache_read_input_tokens": 5,
        "cache_creation_input_tokens": 11,
        "prompt_tokens_details": details,
    }
    assert usage_from(reported).metrics() == {
        "input_tokens": 36,
        "output_tokens": 7,
        "total_tokens": 43,
        "cache_read_input_tokens": 5,
        "cache_write_input_tokens": 11,
        **ttl,
    }


@pytest.mark.parametrize(
    "reported",
    [
        None,
        {},
        "odd",
        7,
        litellm.Usage(),
        {"prompt_tokens": 0, "completion_tokens": 0},
        litellm.Usage(prompt_tokens=0, completion_tokens=0, total_tokens=0),
        {"prompt_tokens": None, "completion_tokens": None},
    ],
    ids=repr,
)
def test_unknown_usage_is_none(reported):
    """0 and 0 is LiteLLM's way to say that it does not know."""
    assert usage_from(reported) is None


@pytest.mark.parametrize(
    "reported",
    [
        {"prompt_tokens": "20", "completion_tokens": 7},
        {"prompt_tokens": True, "completion_tokens": 7},
        {"prompt_tokens": None, "completion_tokens": 7, "prompt_tokens_details": "odd"},
        {"completion_tokens": 7, "prompt_tokens_details": {"cached_tokens": ["odd"]}, "completion_tokens_details": 7},
        {"completion_tokens": 7, "prompt_tokens_details": {"cache_creation_token_details": "odd"}},
    ],
    ids=str,
)
def test_what_is_no_number_is_no_metric(reported):
    """Malformed counts are left out, and the rest is there."""
    assert usage_from(reported).metrics() == {"output_tokens": 7, "total_tokens": 7}


def test_an_estimate_says_so():
    """The mark goes with the tokens."""
    assert usage_from(OPENAI, estimated=True).estimated
    assert not usage_from(OPENAI).estimated


def test_metrics_of_unknown_parts_are_absent():
    """None is unknown and gives no metric; 0 gives one."""
    assert Usage(1, None, 0).metrics() == {"input_tokens": 1, "cache_read_input_tokens": 0, "total_tokens": 1}
