"""Starts the scraper in the user's process, keeps it right across forks, and ends it with the process.

Most of what a scraper needs is imported by the thread that starts it, as ``import litellm`` is slow enough.

* Each process that a fork makes gets scrapers of its own, with nothing in their memory of what the parent counted.
  uWSGI tells Python of its forks only with ``py-call-uwsgi-fork-hooks``; without it, it needs ``lazy-apps``, and
  ``enable-threads`` in any case.
* With gevent's ``monkey.patch_all()`` the thread is a greenlet, as every other is: the locks that it shares with the
  program are gevent's.
* At the end of the process there is one last scrape, for which it waits 5 s at most. SIGTERM, which under ddtrace
  leaves Python's ``atexit`` out, is answered by one too, before whatever else answers it, which waits as long, with an
  endpoint 2 s at most; a server that first ends its requests is scraped at short intervals from then on. What a process
  counted since the last scrape is lost if it ends otherwise: by SIGKILL or ``os._exit``, as the forks of
  ``multiprocessing`` do.
"""

from __future__ import annotations

import atexit
import logging
import os
import sys
import threading
import time
from contextlib import suppress
from functools import cache

from ddtrace_litellm import masking
from ddtrace_litellm.config import OpenMetricsConfig

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from ddtrace_litellm.openmetrics.process.scraper import Scraper
    from ddtrace_litellm.openmetrics.sources.registry import RegistrySource

log = logging.getLogger("ddtrace.litellm.openmetrics")

_DATADOG = "datadog.dogstatsd.base"
_SECONDS_AT_EXIT = 5.0
_SECONDS_AT_SIGNAL = 2.0
_SECONDS_BEFORE_FORK = 5.0
_MOMENT = 0.01


class _Scrapers:
    """The scrapers of one process, each with a thread.

    Args:
        config: what the variables say.
        registry: the metrics of this process, where there may be some.
        since: since when they were not sent yet, in seconds since 1970.
        forked: this process is a copy of another one with scrapers.
    """

    def __init__(
        self, config: OpenMetricsConfig, registry: RegistrySource | None, *, since: float = 0.0, forked: bool = False
    ) -> None:
        self._config, self._registry, self._since, self._forked = config, registry, since, forked
        self._scrapers: list[Scraper] = []
        self._built = False
        # A lock that is held during a fork, of a module's import or of a metric in the registry, is held in the child
        # for ever, and what the child waits with for it is the user's own call.
        self._no_fork = threading.Lock()
        self._forking = threading.local()
        _thread(self._run).start()

    def of_fork(self) -> _Scrapers:
        """Return those of the process that was forked; the registry knows what this one counted."""
        return _Scrapers(self._config, self._registry, forked=True)

    def _run(self) -> None:
        try:
            with self._no_fork:
                from ddtrace_litellm.openmetrics.process import build

                process = build.Process(self._registry, self._since, self._forked, self._no_fork)
                self._scrapers = build.scrapers(self._config, process)
        except Exception as error:
            _complain(error)
        finally:
            self._built = True
        # The first has this thread: at the end of a process that was shorter than all this, no other can start.
        with suppress(RuntimeError):
            for scraper in self._scrapers[1:]:
                _thread(scraper.run).start()
        for scraper in self._scrapers[:1]:
            scraper.run()

    def ask(self, timeout: float, *, last: bool) -> None:
        """Have every scraper scrape now, as ``Scraper.ask`` describes it, and wait for it."""
        deadline = time.monotonic() + timeout
        # Not an event to wait for: the lock in it may be held by what a signal's handler interrupts.
        while not self._built and time.monotonic() < deadline:
            time.sleep(_MOMENT)
        done = [scraper.ask(deadline, last=last) for scraper in self._scrapers]
        for each in done:
            each.wait(max(0.0, deadline - time.monotonic()))

    def at_signal(self) -> None:
        """Have them scrape before a signal is answered otherwise."""
        # Shorter for an endpoint: if it is this process' own, it cannot answer while its main thread waits here.
        self.ask(_SECONDS_AT_SIGNAL if self._registry is None else _SECONDS_AT_EXIT, last=False)

    def before_fork(self) -> None:
        prepared = _datadog_is_ready()
        self._forking.held = self._no_fork.acquire(timeout=_SECONDS_BEFORE_FORK)
        if not prepared and _datadog_is_ready():
            # It came while this waited, and of its hooks, which belong together, Python would call the other ones only.
            sys.modules[_DATADOG].pre_fork()

    def after_fork(self) -> None:
        if getattr(self._forking, "held", False):
            self._no_fork.release()


def _thread(target: Callable[[], None]) -> threading.Thread:
    return threading.Thread(target=target, name="ddtrace-litellm-openmetrics", daemon=True)


def _datadog_is_ready() -> bool:
    return hasattr(sys.modules.get(_DATADOG), "statsd")


_running: list[_Scrapers] = []
"""None or one."""
_stopped: list[bool] = []
"""Not empty if something ran before: then part of what the registry has was sent."""


def start(config: OpenMetricsConfig) -> None:
    """Start what the configuration asks for, unless something runs already. Returns at once and never raises."""
    if _running:
        return
    try:
        # Not in the thread: filelock's import registers hooks for forks, and a fork in its midst, of which they see the
        # second half alone, is an error on stderr (filelock 4.3).
        import filelock  # noqa: F401

        registry = None
        if not config.endpoint:
            from ddtrace_litellm.openmetrics.sources.registry import RegistrySource

            # Now, before LiteLLM's metrics are made; and before the hook, as in a fork it has to learn of that first.
            registry = RegistrySource()
        _hook()
        _running.append(_Scrapers(config, registry, since=time.time() if _stopped else 0.0))
        atexit.register(stop)
    except Exception as error:
        _complain(error)


def stop(timeout: float = _SECONDS_AT_EXIT) -> None:
    """Scrape a last time, deliver everything and end.

    Args:
        timeout: seconds that it may take.
    """
    while _running:
        atexit.unregister(stop)
        _running.pop().ask(timeout, last=True)
        _stopped[:] = [True]


def _complain(error: Exception) -> None:
    log.warning("the metrics of LiteLLM are not scraped: %s", masking.reason(error))
    log.debug("start of the scraper\n%s", masking.raised_at(error))


@cache
def _hook() -> None:
    """Be told of forks and of SIGTERM; once, as neither can be left again."""
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=_before_fork, after_in_parent=_after_fork, after_in_child=_in_child)
    from ddtrace_litellm import _ddtrace

    _ddtrace.on_sigterm(scrape_now)


def _before_fork() -> None:
    for scrapers in _running:
        scrapers.before_fork()


def _after_fork() -> None:
    for scrapers in _running:
        scrapers.after_fork()


def _in_child() -> None:
    try:
        _running[:] = [scrapers.of_fork() for scrapers in _running]
    except Exception as error:  # no thread can start: the parent is at its end
        log.debug("the metrics of LiteLLM are not scraped in a fork\n%s", masking.raised_at(error))


def scrape_now() -> None:
    """Scrape, and at short intervals from then on: the process is about to end, but may answer requests before."""
    try:
        for scrapers in _running:
            scrapers.at_signal()
    except Exception as error:  # gevent may handle signals where nothing may wait
        log.debug("no scrape at SIGTERM\n%s", masking.raised_at(error))
