"""URLs without what may authorise."""

import re
from urllib.parse import urlsplit

DATA_URL = re.compile(r"\s*data:(?P<mime>[\w.+-]+/[\w.+-]+)?(?P<base64>[^,]*;base64,)?", re.IGNORECASE)
"""What comes before the data in a data URL: its type, where it has one, and what says that the rest is base64."""


def strip_credentials(url: str) -> str:
    """Return scheme, host, port and path of a URL: user, password, query and fragment may authorise."""
    try:
        parts = urlsplit(url)
        port = f":{parts.port}" if parts.port else ""
    except ValueError:
        return ""
    if not parts.hostname:
        return parts.path if not parts.scheme and "@" not in parts.path else ""
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}{port}{parts.path}"
