"""URLs without what may authorise."""

import re

DATA_URL = re.compile(r"\s*data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?P<base64>[^,]*;base64,)?", re.IGNORECASE)
"""What comes before the data in a data URL: its type, where it has one, and what says that the rest is base64."""
