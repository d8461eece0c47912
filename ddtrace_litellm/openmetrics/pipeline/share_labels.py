"""Labels that one family of the page has and others get: ``share_labels`` and ``target_info``."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from ddtrace_litellm.openmetrics.options.fields import Share
from ddtrace_litellm.openmetrics.options.models import PageModel
from ddtrace_litellm.openmetrics.samples import Labels, Sample

_TARGET_INFO = "target_info"


class Shared(NamedTuple):
    """What one sample shares. ``match``: the labels that a series has to have."""

    match: Labels
    labels: Labels


class SharedLabels:
    """What the families of a proxy share, page after page."""

    def __init__(self, options: PageModel) -> None:
        self._cache = options.cache_shared_labels
        self._shares = dict(options.share_labels)
        if options.target_info:
            self._shares.setdefault(_TARGET_INFO, Share())
        self._known: dict[str, list[Shared]] = {}
        self._always: dict[str, str] = {}
        # By the names of the labels to match, then by their values.
        self._matching: dict[tuple[str, ...], dict[Labels, dict[str, str]]] = {}

    def __bool__(self) -> bool:
        return bool(self._shares)

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
                _only(sample.labels, share.labels) if share.labels else sample.labels,
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
