"""An instance in process: where its pages are, how often they are read, and what becomes of them."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.options.fields import OptionError, place_of, read
from ddtrace_litellm.openmetrics.options.models import InstanceModel, RequestModel
from ddtrace_litellm.openmetrics.options.page import page_options
from ddtrace_litellm.openmetrics.options.request import request_options
from ddtrace_litellm.openmetrics.sources.http import Endpoint

OPTIONS = InstanceModel.model_fields.keys()
"""The names of all options."""

# The Agent takes a value that is this as a whole for the name of a secret.
_SECRET = re.compile(r"\s*ENC\[.*\]\s*", re.DOTALL)
_VARIABLE = re.compile(r"%%[^%\s]+%%")
_OFF: tuple[Any, ...] = (None, False, "", [], {})


@dataclass(frozen=True)
class Instance:
    """One proxy whose metrics are sent.

    Attributes:
        endpoint: where its page is; ``None``: its registry is in this process.
        options: what else it says.
        warnings: sentences about options that are not known or have no effect, each to be logged once.
    """

    endpoint: Endpoint | None = None
    options: InstanceModel = field(default_factory=InstanceModel)
    warnings: tuple[str, ...] = ()


def instance(options: Mapping[str, Any], init_config: Mapping[str, Any] | None = None) -> Instance:
    """Read the options of an instance that runs in this process.

    Raises:
        OptionError: a value cannot be used, or an option cannot apply in process.
    """
    _refuse(options)
    _refuse(init_config or {})
    values, common = read(InstanceModel, options), read(InstanceModel, init_config or {})
    if not values.openmetrics_endpoint:
        _refuse_request(options)
    return Instance(
        request_options(values, common) if values.openmetrics_endpoint else None,
        page_options(values, common),
        tuple(_warnings(options, values)),
    )


def _warnings(options: Mapping[str, Any], values: InstanceModel) -> Iterator[str]:
    for name, value in options.items():
        if value is not None and name not in OPTIONS:
            like = get_close_matches(str(name), OPTIONS, n=1)
            yield f"{masking.name(name)}: there is no such option{f'; is it {like[0]}?' if like else ''}"
    for name, each in InstanceModel.model_fields.items():
        if (reason := place_of(each).no_effect) and getattr(values, name) != each.default:
            yield f"{name}: {reason}"


def _refuse(options: Mapping[str, Any]) -> None:
    """Refuse what only an Agent can do; what switches an option off is not refused."""
    for name, value in options.items():
        known = InstanceModel.model_fields.get(name)
        if known and value not in _OFF and (reason := place_of(known).not_in_process):
            raise OptionError(f"{name}: it cannot apply in process: {reason}")
        for text in _texts(value):
            if _VARIABLE.search(text):
                raise OptionError(
                    f"{masking.name(name)}: only an Agent fills in %%...%%; in process it has to be the value itself"
                )
            if _SECRET.fullmatch(text):
                raise OptionError(
                    f"{masking.name(name)}: only an Agent decrypts ENC[...]; in process it has to be the value itself"
                )


def _refuse_request(options: Mapping[str, Any]) -> None:
    """Refuse what is about asking for a page, where none is asked for."""
    about = RequestModel.model_fields.keys() | {"ignore_connection_errors"}
    if names := [name for name, value in options.items() if name in about and value not in _OFF]:
        raise OptionError(
            f"{', '.join(names)}: without openmetrics_endpoint no page is asked for, the metrics are taken from the"
            " registry of this process"
        )


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, each in value.items():
            yield from _texts(key)
            yield from _texts(each)
    elif isinstance(value, list | tuple):
        for each in value:
            yield from _texts(each)
