"""URLs without what may authorise, and those that are data."""

import re

from ddtrace_litellm.masking import strip_credentials

__all__ = ["DATA_URL", "strip_credentials"]

DATA_URL = re.compile(r"\s*data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?P<base64>[^,]*;base64,)?", re.IGNORECASE)
"""What comes before the data in a data URL: its type, where it has one, and what says that the rest is base64."""
