"""Reading a field of what LiteLLM hands out: a dict, a pydantic object, or either inside the other."""

from typing import Any


def field(owner: Any, name: str) -> Any:
    """Return ``owner``'s field ``name``, ``None`` where it has none.

    Reads ``__dict__`` and pydantic's extras instead of calling ``getattr``: LiteLLM deletes optional attributes that
    are unset, and ``getattr`` of an absent pydantic field costs 2 us against 0.05 us here (LiteLLM 1.106.2).
    """
    if isinstance(owner, dict):
        return owner.get(name)
    try:
        values = owner.__dict__
    except AttributeError:
        return None
    if name in values:
        return values[name]
    extras = getattr(owner, "__pydantic_extra__", None)
    return extras.get(name) if extras else None


def text_field(owner: Any, name: str) -> str:
    """Return the field as text, ``""`` where it is absent or ``None``."""
    value = field(owner, name)
    return "" if value is None else value if type(value) is str else str(value)


def sequence(value: Any) -> "list[Any] | tuple[Any, ...]":
    """Return ``value`` where it is a list or a tuple, an empty tuple otherwise."""
    return value if isinstance(value, (list, tuple)) else ()


def number(value: Any) -> "int | float | None":
    """Return ``value`` where it is a number; a boolean is none."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else None
