"""The app that ``ddtrace-litellm demo`` watches: five LiteLLM calls against the local provider.

Usage: ``python -m ddtrace_litellm.demo.app [PROVIDER_URL]``; without the argument the URL is taken from the variable
``DDTRACE_LITELLM_DEMO_PROVIDER``. It is an ordinary LiteLLM program: nothing in it knows about tracing.
"""

import os
import sys
from collections.abc import Sequence
from typing import Any

import litellm

from ddtrace_litellm.demo import scenarios

# LiteLLM's price list drops old models and gains new ones: the first one that this version has a price for.
_CLAUDE = next(
    (m for m in ("claude-haiku-4-5-20251001", "claude-sonnet-4-20250514") if m in litellm.model_cost), "claude-local"
)

_WEATHER: dict[str, Any] = {
    "type": "function",
    "function": {
        "name": "get_temperature",
        "description": "How warm or cold it is in a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city"],
        },
    },
}


def chat(url: str) -> str:
    """Ask for an answer in one piece."""
    response = litellm.completion(model="openai/gpt-4o-mini", messages=_ask(scenarios.CHAT), **_openai(url))
    return str(response.choices[0].message.content)


def stream(url: str) -> str:
    """Ask for an answer as a stream, and read it to its end."""
    chunks = litellm.completion(
        model=f"anthropic/{_CLAUDE}",
        messages=_ask(scenarios.STREAM),
        stream=True,
        stream_options={"include_usage": True},
        **_anthropic(url),
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


def tool_call(url: str) -> str:
    """Ask something that a tool can answer."""
    response = litellm.completion(
        model="openai/gpt-4o-mini", messages=_ask(scenarios.TOOL), tools=[_WEATHER], **_openai(url)
    )
    function = response.choices[0].message.tool_calls[0].function
    return f"{function.name}({function.arguments})"


def fallback(url: str) -> str:
    """Ask a Router whose first deployment fails, so that the second one answers."""
    router = litellm.Router(
        model_list=[
            {
                "model_name": "primary",
                "litellm_params": {"model": f"openai/{scenarios.FAILING_MODEL}", **_openai(url)},
            },
            {"model_name": "backup", "litellm_params": {"model": f"anthropic/{_CLAUDE}", **_anthropic(url)}},
        ],
        fallbacks=[{"primary": ["backup"]}],
        num_retries=0,
    )
    response = router.completion(model="primary", messages=_ask(scenarios.ROUTER))
    return str(response.choices[0].message.content)


def error(url: str) -> str:
    """Ask a provider that refuses; the caller catches the error, as callers do."""
    try:
        litellm.completion(model=f"openai/{scenarios.LIMITED_MODEL}", messages=_ask(scenarios.ERROR), **_openai(url))
    except litellm.RateLimitError as refusal:
        return f"caught {type(refusal).__name__}"
    return "no error, which is wrong"


def main(argv: Sequence[str] | None = None) -> int:
    """Run the five calls and print one line for each.

    Returns:
        0; 1 when a call failed that should not; 2 when no provider is named.
    """
    arguments = sys.argv[1:] if argv is None else list(argv)
    url = arguments[0] if arguments else os.environ.get("DDTRACE_LITELLM_DEMO_PROVIDER")
    if not url:
        print("demo app: give the provider's URL, or set DDTRACE_LITELLM_DEMO_PROVIDER", file=sys.stderr)
        return 2
    litellm.suppress_debug_info = True
    status = 0
    for title, call in (
        ("chat", chat),
        ("stream", stream),
        ("tool call", tool_call),
        ("router", fallback),
        ("error", error),
    ):
        try:
            outcome = call(url)
        except Exception as failure:
            # The others are worth watching all the same.
            outcome, status = f"failed: {type(failure).__name__}: {failure}", 1
        print(f"{title:<10} {outcome}", flush=True)
    return status


def _ask(question: str) -> list[dict[str, str]]:
    return [{"role": "system", "content": "Be brief."}, {"role": "user", "content": question}]


def _openai(url: str) -> dict[str, Any]:
    # No retries: the demo shows one request an attempt.
    return {"api_base": f"{url}/v1", "api_key": "sk-local", "max_retries": 0}


def _anthropic(url: str) -> dict[str, Any]:
    return {"api_base": url, "api_key": "sk-local", "max_retries": 0}


if __name__ == "__main__":
    sys.exit(main())
