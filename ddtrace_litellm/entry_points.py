"""The entry points of the LiteLLM that is installed, and which of them this package does not know."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

from ddtrace_litellm.left_out import REASONS
from ddtrace_litellm.targets import AGENTS, FUNCTIONS, ROUTER_ENDPOINTS, ROUTER_METHODS, SANDBOXES

_ROUTER = "Router."


def unknown() -> list[str]:
    """Return the entry points that are neither traced nor left out, functions without ``litellm.``, sorted."""
    traced = traced_names()
    return sorted(name for name, held in entry_points().items() if not held & traced and left_out_as(name) is None)


def left_out_as(name: str) -> str | None:
    """Return the name under which an entry point is in the table of those left out."""
    for candidate in (name, name.removeprefix(_ROUTER)):
        owner, dot, last = candidate.rpartition(".")
        for left_out in (candidate, f"{owner}{dot}{last.removeprefix('a')}"):
            if left_out in REASONS:
                return left_out
    return None


def traced_names() -> set[str]:
    """Return every name that the tables of targets wrap, without ``litellm.``."""
    functions = {_public(owner, target.name) for target in (*FUNCTIONS, *AGENTS, *SANDBOXES) for owner in target.owners}
    return functions | {_ROUTER + target.name for target in (*ROUTER_METHODS, *ROUTER_ENDPOINTS)}


def entry_points() -> dict[str, set[str]]:
    """Return the functions that LiteLLM decorates as client calls, and what of its Router may ask a provider.

    It finds what is imported so far, and the same whether LiteLLM is patched or not.

    Returns:
        every name of each entry point, by the shortest one.
    """
    functions = _functions()
    methods = [{_ROUTER + name} for name in _router_methods(set().union(*functions))]
    return {min(names, key=_length): names for names in (*functions, *methods)}


def _length(name: str) -> tuple[int, bool, int, str]:
    return name.count("."), name.startswith("_"), len(name), name


def _public(module: str, name: str) -> str:
    return f"{module}.{name}".removeprefix("litellm.")


def _functions() -> list[set[str]]:
    """Return the names of each function."""
    from litellm.utils import client

    # What `client` decorates becomes one of the functions inside it.
    wrappers = {code for code in client.__code__.co_consts if isinstance(code, CodeType)}
    found: dict[int, set[str]] = {}
    for module_name, module in list(sys.modules.items()):
        if module_name.partition(".")[0] != "litellm":
            continue
        for name, value in list(vars(module).items()):
            layers = list(_layers(value))
            calls = [layer for layer in layers if layer.__code__ in wrappers]
            if not calls and module_name == "litellm":
                # Since 1.103 some are shims that import what is decorated at their first call, such as ocr.
                calls = [layer for layer in layers[-1:] if layer.__module__.endswith(".dispatch")]
            if calls:
                found.setdefault(id(calls[-1]), set()).add(_public(module_name, name))
    return list(found.values())


def _layers(value: Any) -> Iterator[Any]:
    """Yield a function and what it wraps, from without to within."""
    while isinstance(value, FunctionType):  # which a wrapper of ours says it is
        yield value
        value = getattr(value, "__wrapped__", None)


def _router_methods(functions: set[str]) -> set[str]:
    """Return the Router's endpoints, its methods with the name of a function, and its coroutine functions."""
    import litellm

    methods = {
        name
        for name in dir(litellm.Router)
        if not name.startswith(("_", "async_"))  # async_ is LiteLLM's prefix for what a call does inside the Router
        and isinstance(method := getattr(litellm.Router, name), FunctionType)
        and (name in functions or inspect.iscoroutinefunction(method))
    }
    return methods | _router_endpoints()


def _router_endpoints() -> set[str]:
    """Return what instances of the Router have besides the methods of its class."""
    import litellm

    if hasattr(litellm.Router, "factory_function"):  # to 1.109
        router = litellm.Router(model_list=[])
        router.discard()  # LiteLLM holds its callbacks
        held = vars(getattr(router, "_core", router))  # it is a facade in 1.109
        return {name for name, value in held.items() if isinstance(value, FunctionType)}
    try:
        from litellm.router_rust.invoke.endpoints import endpoint_names
    except ImportError:
        return set()
    return set(endpoint_names())
