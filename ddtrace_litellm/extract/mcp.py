"""Calls of tools of MCP servers, through LiteLLM's client and through its manager of servers."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.extract.api import Api, Arguments, Input, Output
from ddtrace_litellm.extract.fields import field, fields_of, number, text_of
from ddtrace_litellm.extract.metadata import of_caller
from ddtrace_litellm.extract.plain import abridged, plain
from ddtrace_litellm.extract.tools import ToolCall, json_text, parse_arguments


def read_input(arguments: Arguments) -> Input:
    """Read which tool of which server is called, and with what.

    Server and tool are named as ddtrace's own integration of MCP names them (4.16).
    """
    name, server = _name(arguments), _server_name(arguments)
    tags = {"mcp_tool": name, "mcp_tool_kind": "client", "mcp_server_name": server}
    return Input(
        {"input_value": _arguments_text(arguments)},
        name=f"MCP Client Tool Call: {name}",
        tags={tag: value for tag, value in tags.items() if value},
    )


def read_response(response: Any, arguments: Arguments) -> Output:
    """Read a ``CallToolResult`` (mcp 1 and 2), or the contents alone."""
    return Output({"output_value": _said(response)}, ran=_ran(arguments), cost=_cost(arguments))


def read_error(response: Any) -> tuple[str, str] | None:
    """Return what a tool says that has failed: it raises nothing."""
    fields = fields_of(response)
    failed = fields.get("is_error") or fields.get("isError")  # mcp 2, mcp 1
    return ("ToolError", _said(response)) if failed is True else None


def identity(arguments: Arguments) -> dict[str, Any]:
    """Return who calls, as LiteLLM's metadata of a call to a model has it."""
    found, headers = of_caller(arguments.get("user_api_key_auth")), arguments.get("raw_headers")
    return {**found, "headers": headers} if isinstance(headers, dict) else found


def is_call_of(chosen: ToolCall, arguments: Arguments) -> bool:
    """Whether the call is how a tool is run that a model has chosen: the same arguments, and the same tool.

    Either may have the server's name before the tool's.
    """
    asked, (*_, called) = chosen.name, _ran(arguments)
    same = asked == called.name or asked.endswith(f"-{called.name}") or called.name.endswith(f"-{asked}")
    return same and parse_arguments(chosen.arguments) == parse_arguments(called.arguments)


def address(arguments: Arguments) -> str:
    """Return where LiteLLM's client asks, ``""`` for any other call."""
    return text_of(field(arguments.get("self"), "server_url"))


def _asked(arguments: Arguments) -> Mapping[str, Any]:
    """Return the fields that say which tool is called with what."""
    parameters = arguments.get("call_tool_request_params")  # of LiteLLM's client, mcp's own object
    if parameters is not None:
        return fields_of(parameters)
    chosen = field(arguments.get("openai_tool"), "function")
    return fields_of(chosen) if chosen is not None else arguments


def _name(arguments: Arguments) -> str:
    return text_of(_asked(arguments).get("name"))


def _arguments_text(arguments: Arguments) -> str:
    return json_text(plain(_asked(arguments).get("arguments")))


def _server_name(arguments: Arguments) -> str:
    named = text_of(field(_server_info(arguments), "server_name") or arguments.get("server_name"))
    if named:
        return named
    # Of an address no more than the host: the rest may be secret.
    return address(arguments).partition("://")[2].partition("/")[0].rpartition("@")[2]


def _server_info(arguments: Arguments) -> Any:
    """Return what LiteLLM's configuration says of the server, its ``mcp_info``."""
    find, name = getattr(arguments.get("self"), "get_mcp_server_by_name", None), arguments.get("server_name")
    return field(find(name), "mcp_info") if callable(find) and isinstance(name, str) else None


def _cost(arguments: Arguments) -> float | None:
    """Return what LiteLLM charges for the tool, US dollars; ``None`` where its configuration has no price.

    Read as ``MCPCostCalculator`` does, which takes a logging object that not every version hands on (1.85 to 1.110).
    """
    info = field(_server_info(arguments), "mcp_server_cost_info")
    own = number(field(field(info, "tool_name_to_cost_per_query"), _name(arguments)))
    return own if own is not None else number(field(info, "default_cost_per_query"))


def _ran(arguments: Arguments) -> tuple[ToolCall, ...]:
    """Return the tool call under each name by which a model may have chosen it: with the server's before it, too."""
    name, text, server = _name(arguments), _arguments_text(arguments), text_of(arguments.get("server_name"))
    tool_id = text_of(field(arguments.get("openai_tool"), "id"))
    names = (f"{server}-{name}", name) if server else (name,)
    return tuple(ToolCall(known_as, text, tool_id) for known_as in names)


def _said(response: Any) -> str:
    """Return the texts of a result; where it has none, its structured content."""
    contents = response if isinstance(response, list) else field(response, "content")
    parts = [_part(fields_of(part)) for part in abridged(contents, "content")]
    if parts:
        return "\n".join(parts)
    structured = field(response, "structured_content") or field(response, "structuredContent")
    return json_text(plain(structured)) if structured else ""


def _part(part: Mapping[str, Any]) -> str:
    text = part.get("text") or field(part.get("resource"), "text")
    if isinstance(text, str):
        return text
    mime_type = text_of(part.get("mime_type") or part.get("mimeType"))
    return f"[{' '.join(filter(None, (text_of(part.get('type')), mime_type)))}]"


API = Api(
    name="mcp",
    kind="tool",
    parameters=frozenset(),
    read_input=read_input,
    read_response=read_response,
    read_error=read_error,
    identity=identity,
    address=address,
    asks_provider=False,
)
