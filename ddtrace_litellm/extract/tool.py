"""A tool that a loop of LiteLLM's runs for a model: what the model asked, and what it is told."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.extract.api import Api, Arguments, Input, Output
from ddtrace_litellm.extract.content import content_from
from ddtrace_litellm.extract.fields import field, fields_of, text_of
from ddtrace_litellm.extract.plain import plain
from ddtrace_litellm.extract.tools import ToolCall, json_text


def read_input(arguments: Arguments) -> Input:
    """Read the tool's name, and its arguments as the model wrote them."""
    tool_call = called(arguments)
    return Input({"input_value": tool_call.arguments}, name=tool_call.name)


def read_response(response: Any, arguments: Arguments) -> Output:
    """Read the message that the model gets, role ``tool``, or what an agent of LiteLLM's makes one of."""
    return Output({"output_value": _said(response)}, ran=(called(arguments),))


def read_error(response: Any) -> tuple[str, str] | None:
    """Return what a tool has raised: an agent of LiteLLM's tells the model of it, and goes on."""
    return ("ToolError", _said(response)) if getattr(response, "is_error", None) is True else None


def _said(response: Any) -> str:
    output = getattr(response, "output", None)  # of an object with slots
    return output if isinstance(output, str) else content_from(field(response, "content")).text


def called(arguments: Arguments) -> ToolCall:
    """Return what the model has chosen."""
    if (name := arguments.get("tool_name")) is not None:
        return ToolCall(text_of(name), json_text(plain(arguments.get("arguments"))))
    call = fields_of(arguments.get("tool_call"))
    function: Mapping[str, Any] = fields_of(call.get("function"))
    asked = json_text(plain(function.get("arguments")))
    return ToolCall(text_of(function.get("name")), asked, text_of(call.get("id")))


API = Api(
    name="tool",
    kind="tool",
    parameters=frozenset(),
    read_input=read_input,
    read_response=read_response,
    read_error=read_error,
    asks_provider=False,
)
