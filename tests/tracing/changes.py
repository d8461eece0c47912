"""Answers and requests that are no longer what they were: fields missing, of other types, more of them; broken streams.

A change is drawn beforehand and says where it is made by numbers, so that it fits whatever is answered, and the same
request gets the same answer again.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from hypothesis import strategies as st

from tests.provider import ConnectionCut, Provider, Reply, Request

_DEEP: Any = json.loads("[" * 200 + "]" * 200)
_TEXTS = [
    "",
    "stop",
    "tool_calls",
    "nobody knows",
    "\ud83d",
    "\ude00\ud83d",
    "a\0b",
    '{"a": 1',
    "data:image/png;base64,A",
]
_NUMBERS = [0, -1, 7, 2**63, 2**200, 0.5, 1e308, float("nan"), float("inf")]
ODD = st.one_of(
    st.sampled_from([None, True, False, [], {}, [None], {"a": {}}, "long " * 4000, _DEEP, *_TEXTS, *_NUMBERS]),
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=()), max_size=9),
        lambda inside: (
            st.lists(inside, max_size=3)
            | st.dictionaries(
                st.sampled_from(["content", "id", "index", "name", "text", "type", "usage"]), inside, max_size=3
            )
        ),
        max_leaves=6,
    ),
)
"""Values of JSON in the place of others."""
_GARBAGE = [
    b"\xff\xfe",
    b"data: {this is no JSON\n\n",
    b"data:\n\n",
    b": a comment\n\n",
    b"event: nothing\n\n",
    b"data: [DONE]\n\n",
    b"data: null\n\n",
    b"data: []\n\n",
    b'data: {"error": {"message": "Too late.", "type": "server_error", "code": 500}}\n\n',
    b'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Too many."}}\n\n',
    b'data: {"choices": []}\n\n',
    b'data: {"choices": [{"index": 0, "delta": {"content": "more"}}, {"index": 9, "delta": null}], "usage": null}\n\n',
]
_STATUSES = [400, 401, 403, 404, 408, 413, 422, 429, 500, 503, 529]


class Change(NamedTuple):
    """One change of a value.

    Attributes:
        how: what is done: ``set``, ``remove``, ``add``, ``repeat`` or ``bury`` (so many lists around it).
        where: the way to it, each step modulo the number of what is there.
        value: what is set or added.
    """

    how: str
    where: Sequence[int]
    value: Any


CHANGES = st.lists(
    st.builds(
        Change,
        st.sampled_from(["set", "set", "remove", "add", "repeat", "bury"]),
        st.lists(st.integers(0, 30), min_size=1, max_size=6),
        ODD,
    ),
    max_size=3,
)


def changed(value: Any, changes: Sequence[Change]) -> Any:
    """Return a value as JSON has them with changes made to it; it stays what it is itself."""
    for change in changes:
        value = _changed(value, change, change.where)
    return value


def _changed(value: Any, change: Change, way: Sequence[int]) -> Any:
    if not way or not isinstance(value, (dict, list)) or not value:
        return _DEEP if change.how == "bury" else change.value
    names = list(value) if isinstance(value, dict) else range(len(value))
    name = names[way[0] % len(names)]
    items = dict(value) if isinstance(value, dict) else dict(enumerate(value))
    if len(way) > 1 and isinstance(items[name], (dict, list)) and items[name]:
        items[name] = _changed(items[name], change, way[1:])
    elif change.how == "remove":
        del items[name]
    elif change.how in {"add", "repeat"}:
        items["added" if isinstance(value, dict) else len(value)] = (
            items[name] if change.how == "repeat" else change.value
        )
    else:
        items[name] = _changed(None, change, ())
    return items if isinstance(value, dict) else list(items.values())


class Break(NamedTuple):
    """One change of a stream.

    Attributes:
        how: ``drop``, ``repeat``, ``late`` (goes to the end), ``change`` the data, ``garbage`` before, ``cut`` before.
        event: which one, modulo their number.
        changes: of its data.
        garbage: what is sent before it.
    """

    how: str
    event: int
    changes: Sequence[Change]
    garbage: bytes


BREAKS = st.lists(
    st.builds(
        Break,
        st.sampled_from(["drop", "repeat", "late", "change", "change", "change", "garbage", "cut"]),
        st.integers(0, 30),
        CHANGES,
        st.sampled_from(_GARBAGE),
    ),
    max_size=3,
)


class Fault(NamedTuple):
    """What becomes of a provider's answer.

    Attributes:
        changes: of its JSON.
        breaks: of its stream.
        status: another status than 200, with that JSON.
        other_form: a stream where JSON was asked for, and the other way round.
        pieces: how many bytes of a stream come together; 0: an event.
        headers: more of them.
    """

    changes: Sequence[Change]
    breaks: Sequence[Break]
    status: int
    other_form: bool
    pieces: int
    headers: dict[str, str]


FAULTS = st.builds(
    Fault,
    CHANGES,
    BREAKS,
    st.sampled_from([200] * 30 + _STATUSES),
    st.sampled_from([False] * 12 + [True]),
    st.sampled_from([0, 0, 0, 1, 7, 50]),
    # Not x-ratelimit-*, which ddtrace's own integration of openai reads as numbers for whatever span is active: where
    # they are none, the call fails under any span, one of a web request too (4.16).
    st.sampled_from([{}, {}, {"retry-after": "never"}, {"x-request-id": "r" * 999}]),
)


class FaultyProvider(Provider):
    """The tests' provider, whose answers have a fault.

    Attributes:
        fault: that fault; ``None``: it answers as it should.
    """

    fault: Fault | None = None

    def reply(self, request: Request) -> Reply:
        """Answer with the fault."""
        reply, fault = super().reply(request), self.fault
        if fault is None:
            return reply
        if fault.status != 200:
            return replace(reply, status=fault.status, events=None, body=changed(_refusal(), fault.changes))
        headers = {**reply.headers, **fault.headers}
        if reply.events is None:
            body = reply.body if isinstance(reply.body, bytes) else changed(reply.body, fault.changes)
            if fault.other_form and not isinstance(body, bytes):
                return Reply(events=[b"data: " + json.dumps(body).encode() + b"\n\n"], headers=headers)
            return Reply(body=body, headers=headers)
        if fault.other_form:
            return Reply(body=changed([event.decode() for event in reply.events], fault.changes), headers=headers)
        return Reply(events=_in_pieces(_broken(list(reply.events), fault.breaks), fault.pieces), headers=headers)


def _refusal() -> dict[str, Any]:
    return {"type": "error", "error": {"message": "No.", "type": "server_error", "param": None, "code": "no"}}


def _broken(events: list[bytes | None], breaks: Sequence[Break]) -> list[bytes | None]:
    """Return a stream's events with their breaks; ``None``: the connection is cut there."""
    for broken in breaks:
        at = broken.event % (len(events) or 1)
        chosen = events[at : at + 1]
        if broken.how == "cut":
            events[at:] = [None]
        elif broken.how == "garbage":
            events.insert(at, broken.garbage)
        elif broken.how == "repeat":
            events[at:at] = chosen
        elif broken.how == "change":
            events[at : at + 1] = [event and _changed_event(event, broken.changes) for event in chosen]
        else:
            events[at : at + 1] = []
            events += chosen if broken.how == "late" else []
    return events


def _changed_event(event: bytes, changes: Sequence[Change]) -> bytes:
    head, mark, data = event.partition(b"data: ")
    try:
        said = json.loads(data)
    except ValueError:
        return event
    return head + mark + json.dumps(changed(said, changes)).encode() + b"\n\n"


def _in_pieces(events: Sequence[bytes | None], size: int) -> Iterator[bytes]:
    for event in events:
        if event is None:
            raise ConnectionCut
        yield from [event[start : start + size] for start in range(0, len(event), size)] if size else [event]
