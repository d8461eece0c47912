"""Tool definitions, tool calls and tool results, in LLM Observability's shapes."""

import json
from dataclasses import dataclass
from typing import Any

from ddtrace_litellm.extract.fields import field, sequence, text_field


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A call the model asked for.

    Attributes:
        name: the function's name.
        arguments: as the model wrote them, JSON text as a rule.
        tool_id: the provider's id of the call, ``""`` for the legacy ``function_call``.
        type: ``function`` or ``custom``.
    """

    name: str
    arguments: str
    tool_id: str = ""
    type: str = "function"

    def as_message_part(self) -> dict[str, Any]:
        """Return LLM Observability's ``ToolCall``, with parsed arguments."""
        return {
            "name": self.name,
            "arguments": parse_arguments(self.arguments),
            "tool_id": self.tool_id,
            "type": self.type,
        }


def parse_arguments(text: str) -> dict[str, Any]:
    """Return the arguments as a dict; what is no JSON object comes back whole, under ``value``."""
    if not text:
        return {}
    try:
        parsed = json.loads(text)
    except ValueError:
        parsed = text
    return parsed if isinstance(parsed, dict) else {"value": parsed}


def tool_calls_from(message: Any) -> list[ToolCall]:
    """Read ``tool_calls`` and the legacy ``function_call`` of a request's or a response's message."""
    calls = [_tool_call(raw) for raw in sequence(field(message, "tool_calls"))]
    legacy = field(message, "function_call")
    if legacy:
        calls.append(ToolCall(name=text_field(legacy, "name"), arguments=_arguments_text(legacy)))
    return calls


def _tool_call(raw: Any) -> ToolCall:
    function = field(raw, "function") or field(raw, "custom") or {}
    return ToolCall(
        name=text_field(function, "name"),
        arguments=_arguments_text(function),
        tool_id=text_field(raw, "id"),
        type=text_field(raw, "type") or "function",
    )


def _arguments_text(function: Any) -> str:
    arguments = field(function, "arguments")
    if arguments is None:
        arguments = field(function, "input")
    return json.dumps(arguments, default=str) if isinstance(arguments, (dict, list)) else str(arguments or "")


def tool_definitions_from(tools: Any, functions: Any) -> list[dict[str, Any]] | None:
    """Read the ``tools`` and ``functions`` of a request; ``None`` where it offers none."""
    definitions = [_definition(tool) for tool in (*sequence(tools), *sequence(functions))]
    return [definition for definition in definitions if definition["name"]] or None


def _definition(tool: Any) -> dict[str, Any]:
    function = field(tool, "function") or field(tool, "custom") or tool
    schema = field(function, "parameters") or field(function, "input_schema") or field(function, "format")
    return {
        # A tool that the provider runs (web search, ...) has a type and no name.
        "name": text_field(function, "name") or text_field(tool, "type"),
        "description": text_field(function, "description"),
        "schema": schema if isinstance(schema, dict) else {},
    }
