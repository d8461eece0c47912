"""What keeps servers of 127.0.0.1 to this machine's own pages, as a middleware of aiohttp."""

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

_NAMES = frozenset({"127.0.0.1", "::1", "localhost"})
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@web.middleware
async def here_only(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Refuse what a page of another site asks for under a name of its own.

    Whoever has a browser look up that name as 127.0.0.1 (DNS rebinding) would read what was said.
    """
    try:
        name = urlsplit(f"//{request.headers.get('Host', '')}").hostname
    except ValueError:
        name = None
    return await handler(request) if name in _NAMES else web.Response(status=403, text="not here\n")
