"""Moderation: what was checked, and what was found in it."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.extract.api import CALL_PARAMETERS, Api, Arguments, Input, Output
from ddtrace_litellm.extract.choices import message_of
from ddtrace_litellm.extract.content import content_from
from ddtrace_litellm.extract.fields import field, fields_of, number, text_of
from ddtrace_litellm.extract.plain import abridged
from ddtrace_litellm.extract.text import prompts_from

_AS_IN_PYTHON = str.maketrans("-/", "__")


def read_input(arguments: Arguments) -> Input:
    """Read what gets one verdict each as one message: every text of a list, but all parts of a list of parts."""
    given = prompts_from(arguments.get("input"))
    if given and all(fields_of(part) for part in given):
        given = [given]
    contents = [content_from(one if isinstance(one, (str, list, tuple)) else [one]) for one in given]
    return Input({"input_messages": [message_of("user", content) for content in contents]})


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Say of each input whether it was flagged, and for which categories with which score."""
    results = abridged(field(response, "results"), "results")
    verdicts = [text_of(field(result, "snippet")) or _verdict(fields_of(result)) for result in results]
    return Output({"output_messages": [{"role": "assistant", "content": verdict} for verdict in verdicts]})


def _verdict(result: Mapping[str, Any]) -> str:
    if not result.get("flagged"):
        return "not flagged"
    scores = fields_of(result.get("category_scores"))
    categories = fields_of(result.get("categories"))
    # LiteLLM has each category by the name in Python and then by the API's: self_harm_intent, self-harm/intent.
    flagged = {name.translate(_AS_IN_PYTHON): name for name, found in categories.items() if found is True}
    found = ", ".join(_with_score(name, scores) for name in flagged.values())
    return f"flagged: {found}" if found else "flagged"


def _with_score(name: str, scores: Mapping[str, Any]) -> str:
    score = number(scores.get(name))
    return name if score is None else f"{name} ({score:.2f})"


API = Api(
    name="moderation",
    kind="llm",
    parameters=CALL_PARAMETERS,
    read_input=read_input,
    read_response=read_response,
    provider="openai",
)
