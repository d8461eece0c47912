"""An agent of a shop: the model, and the MCP server whose tools it has, are behind the proxy at $PROXY_URL."""

import asyncio
import json
import os

import litellm
from litellm.mcp_client.client import MCPClient
from mcp.types import CallToolRequestParams

URL, KEY = os.environ["PROXY_URL"], os.environ["PROXY_KEY"]
QUESTION = "Please have order A1042 picked up. My number is 555-1234."


def tool(name, *parameters):
    """Return the definition of a tool whose parameters are texts."""
    properties = {parameter: {"type": "string"} for parameter in parameters}
    schema = {"type": "object", "properties": properties, "required": parameters}
    return {"type": "function", "function": {"name": name, "parameters": schema}}


def execute(call):
    """Call a tool through the proxy."""
    client = MCPClient(server_url=f"{URL}/mcp/", transport_type="http", auth_type="bearer_token", auth_value=KEY)
    asked = CallToolRequestParams(name=f"shop-{call.function.name}", arguments=json.loads(call.function.arguments))
    result = asyncio.run(client.call_tool(asked))
    return {"role": "tool", "tool_call_id": call.id, "content": result.content[0].text}


answer = litellm.run_tool_loop(
    model="openai/chat",
    messages=[{"role": "user", "content": QUESTION}],
    tools=[tool("find_order", "order"), tool("book_pickup", "order", "day")],
    execute_tool=execute,
    api_base=URL,
    api_key=KEY,
    extra_body={"guardrails": ["masks"]},
)
print(answer)
