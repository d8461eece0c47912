"""A page on its way to the deltas: what the options have to know of its samples, and make of their types."""

from collections.abc import Iterable, Iterator
from itertools import groupby
from math import isfinite
from operator import itemgetter
from typing import NamedTuple

from ddtrace_litellm.metrics.batch import Record, UnmappedFamilies
from ddtrace_litellm.openmetrics.names import NAMESPACE
from ddtrace_litellm.openmetrics.pipeline.deltas import CounterStep
from ddtrace_litellm.openmetrics.pipeline.naming import Names
from ddtrace_litellm.openmetrics.pipeline.share_labels import Shared, SharedLabels
from ddtrace_litellm.openmetrics.pipeline.transformers import Transformer
from ddtrace_litellm.openmetrics.samples import CUMULATIVE, Sample, is_number


class Counted(NamedTuple):
    """How many samples a family has, and how many of them can be sent."""

    samples: int
    usable: int


class Reading:
    """One page.

    Args:
        names: what its families become.
        sharing: which of them share labels.
        prefix: what is taken off their names.
        counting: count the samples.

    Attributes:
        types: of its families, as the page declares them.
        totals: of the counters that are watched, in the form of steps.
        shared: what its families share.
        counted: how many samples its families have, where they are counted.
    """

    def __init__(self, names: Names, sharing: SharedLabels, prefix: str, *, counting: bool) -> None:
        self._names, self._sharing, self._prefix, self._counting = names, sharing, prefix, counting
        self.types: dict[str, str] = {}
        self.totals: list[CounterStep] = []
        self.shared: dict[str, list[Shared]] = {}
        self.counted: dict[str, Counted] = {}

    def read(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        """Pass the samples on, of the types that the options give them."""
        for (name, type_), samples_of in groupby(samples, itemgetter(0, 1)):
            family, run = name, samples_of
            if self._prefix and name.startswith(self._prefix):
                family = name.removeprefix(self._prefix)
                run = (sample._replace(family=family) for sample in samples_of)
            self.types[family] = type_
            yield from self._transformed(family, type_, run)

    def _transformed(self, family: str, type_: str, samples: Iterator[Sample]) -> Iterator[Sample]:
        # When another family's series began is for the deltas, whatever the options would make of such a gauge.
        transformer = None if self.is_created(family) else self._names.transformer(family, type_)
        name = self._sharing.name(family)
        run = self._noted(family, name, samples) if name or self._counting else samples
        if transformer is None:
            return run
        if transformer.reads != type_:
            run = _retyped(run, transformer)
        return self._watched(run) if transformer.watches else run

    def _noted(self, family: str, name: str, samples: Iterator[Sample]) -> Iterator[Sample]:
        """Pass the samples of a family on, and take note of what it shares and how many they are."""
        shared = self.shared.setdefault(name, []) if name else []
        read, usable = self.counted.get(family, Counted(0, 0))
        for sample in samples:
            if name:
                shared.extend(self._sharing.of(name, (sample,)))
            read += 1
            usable += is_number(sample.value) and sample.suffix != "_created"
            yield sample
        if self._counting:
            self.counted[family] = Counted(read, usable)

    def _watched(self, samples: Iterable[Sample]) -> Iterator[Sample]:
        for sample in samples:
            if not sample.suffix and isfinite(sample.value):
                self.totals.append(CounterStep(sample.family, sample.labels, sample.value))
            yield sample

    def is_created(self, family: str) -> bool:
        """Tell whether a family only says when another one's series began, as text 0.0.4 has it."""
        return (
            family.endswith("_created")
            and self.types.get(family) == "gauge"
            and self.types.get(family.removesuffix("_created")) in CUMULATIVE
        )

    def telemetry(self, tags: tuple[str, ...]) -> Iterator[Record]:
        """Yield how many samples were read, are sent, moved or not, and were left out by ``exclude_metrics``."""
        read = used = ignored = 0
        for family, (samples, usable) in self.counted.items():
            read += samples
            if self._names.excluded(family):
                ignored += samples
            elif not self.is_created(family) and self._names.transformer(family, self.types[family]) is not None:
                used += usable
        for kind, value in (("input", read), ("processed", used), ("ignored", ignored)):
            if value:
                yield Record(f"{NAMESPACE}.telemetry.metrics.{kind}.count", "count", float(value), tags)

    def unmapped(self) -> UnmappedFamilies:
        """Return which of its families are not in the table of names."""
        by_rule, ignored = {}, []
        for family, type_ in sorted(self.types.items()):
            if self.is_created(family) or self._names.excluded(family):
                continue
            transformer = self._names.transformer(family, type_)
            if transformer is None:
                ignored.append(family)
            elif not transformer.metric.known:
                by_rule[family] = transformer.metric.name
        return UnmappedFamilies(by_rule, tuple(ignored))


def _retyped(samples: Iterable[Sample], transformer: Transformer) -> Iterator[Sample]:
    """Give samples another type; those that it has no place for are left out, as the buckets of a gauge's."""
    for sample in samples:
        suffix = sample.suffix
        if suffix in transformer.keeps and bool(sample.bound) is (suffix == transformer.bounded):
            yield sample._replace(type=transformer.reads, suffix="" if suffix == "_info" else suffix)
