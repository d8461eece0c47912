"""Which Datadog metric a family becomes: what the options say first, then the table of names, then its rule."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from ddtrace_litellm.openmetrics.names import NAMESPACE, Metric, families, metric_for
from ddtrace_litellm.openmetrics.pipeline.transformers import NATIVE, TRANSFORMERS, Entry, Transformer

_MOST_CACHED = 10_000  # families; LiteLLM has 150


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


class Names:
    """Finds what families become, and remembers it."""

    def __init__(self, rules: NameRules) -> None:
        self._rules = rules
        self._found: dict[tuple[str, str], Transformer | None] = {}

    def transformer(self, family: str, type_: str) -> Transformer | None:
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

    def _find(self, family: str, type_: str) -> Transformer | None:
        if self.excluded(family):
            return None
        entry = self._entry(family)
        if entry is None:
            found = metric_for(family, type_, runtime=self._rules.runtime) if self._rules.table else None
            if found is None or type_ not in TRANSFORMERS:
                return None
            return self._made(found.transformer or type_, found, Entry())
        type_ = type_ if entry.type in NATIVE else entry.type
        name = f"{NAMESPACE}.{entry.name or family}"
        known = families().get(family) or Metric(family, type_, name)
        return self._made(type_, replace(known, name=name, known=True), entry)

    def _made(self, type_: str, metric: Metric, entry: Entry) -> Transformer | None:
        return TRANSFORMERS[type_](metric, entry, self._allowed) if type_ in TRANSFORMERS else None

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

    def _allowed(self, name: str) -> bool:
        only, never = self._rules.only, self._rules.never
        return not (never and never.search(name)) and (only is None or only.search(name) is not None)
