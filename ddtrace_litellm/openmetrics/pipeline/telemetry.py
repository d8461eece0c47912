"""Metrics about the scraping itself, of the option ``telemetry``."""

from collections.abc import Iterator

from ddtrace_litellm.metrics.batch import Record
from ddtrace_litellm.openmetrics.names import NAMESPACE
from ddtrace_litellm.openmetrics.pipeline.naming import Names
from ddtrace_litellm.openmetrics.pipeline.reading import Reading


def telemetry(reading: Reading, names: Names, tags: tuple[str, ...]) -> Iterator[Record]:
    """Yield how many samples a page had, how many are sent, moved or not, and how many ``exclude_metrics`` left out."""
    read = used = ignored = 0
    for family, (samples, usable) in reading.counted.items():
        read += samples
        if names.excluded(family):
            ignored += samples
        elif not reading.is_created(family) and names.transformer(family, reading.types[family]) is not None:
            used += usable
    for kind, value in (("input", read), ("processed", used), ("ignored", ignored)):
        if value:
            yield Record(f"{NAMESPACE}.telemetry.metrics.{kind}.count", "count", float(value), tags)
