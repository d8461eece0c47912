"""A real MCP server on loopback, over streamable HTTP, of the ``mcp`` package that is installed (1 or 2)."""

import importlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import pytest
import uvicorn

from tests import asgi_server


def _server_class() -> Any:
    try:
        from mcp.server import MCPServer  # mcp 2
    except ImportError:
        # mcp 1; of mcp 2 under ddtrace 4.8 to 4.12 the first import fails.
        return pytest.importorskip("mcp.server.fastmcp", exc_type=ImportError).FastMCP
    return MCPServer


def _app(tools: dict[str, Callable[..., Any]]) -> Any:
    server = _server_class()("tests")
    for name, function in tools.items():
        server.add_tool(function, name=name)
    return server.streamable_http_app()


@contextmanager
def mcp_server(**tools: Callable[..., Any]) -> Iterator[str]:
    """Serve functions as MCP tools by their names; yield the URL of the server."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        config = uvicorn.Config(_app(tools), log_level="error", ws="none", lifespan="on")
        server = uvicorn.Server(config)
        thread = asgi_server.start(server, listening)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}/mcp"
        finally:
            server.should_exit = True
            thread.join()


def litellm_manager() -> Any:
    """Return LiteLLM's manager of MCP servers; skip where this LiteLLM has none that can be loaded."""
    for package in ("mcp_server", "_experimental.mcp_server"):  # from 1.109, before
        with suppress(ImportError):
            return importlib.import_module(f"litellm.proxy.{package}.mcp_server_manager").global_mcp_server_manager
    return pytest.skip("this LiteLLM cannot load its manager of MCP servers")
