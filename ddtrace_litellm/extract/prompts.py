"""Prompts that are managed elsewhere: by LiteLLM's prompt management, or stored at the provider."""

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract import chat
from ddtrace_litellm.extract.content import content_from
from ddtrace_litellm.extract.fields import field, fields_of, sequence
from ddtrace_litellm.extract.plain import plain_arguments, text

MAX_CHARS = 200_000
"""Characters of variables and template together; more of them are in the messages only."""
Message = Mapping[str, Any]
"""What a reader makes of a message: ``role``, ``content``, ..."""


class Prompt(NamedTuple):
    """A managed prompt, as LLM Observability tracks them.

    Attributes:
        id: its name where it is managed.
        version, label: ``""`` where the request names none.
        variables: what it is filled in with, as text.
        template: its messages with ``{{name}}`` in place of variables; empty where they are not known.
    """

    id: str
    version: str = ""
    label: str = ""
    variables: Mapping[str, str] = {}
    template: Sequence[Mapping[str, str]] = ()

    def rendered(self, messages: Sequence[Message]) -> "Prompt":
        """Return the prompt with the template that these messages were made of."""
        return self._replace(template=template_of(messages, self.variables))

    def annotation(self, capture: CaptureConfig) -> dict[str, Any]:
        """Return what to annotate: variables and template are contents of the request, and have a bound."""
        said: dict[str, Any] = {"id": self.id, "version": self.version, "label": self.label}
        chars = sum(map(len, self.variables.values())) + sum(len(message["content"]) for message in self.template)
        if capture.input and chars <= MAX_CHARS:
            said |= {"variables": dict(self.variables), "chat_template": list(self.template)}
        return {name: value for name, value in said.items() if value}


def managed(asked: Mapping[str, Any], rendered: Sequence[Any]) -> Prompt:
    """Return the prompt that LiteLLM has rendered.

    Args:
        asked: the arguments of ``Logging.get_chat_completion_prompt``, by name (1.72 to 1.110).
        rendered: the messages that it has returned: the prompt's own, and behind them those of the request.
    """
    given = sequence(asked.get("messages"))
    behind = bool(given) and list(rendered[-len(given) :]) == list(given)
    own = chat.read_input(plain_arguments({"messages": rendered[: -len(given)] if behind else rendered}))
    version, label = asked.get("prompt_version"), asked.get("prompt_label")
    return Prompt(
        text(asked["prompt_id"]),
        text(version) if version else "",
        text(label) if label else "",
        {text(name): text(value) for name, value in fields_of(asked.get("prompt_variables")).items()},
    ).rendered(own.annotations["input_messages"])


def stored(given: Any) -> Prompt | None:
    """Return the prompt of a request that names one at the provider: ``prompt={"id", "version", "variables"}``."""
    if not (identifier := field(given, "id")):
        return None
    variables = fields_of(field(given, "variables"))
    return Prompt(
        text(identifier),
        text(field(given, "version") or ""),
        "",
        {text(name): content_from([value]).text for name, value in variables.items()},
    )


def template_of(messages: Sequence[Message], variables: Mapping[str, str]) -> list[dict[str, str]]:
    """Return rendered messages with each variable's name where its value stands as a word of its own.

    Neither LiteLLM (1.110) nor a provider gives the template itself; ddtrace does the same for OpenAI's (4.16).
    """
    names = {value: name for name, value in variables.items() if value}
    longest_first = sorted(names, key=len, reverse=True)
    values = re.compile("|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in longest_first)) if names else None

    def unfilled(content: str) -> str:
        return values.sub(lambda found: f"{{{{{names[found[0]]}}}}}", content) if values is not None else content

    return [{"role": message["role"], "content": unfilled(message["content"])} for message in messages]
