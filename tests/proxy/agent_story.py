"""What an agent needs around it: a model that it asks three times, a server of its tools, a guardrail that masks."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.mcp_server import mcp_server
from tests.presidio import Presidio
from tests.provider import Behaviour, Provider, Request, Script, ToolCall, Usage
from tests.proxy.configuration import configuration

SERVER_KEY = "mcp-server-secret-7d6c5b4a3928"
COST = 0.02
"""US dollars, of a forecast."""
ANSWER = "Your parcel is picked up on Thursday."
ROUNDS = (
    Script(delay=0.3, tool_calls=(ToolCall("call_1", "find_order", '{"order": "A1042"}'),), usage=Usage(120, 18)),
    Script(
        delay=0.4,
        tool_calls=(ToolCall("call_2", "book_pickup", '{"order": "A1042", "day": "Thursday"}'),),
        usage=Usage(164, 24),
    ),
    Script(delay=0.3, text=ANSWER, usage=Usage(203, 9)),
)


class Rounds(Provider):
    """A model that asks for one tool after the other, then answers."""

    def behaviour(self, request: Request) -> Behaviour:
        """Choose by how many results it has been told."""
        return ROUNDS[sum(message["role"] == "tool" for message in request.body.get("messages", ()))]


def find_order(order: str) -> str:
    """Find an order."""
    return json.dumps({"order": order, "state": "delivered", "returnable": True})


def book_pickup(order: str, day: str) -> str:
    """Have a parcel picked up."""
    return f"Order {order} is picked up on {day}."


def forecast(city: str) -> str:
    """Tell the weather."""
    if city == "Atlantis":
        raise ValueError("There is no Atlantis.")
    return f"Rain in {city}."


@contextmanager
def weather() -> Iterator[dict[str, Any]]:
    """Run another MCP server, which wants a key and a price; yield it as a part of a proxy's configuration."""
    with mcp_server(forecast=forecast) as url:
        yield {
            "url": url,
            "transport": "http",
            "allow_all_keys": True,
            "auth_type": "bearer_token",
            "auth_value": SERVER_KEY,
            "mcp_info": {"server_name": "weather", "mcp_server_cost_info": {"default_cost_per_query": COST}},
        }


@contextmanager
def surroundings() -> Iterator[tuple[Provider, dict[str, Any]]]:
    """Run all of it; yield the provider, and the configuration of a proxy before it."""
    with mcp_server(find_order=find_order, book_pickup=book_pickup) as url, Rounds() as upstream, Presidio() as masks:
        shop = {"url": url, "transport": "http", "allow_all_keys": True, "mcp_info": {"server_name": "shop"}}
        yield upstream, {**configuration(upstream.url, masks.url), "mcp_servers": {"shop": shop}}
