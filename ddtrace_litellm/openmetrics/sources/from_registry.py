"""What ``prometheus_client``'s collectors return, as the samples of a page."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from ddtrace_litellm.openmetrics.samples import Labels, Sample

if TYPE_CHECKING:
    from prometheus_client import Metric

CUMULATIVE = frozenset({"counter", "histogram", "summary"})
"""Types whose values add up since a series began."""


def samples_of(families: "Iterable[Metric]") -> Iterator[Sample]:
    """Yield the samples that an OpenMetrics page of these families has, without exemplars and time stamps."""
    for family in families:
        kind, begin = family.type, len(family.name)
        labels: Labels = ()
        before: dict[str, str] = {}
        for sample in family.samples:
            suffix, here, bound = sample.name[begin:], sample.labels, ""
            cut = "le" if suffix == "_bucket" else "quantile" if kind == "summary" and not suffix else ""
            if cut:
                here = dict(here)
                bound = here.pop(cut, "")
            # The buckets, sum and count of a histogram stand together: they share what is sorted once.
            if here != before:
                before, labels = here, tuple(sorted(here.items()))
            yield Sample(family.name, kind, "" if suffix == "_total" else suffix, labels, bound, float(sample.value))
