"""What is made of a page, as options say it; how they are read differs between an Agent and a process."""

from dataclasses import dataclass, field

from ddtrace_litellm.openmetrics.pipeline.histograms import HistogramRules
from ddtrace_litellm.openmetrics.pipeline.labels import LabelRules
from ddtrace_litellm.openmetrics.pipeline.naming import NameRules
from ddtrace_litellm.openmetrics.pipeline.places import MOST_SERIES
from ddtrace_litellm.openmetrics.pipeline.share_labels import SharingRules

MOST_CONTEXTS = 50_000
"""Twice what a page of 10 MB has. An Agent has no limit; a process that others pay for by the metric should."""


@dataclass(frozen=True)
class PageOptions:
    """What is made of a page.

    Attributes:
        labels: which labels become tags. Its ``tags`` are ``tags`` and ``service``, without the endpoint's.
        names: which families are sent, under which names.
        histograms: what becomes of a histogram.
        sharing: labels that series get from others.
        tag_by_endpoint: ``tag_by_endpoint``: everything has a tag with the URL, where there is one.
        telemetry: ``telemetry``: also send how many samples were read and used.
        most_contexts: ``max_returned_metrics``: of how many pairs of name and tags something is sent at most, each
            bucket being one; ``None`` for no limit.
        most_series: of how many series of the page, a histogram being one, anything is remembered; ``None`` for no
            limit. What ``max_returned_metrics`` says, where that is more than usual.
    """

    labels: LabelRules = field(default_factory=LabelRules)
    names: NameRules = field(default_factory=NameRules)
    histograms: HistogramRules = field(default_factory=HistogramRules)
    sharing: SharingRules = field(default_factory=SharingRules)
    tag_by_endpoint: bool = True
    telemetry: bool = False
    most_contexts: int | None = MOST_CONTEXTS
    most_series: int | None = MOST_SERIES

    def tags(self, endpoint: str) -> tuple[str, ...]:
        """Return the tags of everything that comes from a URL, ``""`` for none."""
        own = (f"endpoint:{endpoint}",) if endpoint and self.tag_by_endpoint else ()
        return (*self.labels.tags, *own)
