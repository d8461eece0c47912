"""The wrappers of LiteLLM's functions. Sync and async differ in ``await`` only."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from inspect import isawaitable
from typing import Any, SupportsIndex

import wrapt

from ddtrace_litellm.targets import NO_PROVIDERS, PASSED_THROUGH, Target
from ddtrace_litellm.tracing import guardrails, passthrough
from ddtrace_litellm.tracing.calls import (
    Call,
    agent_named,
    begin,
    prompt_rendered,
    provider_answered,
    provider_asked,
    stream_built,
    stream_completed,
)

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""A wrapper as wrapt calls it: ``(wrapped, instance, args, kwargs)``."""
Begin = Callable[[Target, tuple[Any, ...], dict[str, Any], Any], "Call | None"]
Succeed = Callable[[Call, Any], Any]


class _BoundTracedFunction(wrapt.BoundFunctionWrapper):  # type: ignore[type-arg]  # generic to type checkers only
    """What a traced method is when it is looked up."""


class TracedFunction(wrapt.FunctionWrapper):  # type: ignore[type-arg]
    """A wrapped function that can be pickled and copied as the function itself can; wrapt's own wrappers refuse."""

    __bound_function_wrapper__ = _BoundTracedFunction

    def __reduce_ex__(self, protocol: SupportsIndex) -> str:
        # A name in the function's module, where this object is: that module is among those that are patched.
        return str(self.__wrapped__.__qualname__)

    def __copy__(self) -> TracedFunction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TracedFunction:
        return self


def is_traced(function: Any) -> bool:
    """Whether a wrapper of ours is in there still: ``unpatch`` leaves it where somebody has wrapped it since."""
    while function is not None:
        if isinstance(function, (TracedFunction, _BoundTracedFunction)):
            return True
        function = getattr(function, "__wrapped__", None)
    return False


def traced(target: Target) -> Wrapper:
    """Return the wrapper of a function, or of a coroutine function."""
    shell = _traced_async if target.asynchronous else _traced_sync
    wrapper = (
        shell(target, begin, Call.succeed)
        if target.reads is None
        else shell(target, passthrough.begin, passthrough.succeed)
    )
    return wrapper if target.runs is None else _with_traced_argument(wrapper, *target.runs)


def _with_traced_argument(wrapper: Wrapper, name: str, target: Target) -> Wrapper:
    """Return the wrapper of a function that is given another one, whose calls are traced too."""

    def with_traced(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        given = kwargs.get(name)
        if callable(given):
            kwargs = {**kwargs, name: TracedFunction(given, traced(target))}
        return wrapper(wrapped, instance, args, kwargs)

    return with_traced


def _traced_sync(target: Target, begin: Begin, succeed: Succeed) -> Wrapper:
    def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = begin(target, args, kwargs, instance)
        if call is None:
            return wrapped(*args, **kwargs)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        return succeed(call, result)

    return wrapper


def _traced_async(target: Target, begin: Begin, succeed: Succeed) -> Wrapper:
    # All work is done inside the coroutine: LiteLLM's proxy creates it in one task and awaits it in another.
    async def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = begin(target, args, kwargs, instance)
        if call is None:
            return await wrapped(*args, **kwargs)
        try:
            result = await wrapped(*args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        return succeed(call, result)

    return wrapper


def observes_request(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap the method of LiteLLM's logging object that is called before each request to a provider."""
    call_type = getattr(instance, "call_type", "")
    if call_type not in NO_PROVIDERS:
        provider_asked(instance)
    if call_type in PASSED_THROUGH:
        passthrough.asked(instance, kwargs.get("additional_args") or {})
    return wrapped(*args, **kwargs)


def observes_response(
    wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Wrap what LiteLLM hands a provider's response to, to go on from there."""
    response = kwargs.get("response") or kwargs.get("embedding_response")
    if response is not None:
        provider_answered(response)
    return wrapped(*args, **kwargs)


def observes_stream(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap what LiteLLM puts a stream together with."""
    response = wrapped(*args, **kwargs)
    stream_built(kwargs.get("chunks"), response)
    return response


class ContextExecutor(ThreadPoolExecutor):
    """A thread pool whose tasks run in the context that submitted them, so that their spans keep their parent."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(contextvars.copy_context().run, fn, *args, **kwargs)


def observes_prompt(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap what LiteLLM makes ``(model, messages, parameters)`` of a managed prompt with, a logging object's method."""
    result = wrapped(*args, **kwargs)
    if isawaitable(result):
        return _awaited_prompt(result, instance, kwargs)
    prompt_rendered(instance, kwargs, result)
    return result


async def _awaited_prompt(result: Any, instance: Any, kwargs: dict[str, Any]) -> Any:
    rendered = await result
    prompt_rendered(instance, kwargs, rendered)
    return rendered


def observes_last_event(
    wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Wrap what LiteLLM hands the last event of a stream to, which it changes afterwards."""
    if args:
        stream_completed(args[0])
    return wrapped(*args, **kwargs)


def observes_guardrail(mode: str, positional: tuple[str, ...]) -> Wrapper:
    """Return the wrapper of what runs one guardrail, with its mode and the names of its positional parameters."""

    async def wrapper(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        named = {**dict(zip(positional, args, strict=False)), **kwargs}
        return await guardrails.running(instance, mode, named, partial(wrapped, *args, **kwargs))

    return wrapper


async def observes_screening(
    wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Wrap what runs the guardrails of a request to the proxy before it is routed."""
    named = {**dict(zip(("user_api_key_dict", "data", "call_type"), args, strict=False)), **kwargs}
    work = partial(wrapped, *args, **kwargs)
    return await guardrails.screening(named.get("call_type"), named.get("data"), work)


def observes_verdict(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap what a guardrail tells LiteLLM its verdict with."""
    result = wrapped(*args, **kwargs)
    guardrails.recorded(instance, args, kwargs)
    return result


def observes_question(
    wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """Wrap what says whether a guardrail applies."""
    applies = wrapped(*args, **kwargs)
    if applies is True:
        guardrails.applies()
    return applies


def observes_agent(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Wrap what LiteLLM reads the name of a remote agent with."""
    name = wrapped(*args, **kwargs)
    agent_named(name)
    return name
