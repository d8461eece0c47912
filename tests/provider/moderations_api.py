"""OpenAI's moderations as the tests' provider speaks them: inputs that say "kill" are violent, nothing else is bad."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.demo.answers import Answer, Usage, plain_text

_Json = Mapping[str, Any]

_CATEGORIES = ("harassment", "hate", "self-harm", "sexual", "violence")


def answer(_: _Json, text: str | None) -> Answer:
    """Decide what to say to a ``/v1/moderations`` body; nothing of it is text, or counted in tokens."""
    return Answer(text or "", Usage(0, 0))


def body(request: _Json, _: Answer) -> dict[str, Any]:
    """Return one verdict for each input; parts with text and images are one input."""
    given = request.get("input", "")
    inputs = given if isinstance(given, list) and all(isinstance(item, str) for item in given) else [given]
    return {
        "id": "modr-local",
        "model": request.get("model") or "omni-moderation-latest",
        "results": [_verdict("kill" in plain_text(item).lower()) for item in inputs],
    }


def _verdict(violent: bool) -> dict[str, Any]:
    return {
        "flagged": violent,
        "categories": {name: violent and name == "violence" for name in _CATEGORIES},
        "category_scores": {name: 0.75 if violent and name == "violence" else 0.0 for name in _CATEGORIES},
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }
