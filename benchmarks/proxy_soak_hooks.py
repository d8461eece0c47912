"""A route of the soaked proxy that says what is left in its worker.

Its configuration names the tests' authentication as this module's, so that the proxy imports it.
"""

import os

from hooks import authenticate
from left_over import left_over
from litellm.proxy.proxy_server import app
from starlette.responses import JSONResponse
from starlette.routing import Route

__all__ = ["authenticate"]


async def _left(_request):
    return JSONResponse({"pid": os.getpid(), **left_over()})


app.router.routes.insert(0, Route("/left", _left))
