"""What OpenMetrics demands of a family's samples, beyond the form of each line."""

import math

from ddtrace_litellm.openmetrics.samples import Labels, Sample

_COUNTS = frozenset({"_bucket", "_count", "_gcount", "_sum"})
_WHOLE = frozenset({"_bucket", "_count", "_gcount"})


class Rules:
    """Looks at one sample after the other and keeps one series' worth of them.

    A series is every sample with the same labels: all buckets, sum, count and creation time of a histogram's child.
    """

    def __init__(self) -> None:
        self._family = ""
        self._type = ""
        self._labels: Labels | None = None
        self._group: object = None
        self._timestamp: float | None = None
        self._seen: set[object] = set()
        self._bound: float | None = None
        self._bucket = 0.0
        self._negative_bounds = False
        self._parts: dict[str, float] = {}

    def admit(self, sample: Sample) -> bool:
        """Whether a sample counts: the second of two for the same series and time does not.

        Raises:
            ValueError: it breaks a rule, or the series before it, now complete, does.
        """
        family, type_, suffix, labels, bound, value, timestamp, exemplar = sample
        if labels is not self._labels or family != self._family or type_ != self._type:
            self._turn_to(family, type_, labels)
        identity = (suffix, bound, labels) if type_ in {"info", "stateset"} else (suffix, bound)
        if self._seen and timestamp != self._timestamp:
            if timestamp is None or self._timestamp is None:
                raise ValueError("only some samples of the series have a time stamp")
            if timestamp < self._timestamp and type_ != "info":
                raise ValueError("the time stamps of the series run backwards")
            self._end_series()
            self._seen.clear()
        again = identity in self._seen
        self._seen.add(identity)
        self._timestamp = timestamp
        if type_ != "gauge":
            self._check(sample)
        if exemplar is not None and not (suffix == "_bucket" or (type_ == "counter" and not suffix)):
            raise ValueError("only counters and buckets have exemplars")
        if type_ in {"histogram", "gaugehistogram"} and not again:
            self._collect(suffix, bound, value)
        return not again

    def end(self) -> None:
        """End the page."""
        self._end_series()

    def _turn_to(self, family: str, type_: str, labels: Labels) -> None:
        """Begin another series, if it is one: the order of labels makes no difference."""
        group: object = sorted(labels)
        if type_ == "info":
            group = ()
        elif type_ == "stateset":
            if family not in dict(labels):
                raise ValueError("a sample of a state set needs the label of its family")
            group = sorted(label for label in labels if label[0] != family)
        if (family, type_, group) != (self._family, self._type, self._group):
            self._end_series()
            self._seen.clear()
        self._family, self._type, self._group, self._labels = family, type_, group, labels

    def _check(self, sample: Sample) -> None:
        type_, suffix, value = sample.type, sample.suffix, sample.value
        if type_ == "stateset" and value not in {0, 1}:
            raise ValueError("a state is 0 or 1")
        if type_ == "info" and value != 1:
            raise ValueError("an info has the value 1")
        if type_ == "summary" and not suffix:
            if not 0 <= _canonical(sample.bound) <= 1:
                raise ValueError("a quantile is between 0 and 1")
            if value < 0:
                raise ValueError("the value of a quantile is not negative")
        if suffix in _WHOLE and not value.is_integer():
            raise ValueError("a count is a whole number")
        if suffix in _COUNTS or (type_ == "counter" and not suffix):
            if not value >= 0:
                raise ValueError("a counter is not negative and a number")
        elif suffix == "_gsum" and math.isnan(value):
            raise ValueError("a sum is a number")

    def _collect(self, suffix: str, bound: str, value: float) -> None:
        """Take in a sample of a histogram."""
        if suffix != "_bucket":
            self._parts[suffix] = value
            return
        upper = _canonical(bound)
        if self._bound is not None and upper <= self._bound:
            raise ValueError("the bounds of the buckets do not rise")
        if value < self._bucket:
            raise ValueError("the buckets do not rise")
        self._negative_bounds |= upper < 0
        self._bound, self._bucket = upper, value

    def _end_series(self) -> None:
        """End a histogram's series: it has to be whole."""
        parts, bound, bucket, negative = self._parts, self._bound, self._bucket, self._negative_bounds
        if not parts and bound is None:
            return
        self._parts, self._bound, self._bucket, self._negative_bounds = {}, None, 0.0, False
        if bound != math.inf:
            raise ValueError("the series before it has no +Inf bucket")
        count, total = parts.get("_count", parts.get("_gcount")), parts.get("_sum", parts.get("_gsum"))
        if count not in {None, bucket}:
            raise ValueError("count and +Inf bucket of the series before it differ")
        if (count is None) is not (total is None):
            raise ValueError("the series before it has only one of sum and count")
        if negative and "_sum" in parts:
            raise ValueError("the series before it has a sum and negative bounds")
        if not negative and parts.get("_gsum", 0) < 0:
            raise ValueError("the series before it has a negative sum and no negative bounds")


def _canonical(bound: str) -> float:
    """Read a bound: a number, where infinity is written +Inf."""
    try:
        value = float(bound)
    except ValueError:
        value = math.nan
    if math.isnan(value) or (value == math.inf and bound != "+Inf"):
        raise ValueError("what should be a bound is none")
    return value
