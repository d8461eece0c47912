"""Files that a request brings along, by their names: to read the caller's file would use it up."""

import os
from pathlib import PurePath
from typing import Any

from ddtrace_litellm.extract.urls import DATA_URL
from ddtrace_litellm.masking import strip_credentials

# No file system has longer ones; base64 that a caller passes as text has.
_MAX_NAME_CHARS = 255


def file_marker(kind: str, file: Any) -> str:
    """Return ``[kind: name]``, or ``[kind]`` of a file that has no name.

    ``file`` is what OpenAI's clients and LiteLLM take: a path, a file object, bytes, a tuple that begins with the name,
    or a URL, which keeps no credentials and of which data keeps the type only.
    """
    name = _name(file)
    return f"[{kind}: {name}]" if name else f"[{kind}]"


def _name(file: Any) -> str:
    named = file[0] if isinstance(file, (list, tuple)) and file else file
    if not isinstance(named, (str, os.PathLike)):
        named = getattr(named, "name", None)
    path = os.fspath(named) if isinstance(named, os.PathLike) else named
    if not isinstance(path, str):  # the name of an open file may be a number
        return ""
    if data := DATA_URL.match(path):
        return data["mime"] or ""
    if "://" in path:
        return strip_credentials(path)
    name = PurePath(path).name
    return name if len(name) <= _MAX_NAME_CHARS else ""
