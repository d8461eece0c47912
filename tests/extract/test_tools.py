import litellm
import pytest
from litellm.types.utils import ChatCompletionMessageToolCall, Function, FunctionCall

from ddtrace_litellm.extract import tool
from ddtrace_litellm.extract.tools import ToolCall, parse_arguments, tool_calls_from, tool_definitions_from

SCHEMA = {"type": "object", "properties": {"city": {"type": "string"}}}


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ('{"city": "Paris"}', {"city": "Paris"}),
        ("{}", {}),
        ("", {}),
        ('{"city": "Par', {"value": '{"city": "Par'}),
        ("Paris", {"value": "Paris"}),
        ("[1, 2]", {"value": [1, 2]}),
        ("null", {"value": None}),
        ("NaN", {"value": pytest.approx(float("nan"), nan_ok=True)}),
        ("[" * 100_000, {"value": "[" * 100_000}),
    ],
    ids=lambda value: str(value)[:20],
)
def test_arguments_are_parsed_or_whole(text, parsed):
    """A JSON object is a dict; anything else, broken JSON too, comes back under ``value``."""
    assert parse_arguments(text) == parsed


def _as_message(call):
    return litellm.Message(tool_calls=[call]).__dict__ | (litellm.Message(tool_calls=[call]).__pydantic_extra__ or {})


CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}


@pytest.mark.parametrize(
    "message",
    [
        {"tool_calls": [CALL]},
        {"tool_calls": (CALL,)},
        {"tool_calls": [ChatCompletionMessageToolCall(**CALL)]},
        {"tool_calls": [{**CALL, "function": Function(name="weather", arguments='{"city": "Paris"}')}]},
        _as_message(CALL),
    ],
    ids=["dict", "tuple", "litellm", "mixed", "message"],
)
def test_tool_calls_of_dicts_and_of_litellms_objects(message):
    """Name, arguments, id and type, whatever they come in."""
    assert tool_calls_from(message) == [ToolCall("weather", '{"city": "Paris"}', "call_1")]
    assert tool_calls_from(message)[0].as_message_part() == {
        "name": "weather",
        "arguments": {"city": "Paris"},
        "tool_id": "call_1",
        "type": "function",
    }


@pytest.mark.parametrize(
    ("message", "calls"),
    [
        ({"function_call": {"name": "f", "arguments": "{}"}}, [ToolCall("f", "{}")]),
        ({"function_call": FunctionCall(name="f", arguments="{}")}, [ToolCall("f", "{}")]),
        (
            {"tool_calls": [{"id": "c", "type": "custom", "custom": {"name": "sql", "input": "SELECT 1"}}]},
            [ToolCall("sql", "SELECT 1", "c", "custom")],
        ),
        ({"tool_calls": [{"function": {"name": "f", "arguments": {"a": 1}}}]}, [ToolCall("f", '{"a": 1}')]),
        ({"tool_calls": [{"function": {"name": "f", "arguments": {"a": {1}}}}]}, [ToolCall("f", '{"a": "{1}"}')]),
        ({"tool_calls": [{"function": None}, None, "odd", 7]}, [ToolCall("", "")] * 4),
        ({"tool_calls": "odd"}, []),
        ({"tool_calls": None, "function_call": None}, []),
        ({"function_call": "odd"}, [ToolCall("", "")]),
        ({}, []),
    ],
    ids=lambda value: str(value)[:60],
)
def test_other_forms_of_tool_calls(message, calls):
    """The legacy function call, custom tools, parsed arguments, and forms that nobody should send."""
    assert tool_calls_from(message) == calls


FUNCTION = {"name": "weather", "description": "The weather.", "parameters": SCHEMA}
DEFINED = {"name": "weather", "description": "The weather.", "schema": SCHEMA}


@pytest.mark.parametrize(
    ("tools", "functions", "definitions"),
    [
        ([{"type": "function", "function": FUNCTION}], None, [DEFINED]),
        (None, [FUNCTION], [DEFINED]),
        ([{"type": "function", "function": FUNCTION}], [FUNCTION], [DEFINED] * 2),
        ([{"type": "function", **FUNCTION}], None, [DEFINED]),
        ([{"name": "weather", "description": "The weather.", "input_schema": SCHEMA}], None, [DEFINED]),
        ([{"type": "web_search_preview"}], None, [{"name": "web_search_preview", "description": "", "schema": {}}]),
        (
            [{"type": "custom", "custom": {"name": "sql", "description": "SQL.", "format": {"type": "grammar"}}}],
            None,
            [{"name": "sql", "description": "SQL.", "schema": {"type": "grammar"}}],
        ),
        ([{"function": {"name": "f", "parameters": "odd"}}], None, [{"name": "f", "description": "", "schema": {}}]),
        ([None, "odd", 7, {}, {"function": "odd"}], "odd", []),
        ("odd", 7, []),
    ],
    ids=lambda value: str(value)[:40],
)
def test_definitions_of_tools(tools, functions, definitions):
    """Name, description and schema of every form; what has no name defines nothing."""
    assert tool_definitions_from(tools, functions) == definitions


def test_arguments_that_cannot_be_read():
    """A tool is named although its arguments fail when they are asked what they are."""

    class Broken:
        def __str__(self):
            raise ValueError

    call = tool.called({"tool_call": {"id": "c", "function": {"name": "weather", "arguments": Broken()}}})
    assert call == ToolCall("weather", "Broken", "c")
