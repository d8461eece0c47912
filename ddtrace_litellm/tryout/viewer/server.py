"""The page's server on 127.0.0.1, in a thread of its own: it sends what is new as it arrives."""

import asyncio
import json
import secrets
import threading
from contextlib import suppress
from types import TracebackType
from typing import Any

from aiohttp import web

from ddtrace_litellm.tryout.errors import TryoutError
from ddtrace_litellm.tryout.loopback import here_only
from ddtrace_litellm.tryout.metrics import Metrics
from ddtrace_litellm.tryout.received import Received
from ddtrace_litellm.tryout.viewer import view
from ddtrace_litellm.tryout.viewer.page import policy, static

_PAUSE_SECONDS = 0.5
_STOP_SECONDS = 0.1
_HEADERS = {
    "Content-Security-Policy": policy(script="'self'", style="'self'", connect="'self'") + "; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Viewer:
    """The viewer of one tryout, as a context manager. Only who knows the URL sees anything.

    Args:
        received: what it shows.

    Raises:
        TryoutError: its server could not be started.
    """

    def __init__(self, received: Received) -> None:
        self._received = received
        self._token = secrets.token_urlsafe(16)
        self._rows: dict[str, tuple[int, dict[str, Any]]] = {}
        self._version = self._taken = 0
        self._metrics = Metrics()
        self._metrics_version = 0
        self._status: int | None = None
        self._status_shown: int | None = None
        self._port = 0
        self._problem: Exception | None = None
        self._started, self._stop = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run, name="ddtrace-litellm-viewer", daemon=True)

    def __enter__(self) -> "Viewer":
        self._thread.start()
        self._started.wait()
        if self._problem is not None:
            raise TryoutError(f"the viewer could not be started: {self._problem!r}") from self._problem
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stop.set()
        self._thread.join()

    @property
    def url(self) -> str:
        """The page's URL."""
        return f"http://127.0.0.1:{self._port}/{self._token}/"

    def program_ended(self, status: int) -> None:
        """Show that the program has ended, and how."""
        self._status = status

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except Exception as error:
            if self._started.is_set():
                raise  # which Python shows: the page says that it has ended, and the tryout goes on
            self._problem = error
            self._started.set()

    async def _serve(self) -> None:
        self._changed = asyncio.Condition()
        page = web.Application()
        page.add_routes(
            [
                *(web.get(f"/{name}", _static) for name in ("", "viewer.css", "viewer.js")),
                web.get("/events", self._events),
                web.get("/traces/{id}", self._trace),
                web.get("/metrics", self._all_metrics),
            ]
        )
        app = web.Application(middlewares=[here_only])
        app.add_subapp(f"/{self._token}/", page)
        app.on_response_prepare.append(_add_headers)
        # A page that stays open must not hold up the end.
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=_STOP_SECONDS)
        await runner.setup()
        try:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            self._port = runner.addresses[0][1]
            self._started.set()
            while not self._stop.is_set():
                await self._look()
                await asyncio.sleep(_PAUSE_SECONDS)
        finally:
            await runner.cleanup()

    async def _look(self) -> None:
        """See what is new, and wake those who wait for it."""
        rows, metrics, status = await asyncio.to_thread(self._read), self._received.metrics(), self._status
        if not rows and metrics == self._metrics and status == self._status_shown:
            return
        async with self._changed:
            self._version += 1
            self._rows.update((row["id"], (self._version, row)) for row in rows)
            if metrics != self._metrics:
                self._metrics, self._metrics_version = metrics, self._version
            self._status_shown = status
            self._changed.notify_all()

    def _read(self) -> list[dict[str, Any]]:
        # An agent that is busy is asked again.
        with suppress(TryoutError):
            self._received.refresh()
        self._taken, traces = self._received.since(self._taken)
        return [view.row(trace) for trace in traces]

    async def _events(self, request: web.Request) -> web.StreamResponse:
        """Send the rows that change. The browser asks again by itself, and says what it has seen."""
        response = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await response.prepare(request)
        last = request.headers.get("Last-Event-ID", "")
        seen = int(last) if last.isdecimal() else -1
        while True:
            async with self._changed:
                await self._changed.wait_for(lambda: self._version > seen)  # noqa: B023 - called before the next turn
            news = {
                "status": self._status_shown,
                "metrics": self._metrics_version,
                "metric_count": len(self._metrics.points) + len(self._metrics.checks),
                "rows": [row for version, row in self._rows.values() if version > seen],
            }
            seen = self._version
            await response.write(f"id: {seen}\ndata: {json.dumps(news)}\n\n".encode())

    async def _trace(self, request: web.Request) -> web.Response:
        trace = self._received.trace(request.match_info["id"])
        if trace is None:
            raise web.HTTPNotFound
        return web.json_response(await asyncio.to_thread(view.detail, trace))

    async def _all_metrics(self, _request: web.Request) -> web.Response:
        return web.json_response(await asyncio.to_thread(view.metrics, self._metrics))


async def _static(request: web.Request) -> web.Response:
    text, content_type = static(request.path.rpartition("/")[2] or "index.html")
    return web.Response(text=text, content_type=content_type)


async def _add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(_HEADERS)
