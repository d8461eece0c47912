"""What a program passes, as plain values: exact ``str``, ``int``, ``float``, ``bool``, ``None``, ``list`` and ``dict``.

Any other type, and text that is no Unicode, costs the value or the whole trace in ddtrace (4.8 to 4.16): its encoder
takes exact types only. No library fits: ``pydantic_core.to_jsonable_python`` refuses lone surrogates and objects that
it does not know, has no bound, and copies what is plain already.
"""

import marshal
import math
import re
from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import suppress
from dataclasses import fields, is_dataclass
from datetime import date, time
from decimal import Decimal
from enum import Enum
from itertools import islice
from numbers import Integral, Real
from operator import attrgetter, methodcaller
from typing import Any

MAX_VALUES = 10_000
"""Values read of one request or written on one event, at most: whoever calls a proxy chooses their number."""
MAX_ITEMS = 1_000
"""Items read of one list: the first half of them and the last."""
MAX_TOOLS = 200
"""Tools read of one request: each has a schema, and is on each span of the request. OpenAI takes 128."""
MAX_DEPTH = 50
"""Containers read inside one another; a cycle ends there."""
SHORT = 20
"""Characters of a text that is not counted as one, nor cut."""
MAX_CHARS = 4_000_000
"""Characters of a text that an event can hold."""

MAX_TAG_CHARS = 25_000
"""Characters of a tag of an APM span that the Agent keeps."""

_CUT = re.compile(r"\.\.\. \[\d+ more characters\]")
_CONTAINERS = frozenset({dict, list, tuple})
_NUMBERS = frozenset({int, float})
_TEXT = frozenset({str})
_LARGE = 2**53
_LEAST, _MOST = -(2**63), 2**64 - 1
"""The integers that msgpack has."""
_WRITABLE_BITS = 4096
_CONTENTS = frozenset(
    {
        "config",
        "contents",
        "documents",
        "functions",
        "generationConfig",
        "generation_config",
        "input",
        "instructions",
        "messages",
        "prompt",
        "query",
        "system",
        "systemInstruction",
        "system_instruction",
        "tools",
    }
)
"""Arguments that hold contents; files are not among them, since to read one would use it up."""
_MORE: dict[str, tuple[str, Callable[[str], Any]]] = {
    "candidates": ("candidates", lambda text: {"content": {"parts": [text]}}),
    "choices": ("choices", lambda text: {"message": {"content": text}, "text": text}),
    "content": ("parts", str),
    "contents": ("contents", str),
    "data": ("results", lambda text: {"revised_prompt": text, "content": [{"text": text}]}),
    "documents": ("documents", str),
    "functionDeclarations": ("tools", lambda text: {"name": text}),
    "function_declarations": ("tools", lambda text: {"name": text}),
    "functions": ("tools", lambda text: {"name": text}),
    "input": ("inputs", str),
    "messages": ("messages", lambda text: {"role": "", "content": text}),
    "output": ("items", lambda text: {"type": "message", "role": "", "content": text}),
    "pages": ("pages", lambda text: {"markdown": text}),
    "parts": ("parts", str),
    "results": ("results", lambda text: {"document": text, "snippet": text}),
    "tool_calls": ("tool calls", lambda text: {"function": {"name": text}}),
    "tools": ("tools", lambda text: {"name": text}),
}
"""By the name of a list: what its items are called, and how a text becomes one of them."""
_NONE = ("values", str)


def mended(text: str) -> str:
    """Return text that UTF-8 can hold: halves of a character that meet are joined, a half alone is U+FFFD."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text


def clip(text: str, limit: int) -> str:
    """Cut ``text`` to ``limit`` characters, with a mark that says how many are missing; what was cut there stays."""
    return text if len(text) <= limit or _CUT.fullmatch(text, limit) else cut(text, limit, len(text))


def cut(text: str, limit: int, length: int) -> str:
    """Cut a text that had ``length`` characters to ``limit``."""
    return f"{text[:limit]}... [{length - limit} more characters]"


def text(value: Any) -> str:
    """Return any value as text that UTF-8 can hold."""
    read = plain(value)
    return read if type(read) is str else str(read)


def tag(value: str) -> str:
    """Return text as a tag of an APM span takes it."""
    if type(value) is str and len(value) <= MAX_TAG_CHARS and value.isascii():
        return value
    return text(clip(value, MAX_TAG_CHARS))


def numbers(values: Mapping[str, Any]) -> Mapping[str, float]:
    """Return those values that are numbers which msgpack and JSON have."""
    found = values.values()
    if _NUMBERS.issuperset(map(type, found)):
        small = max(map(abs, found), default=0) < _LARGE
        if small and not math.isnan(sum(found)):
            return values
    return {
        name: value for name, value in values.items() if type(value) in _NUMBERS and type(_number(value)) is not str
    }


def plain(value: Any) -> Any:
    """Return a value as plain ones. What is more than an event can hold is summed up, not read."""
    return _Reading().read(value, "")


def plain_and_measured(value: Any) -> tuple[Any, int]:
    """Return what was read before as plain values, and the characters of its texts, short ones left out."""
    reading = _Reading(2 * MAX_VALUES, 2 * MAX_VALUES)
    return reading.read(value, ""), reading.chars


def size(value: Any) -> int | None:
    """Return about how many characters there are in plain values, ``None`` where there is one of another type."""
    try:
        return len(marshal.dumps(value, 2))  # nothing else goes through them as fast, and takes no subclasses
    except ValueError:
        return None


def plain_arguments(arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Return a call's arguments, contents and single values as plain ones, all else as it is."""
    reading = _Reading()
    return {
        name: reading.read(value, name) if name in _CONTENTS or isinstance(value, (str, int, float)) else value
        for name, value in arguments.items()
    }


def abridged(items: Any, name: str, as_item: Callable[[str], Any] | None = None) -> Sequence[Any]:
    """Return a list or a tuple; of one that is too long, its beginning and its end, and between them what is left out.

    Args:
        items: anything else is no items.
        name: of the list, in the request or the response.
        as_item: makes an item of a text, where the name does not tell.
    """
    if not isinstance(items, (list, tuple)):
        return ()
    left_out = len(items) - MAX_ITEMS
    if left_out <= 1:
        return items
    half = MAX_ITEMS // 2
    more = _more(left_out, name) if as_item is None else as_item(_more_text(left_out, name))
    return [*items[:half], more, *items[-half:]]


def _more(number: int, name: str) -> Any:
    _, as_item = _MORE.get(name, ("", str))
    return as_item(_more_text(number, name))


def _more_text(number: int, name: str) -> str:
    called, _ = _MORE.get(name, _NONE)
    return f"... and {number:,} more {called}"


class _Reading:
    """One reading of values that belong together, with what is left of :data:`MAX_VALUES`."""

    __slots__ = ("chars", "depth", "half", "left")

    def __init__(self, items: int = MAX_ITEMS, values: int = MAX_VALUES) -> None:
        self.half = items // 2
        self.left = values
        self.depth = 0
        self.chars = 0

    def read(self, value: Any, name: str) -> Any:
        """Return a value as plain ones. ``name`` is what it is called where it lies."""
        kind = type(value)
        if kind is str:
            self.chars += len(value)
            return value if value.isascii() else mended(clip(value, MAX_CHARS))
        if value is None or kind is bool:
            return value
        if kind is int or kind is float:
            return value if -_LARGE < value < _LARGE else _number(value)
        if self.depth >= MAX_DEPTH:
            return f"... ({kind.__name__})"
        if not value and kind in _CONTAINERS:
            return {} if kind is dict else []
        self.depth += 1
        if kind is dict:
            read: Any = self._mapping(value)
        else:
            read = self._list(value, name) if kind in _CONTAINERS else self._other(value, name)
        self.depth -= 1
        return read

    def _mapping(self, value: Mapping[Any, Any]) -> dict[str, Any]:
        size, left = len(value), self.left
        self.left = left - size
        if size <= left:
            names_and_texts = (*value, *value.values())
            # As most messages are, and looked at in C: a look at each from here takes five times as long.
            if _TEXT.issuperset(map(type, names_and_texts)) and all(map(str.isascii, names_and_texts)):
                self.chars += sum(map(len, names_and_texts[size:]))
                return dict(value)
        items = value.items() if size <= left else islice(value.items(), max(left, 0))
        read = {
            key if type(key) is str and key.isascii() else text(key): item
            if type(item) is str and len(item) <= SHORT and item.isascii()
            else self.read(item, key)
            for key, item in items
        }
        if size > left:
            read["..."] = f"and {size - max(left, 0):,} more values"
        return read

    def _list(self, value: Sequence[Any], name: str) -> list[Any]:
        half = min(self.half, MAX_TOOLS // 2) if _MORE.get(name, _NONE)[0] == "tools" else self.half
        inner = name if name == "messages" else ""  # of a batch: conversations
        read: list[Any] = []
        for items in (value,) if len(value) <= 2 * half + 1 else (value[:half], value[-half:]):
            for item in items:
                if self.left <= 0:
                    break
                self.left -= 1
                read.append(self.read(item, inner))
        if left_out := len(value) - len(read):
            read.insert(half, _more(left_out, name))  # at the end, where even the first half is too much
        return read

    def _other(self, value: Any, name: str) -> Any:
        """Read what is of no plain type; of one whose own code fails, its name."""
        depth = self.depth
        try:
            convert = next((convert for kinds, convert in _CONVERTERS if isinstance(value, kinds)), _shown)
            return self.read(convert(value), name)
        except Exception:
            self.depth = depth
            return type(value).__name__


def _number(value: float) -> "int | float | str":
    """Return a number, or as text one that msgpack or JSON does not have."""
    if type(value) is float:
        return value if math.isfinite(value) else str(value)
    if _LEAST <= value <= _MOST:
        return value
    # Python refuses to write some thousand digits.
    bits = int(value).bit_length()
    return str(value) if bits <= _WRITABLE_BITS else f"(an integer of {bits:,} bits)"


def _decoded(value: Any) -> str:
    """Return bytes as the text that they hold, or else their number."""
    if len(value) <= MAX_CHARS:
        with suppress(UnicodeDecodeError):
            return bytes(value).decode()
    return f"[data: {len(value)} bytes]"


def _shown(value: Any) -> Any:
    """Return the fields of an object, or what it says of itself, or else its type."""
    kind: Any = type(value)
    if isinstance(called := getattr(value, "__name__", None), str):  # a class, a function
        return called
    if getattr(value, "shape", None) == ():  # one value of numpy's or its like
        return value.item()
    if is_dataclass(kind):
        return {field.name: getattr(value, field.name, None) for field in fields(kind)}
    if hasattr(kind, "__pydantic_extra__"):
        return {**vars(value), **(value.__pydantic_extra__ or {})}
    if kind.__str__ is object.__str__:
        return getattr(value, "__dict__", None) or (kind.__name__ if kind.__repr__ is object.__repr__ else repr(value))
    return str(value)


# The order counts: an enum may be text or a number, and numpy's float64 is a float.
_CONVERTERS: tuple[tuple[Any, Callable[[Any], Any]], ...] = (
    (str, str.__str__),
    (Enum, attrgetter("value")),
    (int, int.__int__),
    (float, float.__float__),
    ((bytes, bytearray, memoryview), _decoded),
    (Mapping, dict),
    ((list, tuple, AbstractSet), list),
    ((date, time), methodcaller("isoformat")),
    (Integral, int),
    ((Real, Decimal), float),
)
