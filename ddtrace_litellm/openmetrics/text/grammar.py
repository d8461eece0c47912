"""The lines that LiteLLM and ``prometheus_client`` write: their form, and their parts."""

import re

_NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
_PAIR = rf'{_NAME}="[^"\\]*(?:\\.[^"\\]*)*"'
_PAIRS = rf"{_PAIR}(?:,{_PAIR})*"

PAIR = re.compile(_PAIR)
BLOCK = re.compile(rf"\{{(?:{_PAIRS})?")
"""The labels of a sample: no spaces, no comma at the end; without the ``}``."""
CUT_BLOCK = re.compile(rf"(?:\{{{_PAIRS})?\n(?:,{_PAIRS})?")
"""The same, where a line feed stands for one label that was cut out."""
SAMPLE = re.compile(rf"({_NAME})(\{{(?:{_PAIRS})?)?(?(2)\}}) ([^ ]+)")
"""A sample: its name, its labels as ``BLOCK`` has them, its value."""
DESCRIPTION = re.compile(rf"# (HELP|TYPE|UNIT) ({_NAME})(?: (.*))?", re.DOTALL)
"""A line that describes a family: what of it, its name, the text."""

_ESCAPES = re.compile(r'\\([\\n"])')


def number(text: str) -> float:
    """Read a value or a bound: what Python reads as a float, but no underscores and no space around it."""
    if text != text.strip() or "_" in text:
        raise ValueError("what should be a number is none")
    return float(text)


def pair(text: str) -> tuple[str, str]:
    r"""Read a label as ``PAIR`` matches it: ``\\``, ``\"`` and ``\n`` are escapes, any other backslash is itself."""
    name, _, value = text.partition("=")
    if name.startswith("__"):
        raise ValueError("the name of a label is reserved")
    value = value[1:-1]
    return name, _ESCAPES.sub(_unescaped, value) if "\\" in value else value


def _unescaped(escape: re.Match[str]) -> str:
    return "\n" if escape[1] == "n" else escape[1]
