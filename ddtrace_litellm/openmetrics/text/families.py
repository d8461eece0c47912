"""Which family a sample belongs to: the lines that begin with ``#``, in both formats."""

import re
from typing import NamedTuple

from ddtrace_litellm.openmetrics.text.grammar import PLAIN_NAME, key_of, unquoted

_QUOTED = r'"[^"\\]*(?:\\.[^"\\]*)*"'
# ASCII: other white space divides nothing.
_TEXT_LINE = re.compile(rf'#[^\s"]*\s+(HELP|TYPE)(?:\s+({_QUOTED}|\S+)(?:\s+(.*))?)?', re.DOTALL | re.ASCII)
_OPENMETRICS_LINE = re.compile(rf"# (HELP|TYPE|UNIT) ({_QUOTED}|[^ ]+) (.*)", re.DOTALL)

_MOST_NAMES = 100_000  # LiteLLM has some 500

_TYPES = frozenset({"counter", "gauge", "summary", "histogram", "gaugehistogram", "unknown", "info", "stateset"})
_TEXT_SUFFIXES = {"summary": ("", "_count", "_sum"), "histogram": ("_count", "_sum", "_bucket")}
_OPENMETRICS_SUFFIXES = {
    "counter": ("_total", "_created"),
    "summary": ("", "_count", "_sum", "_created"),
    "histogram": ("_count", "_sum", "_bucket", "_created"),
    "gaugehistogram": ("_gcount", "_gsum", "_bucket"),
    "info": ("_info",),
}


class Place(NamedTuple):
    """Where the samples of one name belong: the first fields of a ``Sample``, and the label that is its bound."""

    family: str
    type: str
    suffix: str
    bound: str


def _place(family: str, type_: str, suffix: str) -> Place:
    bound = "le" if suffix == "_bucket" else "quantile" if type_ == "summary" and not suffix else ""
    return Place(family, type_, "" if suffix == "_total" else suffix, bound)


def _read_name(text: str) -> str:
    if len(text) > 1 and text[0] == text[-1] == '"':
        return unquoted(text)
    if not PLAIN_NAME.fullmatch(text):
        raise ValueError("what should be a metric's name is none")
    return text


class TextFamilies:
    """The families of a page in text 0.0.4.

    Attributes:
        names: of the family that is being read, by the key of each sample's name.
    """

    def __init__(self) -> None:
        self.names: dict[str, Place] = {}
        self._name = ""

    def describe(self, line: str) -> None:
        """Read a line that begins with ``#``; comments say nothing."""
        described = _TEXT_LINE.fullmatch(line)
        if described is None:
            return
        what, name, rest = described.groups(default="")
        name = _read_name(name) if name else ""
        if what == "TYPE":
            type_ = "unknown" if rest == "untyped" else rest
            if type_ not in _TYPES:
                raise ValueError("what should be a type is none")
            # The declared name of a counter is that of its samples, which OpenMetrics calls the family's with _total.
            family = name.removesuffix("_total") if type_ == "counter" else name
            if not family:
                raise ValueError("there is no name in front of _total")
            suffixes = _TEXT_SUFFIXES.get(type_, ("",))
            self.names = {key_of(name + suffix): _place(family, type_, suffix) for suffix in suffixes}
        elif name != self._name:
            self.names = {key_of(name): _place(name, "unknown", "")}
        self._name = name

    def enter(self, key: str) -> Place:
        """Return where a sample belongs; one of another family ends the family that was being read."""
        if key in self.names:
            return self.names[key]
        self.names, self._name = {}, ""
        return _place(key.removeprefix("{"), "unknown", "")


class OpenMetricsFamilies:
    """The families of a page in OpenMetrics; what a family's lines say wrongly about it is a ``ValueError``.

    Attributes:
        names: of the family that is being read, by the key of each sample's name; none before its first sample.
    """

    def __init__(self) -> None:
        self.names: dict[str, Place] = {}
        self._declared: dict[str, Place] = {}
        self._name = ""
        self._said: dict[str, str] = {}
        self._taken: set[str] = set()

    def describe(self, line: str) -> None:
        """Read a line that begins with ``#``."""
        described = _OPENMETRICS_LINE.fullmatch(line)
        if described is None:
            raise ValueError("it is not # HELP, # TYPE, # UNIT with a name and a text, nor # EOF")
        what, name, text = described.groups()
        name = _read_name(name)
        if name != self._name:
            self._begin(name)
        elif self.names:
            raise ValueError("it describes a family whose samples came before")
        if what in self._said:
            raise ValueError(f"it is the second {what} of this family")
        if what == "TYPE":
            if text not in _TYPES:
                raise ValueError("what should be a type is none")
            suffixes = _OPENMETRICS_SUFFIXES.get(text, ("",))
            self._declared = {key_of(name + suffix): _place(name, text, suffix) for suffix in suffixes}
        self._said[what] = text

    def enter(self, key: str) -> Place:
        """Return where a sample belongs; one of another family begins a family without a type."""
        if key not in self._declared:
            if key.startswith("{"):
                raise ValueError("a quoted name has to be declared by a TYPE")
            self._begin(key)
        self.names = self._declared
        return self.names[key]

    def _begin(self, name: str) -> None:
        self.end()
        self._name, self._said, self.names = name, {}, {}
        self._declared = {key_of(name): _place(name, "unknown", "")}

    def end(self) -> None:
        """End the family that is being read: its names have to be its own, its unit the end of its name."""
        if not self._name:
            return
        type_, unit = self._said.get("TYPE", "unknown"), self._said.get("UNIT")
        names = {self._name + suffix for suffix in ("", *_OPENMETRICS_SUFFIXES.get(type_, ()))}
        if names & self._taken:
            raise ValueError("a name belongs to two families")
        self._taken |= names
        if len(self._taken) > _MOST_NAMES:
            raise ValueError(f"the page has more than {_MOST_NAMES} names")
        if unit and (not self._name.endswith("_" + unit) or type_ in {"info", "stateset"}):
            raise ValueError("the unit does not fit the family before it")
