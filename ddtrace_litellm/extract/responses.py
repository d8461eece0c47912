"""The Responses API: the items of a request and of a response.

An item is the same thing on either side, since a response's output is sent back as the next request's input.
"""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output, Streaming
from ddtrace_litellm.extract.choices import Choice, Message, all_text, output_messages, result_message
from ddtrace_litellm.extract.content import Content, add_image, content_from
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of
from ddtrace_litellm.extract.plain import abridged
from ddtrace_litellm.extract.responses_stream import assemble, first_content_detector, is_last
from ddtrace_litellm.extract.tools import ToolCall, tool_definitions_from, tool_result
from ddtrace_litellm.extract.usage import openai_usage

PARAMETERS = CALL_PARAMETERS | {
    "background",
    "conversation",
    "include",
    "max_output_tokens",
    "max_tool_calls",
    "parallel_tool_calls",
    "previous_response_id",
    "prompt_cache_key",
    "prompt_cache_retention",
    "reasoning",
    "safety_identifier",
    "service_tier",
    "store",
    "stream",
    "stream_options",
    "temperature",
    "text",
    "text_format",
    "tool_choice",
    "top_logprobs",
    "top_p",
    "truncation",
    "user",
}
"""The request parameters that may go into metadata."""

_CALLER_RUNS = {"function_call": "function", "custom_tool_call": "custom"}
"""Calls that the caller's program answers, with Chat's name of their type; the provider runs all others itself."""
_ASKED = ("action", "actions", "code", "operation", "queries", "revised_prompt")
"""What calls that have no ``arguments`` ask for, by the names that the provider's own tools give it."""


def read_input(arguments: Arguments) -> Input:
    """Read ``instructions``, ``input``, ``tools``, and where nothing else is asked the variables of a ``prompt``."""
    given = arguments.get("input")
    items: list[Any] = []
    if instructions := arguments.get("instructions"):
        items.append({"role": "system", "content": instructions})
    if given:
        items.extend([given] if isinstance(given, str) else sequence(given))
    elif prompt := arguments.get("prompt"):
        items.append({"role": "user", "content": _variables(prompt)})
    annotations: dict[str, Any] = {"input_messages": _read(items)[0]}
    if tools := arguments.get("tools"):
        annotations["tool_definitions"] = tool_definitions_from(tools, None)
    return Input(annotations, _result_ids(given))


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Read a ``ResponsesAPIResponse``, or an assembled stream; the messages are in the order of the output's items."""
    messages, choices = _read(abridged(field(response, "output"), "output"))
    instructions = field(response, "instructions")
    return Output(
        {"output_messages": messages},
        _finish_reason(response),
        [call for choice in choices for call in choice.tool_calls if call.type in _CALLER_RUNS.values()],
        "".join(map(all_text, choices)),
        # Text is what the request gave.
        rendered=_read(sequence(instructions))[0] if isinstance(instructions, (list, tuple)) else (),
    )


def _finish_reason(response: Any) -> str:
    status = text_of(field(response, "status"))
    if status == "incomplete":
        return text_of(field(field(response, "incomplete_details"), "reason")) or status
    if status == "failed":
        return text_of(field(field(response, "error"), "code")) or status
    return status


def _read(items: Iterable[Any]) -> tuple[list[Message], list[Choice]]:
    """Return the items as messages, and apart from them what the model said."""
    messages: list[Message] = []
    choices: list[Choice] = []
    for raw in items:
        item = {"role": "user", "content": raw} if isinstance(raw, str) else fields_of(raw)
        kind = text_of(item.get("type"))
        if kind.endswith("_output"):
            result = _result_content(item.get("output"))
            messages.append(result_message(result, text_of(item.get("name")), _call_id(item)))
        elif (choice := _choice(item, kind)) is not None:
            choices.append(choice)
            messages.extend(output_messages((choice,)))
            if kind == "mcp_call" and (output := text_of(item.get("output"))):
                # The provider has run it already: call and result are one item.
                call = choice.tool_calls[0]
                messages[-1]["tool_results"] = [tool_result(output, call.name, call.tool_id)]
        elif kind != "reasoning" and item:
            messages.append({"role": "assistant", "content": _marker(item, kind)})
    return messages, choices


def _choice(item: Mapping[str, Any], kind: str) -> Choice | None:
    """Return what an item says, ``None`` for one that says nothing itself."""
    if kind == "reasoning":
        # OpenAI sends an item without text where no summary was asked for.
        text = _reasoning(item)
        return Choice("reasoning", Content(text)) if text else None
    role = text_of(item.get("role"))
    if role or kind == "message":
        return Choice(role, content_from(item.get("content")))
    if not kind.endswith("_call") and item.get("arguments") is None and item.get("code") is None:
        return None
    choice = Choice(tool_calls=[_tool_call(item, kind)])
    if kind == "image_generation_call" and (image := item.get("result")):
        url = f"data:image/{text_of(item.get('output_format')) or 'png'};base64,{image}"
        choice.content.text = add_image(choice.content, url)
    return choice


def _reasoning(item: Mapping[str, Any]) -> str:
    """Return the summary and the reasoning itself, which LiteLLM's bridge calls ``output_text`` (1.95 to 1.109)."""
    parts = (*sequence(item.get("summary")), *sequence(item.get("content")))
    return "\n".join(filter(None, [text_of(field(part, "text")) for part in parts]))


def _tool_call(item: Mapping[str, Any], kind: str) -> ToolCall:
    asked = item.get("arguments")
    if asked is None:
        asked = item.get("input")
    if asked is None:
        asked = {name: item[name] for name in _ASKED if item.get(name) is not None}
    return ToolCall(
        name=text_of(item.get("name")) or kind,
        arguments=asked if isinstance(asked, str) else _json(asked),
        tool_id=_call_id(item),
        type=_CALLER_RUNS.get(kind, kind),
    )


def _call_id(item: Mapping[str, Any]) -> str:
    return text_of(item.get("call_id") or item.get("id"))


def _result_content(output: Any) -> Content:
    """Read a result: text, message parts, a screenshot, or whatever a tool of the provider's gives, as JSON."""
    if output is None or isinstance(output, str):
        return Content(output or "")
    parts = [fields_of(part) for part in (output if isinstance(output, (list, tuple)) else [output])]
    if not all(part.get("type") for part in parts):
        return Content(_json(output))
    return content_from([{**part, "type": "input_image"} if "image_url" in part else part for part in parts])


def _result_ids(items: Any) -> list[str]:
    """Return the ids of the tool calls whose results a request hands in."""
    found = [fields_of(item) for item in sequence(items)]
    return [_call_id(item) for item in found if text_of(item.get("type")).endswith("_output")]


def _marker(item: Mapping[str, Any], kind: str) -> str:
    """Name an item that has nothing to show. Its type may be left out where it refers to another item."""
    identifier = text_of(item.get("id"))
    return f"[{kind or 'item_reference'}: {identifier}]" if identifier else f"[{kind or 'item'}]"


def _variables(prompt: Any) -> list[Any]:
    """Return the variables of a prompt that the provider stores, as the parts of a message."""
    parts: list[Any] = []
    for name, value in fields_of(field(prompt, "variables")).items():
        parts.extend([f"{name}: {value}"] if isinstance(value, str) else [f"{name}:", value])
    return parts


def _json(value: Any) -> str:
    return json.dumps(value, default=_plain, skipkeys=True)


def _plain(value: Any) -> Any:
    """Return an object's fields that are set, or else the object as text."""
    fields = fields_of(value)
    return {name: item for name, item in fields.items() if item is not None} if fields else str(value)


API = Api(
    name="responses",
    kind="llm",
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
    read_usage=openai_usage,
    serves_other_apis=True,
    streaming=Streaming(assemble, first_content_detector, is_last=is_last),
)
