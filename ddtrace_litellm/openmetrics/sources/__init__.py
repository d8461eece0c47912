"""Where pages come from: an address, or the registry of this process."""

from collections.abc import Iterable
from contextlib import AbstractContextManager
from typing import NamedTuple, Protocol

from ddtrace_litellm.masking import SafeError
from ddtrace_litellm.openmetrics.samples import Sample


class SourceError(SafeError):
    """There is no page; the message says why."""


class Reading(NamedTuple):
    """A page that has begun to arrive.

    Attributes:
        samples: in the page's order. They raise ``SourceError`` or ``ValueError`` where the page is not whole.
        asked_at: a time on the clock of the page's process, seconds since 1970, when nothing of it was collected yet.
    """

    samples: Iterable[Sample]
    asked_at: float


class Source(Protocol):
    """One place that pages come from.

    Attributes:
        name: what messages call it: its URL without what may authorise, or ``registry``.
        endpoint: that URL, for the tag ``endpoint``; ``""`` where it has none.
        started: since when its series count from their first value on, seconds since 1970 on the clock of the page's
            process; ``None`` for the first page's ``asked_at``.
        inherited: what series of this process began at instead of 0.
    """

    @property
    def name(self) -> str: ...
    @property
    def endpoint(self) -> str: ...
    @property
    def started(self) -> float | None: ...
    @property
    def inherited(self) -> Iterable[Sample]: ...

    def read(self) -> AbstractContextManager[Reading]:
        """Return a page.

        Raises:
            SourceError: there is none.
        """
