"""What an Agent understands and a process without one cannot do: refused by name, with the reason."""

import re
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.options.request import REQUEST_OPTIONS
from ddtrace_litellm.openmetrics.options.values import OptionError

REFUSED: Mapping[str, str] = MappingProxyType(
    {
        "debug_metrics": "it is about the Agent's own metrics of its checks",
        "empty_default_hostname": "the Agent that receives the metrics gives them its host; hostname_label changes it",
        "process_isolation": "it is about the Agent's process",
        "use_base_class_scraper": "the base class is the Agent's",
    }
)
"""Options, and why they cannot apply in process. Those about the request are refused where they are read."""

# The Agent takes a value that is this as a whole for the name of a secret.
_SECRET = re.compile(r"\s*ENC\[.*\]\s*", re.DOTALL)
_VARIABLE = re.compile(r"%%[^%\s]+%%")


def refuse(options: Mapping[str, Any]) -> None:
    """Refuse what only an Agent can do.

    Raises:
        OptionError: there is an option of that kind; what switches one off is none.
    """
    for name, value in options.items():
        if name in REFUSED and value not in _OFF:
            raise OptionError(f"{name}: it cannot apply in process: {REFUSED[name]}")
        for text in _texts(value):
            if _VARIABLE.search(text):
                raise OptionError(
                    f"{masking.name(name)}: only an Agent fills in %%...%%; in process it has to be the value itself"
                )
            if _SECRET.fullmatch(text):
                raise OptionError(
                    f"{masking.name(name)}: only an Agent decrypts ENC[...]; in process it has to be the value itself"
                )


def refuse_request(options: Mapping[str, Any]) -> None:
    """Refuse what is about asking for a page, where none is asked for.

    Raises:
        OptionError: there are options of that kind.
    """
    about = REQUEST_OPTIONS | {"ignore_connection_errors"}
    if names := [name for name, value in options.items() if name in about and value not in _OFF]:
        raise OptionError(
            f"{', '.join(names)}: without openmetrics_endpoint no page is asked for, the metrics are taken from the"
            " registry of this process"
        )


_OFF: tuple[Any, ...] = (None, False, "", [], {})


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
