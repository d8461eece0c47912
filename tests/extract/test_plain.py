import json
import uuid
from collections import OrderedDict, UserDict, deque
from dataclasses import dataclass
from datetime import date, datetime, timezone
from decimal import Decimal
from enum import Enum, IntEnum
from fractions import Fraction
from math import inf, nan
from pathlib import PurePosixPath
from types import SimpleNamespace
from typing import Any, NamedTuple

import litellm
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from ddtrace_litellm.extract import plain


class Markup(str):
    """Text that shows itself otherwise, as Jinja2's and numpy's do."""

    __slots__ = ()

    def __str__(self):
        return "<markup>"


class Role(str, Enum):
    """As a program writes roles."""

    CRITIC = "critic"


class Level(IntEnum):
    """A number with a name."""

    HIGH = 3


class Shade(Enum):
    """An enum that is no text."""

    DARK = (1, 2)


class Celsius(float):
    """As numpy's float64."""


class Pair(NamedTuple):
    """Two values."""

    left: int
    right: str


@dataclass
class Note:
    """A dataclass, with another value inside."""

    author: Any
    lines: tuple = ()


class Answer(BaseModel):
    """A pydantic model."""

    text: str
    score: float = 0.5


class Scalar:
    """One value of an array library."""

    shape = ()

    def item(self):
        return 41


class Hostile:
    """A value that raises, whatever it is asked."""

    def __str__(self):
        raise RuntimeError

    def __repr__(self):
        raise RuntimeError

    def __getattr__(self, name):
        raise RuntimeError(name)


class Silent:
    """A value that says nothing of itself."""


HALF = "\ud83c"
OTHER_HALF = "\udf0a"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("text", "text"),
        (Markup("<b>"), "<b>"),
        (Role.CRITIC, "critic"),
        (Level.HIGH, 3),
        (Shade.DARK, [1, 2]),
        (Celsius(21.5), 21.5),
        (True, True),
        (None, None),
        (b"caf\xc3\xa9", "café"),
        (bytearray(b"abc"), "abc"),
        (memoryview(b"abc"), "abc"),
        (b"\xff\xd8\xff", "[data: 3 bytes]"),
        (date(2031, 4, 5), "2031-04-05"),
        (datetime(2031, 4, 5, 6, 7, tzinfo=timezone.utc), "2031-04-05T06:07:00+00:00"),
        (uuid.UUID(int=7), "00000000-0000-0000-0000-000000000007"),
        (Decimal("0.25"), 0.25),
        (Fraction(1, 4), 0.25),
        (1 + 2j, "(1+2j)"),
        (float("inf"), "inf"),
        (2**63, 2**63),
        (2**64, "18446744073709551616"),
        (10**5000, "(an integer of 16,610 bits)"),
        (Pair(1, "b"), [1, "b"]),
        (deque([1]), "deque([1])"),
        (frozenset([1]), [1]),
        (OrderedDict(a=1), {"a": 1}),
        (UserDict(a=Role.CRITIC), {"a": "critic"}),
        (Note(Role.CRITIC, (1, Markup("x"))), {"author": "critic", "lines": [1, "x"]}),
        (Answer(text="hi"), {"text": "hi", "score": 0.5}),
        (SimpleNamespace(a=1), {"a": 1}),
        (Scalar(), 41),
        (Answer, "Answer"),
        (len, "len"),
        (PurePosixPath("a/b"), "a/b"),
        (Hostile(), "Hostile"),
        (Silent(), "Silent"),
        ({1: 2, Role.CRITIC: 3, None: 4, HALF: 5}, {"1": 2, "critic": 3, "None": 4, "\ufffd": 5}),
        ({"a": [{"b": ({Markup("c"): b"d"},)}]}, {"a": [{"b": [{"c": "d"}]}]}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_plain_value(value, expected):
    """Any type is the value that a JSON API would get of it, exact types all the way down."""
    found = plain.plain(value)
    assert found == expected
    assert type(found) is type(expected)
    assert all(type(leaf) in {str, int, float, bool, type(None)} for leaf in _leaves(found))


def _leaves(value):
    if type(value) is dict:
        for key, item in value.items():
            yield key
            yield from _leaves(item)
    elif type(value) is list:
        for item in value:
            yield from _leaves(item)
    else:
        yield value


def test_message_of_litellm():
    """LiteLLM's own objects are read with the fields that pydantic does not declare."""
    found = plain.plain(litellm.Message(content=Markup("hi"), reasoning_content="hm"))
    assert (found["content"], found["reasoning_content"], found["role"]) == ("hi", "hm", "assistant")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"wave {HALF}{OTHER_HALF}", "wave \U0001f30a"),
        (f"cut {HALF}", "cut \ufffd"),
        (f"{OTHER_HALF}{HALF} turned", "\ufffd\ufffd turned"),
        ("nul \0 stays", "nul \0 stays"),
        ("naïve", "naïve"),
    ],
    ids=ascii,
)
def test_text_that_utf8_can_hold(text, expected):
    """Two halves of a character that meet are one; a half alone is U+FFFD."""
    assert plain.text(text) == plain.mended(text) == plain.tag(text) == expected


@given(st.text(st.characters(exclude_categories=())))
def test_any_text_can_be_encoded(text):
    """Whatever a text holds, the mended one is UTF-8, and a text that was is unchanged."""
    found = plain.mended(text)
    found.encode()
    assert found == text or any(0xD800 <= ord(character) < 0xE000 for character in text)


def test_tag_is_short():
    """An APM tag has as many characters as the Agent keeps."""
    assert plain.tag("x" * 30_000) == f"{'x' * 25_000}... [5000 more characters]"


def test_what_was_cut_is_not_cut_again():
    """The mark goes on saying how much of the first text is missing."""
    once = plain.tag("x" * 30_000)
    assert plain.tag(once) == once


@pytest.mark.parametrize(
    ("value", "expected"),
    [(1, True), (0.5, True), (2**63, True), (2**2000, False), (nan, False), (inf, False), (-inf, False), ("1", False)],
)
def test_numbers(value, expected):
    """Numbers are those that msgpack and JSON have, whatever is beside them."""
    found = plain.numbers({"before": 0.5, "it": value, "behind": -1})
    assert dict(found) == {"before": 0.5, **({"it": value} if expected else {}), "behind": -1}


class Counting(list):
    """A list that counts the items that are read of it."""

    read = 0

    def __iter__(self):
        for item in super().__iter__():
            Counting.read += 1
            yield item


def _counted(value):
    """Return how many values are in there."""
    return sum(1 for _ in _leaves(value))


WIDE = [
    ["x"] * 300_000,
    {f"k{number}": number for number in range(300_000)},
    [["x"] * 600] * 600,
    [{"role": "user", "content": [{"type": "text", "text": "x"}] * 900}] * 900,
    {f"k{number}": {f"k{inner}": [1] for inner in range(500)} for number in range(500)},
]


@pytest.mark.parametrize("value", WIDE, ids=["list", "dict", "lists", "messages", "dicts"])
def test_work_is_bounded(value):
    """Of whatever shape, no more is read than an event can hold, and what is left out is counted."""
    found = plain.plain(value)
    assert _counted(found) <= 3 * plain.MAX_VALUES
    assert "more" in json.dumps(found)


def test_cycle_ends():
    """A list that holds itself ends at a depth and at a number of values."""
    endless: list = []
    endless += [endless, endless]
    json.dumps(plain.plain(endless))


def test_long_list_keeps_both_ends():
    """The latest messages of a conversation say more than those in its midst."""
    messages = [{"role": "user", "content": str(number)} for number in range(100_000)]
    found = plain.plain_arguments({"messages": messages})["messages"]
    assert found[0] == messages[0]
    assert found[-1] == messages[-1]
    assert {"role": "", "content": "... and 99,000 more messages"} in found
    assert len(found) == plain.MAX_ITEMS + 1


@pytest.mark.parametrize("items", [list(range(plain.MAX_ITEMS)), list(range(plain.MAX_ITEMS + 1)), (), [1]])
def test_short_list_is_whole(items):
    """What one marker more would not shorten is not abridged."""
    assert plain.abridged(items, "tools") == items


def test_only_contents_are_read():
    """Files, clients and LiteLLM's own objects among the arguments are left as they are."""
    file, client = object(), Silent()
    found = plain.plain_arguments({"file": file, "client": client, "model": Role.CRITIC, "input": [Markup("a")]})
    assert found == {"file": file, "client": client, "model": "critic", "input": ["a"]}
    assert type(found["model"]) is str
