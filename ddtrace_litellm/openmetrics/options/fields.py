"""The kinds of values that options have, and what is wrong with one in words.

pydantic reads them. Its own messages are not used: they are not in the words of a ``conf.yaml``, and do not know what
may be a key.
"""

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from math import isfinite
from typing import Annotated, Any, NamedTuple, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator, ValidationError, model_validator
from pydantic.fields import FieldInfo

from ddtrace_litellm import masking

_AFFIRMATIVE = frozenset({"yes", "true", "1", "y", "on"})
_NEGATIVE = frozenset({"no", "false", "0", "n", "off", ""})


class OptionError(masking.SafeError, ValueError):
    """An option that cannot be used; the message names it, and its value only where that should be a short word."""


def wrong(value: Any, what: str) -> OptionError:
    """Return an error about a value that may be a secret."""
    return OptionError(f"its value (a {type(value).__name__}) {what}")


def _boolean(value: Any) -> bool:
    """Read a boolean; the texts that the Agent takes for one are one too."""
    if isinstance(value, bool):
        return value
    text = str(value).lower()
    if not isinstance(value, str | int) or text not in _AFFIRMATIVE | _NEGATIVE:
        raise OptionError(f"{masking.word(value)} is not true or false")
    return text in _AFFIRMATIVE


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise wrong(value, "is not a text")
    return value


def _seconds(value: Any) -> float:
    """Read a finite number above 0; a text that is one is one too."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
    except ValueError:
        number = 0.0
    if not (isfinite(number) and number > 0):
        raise OptionError(f"{masking.word(value)} is not a number above 0")
    return number


def _limit(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise OptionError(f"{masking.word(value)} is not a whole number from 0 on, where 0 is no limit")
    return value


def texts(value: Any) -> tuple[str, ...]:
    """Read a list of texts."""
    if not isinstance(value, list | tuple):
        raise wrong(value, "is not a list")
    if not all(isinstance(entry, str) for entry in value):
        raise wrong(value, "is not a list of texts")
    return tuple(value)


def _names(value: Any) -> frozenset[str]:
    return frozenset(texts(value))


def _integers(value: Any) -> frozenset[int]:
    try:
        return frozenset(int(str(number)) for number in value)
    except (TypeError, ValueError):
        raise wrong(value, "is not a list of whole numbers") from None


def _mapping(value: Any) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise wrong(value, "is not a mapping")
    if not all(isinstance(key, str) for key in value):
        raise wrong(value, "has a key that is not a text")
    return dict(value)


def _renames(value: Any) -> dict[str, str]:
    for label, name in _mapping(value).items():
        if not isinstance(name, str):
            raise wrong(value, f"renames {masking.name(label)} to what is not a text")
    return dict(value)


def _headers(value: Any) -> dict[str, str]:
    for name, each in _mapping(value).items():
        if not isinstance(each, str | int | float):
            raise OptionError(f"the value of {masking.name(name)} (a {type(each).__name__}) is not a text")
    return {name: str(each) for name, each in value.items()}


def _ciphers(value: Any) -> str:
    names = (value,) if isinstance(value, str) else texts(value)
    return "ALL" if "ALL" in names else ":".join(names)


def _drops(value: Any) -> dict[str, re.Pattern[str]]:
    patterns = {}
    for label, values in _mapping(value).items():
        every = values is True
        if not (every or (isinstance(values, list) and all(isinstance(each, str) for each in values))):
            raise wrong(value, f"has neither true nor a list of texts for {masking.name(label)}")
        patterns[label] = compiled(() if every else tuple(values)) or re.compile("")
    return patterns


def _share(value: Any) -> dict[str, Any]:
    if not (value is True or isinstance(value, Mapping)):
        raise OptionError(f"a {type(value).__name__} is neither true nor a mapping of labels, match and values")
    return {} if value is True else dict(value)


def _patterns(value: Any) -> re.Pattern[str] | None:
    return compiled(texts(value))


def _name_patterns(value: Any) -> re.Pattern[str] | None:
    # An empty pattern would be found in every name; the Agent passes over it too.
    return compiled(tuple(filter(None, texts(value))))


def compiled(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return one regular expression for several, ``None`` for none.

    Raises:
        OptionError: one is none; the message says which.
    """
    for number, pattern in enumerate(patterns, 1):
        try:
            re.compile(pattern)
        except re.error as error:  # noqa: PERF203
            place = "" if error.pos is None else f", see its character {error.pos + 1}"
            raise OptionError(f"entry {number} is not a regular expression{place}") from None
    return re.compile("|".join(patterns)) if patterns else None


Boolean = Annotated[bool, PlainValidator(_boolean)]
Text = Annotated[str, PlainValidator(_text)]
Seconds = Annotated[float, PlainValidator(_seconds)]
Limit = Annotated[int, PlainValidator(_limit)]
Texts = Annotated[tuple[str, ...], PlainValidator(texts)]
Names = Annotated[frozenset[str], PlainValidator(_names)]
Integers = Annotated[frozenset[int] | None, PlainValidator(_integers)]
Table = Annotated[dict[str, Any], PlainValidator(_mapping)]
Renames = Annotated[dict[str, str], PlainValidator(_renames)]
Headers = Annotated[dict[str, str], PlainValidator(_headers)]
Ciphers = Annotated[str, PlainValidator(_ciphers)]
Drops = Annotated[dict[str, re.Pattern[str]], PlainValidator(_drops)]
NamePatterns = Annotated[re.Pattern[str] | None, PlainValidator(_name_patterns)]
Patterns = Annotated[re.Pattern[str] | None, PlainValidator(_patterns)]


class Place(NamedTuple):
    """Where an option applies, and how Datadog's specification of the check shows it.

    Attributes:
        not_in_process: why it is refused without an Agent, ``""`` where it is not.
        no_effect: why it changes nothing without an Agent, ``""`` where it does.
        ours: its entry in the specification, of an option that the Agent's own check lacks.
        instead: what the specification says of it instead of what the Agent's own check says.
    """

    not_in_process: str = ""
    no_effect: str = ""
    ours: Mapping[str, Any] | None = None
    instead: Mapping[str, Any] | None = None


def option(default: Any, meaning: str, **place: Any) -> Any:
    """Return a field: its value where it is not given, what it means, and where it applies, as ``Place`` has it."""
    return Field(default, description=meaning, json_schema_extra={"place": Place(**place)})  # type: ignore[dict-item]


def place_of(field: FieldInfo) -> Place:
    """Return where the option of a field applies."""
    extra = field.json_schema_extra
    return extra["place"] if isinstance(extra, dict) and isinstance(extra["place"], Place) else Place()


class Options(BaseModel):
    """Options by name. An option without a value, as YAML has ``name:``, is one not given."""

    model_config = ConfigDict(frozen=True, hide_input_in_errors=True, arbitrary_types_allowed=True)

    @model_validator(mode="before")
    @classmethod
    def _given(cls, values: Any) -> Any:
        return {name: each for name, each in _mapping(values).items() if name in cls.model_fields and each is not None}

    def has(self, *names: str) -> bool:
        """Whether all of them are given."""
        return self.model_fields_set.issuperset(names)


class MetricPatterns(Options):
    """Names that are sent, where there are any, and names that are not."""

    include: NamePatterns = None
    exclude: NamePatterns = None


class Share(Options):
    """Which labels of a family others get, all where none is named; of which series, and to which."""

    labels: Names = frozenset()
    match: Names = frozenset()
    values: Integers = None


Shares = Annotated[dict[str, Annotated[Share, BeforeValidator(_share)]], BeforeValidator(_mapping)]


Model = TypeVar("Model", bound=Options)


def read(model: type[Model], values: Mapping[str, Any]) -> Model:
    """Read the options that a model knows.

    Raises:
        OptionError: a value cannot be used.
    """
    try:
        return model.model_validate({name: value for name, value in values.items() if isinstance(name, str)})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        reason = masking.reason(first["ctx"]["error"]) if "error" in first.get("ctx", {}) else first["type"]
        raise OptionError(f"{'.'.join(map(masking.name, first['loc']))}: {reason}") from None


@contextmanager
def naming(option: str) -> Iterator[None]:
    """Put the name of an option before what is wrong with it."""
    try:
        yield
    except OptionError as error:
        raise OptionError(f"{option}: {error}") from None
