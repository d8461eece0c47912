"""What somebody may want to act on of a proxy's pages."""

import logging

from ddtrace_litellm import masking
from ddtrace_litellm.metrics.batch import MetricBatch
from ddtrace_litellm.metrics.log_once import LogOnce


class Notices:
    """Tells a logger each thing once: of families by name, and of what is wrong with the pages of a source.

    Args:
        log: the logger.
        source: the name of what the pages come from.
    """

    def __init__(self, log: logging.Logger, source: str) -> None:
        self._families, self._dropped, self._mixed = LogOnce(log), LogOnce(log), LogOnce(log)
        self._source = source

    def tell(self, batch: MetricBatch) -> None:
        """Tell what became of a page."""
        for names in batch.unmapped.by_rule.items():
            shown = (masking.visible(masking.shortened(name)) for name in names)
            self._families.info(names[0], "%s is not known to this version; it is sent as %s", *shown)
        if batch.dropped:
            self._dropped.warning(
                "series",
                "%s has more series than max_returned_metrics allows, or than are remembered: %d are left out of this"
                " page. litellm.openmetrics.dropped_series.count counts them",
                self._source,
                batch.dropped,
            )
        else:
            self._dropped.over()
        if batch.mixed:
            self._mixed.warning(
                "workers",
                "%s is several workers whose counters cannot be told apart, so that their counts are wrong: do not set"
                " PROMETHEUS_DISABLE_CREATED_SERIES, or give them a directory in PROMETHEUS_MULTIPROC_DIR",
                self._source,
            )
