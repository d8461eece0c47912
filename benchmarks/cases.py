"""What is measured: calls of LiteLLM's functions, each with what LiteLLM made of a provider's answer to it."""

from collections.abc import Callable
from typing import Any, NamedTuple

import litellm
from ddtrace.contrib.internal.litellm import patch as builtin

from ddtrace_litellm.extract import chat, embeddings, responses
from ddtrace_litellm.extract.api import Api
from tests.provider import Behaviour, Provider

CHUNKS = 1000
ANSWER = "Because air scatters short wavelengths more. " * 5
ASK = [
    {"role": "system", "content": "You answer in one sentence."},
    {"role": "user", "content": "Why is the sky blue? " * 10},
]
TEXTS = ["Why is the sky blue? " * 10] * 10


class Case(NamedTuple):
    """One call.

    Attributes:
        function: LiteLLM's function.
        api: how ours reads it.
        asked: the arguments.
        contents: what the least that ddtrace's API can do has to annotate.
        builtin: the wrapper of ddtrace's own integration, which traces chat and text completions only (4.8 to 4.16).
        answered: a response, or all chunks of a stream.
    """

    function: Callable[..., Any]
    api: Api
    asked: dict[str, Any]
    contents: dict[str, Any]
    builtin: Callable[..., Any] | None = None
    answered: Any = None

    @property
    def streams(self):
        return isinstance(self.answered, list)


_SPOKEN = [{"role": "assistant", "content": ANSWER}]
_ASKED = {"temperature": 0.2}
CALLS = {
    "chat": Case(
        litellm.completion,
        chat.API,
        {"model": "mistral/mistral-large-latest", "messages": ASK, "max_tokens": 2000, **_ASKED},
        {"input_messages": ASK, "output_messages": _SPOKEN},
        builtin.traced_completion,
    ),
    "Responses": Case(
        litellm.responses,
        responses.API,
        {"model": "openai/gpt-4o-mini", "input": ASK, "max_output_tokens": 2000, **_ASKED},
        {"input_messages": ASK, "output_messages": _SPOKEN},
    ),
    "embeddings": Case(
        litellm.embedding,
        embeddings.API,
        {"model": "openai/text-embedding-3-small", "input": TEXTS},
        {"input_documents": [{"text": text} for text in TEXTS], "output_value": "10 embeddings of 3 dimensions"},
    ),
}


def answered_cases() -> dict[str, Case]:
    """Return the calls, and after each the stream of those that have one, with what LiteLLM answers."""
    cases = {}
    with Provider() as provider:
        where = {"api_base": f"{provider.url}/v1", "api_key": "sk-local"}
        for name, case in CALLS.items():
            provider.otherwise = Behaviour(text=ANSWER)
            cases[name] = case._replace(answered=case.function(**case.asked, **where))
            if case.api.streaming is None:
                continue
            provider.otherwise = Behaviour(text=" ".join(f"word{number}" for number in range(CHUNKS - 2)))
            # With the usage, which LiteLLM then has: counting tokens that nobody reported is its tokenizer's time.
            usage = {"stream_options": {"include_usage": True}} if case.function is litellm.completion else {}
            chunks = list(case.function(**case.asked, **where, stream=True, **usage))
            cases[f"{name} stream"] = case._replace(asked={**case.asked, "stream": True}, answered=chunks)
    return cases
