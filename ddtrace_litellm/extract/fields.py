"""Reading what LiteLLM hands out: dicts, pydantic objects, and either inside the other.

``getattr`` of an absent field of a pydantic object costs 2 us (LiteLLM deletes optional attributes that are unset), so
objects are read through ``__dict__`` and pydantic's extras, where LiteLLM keeps most of a response's fields (1.106.2).
"""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.extract import plain

_NONE: dict[str, Any] = {}


def fields_of(owner: Any) -> Mapping[str, Any]:
    """Return all fields of a dict or an object; none for ``None`` and for what has no fields. Not to be changed."""
    if owner is None:
        return _NONE
    if isinstance(owner, dict):
        return owner
    declared: dict[str, Any] = getattr(owner, "__dict__", _NONE)
    try:
        extras: dict[str, Any] | None = owner.__pydantic_extra__
    except AttributeError:
        return declared
    if not extras or type(extras) is not dict:  # a descriptor, where the owner is a class
        return declared
    return {**declared, **extras} if declared else extras


def field(owner: Any, name: str) -> Any:
    """Return ``owner``'s field ``name``, ``None`` where it has none."""
    if owner is None:
        return None
    if isinstance(owner, dict):
        return owner.get(name)
    value = getattr(owner, "__dict__", _NONE).get(name)
    if value is not None:
        return value
    try:
        extras: dict[str, Any] | None = owner.__pydantic_extra__
    except AttributeError:
        return None
    return extras.get(name) if type(extras) is dict else None


def hidden_params(owner: Any) -> Mapping[str, Any]:
    """Return LiteLLM's ``_hidden_params`` of a response, a chunk or a stream, empty where it has none."""
    if owner is None:
        return _NONE
    try:
        private: dict[str, Any] | None = owner.__pydantic_private__
    except AttributeError:
        return fields_of(field(owner, "_hidden_params"))
    return fields_of(private.get("_hidden_params")) if type(private) is dict else _NONE


def text_of(value: Any) -> str:
    """Return ``value`` as text, ``""`` for ``None``."""
    return value if type(value) is str else "" if value is None else plain.text(value)


def sequence(value: Any) -> "list[Any] | tuple[Any, ...]":
    """Return ``value`` where it is a list or a tuple, an empty tuple otherwise."""
    return value if isinstance(value, (list, tuple)) else ()


def number(value: Any) -> "int | float | None":
    """Return ``value`` where it is a number; a boolean is none."""
    kind = type(value)
    return value if kind is int or kind is float else None
