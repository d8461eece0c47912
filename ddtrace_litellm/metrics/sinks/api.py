"""Sends metrics to Datadog's API, where there is no Agent.

Each call tries for a bounded time to send what there is, and keeps what it could not send for the next: bounded too,
in bytes and in age. There is no thread of its own, and it never sleeps.

Of two values that one series has at one second, Datadog keeps the later. Several processes that send counts of equal
name, host and tags would so lose some: each needs a tag of its own, or only one of them may send.
"""

import logging
import re
import socket
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping, Sequence
from random import random

from ddtrace_litellm import masking
from ddtrace_litellm.metrics.batch import MetricBatch, ServiceCheck
from ddtrace_litellm.metrics.log_once import LogOnce
from ddtrace_litellm.metrics.sanitizing import environment_tags, tag
from ddtrace_litellm.metrics.sinks.intake import Answer, Intake
from ddtrace_litellm.metrics.sinks.payloads import (
    CHECKS,
    DISTRIBUTIONS,
    SERIES,
    Kind,
    Payload,
    Sender,
    checks,
    distributions,
    halves,
    payloads,
    series,
)
from ddtrace_litellm.transport import FetchError

log = logging.getLogger("ddtrace.litellm.openmetrics")

SITE = "datadoghq.com"
PATIENCE = 10.0
"""Seconds that one call may take, of the 15 until the next."""
MOST_HELD = 1 << 24
"""Bytes that wait to be sent: an hour of pages with 2,500 series that changed, compressed. The oldest give way."""
LONGEST_BACK_OFF = 300.0
"""Seconds between two tries, whatever Datadog asks for: points are refused after an hour."""

_FIRST_BACK_OFF = 5.0
_SHORTEST_TRY = 0.5
_TOO_LARGE = 413
_LATER = frozenset({408, 429})
_SITE = re.compile(r"[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+")


def from_environment(environ: Mapping[str, str], *, interval: float, tags: Sequence[str] = ()) -> "ApiSink":
    """Return the sink for the account that the environment names.

    ``DD_API_KEY``, ``DD_SITE`` or, as for an Agent behind a proxy of its own, ``DD_DD_URL``, ``DD_HOSTNAME`` (else the
    machine's name, as in ddtrace), and for tags ``DD_ENV``, ``DD_SERVICE``, ``DD_VERSION``, ``DD_TAGS``,
    ``DATADOG_TAGS``.

    Args:
        environ: the variables.
        interval: seconds between two pages.
        tags: of everything, for example what tells this process from others that send the same series.

    Raises:
        ValueError: the key is missing, or it or the address cannot be used; names the variable, never shows the key.
    """
    key = environ.get("DD_API_KEY", "").strip()
    if not key:
        raise masking.SafeValueError("DD_API_KEY is not set, and without an Agent nothing can be sent without it")
    if not (key.isascii() and key.isalnum()):
        raise masking.SafeValueError("DD_API_KEY has characters that no key has")
    hostname = environ.get("DD_HOSTNAME", "") or socket.gethostname()
    sender = Sender(tag(hostname), (*map(tag, tags), *environment_tags(environ)), max(1, round(interval)))
    url = _url(environ)
    try:
        intake = Intake(url, key)
    except ValueError:  # it may hold a password, so it is not shown
        raise masking.SafeValueError(
            f"DD_DD_URL is no URL such as https://api.{SITE}, without a user or a password"
        ) from None
    return ApiSink(intake, sender, patience=min(PATIENCE, interval * 2 / 3))


def _url(environ: Mapping[str, str]) -> str:
    if url := environ.get("DD_DD_URL", "").strip():
        return url
    site = environ.get("DD_SITE", "").strip() or SITE
    if not _SITE.fullmatch(site):
        raise masking.SafeValueError(f"DD_SITE is no site of Datadog, such as {SITE} or datadoghq.eu")
    return f"https://api.{site}"


class ApiSink:
    """Datadog's API. To be made anew in a forked process.

    Args:
        intake: where to send.
        sender: what is equal in everything.
        patience: seconds that one call may take. Only the system's resolver of names cannot be kept to it.
        clock: seconds; for tests.
        jitter: 0 to 1; for tests.
    """

    def __init__(
        self,
        intake: Intake,
        sender: Sender,
        *,
        patience: float = PATIENCE,
        clock: Callable[[], float] = time.monotonic,
        jitter: Callable[[], float] = random,
    ) -> None:
        self._intake, self._sender = intake, sender
        self._patience, self._clock, self._jitter = patience, clock, jitter
        self._trouble, self._losses = LogOnce(log), LogOnce(log)
        self._held: deque[Payload] = deque()
        self._dropped = 0
        self._failures = 0
        self._retry_at = clock()
        self._last_second = 0

    @property
    def dropped(self) -> int:
        return self._dropped

    def send(self, batch: MetricBatch, now: float) -> None:
        """Send a page, after what still waits."""
        # A last page may follow within the second of the one before.
        self._last_second = at = max(int(now), self._last_second + 1)
        self._hold(SERIES, series(batch.records, self._sender, at), at)
        self._hold(DISTRIBUTIONS, distributions(batch.distributions, self._sender, at), at)
        self._hold(CHECKS, checks(batch.checks, self._sender, at), at)
        self._forget(now)
        self._deliver(self._patience)

    def check(self, result: ServiceCheck, now: float) -> None:
        """Send a service check, after what still waits."""
        self._hold(CHECKS, checks([result], self._sender, int(now)), now)
        self._forget(now)
        self._deliver(self._patience)

    def close(self, timeout: float) -> None:
        """Try everything that waits once more; what fails now is lost."""
        self._retry_at = self._clock()
        self._deliver(timeout)
        self._drop(sum(payload.values for payload in self._held), "could not be sent to Datadog before the end")
        self._held.clear()

    def _hold(self, kind: Kind, items: Sequence[bytes], at: float) -> None:
        made = [*payloads(kind, items, at)]
        self._held += made
        self._drop(len(items) - sum(payload.values for payload in made), "are larger than Datadog takes")

    def _forget(self, now: float) -> None:
        """Drop what is too much or too old."""
        size = sum(len(payload.body) for payload in self._held)
        kept: deque[Payload] = deque()
        for payload in self._held:
            if size > MOST_HELD or now - payload.at > payload.kind.oldest:
                size -= len(payload.body)
                self._drop(payload.values, "waited too long to be sent to Datadog, or too many others did")
            else:
                kept.append(payload)
        self._held = kept

    def _deliver(self, patience: float) -> None:
        deadline = self._clock() + patience
        while self._held and self._clock() >= self._retry_at:
            left = deadline - self._clock()
            if left < _SHORTEST_TRY:
                return
            payload = self._held[0]
            try:
                answer = self._intake.post(payload, left)
            except FetchError as error:
                if error.sent and not payload.kind.repeatable:
                    self._held.popleft()
                    self._drop(payload.values, "may or may not have reached Datadog, and are not sent twice")
                self._back_off(f"metrics cannot be sent to Datadog, and wait: {error}", 0.0)
            else:
                self._read(payload, answer)

    def _read(self, payload: Payload, answer: Answer) -> None:
        status = answer.status
        if status in _LATER or status >= 500:  # noqa: PLR2004
            self._back_off(f"Datadog takes no metrics at the moment (status {status}); they wait", answer.retry_after)
            return
        self._failures = 0
        self._held.popleft()
        if status == _TOO_LARGE and (both := halves(payload)):
            self._held.extendleft(reversed(both))
        elif status in {401, 403}:
            self._drop(payload.values, f"are refused (status {status}): check DD_API_KEY and DD_SITE")
        elif status >= 300:  # noqa: PLR2004
            self._drop(payload.values, f"are refused by {payload.kind.path} (status {status}): {answer.reason}", status)
        else:
            self._trouble.over("Datadog takes metrics again")

    def _back_off(self, text: str, retry_after: float) -> None:
        self._trouble.warning("trouble", "%s", text)
        longest = min(LONGEST_BACK_OFF, _FIRST_BACK_OFF * 2.0 ** min(self._failures, 10))
        self._failures += 1
        self._retry_at = self._clock() + max(longest * (1 + self._jitter()) / 2, min(retry_after, LONGEST_BACK_OFF))

    def _drop(self, values: int, why: str, kind: Hashable = None) -> None:
        if values:
            self._dropped += values
            self._losses.warning(kind or why, "%d values %s; they are lost", values, why)
