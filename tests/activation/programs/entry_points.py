"""Every function of the installed LiteLLM, sync and async, plain and streamed, each in a workflow of its own.

Prints, as JSON, what came of each: null, or the error that it raised.
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator
from types import SimpleNamespace

import litellm
import openai
from ddtrace.llmobs import LLMObs

from tests.provider.calls import Call
from tests.tracing.entry_points import ENTRY_POINTS, arguments, read, twin
from tests.tracing.scenarios import ASK

PROVIDER = SimpleNamespace(url=os.environ["PROVIDER_URL"])
CHAT = {"model": "openai/gpt-4o-mini", "messages": ASK}
TEXT = {"model": "text-completion-openai/gpt-3.5-turbo-instruct", "prompt": "Once"}
ADDRESS = {"base_url": f"{PROVIDER.url}/v1", "api_key": "sk-local"}


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


def given(name, client):
    """Return all arguments; 1.72 moderates at OpenAI's unless it gets a client."""
    more = {"client": client(**ADDRESS)} if name == "moderation" else {}
    return {**arguments(CALLS[name], PROVIDER), **more}


def make(name):
    """Make the call."""
    read(function(CALLS[name].function)(**given(name, openai.OpenAI)))


async def amake(name):
    """Make the call asynchronously."""
    result = await function(twin(CALLS[name]))(**given(name, openai.AsyncOpenAI))
    if isinstance(result, AsyncIterator):
        async for _ in result:
            pass


def outcome(name, way):
    """Make the call in a workflow; return the error that it raised."""
    with LLMObs.workflow(f"{name}, {way}"):
        try:
            make(name) if way == "sync" else asyncio.run(amake(name))
        except Exception as error:  # what this version cannot do, it says
            return f"{type(error).__name__}: {error}"
    return None


litellm.suppress_debug_info = True
made = {}
for name, entry_point in CALLS.items():
    for way, attribute in (("sync", entry_point.function), ("async", twin(entry_point))):
        if function(attribute) is not None and (way, attribute) != ("sync", "anthropic_messages"):
            made[f"{name}, {way}"] = outcome(name, way)
print(json.dumps(made))
