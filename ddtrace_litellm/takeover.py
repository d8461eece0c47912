"""Replaces ddtrace's own integration by this one, once ddtrace has loaded it.

After ddtrace's contrib module for LiteLLM has executed, its entry points are exchanged for ours. Everything around them
stays ddtrace's: which variable switches the integration off, when it patches, what it reports. ddtrace has no plugin
for this: since 4.11 its ``ddtrace.products`` entry point is closed to other distributions, on purpose.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any

from ddtrace_litellm import config, masking
from ddtrace_litellm.versions import __version__, get_version

_log = logging.getLogger("ddtrace.litellm")  # below "ddtrace", so that ``ddtrace-run --debug`` reaches it


Setting = Callable[[], "str | None"]
"""Says what ``DD_LITELLM_TAKEOVER`` says; ``None``: it is the kill switch."""


def _switched_off_in_lambda() -> bool:
    """Whether ``DD_PATCH_MODULES`` switches LiteLLM off in AWS Lambda, where datadog-lambda does not read it."""
    if not os.environ.get(config.LAMBDA_VARIABLE):
        return False
    # As ddtrace reads it, which separates by commas or spaces.
    pairs = os.environ.get("DD_PATCH_MODULES", "").replace(",", " ").split()
    settings = dict(pair.split(":", 1) for pair in pairs if ":" in pair)
    return settings.get("litellm", "true").lower() not in ("true", "1")


def replace(built_in: ModuleType, setting: str) -> None:
    """Take over from a contrib module that ddtrace has loaded, and perhaps activated, before."""
    if built_in.patch.__module__ == __name__:
        return
    active = getattr(sys.modules.get("litellm"), "_datadog_patch", False)
    if active:
        built_in.unpatch()
    _take_over(built_in, setting)
    if active:
        built_in.patch()


def find_spec(name: str, path: Sequence[str] | None, target: ModuleType | None, setting: Setting) -> ModuleSpec | None:
    """Return the contrib module's spec, with a loader that takes over from it."""
    # Not a walk over sys.meta_path: datadog-lambda's cold start tracer would record the import twice.
    spec = PathFinder.find_spec(name, path, target)
    if spec is not None and spec.loader is not None:
        spec.loader = _Loader(spec.loader, setting)  # type: ignore[assignment]  # delegates what it does not define
    return spec


class _Loader:
    """The real loader, whichever it is (the Lambda layer has no source files), plus the takeover."""

    def __init__(self, loader: Loader, setting: Setting) -> None:
        self._loader = loader
        self._setting = setting

    def __getattr__(self, name: str) -> Any:
        return getattr(self._loader, name)

    def exec_module(self, module: ModuleType) -> None:
        self._loader.exec_module(module)
        if (setting := self._setting()) is not None:  # the program may have said so since Python's start
            _take_over(module, setting)


def _take_over(built_in: ModuleType, setting: str) -> None:
    """Replace the functions of ddtrace's contrib module by ours.

    Its own ``patch`` and ``unpatch`` stay within reach of ours: where this package cannot work (a ddtrace or a LiteLLM
    that it does not know), the built-in does, and one warning says why.
    """
    builtin_patch, builtin_unpatch = built_in.patch, built_in.unpatch
    # Here, and not at Python's start: a warning in each process of the environment would be too much.
    if setting not in ("", "true", "1"):
        shown = masking.word(setting)
        _log.warning("DD_LITELLM_TAKEOVER=%s is not a boolean (true, false, 1 or 0); using true", shown)
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
                _log.error("%s", error)
                return
            from ddtrace_litellm.extract import credentials

            said = masking.shortened(credentials.mask(str(error), credentials.of_process({})))
            _log.warning(
                "ddtrace-litellm cannot trace LiteLLM here (%s: %s); ddtrace's built-in integration stays active",
                type(error).__name__,
                said,
            )
            builtin_patch()
        else:
            _log.info("LiteLLM is traced by ddtrace-litellm %s", __version__)

    def unpatch() -> None:
        # Whichever is not active does nothing: both read the marker that ddtrace sets on litellm.
        unpatch_ours()
        builtin_unpatch()

    _log.debug("litellm: %s now patches with ddtrace-litellm %s", built_in.__name__, __version__)
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
