"""What is wrapped around LiteLLM's functions. Sync and async differ in ``await`` only."""

from __future__ import annotations

import contextvars
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, SupportsIndex

import wrapt

from ddtrace_litellm.tracing.calls import Operation, begin

Wrapper = Callable[[Callable[..., Any], Any, tuple[Any, ...], dict[str, Any]], Any]
"""A wrapper as wrapt calls it: ``(wrapped, instance, args, kwargs)``."""


class TracedFunction(wrapt.FunctionWrapper):  # type: ignore[type-arg]  # generic to type checkers only
    """A wrapped function that can be pickled and copied as the function itself can; wrapt's own wrappers refuse."""

    def __reduce_ex__(self, protocol: SupportsIndex) -> str:
        # A name in the function's module, where this object is: that module is among those that are patched.
        return str(self.__wrapped__.__qualname__)

    def __copy__(self) -> TracedFunction:
        return self

    def __deepcopy__(self, memo: dict[int, Any]) -> TracedFunction:
        return self


def traced(operation: Operation) -> Wrapper:
    """Return the wrapper of a function."""

    def wrapper(wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        call = begin(operation, args, kwargs)
        if call is None:
            return wrapped(*args, **kwargs)
        try:
            result = wrapped(*args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        return call.succeed(result)

    return wrapper


def traced_async(operation: Operation) -> Wrapper:
    """Return the wrapper of a coroutine function.

    All work is done inside the coroutine: LiteLLM's proxy creates it in one task and awaits it in another.
    """

    async def wrapper(
        wrapped: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        call = begin(operation, args, kwargs)
        if call is None:
            return await wrapped(*args, **kwargs)
        try:
            result = await wrapped(*args, **kwargs)
        except BaseException as error:
            call.fail(error)
            raise
        return call.succeed(result)

    return wrapper


class ContextExecutor(ThreadPoolExecutor):
    """A thread pool whose tasks run in the context that submitted them, so that their spans keep their parent."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        return super().submit(contextvars.copy_context().run, fn, *args, **kwargs)
