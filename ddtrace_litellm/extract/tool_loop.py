"""Loops of LiteLLM's that ask a model, run the tools that it chooses, and ask again, until it answers."""

from typing import Any

from ddtrace_litellm.extract import chat
from ddtrace_litellm.extract.api import Api, Arguments, Input, Output
from ddtrace_litellm.extract.fields import text_of


def read_input(arguments: Arguments) -> Input:
    """Read what a chat asks; and of the agent its model, the names of its tools and how often it may ask."""
    read = chat.read_input(arguments)
    tools = [{"name": tool["name"]} for tool in read.annotations.get("tool_definitions", ())]
    manifest: dict[str, Any] = {"framework": "LiteLLM", "model": text_of(arguments.get("model")), "tools": tools}
    if type(rounds := arguments.get("max_rounds")) is int:
        manifest["max_iterations"] = rounds
    return Input(read.annotations, manifest=manifest)


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Read the last answer, a text."""
    return Output({"output_messages": [{"role": "assistant", "content": text_of(response)}] if response else []})


API = Api(
    name="tool loop",
    kind="agent",
    parameters=chat.API.parameters | {"max_rounds"},
    read_input=read_input,
    read_response=read_response,
    asks_provider=False,
)
