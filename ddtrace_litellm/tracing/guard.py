"""The one place where our own failures end: counted, logged, and never seen by the user's call."""

import functools
import logging
from collections import Counter
from collections.abc import Callable
from typing import Any, TypeVar

log = logging.getLogger("ddtrace.litellm")

internal_errors: Counter[str] = Counter()
"""Our own failures by place. The keys are the names of guarded functions, so it is bounded."""

F = TypeVar("F", bound=Callable[..., Any])


def guarded(function: F) -> F:
    """Return ``function`` with ``None`` in the place of any exception; the first of each place is logged at debug."""
    place = function.__qualname__

    @functools.wraps(function)
    def guard(*args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except Exception:
            internal_errors[place] += 1
            if internal_errors[place] == 1:
                log.debug("internal error in %s; further ones are only counted", place, exc_info=True)
            return None

    return guard  # type: ignore[return-value]  # the same signature, plus None, which every caller expects
