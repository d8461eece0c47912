"""The proxy as a gateway to MCP servers: a tool's event for each call, with its caller."""

import asyncio
import importlib
from contextlib import suppress

import pytest

from ddtrace_litellm.tryout.traces import Span
from tests.proxy.agent_story import COST, SERVER_KEY
from tests.proxy.arrivals import Arrivals, leaves
from tests.proxy.configuration import CALLER_HASH, CALLER_KEY, SECRETS

pytestmark = pytest.mark.e2e


def _client(url, mark):
    for package in ("mcp_client", "experimental_mcp_client"):  # from 1.109, before
        with suppress(ImportError):
            return importlib.import_module(f"litellm.{package}.client").MCPClient(
                server_url=f"{url}/mcp/",
                transport_type="http",
                auth_type="bearer_token",
                auth_value=CALLER_KEY,
                extra_headers={"x-test-id": mark},
            )
    return pytest.skip("this LiteLLM has no client of MCP servers that can be loaded")


def _tools(traces) -> list[Span]:
    return [span for trace in traces for span in trace.llm_spans() if span.llm.kind == "tool"]


@pytest.mark.parametrize("city", ["Paris", "Atlantis"], ids=["answers", "fails"])
def test_tool_through_the_gateway(city, gateway, agent):
    """One event with server, arguments, result, price and caller, beneath the web request; no key is anywhere."""
    arrivals, mark = Arrivals(agent), f"mcp-{city}"
    parameters = importlib.import_module("mcp.types").CallToolRequestParams(
        name="weather-forecast", arguments={"city": city}
    )
    result = asyncio.run(_client(gateway.proxy.url, mark).call_tool(parameters))
    traces = arrivals.wait(mark, until=lambda _: bool(_tools(arrivals.traces(mark))))
    (tool,) = _tools(traces)
    assert tool.llm.name == "MCP Client Tool Call: forecast"
    assert tool.llm.input["value"] == f'{{"city": "{city}"}}'
    assert tool.llm.output["value"] == result.content[0].text
    assert tool.llm.metrics == {"total_cost": COST}
    assert (tool.llm.tags["mcp_server_name"], tool.llm.tags["mcp_tool"]) == ("weather", "forecast")
    assert tool.llm.tags["hashed_api_key"] == CALLER_HASH
    assert (tool.error is None) is (city == "Paris")
    assert all(not leaves(trace) and trace.lost_parents == () for trace in traces)
    assert arrivals.leaked((*SECRETS, SERVER_KEY)) == set()
