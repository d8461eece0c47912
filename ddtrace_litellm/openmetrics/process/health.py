"""Whether the models behind a proxy answer, as its own health check tells (the option ``litellm_health_endpoint``).

To answer, the proxy calls every model once, which takes time and is paid for, unless its ``background_health_checks``
call them anyway. That is why it is asked seldom, and at all only where the option is set.
"""

from __future__ import annotations

import json
import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from math import inf
from queue import SimpleQueue
from typing import Any

from ddtrace_litellm import masking
from ddtrace_litellm.metrics.batch import Record
from ddtrace_litellm.metrics.log_once import LogOnce
from ddtrace_litellm.openmetrics.names import NAMESPACE
from ddtrace_litellm.openmetrics.sources import SourceError
from ddtrace_litellm.openmetrics.sources.http import Endpoint, fetch
from ddtrace_litellm.openmetrics.sources.page import JSON

log = logging.getLogger("ddtrace.litellm.openmetrics")

INFO = f"{NAMESPACE}.endpoint.info"
HEALTHY_COUNT = f"{NAMESPACE}.endpoint.healthy_count"
UNHEALTHY_COUNT = f"{NAMESPACE}.endpoint.unhealthy_count"

_SECONDS = 120.0
_LARGEST_ANSWER = 1 << 24
_ERROR = re.compile(r"litellm\.([A-Za-z0-9_]+):")
_UNKNOWN = "unknown"


class EndpointHealth:
    """Asks a proxy from time to time, in a thread of its own: the answer takes as long as the slowest model.

    Args:
        page: the metrics page, whose key and options for TLS and the like hold here too.
        url: of the health check, for example ``http://localhost:4000/health``.
        interval: seconds from an answer to the next question.
        tags: of all its metrics.
        clock: monotonic seconds.

    Raises:
        ValueError: the URL is none.
    """

    def __init__(
        self,
        page: Endpoint,
        url: str,
        interval: float,
        tags: tuple[str, ...],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._endpoint = replace(
            page, url=url, read_timeout=_SECONDS, total_timeout=_SECONDS, largest_page=_LARGEST_ANSWER
        )
        self._interval, self._tags, self._clock = interval, tags, clock
        self._due = clock()
        self._answers: SimpleQueue[list[Record]] = SimpleQueue()
        self._place = masking.url(url)
        self._failures = LogOnce(log)

    def collect(self) -> list[Record]:
        """Return the gauges of an answer that has come since the last call, none else. Never raises."""
        answer = [] if self._answers.empty() else self._answers.get()
        if self._clock() >= self._due:
            self._due = inf
            with suppress(RuntimeError):  # no thread can start any more
                threading.Thread(target=self._ask, name="ddtrace-litellm-health", daemon=True).start()
        return answer

    def _ask(self) -> None:
        try:
            with fetch(self._endpoint, JSON) as answer:
                text = b"".join(answer.pieces)
            self._answers.put(endpoint_gauges(json.loads(text), self._place, self._tags))
            self._failures.over("health of the models at %s: received again", self._place)
        except Exception as error:
            reason = masking.reason(error)
            self._failures.warning(reason, "health of the models at %s: not received: %s", self._place, reason)
        finally:
            self._due = self._clock() + self._interval


def endpoint_gauges(answer: Any, url: str, tags: tuple[str, ...]) -> list[Record]:
    """Return the gauges of the answer to a health check.

    Args:
        answer: the JSON: ``healthy_endpoints`` and ``unhealthy_endpoints``, each a list with ``model`` and sometimes
            more, ``healthy_count`` and ``unhealthy_count``.
        url: of the health check, without what may authorise, for a tag and messages.
        tags: of all gauges, behind their own.

    Raises:
        SourceError: it is no such answer.
    """
    if not isinstance(answer, dict) or not any(f"{health}_endpoints" in answer for health in ("healthy", "unhealthy")):
        raise SourceError(f"{url} does not answer with the health of endpoints")
    where = (f"health_endpoint:{url}", *tags)
    infos: dict[tuple[str, ...], None] = {}
    counts = []
    for health, name in (("healthy", HEALTHY_COUNT), ("unhealthy", UNHEALTHY_COUNT)):
        found = answer.get(f"{health}_endpoints")
        endpoints = [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        infos.update(dict.fromkeys((*_tags(endpoint, health), *where) for endpoint in endpoints))
        count = answer.get(f"{health}_count")
        counts.append(Record(name, "gauge", count if isinstance(count, int) else len(endpoints), where))
    return [*(Record(INFO, "gauge", 1, each) for each in infos), *counts]


def _tags(endpoint: dict[str, Any], health: str) -> Iterator[str]:
    model = str(endpoint.get("model") or _UNKNOWN)
    prefix, slash, _ = model.partition("/")
    # LiteLLM's answer rarely names the provider, but its models' names begin with it.
    provider = endpoint.get("custom_llm_provider") or (prefix if slash else _UNKNOWN)
    yield f"llm_model:{model}"
    yield f"custom_llm_provider:{provider}"
    yield f"endpoint_health:{health}"
    if health == "unhealthy":
        error = _ERROR.search(str(endpoint.get("error") or ""))
        yield f"endpoint_error:{error[1] if error else _UNKNOWN}"
