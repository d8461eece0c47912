"""Data URLs: what comes before the data."""

import re

DATA_URL = re.compile(r"\s*data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?P<base64>[^,]*;base64,)?", re.IGNORECASE)
"""Matches the type of a data URL, where it has one, and what says that the rest is base64."""
