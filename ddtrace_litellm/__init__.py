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

TYPE_CHECKING = False
if TYPE_CHECKING:
    __version__: str

__all__ = ["__version__", "get_version", "patch", "unpatch"]

# Every function imports what it needs when it is called: the ``.pth`` file imports this package in each Python process
# of the environment, and most of those never see LiteLLM.


def patch() -> None:
    """Wrap LiteLLM's entry points, in place of ddtrace's own integration where that is active.

    Does nothing where they are wrapped already, nor where ``DD_LITELLM_TAKEOVER=false`` keeps an active built-in.

    Raises:
        ddtrace_litellm.versions.UnsupportedVersionError: the installed LiteLLM cannot or must not be traced.
    """
    # First, since ddtrace's hook on this import may call patch(), which must not find itself half imported.
    import os

    import litellm  # noqa: F401

    from ddtrace_litellm import bootstrap, config, patching

    config.warn_of_unknown(os.environ)
    bootstrap.install()
    patching.patch()


def unpatch() -> None:
    """Put LiteLLM's own functions back. Streams that are being read end their spans as usual."""
    from ddtrace_litellm import bootstrap

    bootstrap.unpatch_ours()


def get_version() -> str:
    """Return the version of the installed LiteLLM, ``""`` where none is installed."""
    from ddtrace_litellm import versions

    return versions.get_version()


def __getattr__(name: str) -> str:
    if name != "__version__":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from ddtrace_litellm.versions import __version__

    return __version__
