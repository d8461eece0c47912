"""A tool that a loop of LiteLLM's runs for a model: what the model asked, and what it is told."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.extract.api import Api, Arguments, Input, Output
from ddtrace_litellm.extract.content import content_from
from ddtrace_litellm.extract.fields import field, fields_of, text_of
from ddtrace_litellm.extract.tools import ToolCall, json_text


def read_input(arguments: Arguments) -> Input:
    """Read the tool's name, and its arguments as the model wrote them."""
    called = _called(arguments)
    return Input({"input_value": called.arguments}, name=called.name)


def read_response(response: Any, arguments: Arguments) -> Output:
    """Read the message that the model gets, role ``tool``."""
    return Output({"output_value": content_from(field(response, "content")).text}, ran=(_called(arguments),))


def _called(arguments: Arguments) -> ToolCall:
    call = fields_of(arguments.get("tool_call"))
    function: Mapping[str, Any] = fields_of(call.get("function"))
    return ToolCall(text_of(function.get("name")), json_text(function.get("arguments")), text_of(call.get("id")))


API = Api(
    name="tool",
    kind="tool",
    parameters=frozenset(),
    read_input=read_input,
    read_response=read_response,
    asks_provider=False,
)
