"""A sample, independent of its source, and the samples of ``prometheus_client``'s collectors."""

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from prometheus_client import Metric

Labels = tuple[tuple[str, str], ...]
"""Names and values in the page's order, without the label that holds a sample's bound."""

CUMULATIVE = frozenset({"counter", "histogram", "summary"})
"""Types whose values add up since a series began."""

_NO_LIMIT = float(sys.maxsize)


def is_number(value: float) -> bool:
    """Tell whether a value is a number that can be sent: no infinity, nan, or ``sys.maxsize``, LiteLLM's "no limit"."""
    return -_NO_LIMIT < value < _NO_LIMIT


class Sample(NamedTuple):
    """One value of one series.

    Attributes:
        family: the family's name, without the ``_total`` of a counter's samples.
        type: ``counter``, ``gauge``, ``histogram``, ``summary``, ``unknown``, ... as the page declares it.
        suffix: what the sample's name has behind the family's: ``_bucket``, ``_sum``, ``_count``, ``_created``, ...
            or ``""`` (a counter's ``_total`` too).
        labels: the series, without what tells a bucket or a quantile from the others.
        bound: the text of a bucket's ``le`` or a summary's ``quantile``, ``""`` for every other sample.
        value: a number, ``inf`` and ``nan`` included.
    """

    family: str
    type: str
    suffix: str
    labels: Labels
    bound: str
    value: float


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
