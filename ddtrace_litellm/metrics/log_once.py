"""Warnings of the sinks: one when something goes wrong, one line when it is over, whatever happens in between."""

import logging

log = logging.getLogger("ddtrace.litellm.openmetrics")


class Notices:
    """What was said so far. Not to be used by two threads at once."""

    def __init__(self) -> None:
        self._trouble = False
        self._refusals: set[object] = set()

    def trouble(self, text: str) -> None:
        """Warn, unless there is trouble already."""
        if not self._trouble:
            log.warning("%s", text)
        self._trouble = True

    def over(self, text: str) -> None:
        """Say that there is no trouble any more, if there was."""
        if self._trouble:
            log.info("%s", text)
        self._trouble = False

    def refusal(self, kind: object, text: str) -> None:
        """Warn of what waiting does not mend: once for each kind, as it may come with every page."""
        if kind not in self._refusals:
            log.warning("%s", text)
        self._refusals.add(kind)
