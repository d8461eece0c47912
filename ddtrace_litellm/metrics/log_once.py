"""Log lines that would otherwise repeat with every page: each is written once, until its cause is over."""

import logging
from collections.abc import Hashable


class LogOnce:
    """A logger that remembers what it has written. Not thread-safe.

    Args:
        log: the logger.
        most: how many things are told at most, until they are over.
    """

    def __init__(self, log: logging.Logger, most: int = 1000) -> None:
        self._log, self._most = log, most
        self._told: set[Hashable] = set()

    def warning(self, what: Hashable, text: str, *arguments: object) -> None:
        """Log a warning, unless that was told already. ``what`` tells things apart; the texts may differ."""
        if self._is_new(what):
            self._log.warning(text, *arguments)

    def info(self, what: Hashable, text: str, *arguments: object) -> None:
        """Log an information, unless that was told already."""
        if self._is_new(what):
            self._log.info(text, *arguments)

    def over(self, text: str = "", *arguments: object) -> None:
        """Forget what was told; log the text, if there is one, where anything was."""
        if self._told and text:
            self._log.info(text, *arguments)
        self._told.clear()

    def _is_new(self, what: Hashable) -> bool:
        if what in self._told or len(self._told) >= self._most:
            return False
        self._told.add(what)
        return True
