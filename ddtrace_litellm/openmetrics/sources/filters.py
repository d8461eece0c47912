"""Less of a page: lines that are left out of it, and samples that alone are asked for."""

import logging
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

from ddtrace_litellm.openmetrics.samples import Sample
from ddtrace_litellm.openmetrics.sources import SourceError
from ddtrace_litellm.openmetrics.text.lines import whole_lines
from ddtrace_litellm.transport import EmptyAnswerError

_log = logging.getLogger("ddtrace.litellm")

_PROCESS_START = "process_start_time_seconds"


class LineFilter:
    """Leaves out the lines in which one of several patterns is found, but not what tells that the page is whole.

    Attributes:
        left_out: how many of the page read last.
    """

    def __init__(self, patterns: Sequence[re.Pattern[str]] = ()) -> None:
        self._patterns, self.left_out = patterns, 0

    def kept(self, pieces: Iterable[bytes]) -> Iterable[bytes]:
        """Return what is left of a page."""
        self.left_out = 0
        return self._filtered(pieces) if self._patterns else pieces

    def _filtered(self, pieces: Iterable[bytes]) -> Iterator[bytes]:
        for batch in whole_lines(pieces):
            # Bytes that are no text are still to be refused by the parser.
            *lines, last = batch.decode(errors="surrogateescape").split("\n")
            kept = [line for line in lines if line == "# EOF" or not any(each.search(line) for each in self._patterns)]
            self.left_out += len(lines) - len(kept)
            yield "\n".join([*kept, last]).encode(errors="surrogateescape")


class NameFilter:
    """Which samples of a page are asked for by name, where the page can be asked so.

    LiteLLM answers a filter only where one process has the page to itself: with a shared directory every filter gives
    an empty page. There the whole page is read, from which those who want less have to take it anyhow. Nothing that is
    told from page to page depends on it: a page of a process dates its series, and a series that is not asked for is
    one that is not wanted. A shared directory dates nothing, and that it was emptied shows in what a page no longer
    has, so a page of one is only ever read whole, even by a release that would filter it.

    Args:
        names: of the samples that are wanted; empty for all.
        samples_of: reads a page of so many names.
    """

    def __init__(self, names: tuple[str, ...], samples_of: Callable[[tuple[str, ...]], list[Sample]]) -> None:
        self._names = (*names, _PROCESS_START) if names else ()
        self._samples_of = samples_of
        self._works: bool | None = None if names else False

    def names(self, page: str) -> tuple[str, ...]:
        """Return what to ask for, empty for the whole page; at first, or after a surprise, the page itself tells."""
        if self._works is None:
            self._works = any(sample.family == _PROCESS_START for sample in self._samples_of((_PROCESS_START,)))
            if not self._works:
                _log.warning(
                    "%s is read whole, as it cannot be asked for some of its metrics: it has no %s, which is so where"
                    " several workers share a directory of metrics",
                    page,
                    _PROCESS_START,
                )
        return self._names if self._works else ()

    def checked(self, samples: Iterator[Sample], names: tuple[str, ...]) -> Iterator[Sample]:
        """Pass on the samples of a page that was asked for by these names, if they may be taken for it."""
        if not names:
            yield from samples
            return
        dated = False
        try:
            for sample in samples:
                dated = dated or sample.family == _PROCESS_START
                yield sample
        except EmptyAnswerError:
            dated = False
        if not dated:
            self._works = None
            raise SourceError("the page can no longer be asked for some of its metrics")
