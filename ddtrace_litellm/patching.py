"""Wrapping LiteLLM's functions, and putting them back."""

from __future__ import annotations

import atexit
import inspect
import os
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import litellm

from ddtrace_litellm import _ddtrace, get_version
from ddtrace_litellm.bootstrap import LAMBDA_VARIABLE
from ddtrace_litellm.config import health_metrics_enabled, openmetrics_config
from ddtrace_litellm.targets import FUNCTIONS, ROUTER_ATTRIBUTES, ROUTER_METHODS, Target
from ddtrace_litellm.telemetry import snapshot
from ddtrace_litellm.tracing import debug_log, errors, frames, lambda_invocations, spans
from ddtrace_litellm.tracing.calls import Operation
from ddtrace_litellm.tracing.streams import end_open_readings
from ddtrace_litellm.tracing.wrappers import ContextExecutor, TracedFunction, traced, traced_async
from ddtrace_litellm.versions import check_version

_restore: list[Callable[[], None]] = []


def patch() -> None:
    """Wrap every target that the installed LiteLLM has, or after an error none.

    Raises:
        UnsupportedVersionError: LiteLLM is older than 1.72, or one of the malicious releases.
    """
    if _restore:
        return
    check_version(get_version())
    if getattr(litellm, "_datadog_patch", False):
        return
    spans.configure()
    try:
        _wrap_targets()
        _wrap_router_factory()
        _propagate_context()
        if debug_log.wanted():
            debug_log.patched(wrapped_names(), get_version(), _absent())
    except BaseException:
        # ddtrace's built-in is about to be active instead: it must not find half of ours beneath it.
        _restore_all()
        raise
    _ddtrace.listen_to_provider_spans(_beneath_a_leaf)
    if os.environ.get(LAMBDA_VARIABLE):
        lambda_invocations.follow()
    _report_health()
    atexit.register(_end)  # after that, so that it runs before: what it ends is reported too
    # ddtrace's own marker: LLMObs.enable() warns about an unpatched litellm without it.
    litellm._datadog_patch = True  # noqa: SLF001
    _start_scraper()


def unpatch() -> None:
    """Put back every function that is still ours; one that somebody wrapped after us stays as it is."""
    if not _restore:
        return
    _restore_all()
    _stop_scraper()
    _ddtrace.stop_listening()
    lambda_invocations.stop_following()
    atexit.unregister(_end)
    litellm._datadog_patch = False  # noqa: SLF001


def _start_scraper() -> None:
    config = openmetrics_config(os.environ)
    if config is not None:
        from ddtrace_litellm.openmetrics.process import start

        start.start(config)


def _stop_scraper() -> None:
    # What is not loaded has started nothing.
    start = sys.modules.get("ddtrace_litellm.openmetrics.process.start")
    if start is not None:
        start.stop()


def _report_health() -> None:
    if not health_metrics_enabled(os.environ):
        return
    try:
        from ddtrace_litellm.telemetry import health_metrics

        health_metrics.start()
    except Exception:
        errors.swallow("health metrics")


def wrapped_names() -> int:
    """Return how many names of LiteLLM's hold something of ours."""
    return len(_restore)


def _absent() -> list[str]:
    """Return the functions that none of their owners has in the installed version."""
    return [
        target.resource
        for target in (*FUNCTIONS, *ROUTER_METHODS)
        if not any(callable(getattr(owner, target.name, None)) for owner in _owners(target))
    ]


def _end() -> None:
    """End what is open at the end of the process."""
    end_open_readings()
    if debug_log.wanted():
        debug_log.summed_up(snapshot())


def _wrap_targets() -> None:
    wrappers: dict[int, Any] = {}
    for target in (*FUNCTIONS, *ROUTER_METHODS):
        for owner in _owners(target):
            original = getattr(owner, target.name, None)
            if not callable(original) or _is_traced(original):
                continue
            # Names that hold the same function go on holding the same one.
            wrapper = wrappers.get(id(original))
            if wrapper is None:
                wrapper = wrappers[id(original)] = _wrap(target, owner, original)
            _replace(owner, target.name, original, wrapper)


def _is_traced(function: Any) -> bool:
    """Whether a wrapper of ours is in there still: :func:`unpatch` leaves it where somebody has wrapped it since."""
    while function is not None:
        if isinstance(function, TracedFunction):
            return True
        function = getattr(function, "__wrapped__", None)
    return False


def _restore_all() -> None:
    while _restore:
        _restore.pop()()


def _owners(target: Target) -> Iterator[Any]:
    for path in target.owners:
        module_name, _, attribute = path.partition(":")
        module = sys.modules.get(module_name)
        owner = getattr(module, attribute, None) if attribute else module
        if owner is not None:
            yield owner


def _wrap(target: Target, owner: Any, original: Any) -> TracedFunction:
    named = getattr(owner, target.signature_of, original) if target.signature_of else original
    parameters = target.positional or positional_parameters(named)
    operation = Operation(target.resource, target.family, parameters, target.router, target.batch)
    return TracedFunction(original, (traced_async if target.asynchronous else traced)(operation))


def _wrap_router_factory() -> None:
    """Wrap what the Router makes attributes of its instances of: no class has them.

    Those of a Router that was made before the patch stay as they are.
    """
    router = getattr(litellm, "Router", None)
    original = getattr(router, "factory_function", None)
    if original is not None and not _is_traced(original):
        _replace(router, "factory_function", original, TracedFunction(original, _traced_factory))


def _traced_factory(make: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    made = make(*args, **kwargs)
    target = ROUTER_ATTRIBUTES.get(kwargs.get("call_type", ""))
    if target is None:
        return made
    try:
        return _wrap(replace(target, router=True, signature_of=None, positional=None), None, made)
    except Exception:
        errors.swallow("router factory")
        return made


def positional_parameters(function: Any) -> tuple[str, ...]:
    """Return the names of a function's positional parameters, without ``self``."""
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    parameters = inspect.signature(function).parameters.values()
    return tuple(found.name for found in parameters if found.kind in kinds and found.name != "self")


def _replace(owner: Any, name: str, original: Any, replacement: Any) -> None:
    setattr(owner, name, replacement)

    def restore() -> None:
        # Through the owner's own storage where it has one: getattr() of a class binds a wrapt wrapper anew each time.
        held = vars(owner).get(name, getattr(owner, name, None))
        if held is replacement or getattr(held, "__wrapped__", None) is original:
            setattr(owner, name, original)

    _restore.append(restore)


def _propagate_context() -> None:
    """Give the threads of batches and of ``completion(model_list=...)`` their caller's context, which LiteLLM drops.

    ``batch_completion_models_all_responses`` gets its pool from elsewhere: there it takes ddtrace's own integration of
    ``concurrent.futures``, which is on by default.
    """
    module = sys.modules.get("litellm.batch_completion.main")
    original = getattr(module, "ThreadPoolExecutor", None)
    if original is not None:
        _replace(module, "ThreadPoolExecutor", original, ContextExecutor)


def _beneath_a_leaf() -> bool:
    frame = frames.enclosing(_ddtrace.active_context())
    return frame is not None and not frame.dispatches
