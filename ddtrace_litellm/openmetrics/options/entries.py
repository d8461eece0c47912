"""The entries of ``metrics`` and ``extra_metrics``, and families by name or regular expression."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Annotated, Any, NamedTuple

from pydantic import PlainValidator

from ddtrace_litellm import masking
from ddtrace_litellm.metrics.batch import Status
from ddtrace_litellm.openmetrics.options.fields import OptionError, compiled, texts, wrong

NATIVE = frozenset({"native", "native_dynamic"})
"""Types of an entry that leave the type to the page."""
TYPES = frozenset(
    {
        "counter",
        "counter_gauge",
        "gauge",
        "histogram",
        "metadata",
        "rate",
        "service_check",
        "summary",
        "temporal_percent",
        "time_elapsed",
    }
)
"""The others, each a class of ``pipeline.transformers``."""

_PARTS_OF_A_SECOND = {"second": 1, "millisecond": 1_000, "microsecond": 1_000_000, "nanosecond": 1_000_000_000}


@dataclass(frozen=True)
class Entry:
    """What ``metrics`` or ``extra_metrics`` say of a family.

    Attributes:
        name: the Datadog name without the namespace; ``""`` for the family's own, as regular expressions have it.
        type: one of ``TYPES`` or ``NATIVE``.
        statuses: of a ``service_check``: the status, 0 to 3, by value.
        scale: of a ``temporal_percent``: parts of a second that the counter counts.
        label: of a ``metadata``: the label that has the value.
        modifiers: of a ``metadata``: what else it says.
    """

    name: str = ""
    type: str = "native"
    statuses: Mapping[int, int] = field(default_factory=dict)
    scale: float = 1.0
    label: str = ""
    modifiers: Mapping[str, Any] = field(default_factory=dict)


class Entries(NamedTuple):
    """Entries of families, and of regular expressions searched in their names."""

    families: Mapping[str, Entry] = {}
    patterns: Mapping[re.Pattern[str], Entry] = {}


class Families(NamedTuple):
    """Families by name, and by one regular expression searched in their names."""

    names: frozenset[str] = frozenset()
    pattern: re.Pattern[str] | None = None


def _is_pattern(name: str) -> bool:
    """Tell whether the Agent takes a name for a regular expression: where escaping would change it."""
    return re.escape(name) != name


def _families(value: Any) -> Families:
    names = texts(value)
    found = frozenset(name for name in names if not _is_pattern(name))
    return Families(found, compiled(tuple(filter(_is_pattern, names))))


def _entries(value: Any) -> Entries:
    families: dict[str, Entry] = {}
    patterns: dict[re.Pattern[str], Entry] = {}
    for family, of_family in _pairs(value):
        pattern = compiled((family,)) if _is_pattern(family) else None
        entry = _entry(masking.name(family), family, of_family)
        if pattern:
            # The Agent gives what a regular expression finds its own name, whatever the entry says.
            patterns[pattern] = replace(entry, name="")
        else:
            families[family] = entry
    return Entries(families, patterns)


def _pairs(found: Any) -> list[tuple[str, Any]]:
    if not isinstance(found, list | tuple):
        raise wrong(found, "is not a list")
    pairs: list[tuple[str, Any]] = []
    for entry in found:
        if isinstance(entry, str):
            pairs.append((entry, entry))
        elif isinstance(entry, Mapping) and all(isinstance(family, str) for family in entry):
            pairs.extend(entry.items())
        else:
            raise OptionError(f"an entry (a {type(entry).__name__}) is neither a name nor a mapping of names")
    return pairs


def _entry(where: str, family: str, value: Any) -> Entry:
    if isinstance(value, str):
        return Entry(value)
    if not isinstance(value, Mapping):
        raise OptionError(f"{where}: a {type(value).__name__} is neither a name nor a mapping of name and type")
    name, type_ = value.get("name", family), value.get("type", "native")
    if not isinstance(name, str):
        raise OptionError(f"{where}: its name (a {type(name).__name__}) is not a text")
    if not (isinstance(type_, str) and type_ in TYPES | NATIVE):
        known = ", ".join(sorted(TYPES | NATIVE))
        raise OptionError(f"{where}: there is no type {masking.word(type_)}, only {known}")
    entry = Entry(name, type_)
    if type_ == "service_check":
        return replace(entry, statuses=_statuses(where, value.get("status_map")))
    if type_ == "temporal_percent":
        return replace(entry, scale=_scale(where, value.get("scale")))
    if type_ == "metadata":
        label = value.get("label")
        if not (isinstance(label, str) and label):
            raise OptionError(f"{where}: it has no label, which the type metadata needs")
        modifiers = {key: each for key, each in value.items() if key not in {"label", "name", "type"}}
        return replace(entry, label=label, modifiers=modifiers)
    return entry


def _statuses(where: str, value: Any) -> dict[int, int]:
    if not (isinstance(value, Mapping) and value):
        raise OptionError(f"{where}: it has no status_map, a mapping of values to statuses")
    try:
        return {int(str(number)): int(Status[status.upper()]) for number, status in value.items()}
    except (AttributeError, KeyError, ValueError):
        allowed = ", ".join(Status.__members__)
        raise OptionError(f"{where}: its status_map is not one of whole numbers to {allowed}") from None


def _scale(where: str, value: Any) -> float:
    scale = _PARTS_OF_A_SECOND.get(value.lower()) if isinstance(value, str) else value
    if isinstance(scale, bool) or not isinstance(scale, int) or scale <= 0:
        units = ", ".join(_PARTS_OF_A_SECOND)
        raise OptionError(f"{where}: {masking.word(value)} is no scale: one of {units}, or how many make a second")
    return float(scale)


MetricEntries = Annotated[Entries, PlainValidator(_entries)]
FamilyNames = Annotated[Families, PlainValidator(_families)]
