"""URLs without what may authorise."""

from urllib.parse import urlsplit


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
