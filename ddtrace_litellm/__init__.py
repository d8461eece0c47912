"""Datadog LLM Observability for LiteLLM, instead of ddtrace's own ``litellm`` integration.

Enabling
~~~~~~~~
Install the package; then start the program as with ddtrace alone::

    DD_LLMOBS_ENABLED=1 DD_LLMOBS_ML_APP=my-app ddtrace-run python app.py

``import ddtrace.auto``, ``ddtrace.patch(litellm=True)`` and ``LLMObs.enable()`` work as well. Where ``.pth`` files are
not read (``pip install -t``, a bare ``PYTHONPATH``), import ``ddtrace_litellm.auto`` before litellm is used.

Configuration
~~~~~~~~~~~~~
ddtrace's own variables (``DD_TRACE_LITELLM_ENABLED``, ``DD_PATCH_MODULES``, ``DD_LITELLM_SERVICE``, ``DD_LLMOBS_*``)
mean what they mean for its built-in integration. ``DD_LITELLM_TAKEOVER=false`` leaves the built-in in place. The rest
is in :mod:`ddtrace_litellm.config`.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    __version__: str

__all__ = ["__version__", "get_version", "patch", "unpatch"]

# Every function imports what it needs when it is called: the ``.pth`` file imports this module, and no other, in each
# Python process of the environment, and most of those never see LiteLLM.

BUILT_IN = "ddtrace.contrib.internal.litellm.patch"
"""ddtrace's own integration, the module that every way of starting ddtrace ends in."""

TAKEOVER_VARIABLE = "DD_LITELLM_TAKEOVER"


def install() -> None:
    """Arrange for ddtrace's LiteLLM integration to be this one; at once where ddtrace has loaded its own already.

    Python calls this at start (``ddtrace_litellm.pth``, from 3.15 ``ddtrace_litellm.start``). It adds one finder to
    ``sys.meta_path`` that reacts to one module name, :data:`BUILT_IN`.
    """
    setting = takeover_setting()
    if setting is None:
        return
    if not is_installed():
        sys.meta_path.insert(0, _Finder())
    # Loaded before, or past the finder: somebody else's was in front of it.
    if (built_in := sys.modules.get(BUILT_IN)) is not None:
        from ddtrace_litellm import takeover

        takeover.replace(built_in, setting)


def is_installed() -> bool:
    """Whether :func:`install` has been called in this process, and not in vain."""
    # By module name: gevent's module unloading can leave a finder of an earlier copy of this module behind.
    return any(type(finder).__module__ == __name__ for finder in sys.meta_path)


def takeover_setting() -> "str | None":
    """Return what ``DD_LITELLM_TAKEOVER`` says; ``None`` for ``false`` and ``0``, the kill switch."""
    setting = os.environ.get(TAKEOVER_VARIABLE, "").strip().lower()
    return None if setting in ("false", "0") else setting


class _Finder:
    """Finds :data:`BUILT_IN` as Python would, with a loader that exchanges its functions for ours."""

    def find_spec(
        self, fullname: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if fullname == BUILT_IN:
            from ddtrace_litellm import takeover

            return takeover.find_spec(fullname, path, target, takeover_setting)
        if self in sys.meta_path[1:]:
            # pytest's finder claims all of ddtrace, to rewrite its assertions, and is put in front of this one.
            # One assignment, after which nobody else's place has come closer to the front: what iterates over the
            # list meanwhile, in this thread or another, may ask a finder twice, but leaves none out.
            place = sys.meta_path.index(self)
            sys.meta_path[: place + 1] = [self, *sys.meta_path[:place]]
        return None


def patch() -> None:
    """Wrap LiteLLM's entry points, in place of ddtrace's own integration where that is active.

    Does nothing where they are wrapped already, nor where ``DD_LITELLM_TAKEOVER=false`` keeps an active built-in.

    Raises:
        ddtrace_litellm.versions.UnsupportedVersionError: the installed LiteLLM cannot or must not be traced.
    """
    # First, since ddtrace's hook on this import may call patch(), which must not find itself half imported.
    import litellm  # noqa: F401

    from ddtrace_litellm import config, patching

    config.warn_of_unknown(os.environ)
    install()
    patching.patch()


def unpatch() -> None:
    """Put LiteLLM's own functions back. Streams that are being read end their spans as usual."""
    from ddtrace_litellm import takeover

    takeover.unpatch_ours()


def get_version() -> str:
    """Return the version of the installed LiteLLM, ``""`` where none is installed."""
    from ddtrace_litellm import versions

    return versions.get_version()


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ddtrace_litellm.versions import __version__

    return __version__
