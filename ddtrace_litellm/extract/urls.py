"""URLs without what may authorise."""

from ddtrace_litellm.masking import strip_credentials

__all__ = ["strip_credentials"]
