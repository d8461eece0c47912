"""Which Datadog metric a family becomes: what the options say first, then the table of names, then its rule."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ddtrace_litellm.openmetrics.names import NAMESPACE, SUBMITTED, Metric, Submission, families, metric_for

NATIVE = frozenset({"native", "native_dynamic"})
"""Types of an entry that leave the type to the page."""

READ_AS: Mapping[str, str] = {
    "counter": "counter",
    "counter_gauge": "counter",
    "gauge": "gauge",
    "histogram": "histogram",
    "metadata": "gauge",
    "rate": "counter",
    "service_check": "gauge",
    "summary": "summary",
    "temporal_percent": "counter",
    "time_elapsed": "gauge",
}
"""What the samples of a family are, by the type of its entry in ``metrics`` or ``extra_metrics``."""


RATES = frozenset({"rate", "temporal_percent"})
"""Types of an entry that are sent as what a counter grew by in a second."""

_MOST_CACHED = 10_000  # families; LiteLLM has 150


@dataclass(frozen=True)
class Entry:
    """What ``metrics`` or ``extra_metrics`` say of a family.

    Attributes:
        name: the Datadog name without the namespace; ``""`` for the family's own, as regular expressions have it.
        type: one of ``READ_AS`` or ``NATIVE``.
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


@dataclass(frozen=True)
class NameRules:
    """The options of the Agent's check that say which families are sent, and under which names.

    Attributes:
        prefix: ``raw_metric_prefix``: taken off every family's name before anything else.
        entries, patterns: ``metrics`` and ``extra_metrics``: by family, and by regular expressions searched in it.
        table: send what the table of names has, and LiteLLM's families that it does not have. ``metrics`` ends that.
        runtime: ``collect_runtime_metrics``: of the table also what prometheus_client says of Python and the process.
        exclude, exclude_pattern: ``exclude_metrics``: families, and a regular expression searched in their names.
        only, never: ``metric_patterns``, ``include`` and ``exclude``: searched in the Datadog name in full.
    """

    prefix: str = ""
    entries: Mapping[str, Entry] = field(default_factory=dict)
    patterns: tuple[tuple[re.Pattern[str], Entry], ...] = ()
    table: bool = True
    runtime: bool = False
    exclude: frozenset[str] = frozenset()
    exclude_pattern: re.Pattern[str] | None = None
    only: re.Pattern[str] | None = None
    never: re.Pattern[str] | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What becomes of the samples of one family.

    Attributes:
        metric: its name in full; its type is what the samples are read as.
        transformer: the type of its entry, where that is more than the type of its samples.
        sent: by suffix of a sample what it is sent as: beside those of :attr:`Metric.submissions`, ``total`` for the
            value of a ``counter_gauge`` and ``distribution`` for a histogram.
        entry: what the options say of it.
    """

    metric: Metric
    transformer: str
    sent: Mapping[str, Submission]
    entry: Entry = Entry()


class Names:
    """Finds what families become, and remembers it."""

    def __init__(self, rules: NameRules) -> None:
        self._rules = rules
        self._found: dict[tuple[str, str], Target | None] = {}

    def target(self, family: str, type_: str) -> Target | None:
        """Return what a family becomes, ``None`` if it is not sent.

        Args:
            family: its name, without ``raw_metric_prefix``.
            type_: the one that the page declares, or what its samples are read as.
        """
        key = family, type_
        if key not in self._found:
            if len(self._found) >= _MOST_CACHED:
                self._found.clear()
            self._found[key] = self._find(family, type_)
        return self._found[key]

    def excluded(self, family: str) -> bool:
        """Tell whether ``exclude_metrics`` has a family."""
        pattern = self._rules.exclude_pattern
        return family in self._rules.exclude or (pattern is not None and pattern.search(family) is not None)

    def _find(self, family: str, type_: str) -> Target | None:
        if self.excluded(family):
            return None
        entry = self._entry(family)
        if entry is None:
            found = metric_for(family, type_, runtime=self._rules.runtime) if self._rules.table else None
            return None if found is None else self._target(found, found.transformer, Entry())
        read_as = READ_AS.get(entry.type, type_)
        name = f"{NAMESPACE}.{entry.name or family}"
        known = families().get(family) or Metric(family, read_as, name)
        metric = replace(known, type=read_as, name=name, transformer="", known=True)
        return self._target(metric, "" if entry.type in {*NATIVE, read_as} else entry.type, entry)

    def _entry(self, family: str) -> Entry | None:
        rules = self._rules
        if family in rules.entries:
            return rules.entries[family]
        known = families().get(family)
        # For the Agent the official names are entries, and come before regular expressions. Our own come behind them:
        # who asked for families that the official check lacks has their names on dashboards already.
        if rules.table and known is not None and known.official:
            return None
        return next((entry for pattern, entry in rules.patterns if pattern.search(family)), None)

    def _target(self, metric: Metric, transformer: str, entry: Entry) -> Target | None:
        if metric.type not in SUBMITTED:
            return None
        sent = {suffix: each for suffix, each in _sent(metric, transformer).items() if self._allowed(each.name)}
        return Target(metric, transformer, sent, entry)

    def _allowed(self, name: str) -> bool:
        only, never = self._rules.only, self._rules.never
        return not (never and never.search(name)) and (only is None or only.search(name) is not None)


def _sent(metric: Metric, transformer: str) -> dict[str, Submission]:
    gauge = Submission(metric.name, "gauge", metric.unit)
    if transformer in RATES:
        return {"": gauge._replace(unit="")}
    sent = metric.submissions()
    if transformer == "counter_gauge":
        sent["total"] = gauge._replace(name=f"{metric.name}.total")
    if metric.type == "histogram":
        sent["distribution"] = Submission(metric.name, "distribution", metric.unit)
    return sent
