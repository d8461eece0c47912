"""Read the values of options, and say in words what is wrong with one."""

import re
from collections.abc import Mapping
from math import isfinite
from typing import Any

_AFFIRMATIVE = frozenset({"yes", "true", "1", "y", "on"})
_NEGATIVE = frozenset({"no", "false", "0", "n", "off", ""})
_SECRET = frozenset(
    {"auth_token", "extra_headers", "headers", "password", "proxy", "tls_private_key_password", "username"}
)


class OptionError(ValueError):
    """An option that cannot be used; the message names it and its value, and never holds a secret."""


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
        raise self.error(name, "is not true or false")

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
            raise self.error(name, f"is not a number above {least:g}")
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
                raise self.error(name, f"has the key {key!r}, which is not a text")
        return dict(value)

    def pattern(self, name: str) -> re.Pattern[str] | None:
        """Return one regular expression for a list of them, ``None`` for none."""
        return self.compiled(name, self.texts(name))

    def compiled(self, name: str, patterns: tuple[str, ...]) -> re.Pattern[str] | None:
        """Return one regular expression for several that an option has, ``None`` for none."""
        pattern = ""
        try:
            for pattern in patterns:
                re.compile(pattern)
            return re.compile("|".join(patterns)) if patterns else None
        except re.error as error:
            raise OptionError(f"{name}: {pattern!r} is not a regular expression: {error}") from None

    def error(self, name: str, what: str) -> OptionError:
        """Return an error about the value of an option."""
        return OptionError(f"{name}: {self._shown(name, self.values.get(name))} {what}")

    @staticmethod
    def _shown(name: str, value: Any) -> str:
        return f"its value (a {type(value).__name__})" if name in _SECRET else repr(value)
