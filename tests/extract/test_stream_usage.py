"""Which usage of a chat or a text stream is the stream's, and who counted it."""

import litellm
import pytest
from litellm.types.utils import ModelResponseStream

from ddtrace_litellm.extract.chat_stream import reported_usage

REPORTED = litellm.Usage(prompt_tokens=20, completion_tokens=7, total_tokens=27)
WHOLE = litellm.Usage(prompt_tokens=20, completion_tokens=7, total_tokens=27)
OPENING = litellm.Usage(prompt_tokens=27, completion_tokens=1, total_tokens=28)
UNKNOWN = litellm.Usage(prompt_tokens=0, completion_tokens=0, total_tokens=0)


def _chunk(text="", usage=None, hidden=None):
    chunk = ModelResponseStream(choices=[{"index": 0, "delta": {"content": text}}] if text else [])
    if usage is not None:
        chunk.usage = usage
    chunk._hidden_params = {"usage": hidden}
    return chunk


TEXT = [_chunk("a"), _chunk("b"), _chunk("c")]


@pytest.mark.parametrize(
    ("read", "kept", "built", "found"),
    [
        ([*TEXT, _chunk(usage=REPORTED)], [], None, REPORTED),
        ([*TEXT, _chunk(hidden=REPORTED)], [], None, REPORTED),
        ([*TEXT, _chunk(usage=REPORTED), _chunk(), _chunk(hidden=UNKNOWN)], [], None, REPORTED),
        ([_chunk(hidden=UNKNOWN)], [*TEXT, _chunk(usage=REPORTED)], None, REPORTED),
        ([_chunk(hidden=UNKNOWN)], [_chunk(usage=REPORTED), *[_chunk()] * 9], None, REPORTED),
        ([*TEXT, _chunk(hidden=REPORTED)], TEXT, {"usage": WHOLE}, WHOLE),
        (TEXT, [*TEXT, _chunk(usage=REPORTED)], {"usage": UNKNOWN}, REPORTED),
        ([_chunk(hidden=UNKNOWN)], TEXT, {"usage": UNKNOWN}, None),
        ([{"usage": {"prompt_tokens": 1}}], [], None, {"prompt_tokens": 1}),
        ([], [], None, None),
        ([None, b"odd", 7], ["odd", 7], "odd", None),
    ],
)
def test_usage_of_a_stream(read, kept, built, found):
    """LiteLLM's own of the whole stream goes before what is on the chunks; 0/0 is none."""
    assert reported_usage(read, kept, built).reported == found


@pytest.mark.parametrize(
    ("kept", "estimated"),
    [
        ([*TEXT, _chunk(usage=REPORTED)], False),
        ([_chunk(usage=OPENING), *TEXT, _chunk(usage=REPORTED)], False),
        ([*TEXT, _chunk(usage=UNKNOWN)], True),
        ([*TEXT, _chunk(hidden=REPORTED)], True),
        ([], True),
    ],
)
def test_usage_is_an_estimate_unless_the_provider_sent_one(kept, estimated):
    """Whether a chunk that LiteLLM got from it holds one says so, whatever LiteLLM itself puts on chunks."""
    assert reported_usage([_chunk(hidden=REPORTED)], kept, None).estimated is estimated


@pytest.mark.parametrize(
    ("kept", "is_opening"),
    [
        ([_chunk(usage=OPENING), *TEXT], True),
        ([_chunk(), _chunk(usage=OPENING), *TEXT], True),
        ([_chunk(usage=OPENING)], False),
        ([_chunk(usage=OPENING), *TEXT, _chunk(usage=REPORTED)], False),
        ([_chunk("a", usage=OPENING), _chunk("b", usage=REPORTED)], False),
        ([_chunk(usage=OPENING), *TEXT, _chunk(usage=REPORTED), _chunk(), _chunk()], False),
        (TEXT, False),
    ],
)
def test_opening_usage_is_not_the_streams(kept, is_opening):
    """What a provider reports before the content says nothing of the output; a running total does."""
    assert reported_usage([], kept, None).is_opening is is_opening
