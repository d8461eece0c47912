import json
from time import perf_counter

import pytest
from anthropic._streaming import SSEDecoder

from ddtrace_litellm.extract.sse import EventParser, events_from

EVENTS = [{"type": "ping"}, {"type": "text", "text": "é€😀 \u2028 \\n"}, {"type": "end", "n": [1, None]}]


def sse(events, newline="\n"):
    """Return a body that has in it whatever the format allows."""
    lines = [": a comment", ""]
    for number, event in enumerate(events):
        data = json.dumps(event, ensure_ascii=False)
        cut = data.index(",") + 1 if "," in data else len(data)
        lines += [f"event: {event['type']}", f"id: {number}", f"data: {data[:cut]}"]
        lines += [f"data:{data[cut:]}"] if data[cut:] else []
        lines += ["", ""] if number else [""]
    return (newline.join(lines) + newline).encode()


def decoded_by_the_sdk(pieces):
    """Return what the Anthropic SDK's decoder finds in them."""
    return [event.json() for event in SSEDecoder().iter_bytes(iter(pieces)) if event.data]


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=repr)
def test_events_cut_at_every_byte(newline):
    """Wherever a body is cut in two, a line end or a character included, its events are those that the SDK finds."""
    body = sse(EVENTS, newline)
    assert decoded_by_the_sdk([body]) == EVENTS
    for cut in range(len(body) + 1):
        assert list(events_from([body[:cut], body[cut:]])) == EVENTS, cut


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"], ids=repr)
def test_events_byte_by_byte(newline):
    """Each event comes with the byte that completes it, not before and not at the end only."""
    parser = EventParser()
    body = sse(EVENTS, newline)
    found = [(position, event) for position in range(len(body)) for event in parser.feed(body[position : position + 1])]
    assert [event for _, event in found] == EVENTS
    assert [position for position, _ in found] == sorted({position for position, _ in found})
    assert found[0][0] < body.index(b"event: text")


def test_text_and_ready_objects():
    """Text is parsed as bytes are; what is neither is an event already, and nothing is none."""
    ready = object()
    assert list(events_from([sse(EVENTS).decode(), {"a": 1}, None, ready, b""])) == [*EVENTS, {"a": 1}, ready]


@pytest.mark.parametrize(
    "odd",
    [
        b"data: [DONE]\n\n",
        b"data: {this is no JSON\n\n",
        b"data: 7\n\n",
        b"data: \n\n",
        b"data\n\n",
        b"data: " + b"[" * 100_000 + b"\n\n",
        b'data: {"a": "\xff\n\n',
        b"event: ping\n\n",
        b"\n\n\n\n",
        b": only a comment\n\n",
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_is_no_json_object_is_skipped(odd):
    """The events before and after it are found all the same."""
    good = b'data: {"a": 1}\n\n'
    assert list(events_from([good + odd + good])) == [{"a": 1}, {"a": 1}]


@pytest.mark.parametrize("rest", [b'data: {"a": 1}', b'data: {"a": 1}\n', b'data: {"a": 1}\r'])
def test_a_last_event_without_its_blank_line(rest):
    """Counts when the stream is over."""
    parser = EventParser()
    assert parser.feed(rest) == []
    assert parser.close() == [{"a": 1}]
    assert parser.close() == []


def test_half_an_event_at_the_end_is_nothing():
    """A stream that broke off in the middle of an event has those before it."""
    assert list(events_from([b'data: {"a": 1}\n\ndata: {"b'])) == [{"a": 1}]


def test_a_body_that_is_plain_json():
    """A JSON array in pieces is its objects, once it is whole."""
    assert list(events_from([b'[{"a": 1}\n,\r\n{"b"', b": 2}\n]"])) == [{"a": 1}, {"b": 2}]
    assert list(events_from([b'{"a": 1}'])) == [{"a": 1}]
    assert list(events_from([b'[{"a": 1}\n,\r\n{"b"'])) == []


def test_time_is_linear():
    """One event of megabytes in small pieces, and many events in one piece, take a moment."""
    event = b'data: {"a": "' + b"x" * 4_000_000 + b'"}\n\n'
    start = perf_counter()
    assert len(list(events_from(event[at : at + 100] for at in range(0, len(event), 100)))) == 1
    assert len(list(events_from([b'data: {"a": 1}\n\n' * 100_000]))) == 100_000
    assert perf_counter() - start < 10
