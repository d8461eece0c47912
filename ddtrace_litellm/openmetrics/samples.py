"""A sample, independent of its source."""

import sys
from typing import NamedTuple

Labels = tuple[tuple[str, str], ...]
"""Names and values in the page's order, without the label that holds a sample's bound."""


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
