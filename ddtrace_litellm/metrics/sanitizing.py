"""Names, tags and messages as both sinks send them: nothing in them can end the field, line or packet they are in.

Datadog makes the same of them on arrival, whoever sent them. Done here, series that it takes for one are one already,
and are added instead of overwriting each other.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import lru_cache

from ddtrace_litellm.metrics.batch import Record

LONGEST_MESSAGE = 500
"""Characters of a service check's message that Datadog keeps."""
LONGEST_TAG = 200
"""Characters of a tag that Datadog keeps."""

_UNIFIED = {"DD_ENV": "env", "DD_SERVICE": "service", "DD_VERSION": "version"}
_UNFIT_IN_NAME = re.compile(r"[^A-Za-z0-9_.]")
_UNFIT_IN_TAG = re.compile(r"[^\w\-:/.]")


@lru_cache(maxsize=4096)
def metric_name(text: str) -> str:
    """Return the name of a metric or a service check."""
    return _UNFIT_IN_NAME.sub("_", text)


@lru_cache(maxsize=16384)
def tag(text: str) -> str:
    """Return a tag: in lower case, and as long as Datadog keeps it."""
    return host(text).lower()[:LONGEST_TAG]


def host(text: str) -> str:
    """Return a host's name, as the ``datadog`` client writes tags."""
    return _UNFIT_IN_TAG.sub("_", text)


def message(text: str) -> str:
    """Return the message of a service check; ``|`` would end it in DogStatsD's format, which cannot escape that."""
    return text.replace("|", "/")[:LONGEST_MESSAGE].encode("utf-8", "replace").decode()


def merged(records: Iterable[Record]) -> list[Record]:
    """Return one value for each series as Datadog tells them apart: of counts the sum, of gauges the last."""
    found: dict[tuple[str, str, frozenset[str]], Record] = {}
    for record in records:
        key = record.name, record.hostname, frozenset(map(tag, record.tags))
        if record.type == "count" and key in found:
            found[key] = replace(record, value=found[key].value + record.value)
        else:
            found[key] = record
    return [*found.values()]


def environment_tags(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the tags of everything that the environment names: those of Unified Service Tagging before all others."""
    named = [f"{name}:{environ[variable]}" for variable, name in _UNIFIED.items() if environ.get(variable)]
    taken = tuple(f"{each.partition(':')[0]}:" for each in named)
    general = environ.get("DD_TAGS", "")
    others = [*general.split("," if "," in general else None), *environ.get("DATADOG_TAGS", "").split(",")]
    found = [*named, *(each.strip() for each in others if each.strip() and not each.strip().startswith(taken))]
    return tuple(dict.fromkeys(map(tag, found)))
