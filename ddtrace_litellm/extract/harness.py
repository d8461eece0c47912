"""A turn of one of LiteLLM's agents (Tool Loop, Claude Code, Codex, ...): a prompt, events, and a result."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ddtrace_litellm.extract.api import Api, Arguments, Input, Output, Streaming
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of

_FAILED = frozenset({"runtime_error", "timeout"})


def read_input(arguments: Arguments) -> Input:
    """Read the prompt; and of the agent what it is, its model, the names of its tools and how often it may ask."""
    config = fields_of(field(arguments.get("self"), "config"))
    name = text_of(getattr(config.get("harness"), "value", ""))
    tools = [{"name": text_of(getattr(tool, "__name__", ""))} for tool in sequence(config.get("tools"))]
    manifest = {
        "framework": "LiteLLM",
        "name": name,
        "model": config.get("model"),
        "tools": tools,
        "max_iterations": config.get("max_turns"),
    }
    return Input(
        {"input_messages": [{"role": "user", "content": text_of(arguments.get("prompt"))}]},
        name=name,
        manifest={part: value for part, value in manifest.items() if value},
    )


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Read the result's text. What it cost is on the calls beneath."""
    text = text_of(field(response, "text"))
    messages = [{"role": "assistant", "content": text}] if text else []
    return Output({"output_messages": messages}, finish_reason=text_of(field(response, "stop_reason")))


def read_error(response: Any) -> tuple[str, str] | None:
    """Return how a turn failed: the agent says so in its result, and raises nothing."""
    stopped = text_of(field(response, "stop_reason"))
    return (stopped, f"the turn ended with {stopped}") if stopped in _FAILED else None


def assemble(events: Sequence[Any], _arguments: Arguments) -> Mapping[str, Any]:
    """Return the result, which comes last; of a turn that was broken off, the text so far."""
    if events and type(events[-1]).__name__ == "Done":
        return fields_of(events[-1].result)
    return {"text": "".join(text_of(field(event, "delta")) for event in events if _is_text(event))}


def first_content_detector() -> Callable[[Any], bool]:
    """Return a function that says whether an event is text."""
    return _is_text


def _is_text(event: Any) -> bool:
    return type(event).__name__ == "Text"  # by name: its module may not be there, or not be imported


API = Api(
    name="harness",
    kind="agent",
    parameters=frozenset(),
    read_input=read_input,
    read_response=read_response,
    read_error=read_error,
    asks_provider=False,
    streaming=Streaming(assemble, first_content_detector),
)
