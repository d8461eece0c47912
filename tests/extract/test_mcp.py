"""The reading of calls of MCP tools."""

import pytest

from ddtrace_litellm.extract import mcp


class Manager:
    """LiteLLM's manager of servers, which wants a name."""

    def get_mcp_server_by_name(self, name):
        """Know none."""
        assert isinstance(name, str)


@pytest.mark.parametrize(
    ("arguments", "server"),
    [
        ({"server_name": "weather"}, {"mcp_server_name": "weather"}),
        ({"server_name": "weather", "self": object()}, {"mcp_server_name": "weather"}),
        ({"server_name": None, "self": Manager()}, {}),
    ],
    ids=["no manager", "another object", "no name"],
)
def test_server_that_no_configuration_knows(arguments, server):
    """The call of its tool is read all the same."""
    found = mcp.read_input({**arguments, "name": "forecast", "arguments": {"city": "Oslo"}})
    assert found.annotations == {"input_value": '{"city": "Oslo"}'}
    assert found.tags == {"mcp_tool": "forecast", "mcp_tool_kind": "client", **server}
