"""Families that the table of names does not have, told once each: somebody may want to act on them."""

from logging import Logger

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.metrics import UnmappedFamilies

_MOST = 1000


class UnknownFamilies:
    """Those of one proxy that were told of."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, unmapped: UnmappedFamilies, log: Logger) -> None:
        """Log those of a page that are new, with the names they are sent under; of the first thousand only."""
        for metric in unmapped.by_rule:
            if metric.family not in self._told and len(self._told) < _MOST:
                self._told.add(metric.family)
                names = (masking.visible(masking.shortened(name)) for name in (metric.family, metric.name))
                log.info("%s is not known to this version; it is sent as %s", *names)
