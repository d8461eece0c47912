"""What programs do with LiteLLM, one function a scenario; each returns what the program would have seen.

A scenario takes the provider and returns text, a list of texts, or the exception that reached it. Model names say what
the provider does: see :data:`SCRIPTS`.
"""

import asyncio
import gc
from collections.abc import Callable
from typing import Any

import litellm

from tests.provider import Provider, Script

SCRIPTS = {
    "fails": Script(status=500, error="The server is down."),
    "limited": Script(status=429, error="Too many requests.", error_type="rate_limit_error"),
    "breaks": Script(cut_after=3),
    "breaks-at-once": Script(cut_after=0),
    "slow": Script(delay=5.0),
    "flaky": Script(fail_first=1, status=500, error="Not yet."),
}
ASK = [{"role": "user", "content": "Say something short, please."}]
Scenario = Callable[[Provider], Any]

SCENARIOS: dict[str, Scenario] = {}
"""Every scenario by name."""


def scenario(function: Scenario) -> Scenario:
    """Register a scenario."""
    SCENARIOS[function.__name__] = function
    return function


def to(provider: Provider, **more: Any) -> dict[str, Any]:
    """Return where to send a request, and that it is to be sent once."""
    return {"api_base": f"{provider.url}/v1", "api_key": "sk-local", "max_retries": 0, **more}


def first_tries(provider: Provider) -> list[Any]:
    """Return the requests but for the OpenAI SDK's own retries: LiteLLM 1.72 does not pass ``max_retries=0`` on."""
    return [request for request in provider.requests if request.headers.get("x-stainless-retry-count", "0") == "0"]


def chat_text(response: Any) -> list[str]:
    """Return the texts of a chat response's choices."""
    return [choice.message.content for choice in response.choices]


def text_text(response: Any) -> list[str]:
    """Return the texts of a text completion's choices."""
    return [choice.text for choice in response.choices]


def chunk_text(chunk: Any) -> str:
    """Return what a chunk of either kind says."""
    pieces = [choice.delta.content if hasattr(choice, "delta") else choice.text for choice in chunk.choices]
    return "".join(piece or "" for piece in pieces)


def read(stream: Any) -> str:
    """Read a stream to its end."""
    return "".join(map(chunk_text, stream))


async def aread(stream: Any) -> str:
    """Read an asynchronous stream to its end."""
    return "".join([chunk_text(chunk) async for chunk in stream])


async def aread_one_and_close(stream: Any) -> str:
    """Read one chunk, leave the loop, and close the stream where LiteLLM's has a close (1.85)."""
    async for chunk in stream:
        first = chunk_text(chunk)
        break
    if hasattr(stream, "aclose"):
        await stream.aclose()
    return first


def caught(call: Callable[[], Any]) -> Any:
    """Return what ``call`` raises."""
    try:
        call()
    except Exception as error:  # which, is what the scenario returns
        return f"{type(error).__module__}.{type(error).__name__}: {error}"
    raise AssertionError("it did not fail")


def deployment(provider: Provider, group: str, model: str) -> dict[str, Any]:
    """Return one entry of a Router's model list."""
    return {
        "model_name": group,
        "litellm_params": {"model": model, **to(provider)},
        "model_info": {"id": f"id-{model}"},
    }


def router(provider: Provider, *pairs: tuple[str, str], **settings: Any) -> litellm.Router:
    """Return a Router over (group, model) pairs, without retries of its own."""
    settings = {"num_retries": 0, "retry_after": 0, "disable_cooldowns": True, **settings}
    return litellm.Router(model_list=[deployment(provider, group, model) for group, model in pairs], **settings)


@scenario
def completion(provider):
    return chat_text(litellm.completion(model="openai/gpt-4o-mini", messages=ASK, **to(provider)))


@scenario
def completion_by_position(provider):
    return chat_text(litellm.completion("mistral/m", ASK, 30, **to(provider)))


@scenario
def completion_of_a_model_with_gpt_in_its_name(provider):
    return chat_text(litellm.completion("mistral/my-gpt", ASK, **to(provider)))


@scenario
def completion_through_the_openai_sdk_without_gpt(provider):
    return chat_text(litellm.completion("llama3", ASK, custom_llm_provider="openai", **to(provider)))


@scenario
def completion_of_anthropic(provider):
    return chat_text(
        litellm.completion("anthropic/claude-x", ASK, api_base=provider.url, api_key="sk-local", max_tokens=50)
    )


@scenario
def main_completion(provider):
    return chat_text(litellm.main.completion("mistral/m", ASK, **to(provider)))


@scenario
def client_class(provider):
    client = litellm.LiteLLM(base_url=f"{provider.url}/v1", api_key="sk-local", max_retries=0)
    return chat_text(client.chat.completions.create(messages=ASK, model="openai/gpt-4o-mini"))


@scenario
def acompletion(provider):
    return chat_text(asyncio.run(litellm.acompletion(model="openai/gpt-4o-mini", messages=ASK, **to(provider))))


@scenario
def acompletion_twice_at_a_time(provider):
    async def both():
        calls = [litellm.acompletion(model=f"mistral/m{number}", messages=ASK, **to(provider)) for number in (1, 2)]
        return [chat_text(response) for response in await asyncio.gather(*calls)]

    return asyncio.run(both())


@scenario
def text_completion(provider):
    return text_text(litellm.text_completion(model="openai/gpt-3.5-turbo-instruct", prompt="Once", **to(provider)))


@scenario
def text_completion_by_position(provider):
    return text_text(
        litellm.text_completion(["Once", "Twice"], "text-completion-openai/gpt-3.5-turbo-instruct", **to(provider))
    )


@scenario
def text_completion_of_a_chat_model(provider):
    return text_text(litellm.text_completion(model="mistral/m", prompt="Once", **to(provider)))


@scenario
def atext_completion(provider):
    return text_text(
        asyncio.run(litellm.atext_completion(model="openai/gpt-3.5-turbo-instruct", prompt="Once", **to(provider)))
    )


@scenario
def stream(provider):
    return read(litellm.completion("openai/gpt-4o-mini", ASK, stream=True, **to(provider)))


@scenario
def stream_by_position(provider):
    return read(litellm.completion("mistral/m", ASK, None, None, None, None, True, **to(provider)))


@scenario
def stream_of_anthropic(provider):
    return read(
        litellm.completion(
            "anthropic/claude-x", ASK, api_base=provider.url, api_key="sk-local", max_tokens=50, stream=True
        )
    )


@scenario
def stream_begun_with_next(provider):
    chunks = litellm.completion("mistral/m", ASK, stream=True, **to(provider))
    return chunk_text(next(iter(chunks))) + read(chunks)


@scenario
def stream_broken_off_by_the_reader(provider):
    chunks = litellm.completion("mistral/m", ASK, stream=True, **to(provider))
    first = next(chunks)
    del chunks
    return chunk_text(first)


@scenario
def stream_never_read(provider):
    litellm.completion("mistral/m", ASK, stream=True, **to(provider))
    gc.collect()


@scenario
def astream(provider):
    async def main():
        return await aread(await litellm.acompletion("openai/gpt-4o-mini", ASK, stream=True, **to(provider)))

    return asyncio.run(main())


@scenario
def astream_closed_after_a_chunk(provider):
    async def main():
        chunks = await litellm.acompletion("mistral/m", ASK, stream=True, **to(provider))
        return await aread_one_and_close(chunks)

    return asyncio.run(main())


@scenario
def text_stream(provider):
    return read(
        litellm.text_completion(
            model="text-completion-openai/gpt-3.5-turbo-instruct", prompt="Once", stream=True, **to(provider)
        )
    )


@scenario
def atext_stream(provider):
    async def main():
        return await aread(
            await litellm.atext_completion(
                model="text-completion-openai/gpt-3.5-turbo-instruct", prompt="Once", stream=True, **to(provider)
            )
        )

    return asyncio.run(main())


@scenario
def error(provider):
    return caught(lambda: litellm.completion("openai/fails", ASK, **to(provider)))


@scenario
def error_of_a_stream_before_it_is_returned(provider):
    return caught(lambda: litellm.completion("mistral/limited", ASK, stream=True, **to(provider)))


@scenario
def error_of_an_astream_before_it_is_returned(provider):
    return caught(lambda: asyncio.run(litellm.acompletion("mistral/limited", ASK, stream=True, **to(provider))))


@scenario
def error_in_the_middle_of_a_stream(provider):
    return caught(lambda: read(litellm.completion("mistral/breaks", ASK, stream=True, **to(provider))))


async def asked(provider: Provider, call: asyncio.Future[Any]) -> None:
    """Wait until a call's request has arrived, or the call is over."""
    while not (provider.requests or call.done()):  # noqa: ASYNC110  # they arrive in a thread
        await asyncio.sleep(0.01)


@scenario
def cancelled(provider):
    async def main():
        call = asyncio.ensure_future(litellm.acompletion("mistral/slow", ASK, **to(provider)))
        await asked(provider, call)
        call.cancel()
        try:
            await call
        except asyncio.CancelledError:
            return "cancelled"

    return asyncio.run(main())


@scenario
def fallbacks(provider):
    return chat_text(litellm.completion("mistral/fails", ASK, fallbacks=["mistral/m"], **to(provider)))


@scenario
def afallbacks(provider):
    return chat_text(asyncio.run(litellm.acompletion("mistral/fails", ASK, fallbacks=["mistral/m"], **to(provider))))


@scenario
def afallbacks_of_a_stream(provider):
    async def main():
        chunks = litellm.acompletion("mistral/fails", ASK, fallbacks=["mistral/m"], stream=True, **to(provider))
        return await aread(await chunks)

    return asyncio.run(main())


@scenario
def model_list(provider):
    deployments = [deployment(provider, "group", model) for model in ("mistral/m1", "mistral/m2")]
    return chat_text(litellm.completion(model="group", messages=ASK, model_list=deployments))


@scenario
def router_completion(provider):
    return chat_text(router(provider, ("group", "mistral/m")).completion("group", ASK))


@scenario
def router_acompletion(provider):
    return chat_text(asyncio.run(router(provider, ("group", "mistral/m")).acompletion("group", ASK)))


@scenario
def router_retry(provider):
    return chat_text(router(provider, ("group", "mistral/flaky"), num_retries=1).completion("group", ASK))


@scenario
def router_fallback(provider):
    groups = ("a", "mistral/fails"), ("b", "mistral/m")
    return chat_text(router(provider, *groups, fallbacks=[{"a": ["b"]}]).completion("a", ASK))


@scenario
def router_afallback(provider):
    groups = ("a", "openai/fails"), ("b", "openai/gpt-4o-mini")
    return chat_text(asyncio.run(router(provider, *groups, fallbacks=[{"a": ["b"]}]).acompletion("a", ASK)))


@scenario
def router_stream(provider):
    return read(router(provider, ("group", "mistral/m")).completion("group", ASK, stream=True))


@scenario
def router_astream(provider):
    async def main():
        return await aread(await router(provider, ("group", "openai/m")).acompletion("group", ASK, stream=True))

    return asyncio.run(main())


@scenario
def router_astream_fallback(provider):
    async def main():
        groups = ("a", "mistral/limited"), ("b", "mistral/m")
        routed = router(provider, *groups, fallbacks=[{"a": ["b"]}])
        return await aread(await routed.acompletion("a", ASK, stream=True))

    return asyncio.run(main())


@scenario
def router_astream_fallback_before_the_first_chunk(provider):
    async def main():
        groups = ("a", "mistral/breaks-at-once"), ("b", "mistral/m")
        routed = router(provider, *groups, fallbacks=[{"a": ["b"]}])
        try:
            return await aread(await routed.acompletion("a", ASK, stream=True))
        except Exception as failure:  # before 1.95 there is no fallback in mid-stream
            return type(failure).__name__

    return asyncio.run(main())


@scenario
def router_astream_broken_off_by_the_reader(provider):
    async def main():
        chunks = await router(provider, ("group", "mistral/m")).acompletion("group", ASK, stream=True)
        return await aread_one_and_close(chunks)

    return asyncio.run(main())


@scenario
def router_error(provider):
    return caught(lambda: router(provider, ("group", "mistral/fails")).completion("group", ASK))


@scenario
def router_atext_completion(provider):
    routed = router(provider, ("group", "text-completion-openai/gpt-3.5-turbo-instruct"))
    return text_text(asyncio.run(routed.atext_completion(model="group", prompt="Once")))


@scenario
def bridge_from_chat_to_responses(provider):
    return chat_text(litellm.completion("openai/responses/gpt-4o-mini", ASK, **to(provider)))
