"""AWS's binary frames: the events of a stream of Bedrock's, however its bytes are cut."""

import sys

import pytest

from ddtrace_litellm.demo import anthropic_api
from ddtrace_litellm.extract.aws_frames import FrameParser
from tests.provider import bedrock_api

REQUEST = {"model": "claude", "messages": [{"role": "user", "content": "Hi"}]}


@pytest.fixture
def frames():
    """The frames of one answer, and as many events."""
    pytest.importorskip("botocore.eventstream")
    return list(bedrock_api.events(REQUEST, anthropic_api.answer(REQUEST, "one two three")))


@pytest.mark.parametrize("size", [1, 7, 100_000])
def test_events(frames, size):
    """Each frame is one, whichever way they come."""
    sent, parser = b"".join(frames), FrameParser()
    found = [event for start in range(0, len(sent), size) for event in parser.feed(sent[start : start + size])]
    assert len(found) == len(frames)
    assert (found[0]["type"], found[-1]["type"]) == ("message_start", "message_stop")
    assert parser.close() == []


def test_what_is_no_frame(frames):
    """Nothing is found in it, and nothing after it; what came before counts."""
    parser = FrameParser()
    assert parser.feed(frames[0])
    assert parser.feed(b'{"message": "Too many requests"}' * 9) == []
    assert parser.feed(frames[1]) == parser.feed(None) == []


def test_without_botocore(frames, monkeypatch):
    """Nothing is found, and nothing is imported."""
    monkeypatch.delitem(sys.modules, "botocore.eventstream")
    assert FrameParser().feed(frames[0]) == []
