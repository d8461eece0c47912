"""Log lines that would come with every page: each once, until what it is about is over."""

import logging
from collections.abc import Hashable


class LogOnce:
    """What a logger was told. Not to be used by two threads at once.

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
        """Log a line for whom it concerns, unless that was told already."""
        if self._is_new(what):
            self._log.info(text, *arguments)

    def over(self, text: str = "", *arguments: object) -> None:
        """Take note that all of it is over, and log the text, if there is one, where anything was told."""
        if self._told and text:
            self._log.info(text, *arguments)
        self._told.clear()

    def _is_new(self, what: Hashable) -> bool:
        if what in self._told or len(self._told) >= self._most:
            return False
        self._told.add(what)
        return True
