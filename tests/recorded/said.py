"""What a provider answered, whatever its API."""

import json
from dataclasses import dataclass, field
from typing import Any

Call = tuple[str, Any, str]
"""A tool call: name, parsed arguments, id."""


@dataclass
class Said:
    """What a provider answered.

    Attributes:
        texts: the text of each message; a message that only calls tools has an empty one.
        server_tools: names of the tools that the provider ran itself, where LiteLLM does not hand on the calls as such.
        results: name of the tool and id of the call for each result of a tool that the provider ran itself.
        usage: token counts as LLM Observability names them; what was not reported is absent.
        cost: what the provider billed.
    """

    model: str = ""
    texts: list[str] = field(default_factory=list)
    reasoning: str = ""
    tool_calls: list[Call] = field(default_factory=list)
    server_tools: set[str] = field(default_factory=set)
    results: list[tuple[str, str]] = field(default_factory=list)
    finish_reason: str = ""
    usage: dict[str, int] = field(default_factory=dict)
    cost: float | None = None


def parsed(arguments: str) -> Any:
    """Return a call's arguments; what is no JSON is a value of its own."""
    try:
        return json.loads(arguments)
    except ValueError:
        return {"value": arguments}


def counted(**counts: int | None) -> dict[str, int]:
    """Return the counts that say something."""
    return {name: count for name, count in counts.items() if count}
