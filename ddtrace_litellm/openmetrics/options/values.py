"""Read the values of options, and say in words what is wrong with one."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

from ddtrace_litellm import masking

_AFFIRMATIVE = frozenset({"yes", "true", "1", "y", "on"})
_NEGATIVE = frozenset({"no", "false", "0", "n", "off", ""})


class OptionError(masking.SafeError, ValueError):
    """An option that cannot be used; the message names it, and its value only where that should be a short word."""


class Options:
    """The options of an instance, by name. An option without a value, as YAML has ``name:``, is one not given."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = {name: value for name, value in values.items() if value is not None}

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def boolean(self, name: str, *, default: bool) -> bool:
        """Return a boolean; the texts that the Agent takes for one are one too."""
        value = self.values.get(name, default)
        if isinstance(value, bool):
            return value
        text = str(value).lower()
        if isinstance(value, str | int) and text in _AFFIRMATIVE:
            return True
        if isinstance(value, str | int) and text in _NEGATIVE:
            return False
        raise OptionError(f"{name}: {masking.word(value)} is not true or false")

    def text(self, name: str, default: str = "") -> str:
        """Return a text."""
        value = self.values.get(name, default)
        if not isinstance(value, str):
            raise self.error(name, "is not a text")
        return value

    def number(self, name: str, default: float, *, least: float = 0.0) -> float:
        """Return a finite number above ``least``; a text that is one is one too."""
        value = self.values.get(name, default)
        try:
            number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else least
        except ValueError:
            number = least
        if not (isfinite(number) and number > least):
            raise OptionError(f"{name}: {masking.word(value)} is not a number above {least:g}")
        return number

    def texts(self, name: str) -> tuple[str, ...]:
        """Return a list of texts, which may be empty."""
        value = self.values.get(name, ())
        if not isinstance(value, list | tuple):
            raise self.error(name, "is not a list")
        if not all(isinstance(entry, str) for entry in value):
            raise self.error(name, "is not a list of texts")
        return tuple(value)

    def mapping(self, name: str) -> dict[str, Any]:
        """Return a mapping whose keys are texts, which may be empty."""
        value = self.values.get(name, {})
        if not isinstance(value, Mapping):
            raise self.error(name, "is not a mapping")
        for key in value:
            if not isinstance(key, str):
                raise self.error(name, "has a key that is not a text")
        return dict(value)

    def pattern(self, name: str) -> re.Pattern[str] | None:
        """Return one regular expression for a list of them, ``None`` for none."""
        return self.compiled(name, self.texts(name))

    def compiled(self, name: str, patterns: tuple[str, ...]) -> re.Pattern[str] | None:
        """Return one regular expression for several that an option has, ``None`` for none."""
        number = 0
        try:
            for pattern in patterns:
                number += 1
                re.compile(pattern)
            return re.compile("|".join(patterns)) if patterns else None
        except re.error as error:
            place = "" if error.pos is None else f", see its character {error.pos + 1}"
            raise OptionError(f"{name}: entry {number} is not a regular expression{place}") from None

    def error(self, name: str, what: str) -> OptionError:
        """Return an error about the value of an option."""
        return OptionError(f"{name}: its value (a {type(self.values.get(name)).__name__}) {what}")
