"""What is wrapped in LiteLLM, and where: a table of targets that ``patch`` and ``unpatch`` walk."""

from __future__ import annotations

import atexit
import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import litellm

from ddtrace_litellm import get_version
from ddtrace_litellm.extract.families import CHAT, TEXT
from ddtrace_litellm.extract.family import Family
from ddtrace_litellm.tracing import _ddtrace, frames, spans
from ddtrace_litellm.tracing.calls import Operation
from ddtrace_litellm.tracing.streams import end_open_readings
from ddtrace_litellm.tracing.wrappers import ContextExecutor, TracedFunction, traced, traced_async
from ddtrace_litellm.versions import check_version


@dataclass(frozen=True, slots=True)
class Target:
    """One function of LiteLLM's.

    Attributes:
        name: its name.
        owners: the modules and classes that hold it; those that a version lacks are left out.
        family: its API family.
        asynchronous: a coroutine function.
        router: a method of the Router.
        signature_of: the function whose positional parameters it takes, where its own signature is ``*args``.
    """

    name: str
    owners: tuple[str, ...]
    family: Family
    asynchronous: bool = False
    router: bool = False
    signature_of: str | None = None


# Since 1.103 litellm.completion is a dispatch shim that never calls litellm.main.completion by name: both are wrapped.
# The shim's own reference to the original is not: it would be a second span for one call.
_CHAT_MODULES = ("litellm", "litellm.main", "litellm.chat_completions", "litellm.chat_completions.dispatch")
_TEXT_MODULES = ("litellm", "litellm.main")
_ROUTER = ("litellm:Router",)

TARGETS = (
    Target("completion", _CHAT_MODULES, CHAT),
    Target("acompletion", _CHAT_MODULES, CHAT, asynchronous=True),
    Target("text_completion", _TEXT_MODULES, TEXT),
    Target("atext_completion", _TEXT_MODULES, TEXT, asynchronous=True, signature_of="text_completion"),
    Target("completion", _ROUTER, CHAT, router=True),
    Target("acompletion", _ROUTER, CHAT, router=True, asynchronous=True),
    Target("text_completion", _ROUTER, TEXT, router=True),
    Target("atext_completion", _ROUTER, TEXT, router=True, asynchronous=True),
)

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
        _propagate_context()
    except BaseException:
        # ddtrace's built-in is about to be active instead: it must not find half of ours beneath it.
        _restore_all()
        raise
    _ddtrace.listen_to_provider_spans(_beneath_a_leaf)
    atexit.register(end_open_readings)
    # ddtrace's own marker: LLMObs.enable() warns about an unpatched litellm without it.
    litellm._datadog_patch = True  # noqa: SLF001


def unpatch() -> None:
    """Put back every function that is still ours; one that somebody wrapped after us stays as it is."""
    if not _restore:
        return
    _restore_all()
    _ddtrace.stop_listening()
    atexit.unregister(end_open_readings)
    litellm._datadog_patch = False  # noqa: SLF001


def _wrap_targets() -> None:
    wrappers: dict[int, Any] = {}
    for target in TARGETS:
        for owner in _owners(target):
            original = getattr(owner, target.name, None)
            if original is None or _is_traced(original):
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


def _wrap(target: Target, owner: Any, original: Any) -> Any:
    named = getattr(owner, target.signature_of) if target.signature_of else original
    operation = Operation(
        name=f"router.{target.name}" if target.router else target.name,
        family=target.family,
        router=target.router,
        parameters=positional_parameters(named),
    )
    return TracedFunction(original, (traced_async if target.asynchronous else traced)(operation))


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
    """Give the threads of ``completion(model_list=...)`` their caller's context; LiteLLM's own pool drops it."""
    module = sys.modules.get("litellm.batch_completion.main")
    original = getattr(module, "ThreadPoolExecutor", None)
    if original is not None:
        _replace(module, "ThreadPoolExecutor", original, ContextExecutor)


def _beneath_a_leaf() -> bool:
    frame = frames.enclosing(_ddtrace.active_context())
    return frame is not None and not frame.router
