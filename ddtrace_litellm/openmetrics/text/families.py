"""Which family a sample belongs to, as the lines before it say."""

from typing import NamedTuple

TYPES = frozenset({"counter", "gauge", "summary", "histogram", "gaugehistogram", "unknown", "info", "stateset"})

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


class Families:
    """The family that is being read.

    Args:
        openmetrics: the page is in that format. In text 0.0.4 the declared name of a counter is that of its samples,
            and when a series was created is a family of its own.

    Attributes:
        names: where its samples belong, by their names.
    """

    def __init__(self, *, openmetrics: bool) -> None:
        self._openmetrics = openmetrics
        self._suffixes = _OPENMETRICS_SUFFIXES if openmetrics else _TEXT_SUFFIXES
        self._name = ""
        self.names: dict[str, Place] = {}

    def describe(self, name: str, type_: str = "") -> None:
        """Take note of a family's description, which ends the family before it; ``type_``: as it is declared."""
        if type_:
            shortened = type_ == "counter" and not self._openmetrics
            family = name.removesuffix("_total") if shortened else name
            if not family:
                raise ValueError("there is no name in front of _total")
            suffixes = self._suffixes.get(type_, ("",))
            self.names = {name + suffix: _place(family, type_, suffix) for suffix in suffixes}
        elif name != self._name:
            self.names = {name: _place(name, "unknown", "")}
        self._name = name

    def enter(self, name: str) -> Place:
        """Return where a sample belongs; one of another family begins a family without a type."""
        if name not in self.names:
            self.names, self._name = {name: _place(name, "unknown", "")}, name
        return self.names[name]

    def end(self) -> None:
        """End the family that is being read."""
        self.names, self._name = {}, ""


def _place(family: str, type_: str, suffix: str) -> Place:
    bound = "le" if suffix == "_bucket" else "quantile" if type_ == "summary" and not suffix else ""
    return Place(family, type_, "" if suffix == "_total" else suffix, bound)
