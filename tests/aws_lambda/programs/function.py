"""A function: does what the event asks for, with the provider at $PROVIDER_URL."""

import os

import litellm
import state

ARGUMENTS = {
    "model": "openai/gpt-4o-mini",
    "messages": [{"role": "user", "content": "Hello"}],
    "api_base": f"{os.environ['PROVIDER_URL']}/v1",
    "api_key": "sk-local",
    "max_retries": 0,
}
kept = []


def call(**more):
    """Make a call of LiteLLM's."""
    return litellm.completion(**ARGUMENTS, **more)


def handler(event, _context):
    """Do ``event["do"]``."""
    asked = event["do"]
    if asked == "state":
        return state.state()
    if asked == "call":
        return call().choices[0].message.content
    if asked == "stream":
        return sum(1 for _ in call(stream=True))
    if asked == "open stream":
        stream = call(stream=True)
        kept.append(stream)
        next(stream)
        return None
    if asked == "rest of the stream":
        return sum(1 for _ in kept[-1])
    raise ValueError(asked)
