import json

import pytest

from ddtrace_litellm.extract import room
from ddtrace_litellm.extract.plain import plain_and_measured

EVENT = 5_000_000
"""Bytes of an event that ddtrace takes with its contents."""


def _fitting(annotations):
    said, chars = plain_and_measured(annotations)
    return room.with_texts_that_fit(said, chars, 0)


@pytest.mark.parametrize(
    "texts",
    [
        ["x" * 30_000_000],
        ["é" * 9_000_000],
        ["\U0001f600" * 2_000_000],
        ["\n\0" * 3_000_000],
        ["\0" * 1_000_000 + "x" * 9_000_000],
        ["x" * 100_000] * 400,
        ["abc" * 100 + str(number) for number in range(900)] + ["y" * 20_000_000],
        ["é" * 4_000 for _ in range(900)],
    ],
    ids=["ascii", "accents", "emoji", "control", "uneven", "many alike", "one too long", "many"],
)
def test_event_has_room(texts):
    """Whatever the texts, the event is smaller than what ddtrace takes, and says how much is missing."""
    said = _fitting({"input_messages": [{"role": "user", "content": text} for text in texts]})
    assert len(json.dumps(said)) < EVENT
    assert "more characters]" in json.dumps(said)


def test_short_texts_are_whole():
    """What is cut is the longest; the question beside a long document stays."""
    asked = {"input_messages": [{"role": "user", "content": text} for text in ("why? " * 100, "x" * 8_000_000)]}
    question, document = (message["content"] for message in _fitting(asked)["input_messages"])
    assert question == "why? " * 100
    assert 3_000_000 < len(document) < room.EVENT_BYTES


@pytest.mark.parametrize("text", ["x" * 3_900_000, "é" * 600_000, "short"], ids=["ascii", "accents", "short"])
def test_what_fits_is_unchanged(text):
    """A text that the event can hold is not cut."""
    asked = {"input_value": text, "metadata": {"stop": ["a"], "n": 1, "stream": True, "seed": None}}
    assert _fitting(asked) == asked


def _picture(size):
    return {"mime_type": "image/png", "content": "A" * size}


def _message(*sizes, text="look"):
    return {"role": "user", "content": text, "image_parts": [_picture(size) for size in sizes]}


def _attached(messages):
    return [[len(part["content"]) for part in message.get("image_parts", ())] for message in messages]


def test_latest_attachments_of_an_event():
    """Where not all fit, the latest are attached; the others are markers with type and size, and the text stays."""
    asked = {"input_messages": [_message(1_000_000) for _ in range(6)], "output_messages": [_message(500_000)]}
    assert room.attached(asked) == 6_500_000
    found, used = room.with_attachments_that_fit(asked, 0, 0)
    assert used == 2_500_000
    assert _attached(found["output_messages"]) == [[500_000]]
    assert _attached(found["input_messages"]) == [[], [], [], [], [1_000_000], [1_000_000]]
    assert found["input_messages"][0] == {"role": "user", "content": "look\n[image: image/png, 750,000 bytes]"}


@pytest.mark.parametrize(
    ("chars", "taken", "kept"),
    [(0, 0, True), (3_500_000, 0, False), (0, 5_500_000, False), (9_000_000, 0, False), (0, 9_000_000, False)],
)
def test_attachment_needs_room(chars, taken, kept):
    """The texts of the event and the attachments that the trace has go before."""
    found, used = room.with_attachments_that_fit({"input_messages": [_message(1_000_000)]}, chars, taken)
    assert used == 1_000_000 * kept
    assert _attached(found["input_messages"]) == [[1_000_000] * kept]


def test_attachments_are_not_cut():
    """Half a picture is none: only texts are cut, and attachments count for the room."""
    text = "x" * 9_000_000
    said = room.with_texts_that_fit({"input_messages": [_message(3_000_000, text=text)]}, len(text), 3_000_000)
    assert _attached(said["input_messages"]) == [[3_000_000]]
    assert len(json.dumps(said)) < EVENT


@pytest.mark.parametrize("text", ["plain", 'a "quote" \\ \n\r\t\b\f', "\0\x1f\x7f", "é字\U0001f600", ""], ids=ascii)
def test_size_of_a_text(text):
    """It is what JSON in ASCII takes, without the quotes around it."""
    assert room._json_size(text) == len(json.dumps(text)) - 2
