"""The entries of ``metrics`` and ``extra_metrics``."""

import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ddtrace_litellm import masking
from ddtrace_litellm.metrics.batch import Status
from ddtrace_litellm.openmetrics.options.fields import OptionError, compiled, naming, wrong
from ddtrace_litellm.openmetrics.options.models import PageModel
from ddtrace_litellm.openmetrics.pipeline.transformers import NATIVE, TRANSFORMERS, Entry

_PARTS_OF_A_SECOND = {"second": 1, "millisecond": 1_000, "microsecond": 1_000_000, "nanosecond": 1_000_000_000}

Entries = tuple[dict[str, Entry], tuple[tuple[re.Pattern[str], Entry], ...]]
"""Those of families, and those of regular expressions."""


def is_pattern(name: str) -> bool:
    """Tell whether the Agent takes a name for a regular expression: where escaping would change it."""
    return re.escape(name) != name


def read_entries(options: PageModel, *, metadata: bool) -> Entries:
    """Return the entries of ``metrics``, and those of ``extra_metrics`` over them.

    Args:
        options: the instance.
        metadata: allow the type of this name, which sends a label's value to the Agent.
    """
    entries: dict[str, Entry] = {}
    patterns: dict[str, re.Pattern[str]] = {}
    for option in ("metrics", "extra_metrics"):
        with naming(option):
            pairs = _pairs(getattr(options, option))
            found = {family: compiled((family,)) for family, _ in pairs if is_pattern(family)}
        patterns.update({family: pattern for family, pattern in found.items() if pattern})
        for family, value in pairs:
            entries[family] = _entry(f"{option}, {masking.name(family)}", family, value, metadata=metadata)
    # The Agent gives what a regular expression finds its own name, whatever the entry says.
    of_patterns = tuple((pattern, replace(entries.pop(family), name="")) for family, pattern in patterns.items())
    return entries, of_patterns


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


def _entry(where: str, family: str, value: Any, *, metadata: bool) -> Entry:
    if isinstance(value, str):
        return Entry(value)
    if not isinstance(value, Mapping):
        raise OptionError(f"{where}: a {type(value).__name__} is neither a name nor a mapping of name and type")
    name, type_ = value.get("name", family), value.get("type", "native")
    if not isinstance(name, str):
        raise OptionError(f"{where}: its name (a {type(name).__name__}) is not a text")
    if type_ == "metadata" and not metadata:
        raise OptionError(
            f"{where}: the type metadata sends a label's value to the Agent, which is not there in process"
        )
    if not (isinstance(type_, str) and (type_ in TRANSFORMERS or type_ in NATIVE)):
        known = ", ".join(sorted({*TRANSFORMERS, *NATIVE}))
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
