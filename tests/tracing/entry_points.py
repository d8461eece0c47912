"""Every entry point that is not chat or text: a working call, in all the ways in which it can be made.

A way (directly, asynchronously, through a Router, ...) is a function of a call and a provider, and returns what the
program gets; see :data:`WAYS`.
"""

import asyncio
import json
import re
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import litellm
import pytest

from ddtrace_litellm import get_version
from tests.provider import Provider, Script
from tests.provider.calls import CALLS, CONTENTS, Call
from tests.tracing.scenarios import ASK

_MESSAGE = {"max_tokens": 50, "messages": ASK}
_CLAUDE = {"model": "anthropic/claude-haiku-4-5-20251001", **_MESSAGE}
_HEARD = "The local provider heard: Say something short, please."


def _asks(function: str, base: str, path: str, **arguments: Any) -> Call:
    model = arguments["model"].rpartition("/")[2]
    return Call(function, lambda: dict(arguments), base, path, model, str, _HEARD)


def _asks_gemini(function: str) -> Call:
    path = f"/v1beta/models/gemini-2.5-flash:{'streamG' if 'stream' in function else 'g'}enerateContent"
    return _asks(function, "/v1beta", path, model="gemini/gemini-2.5-flash", contents=CONTENTS)


def _interacts(path: str, **arguments: Any) -> Call:
    base = "/v1" if path.startswith("/v1/") else ""
    return _asks("create_interaction", base, path, input=ASK[0]["content"], **arguments)


_NO_REQUEST_TO_A_MODEL = ("stored response", "cancelled response", "finished video")
ENTRY_POINTS: dict[str, Call] = {
    **{name: call for name, call in CALLS.items() if name not in _NO_REQUEST_TO_A_MODEL},
    "moderation": Call(
        "moderation",
        lambda: {"input": "Good day", "model": "omni-moderation-latest"},
        "/v1",
        "/v1/moderations",
        "omni-moderation-latest",
        lambda checked: checked.results[0].flagged,
        False,
    ),
    "response": _asks("responses", "/v1", "/v1/responses", model="openai/gpt-4o-mini", input=ASK[0]["content"]),
    "response stream": _asks(
        "responses", "/v1", "/v1/responses", model="openai/gpt-4o-mini", input=ASK[0]["content"], stream=True
    ),
    "response bridge": _asks("responses", "/v1", "/v1/chat/completions", model="mistral/m", input=ASK[0]["content"]),
    "response stream bridge": _asks(
        "responses", "/v1", "/v1/chat/completions", model="mistral/m", input=ASK[0]["content"], stream=True
    ),
    "message": _asks("anthropic_messages", "", "/v1/messages", **_CLAUDE),
    "message stream": _asks("anthropic_messages", "", "/v1/messages", **_CLAUDE, stream=True),
    "message bridge to responses": _asks(
        "anthropic_messages", "/v1", "/v1/responses", model="openai/gpt-4o-mini", **_MESSAGE
    ),
    "message bridge to chat": _asks("anthropic_messages", "/v1", "/v1/chat/completions", model="mistral/m", **_MESSAGE),
    "message stream bridge to chat": _asks(
        "anthropic_messages", "/v1", "/v1/chat/completions", model="mistral/m", stream=True, **_MESSAGE
    ),
    "Gemini stream": _asks_gemini("generate_content_stream"),
    "Gemini bridge": _asks("generate_content", "/v1", "/v1/chat/completions", model="mistral/m", contents=CONTENTS),
    "Gemini stream bridge": _asks(
        "generate_content_stream", "/v1", "/v1/chat/completions", model="mistral/m", contents=CONTENTS
    ),
    "interaction": _interacts("/v1beta/interactions", model="gemini/gemini-2.5-flash"),
    "interaction stream": _interacts("/v1beta/interactions", model="gemini/gemini-2.5-flash", stream=True),
    "interaction bridge": _interacts("/v1/responses", model="openai/gpt-4o-mini"),
    "interaction stream bridge": _interacts("/v1/responses", model="openai/gpt-4o-mini", stream=True),
}
"""The calls by name."""


_VOLATILE = re.compile(
    r"(resp|msg|call|video)_[\w=-]+|[0-9a-f]{8}-[0-9a-f-]{27}|\b1[78]\d{8}(\.\d+)?\b|0x[0-9a-f]+|127.0.0.1:\d+"
)


def arguments(call: Call, provider: Provider) -> dict[str, Any]:
    """Return all arguments of a call, which is to be sent once."""
    return {**call.keywords(provider.url), "max_retries": 0}


def find(owner: Any, name: str) -> Callable[..., Any]:
    """Return LiteLLM's function or the Router's method, or skip the test where this version has none."""
    found = getattr(owner, name, None)
    if found is None and owner is litellm:
        found = getattr(sys.modules.get("litellm.google_genai"), name, None)
        if name.endswith("create_interaction") and find_spec("litellm.interactions") is not None:
            found = getattr(import_module("litellm.interactions"), name.removesuffix("_interaction"))
    if not callable(found):
        pytest.skip(f"litellm {get_version()} has no {name} there")
    return found


async def aread(result: Any) -> Any:
    """Return a result, or all that an asynchronous stream gives."""
    return [chunk async for chunk in result] if isinstance(result, AsyncIterator) else result


def read(result: Any) -> Any:
    """Return a result of a sync function, or all that its stream gives, which on the bridge to chat is asynchronous."""
    # Google's sync stream has an __aiter__, too, that it refuses.
    return list(result) if isinstance(result, Iterator) else asyncio.run(aread(result))


def twin(call: Call) -> str:
    """Return the name of the asynchronous function."""
    return call.function if call.function == "anthropic_messages" else f"a{call.function}"


def direct(call: Call, provider: Provider) -> Any:
    """Call the function."""
    if call.function == "anthropic_messages":
        pytest.skip("Anthropic's Messages have no sync function in Python")
    return read(find(litellm, call.function)(**arguments(call, provider)))


def adirect(call: Call, provider: Provider) -> Any:
    """Await the asynchronous function."""

    async def main() -> Any:
        return await aread(await find(litellm, twin(call))(**arguments(call, provider)))

    return asyncio.run(main())


def deployment_id(group: str, model: str) -> str:
    """Return an id that no other model has: LiteLLM keeps the prices of all that it ever registered under one."""
    return f"{group} {model}"


def _router(call: Call, provider: Provider, **settings: Any) -> tuple[litellm.Router, dict[str, Any]]:
    """Return a Router of two groups that both lead to the call's model, and what is left of the arguments."""
    given = arguments(call, provider)
    own = ("model", "api_base", "api_key", "api_version", "max_retries")
    deployment = {name: given.pop(name) for name in own if name in given}
    if "model" not in deployment:
        pytest.skip(f"{call.function} names no model")
    groups = [
        {
            "model_name": group,
            "litellm_params": deployment,
            "model_info": {"id": deployment_id(group, deployment["model"])},
        }
        for group in ("a", "b")
    ]
    settings = {"num_retries": 0, "retry_after": 0, "disable_cooldowns": True, **settings}
    return litellm.Router(model_list=groups, **settings), {**given, "model": "a"}


def router(call: Call, provider: Provider, **settings: Any) -> Any:
    """Call the Router's method."""
    routed, given = _router(call, provider, **settings)
    if call.function == "anthropic_messages":
        pytest.skip("Anthropic's Messages have no sync function in Python")
    if call.function == "create_interaction":
        pytest.skip("what the Router's sync method returns cannot be awaited (1.85 to 1.110)")
    return read(find(routed, call.function)(**given))


def arouter(call: Call, provider: Provider, **settings: Any) -> Any:
    """Await the Router's asynchronous method."""
    routed, given = _router(call, provider, **settings)

    async def main() -> Any:
        return await aread(await find(routed, twin(call))(**given))

    return asyncio.run(main())


def router_fallback(call: Call, provider: Provider) -> Any:
    """Call the Router's method while the first request fails."""
    provider.otherwise = Script(status=500, fail_first=1)
    return router(call, provider, fallbacks=[{"a": ["b"]}])


def router_afallback(call: Call, provider: Provider) -> Any:
    """Await the Router's asynchronous method while the first request fails."""
    provider.otherwise = Script(status=500, fail_first=1)
    return arouter(call, provider, fallbacks=[{"a": ["b"]}])


WAYS = {way.__name__: way for way in (direct, adirect, router, arouter, router_fallback, router_afallback)}
"""The ways by name."""


_ASYNC_ROUTER = ("rerank", "rerank v1", "image edit", "speech", "Whisper", "transcription", "compaction", "moderation")
"""The calls that a Router has in their asynchronous form alone."""


def _of_each_commit(number: int, name: str) -> tuple[str, ...]:
    """Return the ways in which each commit tries a call: directly, by a Router and by its fallback, sync and async."""
    if name.startswith("Azure"):
        return "direct", "adirect"
    if name.startswith("message"):
        return "adirect", "arouter", "router_afallback"
    if name in _ASYNC_ROUTER or name.startswith("interaction"):
        return "direct", "arouter", "router_afallback"
    return ("direct", "arouter", "router_fallback") if number % 2 else ("adirect", "router", "router_afallback")


CASES = [
    pytest.param(name, way, marks=() if way in _of_each_commit(number, name) else pytest.mark.nightly)
    for number, name in enumerate(ENTRY_POINTS)
    for way in WAYS
    if "router" not in way or not name.startswith("Azure")
]
"""The calls, each with each way; Azure differs from OpenAI in the address only.

Each commit tries pairs: every call on every path, every call sync and async, and both forms on every path.
"""


def skip_what_goes_elsewhere(name: str) -> None:
    """Skip the test of a call that this version sends to OpenAI itself, whatever the address is."""
    if name == "moderation" and tuple(map(int, get_version().split(".")[:2])) <= (1, 77):
        pytest.skip(f"litellm {get_version()} asks OpenAI itself for moderations")


def make(name: str, way: str, provider: Provider) -> Any:
    """Make a call; return its result, or the error that it raises."""
    if "message" in name and "bridge" in name and get_version().startswith("1.72."):
        pytest.skip("litellm 1.72 loses the address of the other provider")
    skip_what_goes_elsewhere(name)
    try:
        return WAYS[way](ENTRY_POINTS[name], provider)
    except Exception as error:  # is what the program gets
        if "No module named" in str(error):
            pytest.skip(f"litellm {get_version()} cannot make this call: {error}")
        return error


def plain(result: Any) -> str:
    """Return what a result says, without what is different each time."""
    if isinstance(result, list) and all(isinstance(chunk, bytes) for chunk in result):
        result = b"".join(result)  # where it is cut is up to the network
    return _VOLATILE.sub("*", json.dumps(result, default=_fields, sort_keys=True))


def _fields(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    if hasattr(value, "model_dump"):
        return value.model_dump()
    return value.content if hasattr(value, "content") else f"{type(value).__name__}: {value}"
