"""Which Datadog metric a family becomes: what the options say first, then the table of names, then its rule."""

from dataclasses import replace

from ddtrace_litellm.openmetrics.names import NAMESPACE, Metric, families, metric_for
from ddtrace_litellm.openmetrics.options.entries import NATIVE, Entry
from ddtrace_litellm.openmetrics.options.models import PageModel
from ddtrace_litellm.openmetrics.pipeline.transformers import TRANSFORMERS, Transformer

_MOST_CACHED = 10_000  # families; LiteLLM has 150


class Names:
    """Finds what families become, and remembers it."""

    def __init__(self, options: PageModel) -> None:
        self._options = options
        # `metrics` ends the table of names, and `extra_metrics` holds over it.
        self._table = not options.has("metrics")
        self._entries = {**options.metrics.families, **options.extra_metrics.families}
        self._patterns = {**options.metrics.patterns, **options.extra_metrics.patterns}
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
        names, pattern = self._options.exclude_metrics
        return family in names or (pattern is not None and pattern.search(family) is not None)

    def _find(self, family: str, type_: str) -> Transformer | None:
        if self.excluded(family):
            return None
        entry = self._entry(family)
        if entry is None:
            found = metric_for(family, type_, runtime=self._options.collect_runtime_metrics) if self._table else None
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
        if family in self._entries:
            return self._entries[family]
        known = families().get(family)
        # For the Agent the official names are entries, and come before regular expressions. Our own come behind them:
        # who asked for families that the official check lacks has their names on dashboards already.
        if self._table and known is not None and known.official:
            return None
        return next((entry for pattern, entry in self._patterns.items() if pattern.search(family)), None)

    def _allowed(self, name: str) -> bool:
        """Tell whether ``metric_patterns`` let a Datadog name be sent."""
        only, never = self._options.metric_patterns.include, self._options.metric_patterns.exclude
        return not (never and never.search(name)) and (only is None or only.search(name) is not None)
