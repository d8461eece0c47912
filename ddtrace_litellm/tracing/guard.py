"""The one place where our own failures end: counted, logged, and never seen by the user's call."""

import logging
import sys
from collections import Counter

log = logging.getLogger("ddtrace.litellm")

internal_errors: Counter[str] = Counter()
"""Our own failures by place; the places are literals, so it is bounded."""


def swallow(place: str) -> None:
    """Account for the exception that is being handled; the first of each place is logged, at debug.

    For the ``except Exception`` at each of the few points where a user's call enters our code.
    """
    internal_errors[place] += 1
    if internal_errors[place] == 1:
        log.debug("internal error in %s; further ones are only counted", place, exc_info=sys.exc_info())
