"""What the demo does and what has to arrive for it: five calls, told apart by their questions."""

from collections.abc import Mapping

from ddtrace_litellm.demo.provider import Behaviour

CHAT = "What does a trace of an LLM call tell me?"
STREAM = "Tell it to me again, word for word."
TOOL = "How warm is it in Lisbon?"
ROUTER = "Does a fallback show up as well?"
ERROR = "And what if nobody answers at all?"

# The model names say what the provider does with them, so that the rendered traces explain themselves.
FAILING_MODEL = "gpt-4o-that-fails"
LIMITED_MODEL = "gpt-4o-over-its-limit"

BEHAVIOURS: Mapping[str, Behaviour] = {
    FAILING_MODEL: Behaviour(status=500, error="The first deployment is down."),
    LIMITED_MODEL: Behaviour(status=429, error="Rate limit reached.", error_type="rate_limit_exceeded"),
}
# Slow enough that the time to first token and the duration can be told apart, quick enough for a CI job.
EVERY_DAY = Behaviour(delay=0.05, pace=0.01)
