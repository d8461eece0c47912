"""Replaces ddtrace's own integration by this one, when ddtrace loads it.

Python runs :func:`install` at start (``ddtrace_litellm.pth``, from 3.15 ``ddtrace_litellm.start``). It adds one finder
to ``sys.meta_path`` that reacts to one module name, ddtrace's contrib module for LiteLLM, and after that module has
executed exchanges its entry points for ours. Everything around them stays ddtrace's: which variable switches the
integration off, when it patches, what it reports. ddtrace has no plugin for this: since 4.11 its ``ddtrace.products``
entry point is closed to other distributions, on purpose.

Standard library only, and no import that Python has not done already: this runs in every process of the environment.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import logging
    from collections.abc import Sequence
    from importlib.abc import Loader
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

BUILT_IN = "ddtrace.contrib.internal.litellm.patch"
"""ddtrace's own integration, the module that every way of starting ddtrace ends in."""

TAKEOVER_VARIABLE = "DD_LITELLM_TAKEOVER"


def takeover_enabled() -> bool:
    """Whether ``DD_LITELLM_TAKEOVER`` allows the takeover. ``false`` and ``0`` are the kill switch."""
    return _takeover_setting() not in ("false", "0")


def _takeover_setting() -> str:
    return os.environ.get(TAKEOVER_VARIABLE, "").strip().lower()


def _switched_off_in_lambda() -> bool:
    """Whether ``DD_PATCH_MODULES`` switches LiteLLM off in AWS Lambda, where datadog-lambda does not read it."""
    from ddtrace_litellm.config import LAMBDA_VARIABLE

    if not os.environ.get(LAMBDA_VARIABLE):
        return False
    # As ddtrace reads it, which separates by commas or spaces.
    pairs = os.environ.get("DD_PATCH_MODULES", "").replace(",", " ").split()
    settings = dict(pair.split(":", 1) for pair in pairs if ":" in pair)
    return settings.get("litellm", "true").lower() not in ("true", "1")


def install() -> None:
    """Arrange for ddtrace's LiteLLM integration to be this one; at once where ddtrace has loaded its own already."""
    if not takeover_enabled():
        return
    # By module name: gevent's module unloading can leave a finder of an earlier copy of this module behind.
    if not any(type(finder).__module__ == __name__ for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
    built_in = sys.modules.get(BUILT_IN)
    patch = getattr(built_in, "patch", None)
    # Loaded before, or past the finder: somebody else's was in front of it.
    if built_in is not None and patch is not None and patch.__module__ != __name__:
        _replace(built_in)


def _replace(built_in: "ModuleType") -> None:
    """Take over from a contrib module that ddtrace loaded, and perhaps activated, before :func:`install`."""
    active = getattr(sys.modules.get("litellm"), "_datadog_patch", False)
    if active:
        built_in.unpatch()
    take_over(built_in)
    if active:
        built_in.patch()


class _Finder:
    """Finds :data:`BUILT_IN` as Python would, with a loader that calls :func:`take_over` after it."""

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if fullname != BUILT_IN:
            if self in sys.meta_path[1:]:
                # pytest's finder claims all of ddtrace, to rewrite its assertions, and is put in front of this one.
                # One assignment, after which nobody else's place has come closer to the front: what iterates over the
                # list meanwhile, in this thread or another, may ask a finder twice, but leaves none out.
                place = sys.meta_path.index(self)
                sys.meta_path[: place + 1] = [self, *sys.meta_path[:place]]
            return None
        from importlib.machinery import PathFinder

        # Not a walk over sys.meta_path: datadog-lambda's cold start tracer would record the import twice.
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and spec.loader is not None:
            spec.loader = _Loader(spec.loader)  # type: ignore[assignment]  # delegates what it does not define
        return spec


class _Loader:
    """The real loader, whichever it is (the Lambda layer has no source files), plus the takeover."""

    def __init__(self, loader: "Loader") -> None:
        self._loader = loader

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._loader, name)

    def exec_module(self, module: "ModuleType") -> None:
        self._loader.exec_module(module)
        if takeover_enabled():  # the program may have said so since Python's start
            take_over(module)


def take_over(built_in: "ModuleType") -> None:
    """Replace the functions of ddtrace's contrib module by ours.

    Its own ``patch`` and ``unpatch`` stay within reach of ours: where this package cannot work (a ddtrace or a LiteLLM
    that it does not know), the built-in does, and one warning says why.
    """
    from ddtrace_litellm import config, masking
    from ddtrace_litellm.versions import __version__, get_version

    builtin_patch, builtin_unpatch = built_in.patch, built_in.unpatch
    # Here, and not in takeover_enabled(): a warning in each Python process of the environment would be too much.
    setting = _takeover_setting()
    if setting not in ("", "true", "1"):
        shown = masking.word(setting)
        _logger().warning("%s=%s is not a boolean (true, false, 1 or 0); using true", TAKEOVER_VARIABLE, shown)
    config.warn_of_unknown(os.environ)

    def patch() -> None:
        if _switched_off_in_lambda():
            return
        try:
            # First, since ddtrace's hook on this import may call patch(), which must not find itself half imported.
            import litellm  # noqa: F401

            from ddtrace_litellm import patching

            patching.patch()
        except Exception as error:
            if getattr(error, "malicious", False):
                _logger().error("%s", error)
                return
            from ddtrace_litellm.extract import credentials

            said = masking.shortened(credentials.mask(str(error), credentials.of_process({})))
            _logger().warning(
                "ddtrace-litellm cannot trace LiteLLM here (%s: %s); ddtrace's built-in integration stays active",
                type(error).__name__,
                said,
            )
            builtin_patch()
        else:
            _logger().info("LiteLLM is traced by ddtrace-litellm %s", __version__)

    def unpatch() -> None:
        # Whichever is not active does nothing: both read the marker that ddtrace sets on litellm.
        unpatch_ours()
        builtin_unpatch()

    _logger().debug("litellm: %s now patches with ddtrace-litellm %s", BUILT_IN, __version__)
    built_in.patch, built_in.unpatch = patch, unpatch  # type: ignore[attr-defined]
    built_in.get_version = get_version  # type: ignore[attr-defined]
    # Every version, since patch() decides, with words and with the built-in to fall back on.
    built_in._supported_versions = lambda: {"litellm": "*"}  # type: ignore[attr-defined]  # noqa: SLF001


def unpatch_ours() -> None:
    """Put LiteLLM's own functions back where ours are."""
    # What is not loaded has patched nothing. To load it would import LiteLLM, on which ddtrace's hook patches.
    patching = sys.modules.get("ddtrace_litellm.patching")
    if patching is not None:
        patching.unpatch()


def _logger() -> "logging.Logger":
    import logging

    # Below "ddtrace", so that DD_TRACE_DEBUG and ``ddtrace-run --debug`` reach it.
    return logging.getLogger("ddtrace.litellm")
