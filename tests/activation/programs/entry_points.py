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
from calls import CALLS, function, ways
from ddtrace.llmobs import LLMObs

from tests.tracing.entry_points import arguments, read, twin

PROVIDER = SimpleNamespace(url=os.environ["PROVIDER_URL"])
ADDRESS = {"base_url": f"{PROVIDER.url}/v1", "api_key": "sk-local"}


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
made = {f"{name}, {way}": outcome(name, way) for name in CALLS for way, _ in ways(name)}
print(json.dumps(made))
