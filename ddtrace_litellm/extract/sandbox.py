"""Code that LiteLLM runs at a sandbox's provider: a tool that is given code, and says what that has printed."""

from typing import Any

from ddtrace_litellm.extract.api import Api, Arguments, Input, Output
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of
from ddtrace_litellm.extract.plain import plain
from ddtrace_litellm.extract.tools import json_text


def read_input(arguments: Arguments) -> Input:
    """Read the code, and whose sandbox runs it."""
    tags = {"sandbox_provider": provider} if (provider := text_of(arguments.get("provider"))) else {}
    return Input({"input_value": text_of(arguments.get("code"))}, name="run_code", tags=tags)


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Read what was printed, on both streams, and what the last expression gave."""
    results = [text_of(fields_of(result).get("text")) for result in sequence(field(response, "results"))]
    printed = [text_of(field(response, name)) for name in ("stdout", "stderr")]
    return Output({"output_value": "\n".join(filter(None, [*printed, *results]))})


def read_error(response: Any) -> tuple[str, str] | None:
    """Return what the code has raised: LiteLLM raises nothing."""
    error = fields_of(field(response, "error"))
    if not error:
        return None
    return text_of(error.get("name")) or "ToolError", text_of(error.get("value")) or json_text(plain(error))


API = Api(
    name="sandbox",
    kind="tool",
    parameters=frozenset({"timeout"}),
    read_input=read_input,
    read_response=read_response,
    read_error=read_error,
    asks_provider=False,
)
