"""The one place where our own failures end: counted, logged, and never seen by the user's call."""

import logging
import sys

from ddtrace_litellm.telemetry import counters

log = logging.getLogger("ddtrace.litellm")


def swallow(place: str) -> None:
    """Account for the exception that is being handled; the first of each place is logged, at debug.

    For the ``except Exception`` at each of the few points where a user's call enters our code.
    """
    if counters.count_internal_error(place):
        log.debug("internal error in %s; further ones are only counted", place, exc_info=sys.exc_info())
