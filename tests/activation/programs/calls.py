"""A working call of every function of the installed LiteLLM."""

import litellm

from tests.provider.calls import Call
from tests.tracing.entry_points import ENTRY_POINTS, twin
from tests.tracing.scenarios import ASK

CHAT = {"model": "openai/gpt-4o-mini", "messages": ASK}
TEXT = {"model": "text-completion-openai/gpt-3.5-turbo-instruct", "prompt": "Once"}


def call(function, **given):
    """Return a call that is not among the entry points, which are all others."""
    return Call(function, lambda: given, "/v1", "", "", str, "")


CALLS = {
    **{name: made for name, made in ENTRY_POINTS.items() if not name.startswith("Azure")},
    "chat": call("completion", **CHAT),
    "chat stream": call("completion", **CHAT, stream=True),
    "text": call("text_completion", **TEXT),
    "text stream": call("text_completion", **TEXT, stream=True),
    "moderation": call("moderation", input="Good day"),
}


def function(name):
    """Return a function of LiteLLM's, ``None`` where this version has none."""
    return getattr(litellm, name, None) or getattr(getattr(litellm, "google_genai", None), name, None)


def ways(name):
    """Yield how a call can be made, and the name of the function that makes it so."""
    made = CALLS[name]
    for way, attribute in (("sync", made.function), ("async", twin(made))):
        if function(attribute) is not None and (way, attribute) != ("sync", "anthropic_messages"):
            yield way, attribute
