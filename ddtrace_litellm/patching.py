"""Wraps LiteLLM's functions, and restores them."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache, partial
from typing import Any

import litellm
import wrapt

from ddtrace_litellm import _ddtrace
from ddtrace_litellm.config import LAMBDA_VARIABLE, health_metrics_enabled, openmetrics_config
from ddtrace_litellm.extract import mcp
from ddtrace_litellm.targets import (
    AGENT_NAME,
    AGENTS,
    END_OF_PROXY,
    FUNCTIONS,
    GUARDRAIL_ASKED,
    GUARDRAIL_RECORD,
    GUARDRAIL_RUNS,
    LAST_EVENT,
    PASS_THROUGH_REQUEST,
    PROMPT_RENDERERS,
    PROVIDER_REQUEST,
    PROVIDER_RESPONSES,
    ROUTER_ENDPOINTS,
    ROUTER_FACTORY_CALL_TYPES,
    ROUTER_METHODS,
    SANDBOXES,
    SCREENING,
    STREAM_BUILDER,
    TOOLS,
    Target,
)
from ddtrace_litellm.telemetry import snapshot
from ddtrace_litellm.tracing import calls, debug_log, frameworks, lambda_invocations, spans
from ddtrace_litellm.tracing.errors import contain
from ddtrace_litellm.tracing.streams import end_open_streams
from ddtrace_litellm.tracing.wrappers import (
    ContextExecutor,
    TracedFunction,
    Wrapper,
    is_traced,
    observes_agent,
    observes_guardrail,
    observes_last_event,
    observes_prompt,
    observes_question,
    observes_request,
    observes_response,
    observes_screening,
    observes_stream,
    observes_verdict,
    traced,
)
from ddtrace_litellm.versions import check_version, get_version

_SCRAPER = "ddtrace_litellm.openmetrics.process.start"
_restore: list[Callable[[], None]] = []
_wrappers: dict[int, TracedFunction] = {}
"""Of each wrapped function by its id: names that hold the same function go on holding the same one."""
_awaited: set[str] = set()
"""Modules whose import is waited for; a hook cannot be taken back, so each is asked for once."""


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
        _wrap_all(_targets())
        _wrap_router_factory()
        _propagate_context()
        if debug_log.wanted():
            debug_log.patched(wrapped_names(), get_version(), _absent())
    except BaseException:
        # ddtrace's built-in is about to be active instead: it must not find half of ours beneath it.
        _restore_all()
        raise
    _ddtrace.listen_to_other_spans(_leaf_span, _beneath_a_tool, calls.span_failed)
    frameworks.follow()
    if os.environ.get(LAMBDA_VARIABLE):
        lambda_invocations.follow()
    _report_health()
    atexit.register(_end)  # after that, so that it runs before: what it ends is reported too
    # ddtrace's own marker: LLMObs.enable() warns about an unpatched litellm without it.
    litellm._datadog_patch = True  # noqa: SLF001
    _send_at_sigterm()
    _start_scraper()


def unpatch() -> None:
    """Restore every function that only we have wrapped; one that somebody wrapped after us stays as it is."""
    if not _restore:
        return
    _restore_all()
    _stop_scraper()
    _ddtrace.stop_listening()
    frameworks.stop_following()
    lambda_invocations.stop_following()
    atexit.unregister(_end)
    litellm._datadog_patch = False  # noqa: SLF001


def wrapped_names() -> int:
    """Return how many names of LiteLLM are wrapped by us."""
    return len(_restore)


def _targets() -> tuple[Target, ...]:
    router = getattr(litellm, "Router", None)
    # Until 1.109 only instances have them: see _wrap_router_factory.
    endpoints = () if hasattr(router, "factory_function") else ROUTER_ENDPOINTS
    return (*FUNCTIONS, PASS_THROUGH_REQUEST, *AGENTS, *TOOLS, *SANDBOXES, *ROUTER_METHODS, *endpoints)


def _wrap_all(targets: Iterable[Target]) -> None:
    for target in targets:
        for path in target.owners:
            _when_loaded(path, target.name, partial(_traced, target))
    _observe(observes_request, PROVIDER_REQUEST)
    _observe(observes_stream, STREAM_BUILDER)
    _observe(observes_response, *PROVIDER_RESPONSES)
    _observe(observes_prompt, *PROMPT_RENDERERS)
    _observe(observes_last_event, LAST_EVENT)
    _observe(observes_verdict, GUARDRAIL_RECORD)
    _observe(observes_question, GUARDRAIL_ASKED)
    _observe(observes_screening, SCREENING)
    for path, name, mode, positional in GUARDRAIL_RUNS:
        _observe(observes_guardrail(mode, positional), (path, name))
    _observe(observes_agent, AGENT_NAME)
    _observe(_end_proxy, END_OF_PROXY)


def _observe(observer: Wrapper, *places: tuple[str, str]) -> None:
    for path, name in places:
        _when_loaded(path, name, lambda _owner, original: TracedFunction(original, observer))


def _when_loaded(path: str, name: str, wrap: Callable[[Any, Any], TracedFunction]) -> None:
    """Wrap what ``path`` (a module, or ``module:class``) has under ``name``: now, or when its module is imported."""
    module_name, _, attribute = path.partition(":")

    def wrap_in(module: Any) -> None:
        owner = getattr(module, attribute, None) if attribute else module
        original = getattr(owner, name, None)
        if isinstance(getattr(owner, "__dict__", {}).get(name), staticmethod):
            original = vars(owner)[name]  # or wrapt would bind it to instances
        if not callable(original) or is_traced(original):
            return
        wrapper = _wrappers.get(id(original))
        if wrapper is None:
            wrapper = _wrappers[id(original)] = wrap(owner, original)
        _replace(owner, name, original, wrapper)

    def wrap_late(module: Any) -> None:
        with contain("late module"):
            if _restore:
                wrap_in(module)

    module = sys.modules.get(module_name)
    if module is not None:
        wrap_in(module)
    elif (awaited := f"{path} {name}") not in _awaited:
        _awaited.add(awaited)
        wrapt.register_post_import_hook(wrap_late, module_name)


def _traced(target: Target, owner: Any, original: Any) -> TracedFunction:
    named = getattr(owner, target.signature_of, original) if target.signature_of else original
    return TracedFunction(original, traced(_signed(target, named)))


@cache  # signatures are a third of the time that it takes to patch anew
def _signed(target: Target, function: Any) -> Target:
    return target.with_signature_of(function)


def _wrap_router_factory() -> None:
    """Wrap what the Router of LiteLLM 1.72 to 1.109 makes attributes of its instances of: no class has them.

    Those of a Router that was made before the patch stay as they are.
    """
    router = getattr(litellm, "Router", None)
    original = getattr(router, "factory_function", None)
    if original is not None and not is_traced(original):
        _replace(router, "factory_function", original, TracedFunction(original, _traced_factory))


def _traced_factory(make: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    made = make(*args, **kwargs)
    target = ROUTER_FACTORY_CALL_TYPES.get(kwargs.get("call_type", ""))
    if target is not None:
        with contain("router factory"):
            return TracedFunction(made, traced(target.with_signature_of(made)))
    return made


def _replace(owner: Any, name: str, original: Any, replacement: Any) -> None:
    inherited = name not in vars(owner)
    setattr(owner, name, replacement)

    def restore() -> None:
        # Through the owner's own storage where it has one: getattr() of a class binds a wrapt wrapper anew each time.
        held = vars(owner).get(name, getattr(owner, name, None))
        if held is not replacement and getattr(held, "__wrapped__", None) is not original:
            return
        if inherited:
            # A method that the Router's facade shows of its core (from 1.109): only so does the core get its own back.
            delattr(owner, name)
        else:
            setattr(owner, name, original)

    _restore.append(restore)


def _restore_all() -> None:
    while _restore:
        _restore.pop()()
    _wrappers.clear()


def _absent() -> list[str]:
    """Return the functions that none of their owners has in the installed version."""
    return [
        target.resource
        for target in _targets()
        if not any(callable(getattr(owner, target.name, None)) for owner in _owners(target))
    ]


def _owners(target: Target) -> Iterator[Any]:
    for path in target.owners:
        module_name, _, attribute = path.partition(":")
        module = sys.modules.get(module_name)
        yield getattr(module, attribute, None) if attribute else module


def _propagate_context() -> None:
    """Give the threads of batches and of ``completion(model_list=...)`` their caller's context, which LiteLLM drops.

    ``batch_completion_models_all_responses`` gets its pool from elsewhere: there it takes ddtrace's own integration of
    ``concurrent.futures``, which is on by default.
    """
    module = sys.modules.get("litellm.batch_completion.main")
    original = getattr(module, "ThreadPoolExecutor", None)
    if original is not None:
        _replace(module, "ThreadPoolExecutor", original, ContextExecutor)


def _leaf_span() -> Any:
    call = calls.innermost()
    return call.span if call is not None and not call.target.never_leaf else None


def _beneath_a_tool() -> bool:
    call = calls.innermost()
    return call is not None and call.target.api is mcp.API


def _end() -> None:
    """End what is open at the end of the process."""
    end_open_streams()
    if debug_log.wanted():
        debug_log.summed_up(snapshot())


async def _end_proxy(end: Callable[..., Any], _instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Send what there is once the proxy has answered its requests.

    uvicorn's workers end by a signal, without ``atexit``, and under gunicorn without a handler that was set before.
    """
    try:
        return await end(*args, **kwargs)
    finally:
        _send()
        if (start := sys.modules.get(_SCRAPER)) is not None:
            start.scrape_now()


@cache
def _send_at_sigterm() -> None:
    """Once: a handler cannot be taken out of what others have put around it."""
    _ddtrace.on_sigterm(_send)


def _send() -> None:
    with contain("sending at the end"):
        _ddtrace.send()


def _start_scraper() -> None:
    config = openmetrics_config(os.environ)
    if config is not None:
        from ddtrace_litellm.openmetrics.process import start

        start.start(config)


def _stop_scraper() -> None:
    # What is not loaded has started nothing.
    if (start := sys.modules.get(_SCRAPER)) is not None:
        start.stop()


def _report_health() -> None:
    if not health_metrics_enabled(os.environ):
        return
    with contain("health metrics"):
        from ddtrace_litellm.telemetry import report

        report.start()
