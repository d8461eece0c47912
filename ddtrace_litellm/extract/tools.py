"""Tool definitions, tool calls and tool results, in LLM Observability's shapes."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ddtrace_litellm.extract.fields import fields_of, sequence, text_of
from ddtrace_litellm.extract.plain import abridged

TOOL_RESULT = "tool_result"
"""The type of a result, where the API has no word of its own for it."""


MAX_JSON_CHARS = 200_000
"""Characters of arguments that are parsed; longer ones stay text."""


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
    if len(text) > MAX_JSON_CHARS:
        return {"value": text}
    try:
        parsed = json.loads(text)
    except (ValueError, RecursionError):
        parsed = text
    return parsed if isinstance(parsed, dict) else {"value": parsed}


def tool_calls_from(message: Mapping[str, Any]) -> list[ToolCall]:
    """Read ``tool_calls`` and the legacy ``function_call`` out of the fields of a message."""
    asked, legacy = message.get("tool_calls"), message.get("function_call")
    calls = [_tool_call(fields_of(raw)) for raw in abridged(asked, "tool_calls")] if asked else []
    if legacy:
        function = fields_of(legacy)
        calls.append(ToolCall(text_of(function.get("name")), _arguments_text(function)))
    return calls


def _tool_call(raw: Mapping[str, Any]) -> ToolCall:
    function = fields_of(raw.get("function") or raw.get("custom"))
    return ToolCall(
        name=text_of(function.get("name")),
        arguments=_arguments_text(function),
        tool_id=text_of(raw.get("id")),
        type=text_of(raw.get("type")) or "function",
    )


def _arguments_text(function: Mapping[str, Any]) -> str:
    return json_text(function.get("arguments") or function.get("input"))


def json_text(value: Any) -> str:
    """Return a list or a dict as JSON, and anything else as text."""
    return json.dumps(value, default=str) if isinstance(value, (dict, list)) else text_of(value)


def tool_result(text: str, name: str, tool_id: str, kind: str = TOOL_RESULT) -> dict[str, str]:
    """Return LLM Observability's ``ToolResult``; ``name`` is ``""`` where nobody tells."""
    return {"name": name, "result": text, "tool_id": tool_id, "type": kind}


def tool_definitions_from(tools: Any, functions: Any) -> list[dict[str, Any]]:
    """Read the ``tools`` and ``functions`` that a request offers."""
    definitions = [_definition(fields_of(tool)) for tool in (*sequence(tools), *sequence(functions))]
    return [definition for definition in definitions if definition["name"]]


def _definition(tool: Mapping[str, Any]) -> dict[str, Any]:
    function = fields_of(tool.get("function") or tool.get("custom") or tool)
    schema = function.get("parameters") or function.get("input_schema") or function.get("format")
    return {
        # A tool that the provider runs (web search, ...) has a type and no name.
        "name": text_of(function.get("name") or tool.get("type")),
        "description": text_of(function.get("description")),
        "schema": schema if isinstance(schema, dict) else {},
    }
