"""Labels that one family of the page has and others get: ``share_labels`` and ``target_info``."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from ddtrace_litellm.openmetrics.samples import Labels, Sample

_TARGET_INFO = "target_info"


@dataclass(frozen=True)
class Share:
    """Which labels of a family the others get.

    Attributes:
        labels: their names; ``None`` for all.
        match: only series get them whose labels of these names have the values of the sharing sample; none: all do.
        values: only samples with one of these values share; ``None``: all do.
    """

    labels: frozenset[str] | None = None
    match: frozenset[str] = frozenset()
    values: frozenset[int] | None = None


@dataclass(frozen=True)
class SharingRules:
    """The options of the Agent's check that are about shared labels.

    Attributes:
        families: ``share_labels``.
        cache: ``cache_shared_labels``: what a family shared once holds for ever, without looking at it again.
        target_info: ``target_info``: every series gets the labels of the family of this name, of each page anew.
    """

    families: Mapping[str, Share] = field(default_factory=dict)
    cache: bool = True
    target_info: bool = False

    def __bool__(self) -> bool:
        return bool(self.families) or self.target_info


class Shared(NamedTuple):
    """What one sample shares. ``match``: the labels that a series has to have."""

    match: Labels
    labels: Labels


class SharedLabels:
    """What the families of a proxy share, page after page."""

    def __init__(self, rules: SharingRules) -> None:
        self._cache = rules.cache
        self._shares = dict(rules.families)
        if rules.target_info:
            self._shares.setdefault(_TARGET_INFO, Share())
        self._known: dict[str, list[Shared]] = {}
        self._always: dict[str, str] = {}
        # By the names of the labels to match, then by their values.
        self._matching: dict[tuple[str, ...], dict[Labels, dict[str, str]]] = {}

    def name(self, family: str) -> str:
        """Return what a family of the page shares as, ``""`` if nothing of it is looked for."""
        # OpenMetrics has a type for it: its family is `target` there, and only its sample `target_info`.
        name = next((name for name in (family, f"{family}_info") if name in self._shares), "")
        return "" if self._cache and name in self._known and name != _TARGET_INFO else name

    def of(self, name: str, samples: Iterable[Sample]) -> list[Shared]:
        """Return what the samples of a family share."""
        share = self._shares[name]
        return [
            Shared(
                tuple(sorted(label for label in sample.labels if label[0] in share.match)),
                sample.labels if share.labels is None else _only(sample.labels, share.labels),
            )
            for sample in samples
            if share.values is None or sample.value in share.values
        ]

    def learn(self, found: Mapping[str, list[Shared]]) -> None:
        """Remember what a page shares that was read whole."""
        if not found and self._cache:
            return
        self._known = {**self._known, **found} if self._cache else dict(found)
        self._always, self._matching = {}, {}
        # What is shared by name holds over what the target has.
        for name in sorted(self._known, key=_TARGET_INFO.__ne__):
            for match, labels in self._known[name]:
                if match:
                    by_values = self._matching.setdefault(tuple(label for label, _ in match), {})
                    by_values.setdefault(match, {}).update(labels)
                else:
                    self._always.update(labels)

    def add(self, labels: Labels) -> Labels:
        """Return the labels of a series with those that it gets; of one that it has the value is the shared one."""
        own = dict(labels)
        found = {**own, **self._always}
        for names, by_values in self._matching.items():
            match = tuple((name, own.get(name, "")) for name in names)
            found.update(by_values.get(match, {}))
        return tuple(found.items())


def _only(labels: Labels, names: frozenset[str]) -> Labels:
    return tuple(label for label in labels if label[0] in names)
