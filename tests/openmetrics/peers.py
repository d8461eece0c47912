"""What ``prometheus_client`` reads from a page, in the form in which our samples are compared with it."""

from typing import NamedTuple

from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from ddtrace_litellm.openmetrics.text.parser import parse

TEXT = "text/plain; version=0.0.4; charset=utf-8"
OPENMETRICS = "application/openmetrics-text; version=1.0.0; charset=utf-8"


class Read(NamedTuple):
    """A sample: labels with the bound among them in any order, NaN equal to itself."""

    family: str
    type: str
    name: str
    labels: dict[str, str]
    value: str


def ours(page, content_type=TEXT, **options):
    """Read a page, text or pieces, with our parser."""
    pieces = [page.encode()] if isinstance(page, str) else page
    return [_ours(sample) for sample in parse(pieces, content_type, **options)]


def theirs(page, content_type=TEXT):
    """Read a page with the parser of prometheus_client for its format."""
    read = read_openmetrics if content_type is OPENMETRICS else read_text
    return [_theirs(family, sample) for family in read(page) for sample in family.samples]


def outcome(read, *arguments):
    """Return what was read, or that the page was refused: theirs stumbles over some pages instead."""
    refusals = (ValueError,) if read is ours else (ValueError, IndexError, KeyError, TypeError, AttributeError)
    try:
        return read(*arguments)
    except refusals:
        return "refused"


def _ours(sample):
    suffix = "_total" if sample.type == "counter" and not sample.suffix else sample.suffix
    labels = dict(sample.labels)
    if sample.bound:
        labels["quantile" if sample.type == "summary" else "le"] = sample.bound
    return Read(sample.family, sample.type, sample.family + suffix, labels, _number(sample.value))


def _theirs(family, sample):
    return Read(family.name, family.type, sample.name, sample.labels, _number(sample.value))


def _number(value):
    if value is None:
        return "a native histogram"
    return repr(float(value) + 0.0)  # without the sign of zero, which a whole number has not
