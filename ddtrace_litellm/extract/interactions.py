"""Google's Interactions API: what a model or an agent is asked, and the steps that it answers with.

A step is the same thing on either side, since the steps of an answer are sent back as the next request's input.
Google's first form of the API (``outputs``, turns with a role) is read too: LiteLLM hands on both (1.85 to 1.110).
"""

from collections.abc import Iterator, Mapping
from typing import Any

from ddtrace_litellm.extract import turn
from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output, Streaming, reported_error
from ddtrace_litellm.extract.choices import countable
from ddtrace_litellm.extract.content import Content, add_audio, add_image, content_from
from ddtrace_litellm.extract.fields import field, fields_of, number, sequence, text_of
from ddtrace_litellm.extract.interactions_stream import assemble, first_content_detector
from ddtrace_litellm.extract.plain import abridged, plain
from ddtrace_litellm.extract.tools import ToolCall, json_text, tool_definitions_from
from ddtrace_litellm.extract.turn import Result, Turn
from ddtrace_litellm.extract.usage import Usage
from ddtrace_litellm.masking import strip_credentials

_SETTINGS = frozenset(
    {
        "frequency_penalty",
        "image_config",
        "max_output_tokens",
        "presence_penalty",
        "seed",
        "speech_config",
        "stop_sequences",
        "temperature",
        "thinking_level",
        "thinking_summaries",
        "tool_choice",
        "top_k",
        "top_p",
    }
)
PARAMETERS = (
    CALL_PARAMETERS
    | _SETTINGS
    | {
        "background",
        "previous_interaction_id",
        "response_format",
        "response_mime_type",
        "response_modalities",
        "store",
        "stream",
    }
)
"""Parameters that may go into metadata, of the request or of its ``generation_config``."""

_ROLES = {"model": "assistant", "model_output": "assistant", "user_input": "user"}
_PROGRAM_CALL, _PROGRAM_RESULT = "function_call", "function_result"


def settings(arguments: Arguments) -> Arguments:
    """Return the arguments with what is in ``generation_config``."""
    return {**fields_of(arguments.get("generation_config")), **arguments}


def kind(arguments: Arguments) -> str:
    """Return the kind of one request: LiteLLM takes a model of the agent's own name for a slip (1.85 to 1.110)."""
    return "agent" if _agent(arguments) else "llm"


def _agent(arguments: Arguments) -> str:
    agent, model = arguments.get("agent"), arguments.get("model")
    return text_of(agent) if not model or model == agent else ""


def read_input(arguments: Arguments) -> Input:
    """Read the system instruction, the steps and the tools of a request, and of an agent its name."""
    turns = [*_turns(arguments.get("system_instruction"), "system"), *_turns(arguments.get("input"), "user")]
    annotations: dict[str, Any] = {"input_messages": [message for said in turns for message in said.messages()]}
    if tools := arguments.get("tools"):
        annotations["tool_definitions"] = tool_definitions_from(tools, None)
    results = [result.tool_id for said in turns for result in said.results if result.type == _PROGRAM_RESULT]
    return Input(annotations, results, name=_agent(arguments))


def read_response(response: Any, arguments: Arguments) -> Output:
    """Read an interaction, or what a stream's events make up; one in the background has no steps yet."""
    said = turn.output(_turns(field(response, "steps") or field(response, "outputs"), "assistant"), _PROGRAM_CALL)
    written = "" if _agent(arguments) else said.all_text
    return said._replace(finish_reason=text_of(field(response, "status")), all_text=written)


def countable_input(arguments: Arguments) -> list[Mapping[str, Any]]:
    """Return the texts of a request to a model; what an agent uses is far more than what it is asked."""
    if _agent(arguments):
        return []
    return countable(read_input(arguments).annotations["input_messages"])


def read_usage(response: Any) -> Usage | None:
    """Read the tokens. What the provider's tools brought in and what was thought are counted apart by Google."""
    usage = fields_of(field(response, "usage"))

    def count(name: str) -> float:
        return number(usage.get(f"total_{name}_tokens")) or 0

    input_tokens = count("input") + count("tool_use")
    reasoning = count("reasoning") or count("thought")
    output_tokens = count("output") + reasoning
    if not input_tokens and not output_tokens:
        return None
    cached = number(usage.get("total_cached_tokens"))
    return Usage(input_tokens, output_tokens, cache_read_tokens=cached, reasoning_tokens=reasoning)


def read_error(response: Any) -> tuple[str, str] | None:
    """Return the error that an interaction or its stream reports, or that it has failed."""
    status = text_of(field(response, "status"))
    return reported_error(response) or (("interaction failed", "") if status == "failed" else None)


def _turns(items: Any, role: str) -> list[Turn]:
    """Return the turns of an input or an answer; steps of one role in a row are one turn."""
    turns: list[Turn] = []
    for raw in abridged(items, "items", str) or ((items,) if items else ()):
        said_by, parts = _step(raw, role)
        if not turns or turns[-1].role != said_by:
            turns.append(Turn(said_by))
        for part in parts:
            _add(turns[-1], part)
    return turns


def _step(raw: Any, role: str) -> tuple[str, Iterator[Any]]:
    """Return who says a step, and its parts."""
    step = fields_of(raw)
    kind, said_by = text_of(step.get("type")), text_of(step.get("role"))
    if kind in _ROLES or said_by:
        content = step.get("content")
        return _ROLES.get(kind or said_by, said_by), iter(abridged(content, "content") or (content,))
    if kind == _PROGRAM_RESULT:
        return "user", iter((step,))
    return "assistant" if kind == "thought" or kind.endswith(("_call", "_result")) else role, iter((raw,))


def _add(said: Turn, raw: Any) -> None:
    """Add a part to what a turn says."""
    part = fields_of(raw)
    kind = text_of(part.get("type"))
    if not part:
        said.texts.append(text_of(raw))
    elif kind in {"", "text"}:
        said.texts.append(text_of(part.get("text")))
    elif kind == "thought":
        said.reasoning.append("\n".join(text_of(field(item, "text")) for item in sequence(part.get("summary"))))
    elif kind.endswith("_call"):
        called = text_of(part.get("name")) or kind
        said.calls.append(ToolCall(called, json_text(plain(part.get("arguments"))), text_of(part.get("id")), kind))
    elif kind.endswith("_result"):
        name, tool_id = text_of(part.get("name")), text_of(part.get("call_id"))
        said.results.append(Result(name, tool_id, kind, _result(part.get("result"))))
    else:
        said.texts.append(_attached(said.content, part, kind))


def _result(given: Any) -> Content:
    if isinstance(given, (list, tuple)) and all(field(part, "type") for part in given):
        return content_from(given)
    return Content(json_text(plain(given)))


def _attached(content: Content, part: Mapping[str, Any], kind: str) -> str:
    """Attach an image or audio; return the marker of what cannot be attached, else ``""``."""
    data, mime_type = text_of(part.get("data")), text_of(part.get("mime_type"))
    if data and kind == "image":
        return add_image(content, f"data:{mime_type};base64,{data}")
    if data and kind == "audio":
        return add_audio(content, data, mime_type.rpartition("/")[2])
    return f"[{kind}: {strip_credentials(text_of(part.get('uri'))) or mime_type}]"


API = Api(
    name="interactions",
    kind="llm",
    kind_of=kind,
    parameters=PARAMETERS,
    read_input=read_input,
    read_response=read_response,
    read_usage=read_usage,
    read_error=read_error,
    settings=settings,
    provider="gemini",
    streaming=Streaming(assemble, first_content_detector),
    countable_input=countable_input,
)
