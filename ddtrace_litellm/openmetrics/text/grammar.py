"""The parts of a sample's line: its name, labels, numbers, time stamp and exemplar."""

import math
import re
from typing import NamedTuple

from ddtrace_litellm.openmetrics.samples import Exemplar, Labels

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_QUOTED = r'"[^"\\]*(?:\\.[^"\\]*)*"'
_PAIR = rf"{_NAME}={_QUOTED}"
_PAIRS = rf"{_PAIR}(?:,{_PAIR})*"

PLAIN_NAME = re.compile(_NAME)
PAIR = re.compile(_PAIR)
BLOCK = re.compile(rf"\{{(?:{_PAIRS})?")
"""The labels of a sample as every client library writes them: no spaces, no comma at the end; without the ``}``."""
CUT_BLOCK = re.compile(rf"(?:\{{{_PAIRS})?\n(?:,{_PAIRS})?")
"""The same, where a line feed stands for one label that was cut out."""

_HEAD = re.compile(rf"({_NAME})?(\{{)?")
_LOOSE_HEAD = re.compile(rf"({_NAME})?(?:[ \t]*(\{{))?")
_TERM = re.compile(rf"\s*(?:({_NAME}|{_QUOTED})\s*=\s*)?({_QUOTED})\s*([,}}])")
_LEADING_COMMA = re.compile(r"\s*,?")
_CLOSE = re.compile(r"\s*\}")
_TAIL = re.compile(r" ([^ ]+)(?: ([^ #][^ ]*))?(?: # \{(.*\}) ([^ ]+)(?: ([^ ]+))?)?", re.DOTALL)

_ESCAPES = re.compile(r'\\([\\n"])')
_LONGEST_EXEMPLAR = 128
"""Characters of an exemplar's label names and values, by the OpenMetrics standard."""


class Head(NamedTuple):
    """What a sample's line begins with.

    Attributes:
        key: of the name, see ``key_of``.
        labels: all of them, in the page's order.
        rest: what stands behind.
    """

    key: str
    labels: dict[str, str]
    rest: str


class Tail(NamedTuple):
    """What stands behind a sample's name and labels."""

    value: float
    timestamp: float | None
    exemplar: Exemplar | None


def number(text: str) -> float:
    """Read a value or a bound: what Python reads as a float, but no underscores and no space around it."""
    if text != text.strip() or "_" in text:
        raise ValueError("what should be a number is none")
    try:
        return float(text)
    except ValueError:
        raise ValueError("what should be a number is none") from None


def pair(text: str) -> tuple[str, str]:
    """Read a label as ``PAIR`` matches it."""
    name, _, value = text.partition("=")
    if name.startswith("__"):
        raise ValueError("the name of a label is reserved")
    return name, unquoted(value)


def unquoted(text: str) -> str:
    r"""Take the quotes off and resolve ``\\``, ``\"`` and ``\n``; any other backslash stands for itself."""
    return _ESCAPES.sub(_unescaped, text[1:-1]) if "\\" in text else text[1:-1]


def _unescaped(escape: re.Match[str]) -> str:
    return "\n" if escape[1] == "n" else escape[1]


def key_of(name: str) -> str:
    """Tell a name that has to be quoted from the same text in front of a ``{``, which is no name."""
    return name if PLAIN_NAME.fullmatch(name) else "{" + name


def split_head(line: str, *, strict: bool) -> Head:
    """Read the name and the labels of a sample.

    Args:
        line: a sample's line, without white space around it if not ``strict``.
        strict: OpenMetrics: no spaces in front of ``{``, no comma before the first label or behind the last.
    """
    head = (_HEAD if strict else _LOOSE_HEAD).match(line)
    assert head is not None  # it matches the empty text too
    key, at = head[1], head.end()
    labels: dict[str, str] = {}
    if head[2]:
        labels, at = _labels_at(line, at, strict=strict)
        if "__name__" in labels:
            if key is not None:
                raise ValueError("the name stands in front of the labels and among them")
            key = key_of(labels.pop("__name__"))
    if key in {None, "{"}:
        raise ValueError("it does not begin with a metric's name")
    rest = line[at:]
    if not (head[2] or rest[:1] in {" ", "\t"}):
        raise ValueError("a space and a value have to follow the name")
    return Head(key, labels, rest)


def _labels_at(line: str, at: int, *, strict: bool) -> tuple[dict[str, str], int]:
    """Read labels up to their ``}``; return them, a quoted name as ``__name__``, and the position behind them."""
    labels: dict[str, str] = {}
    if not strict and (comma := _LEADING_COMMA.match(line, at)):
        at = comma.end()
    closed = _CLOSE.match(line, at)
    while closed is None:
        term = _TERM.match(line, at)
        if term is None:
            raise ValueError("the labels cannot be read")
        name, value, behind = term.groups()
        name = "__name__" if name is None else unquoted(name) if name[0] == '"' else name
        if name in labels:
            raise ValueError("a label stands there twice")
        if name.startswith("__") and name != "__name__":
            raise ValueError("the name of a label is reserved")
        labels[name] = unquoted(value)
        at = term.end()
        if behind == "}":
            return labels, at
        closed = None if strict else _CLOSE.match(line, at)
    return labels, closed.end()


def text_tail(rest: str) -> Tail:
    """Read value and time stamp, milliseconds, of text 0.0.4: the last of several fields is the time stamp."""
    rest = rest.strip()
    fields = [field for field in map(str.strip, rest.split(" " if " " in rest else "\t")) if field]
    if not fields:
        raise ValueError("there is no value where one has to be")
    return Tail(number(fields[0]), number(fields[-1]) / 1000 if len(fields) > 1 else None, None)


def openmetrics_tail(rest: str) -> Tail:
    """Read value, time stamp, seconds, and exemplar of OpenMetrics."""
    tail = _TAIL.fullmatch(rest)
    if tail is None:
        raise ValueError("what follows the name is not a value, a time stamp and an exemplar")
    value, timestamp, labels, observed, when = tail.groups()
    exemplar = None if labels is None else Exemplar(_exemplar_labels(labels), number(observed), _timestamp(when))
    return Tail(number(value), _timestamp(timestamp), exemplar)


def _exemplar_labels(text: str) -> Labels:
    labels, end = _labels_at(text, 0, strict=True)
    if end != len(text):
        raise ValueError("the exemplar's labels cannot be read")
    if sum(len(name) + len(value) for name, value in labels.items()) > _LONGEST_EXEMPLAR:
        raise ValueError(f"the exemplar's labels have more than {_LONGEST_EXEMPLAR} characters")
    return tuple(labels.items())


def _timestamp(text: str | None) -> float | None:
    if text is None:
        return None
    seconds = number(text)
    if not math.isfinite(seconds):
        raise ValueError("what should be a time is none")
    return seconds
