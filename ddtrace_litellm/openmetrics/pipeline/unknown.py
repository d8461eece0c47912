"""Families that the table of names does not have, told once each: somebody may want to act on them."""

from logging import Logger

from ddtrace_litellm import masking
from ddtrace_litellm.metrics.batch import UnmappedFamilies

_MOST = 1000


class UnknownFamilies:
    """Those of one proxy that were told of."""

    def __init__(self) -> None:
        self._told: set[str] = set()

    def tell(self, unmapped: UnmappedFamilies, log: Logger) -> None:
        """Log those of a page that are new, with the names they are sent under; of the first thousand only."""
        for names in unmapped.by_rule.items():
            if names[0] not in self._told and len(self._told) < _MOST:
                self._told.add(names[0])
                shown = (masking.visible(masking.shortened(name)) for name in names)
                log.info("%s is not known to this version; it is sent as %s", *shown)
