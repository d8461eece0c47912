"""Which Datadog metric each family of a LiteLLM Proxy's metrics page becomes, and what its samples are called.

The table is ``data/metrics.csv``, one row a family. A row without family is a metric that does not come from the page
but from the proxy's health check. Its columns are the attributes of :class:`Metric`.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import NamedTuple
from zlib import crc32

NAMESPACE = "litellm"
"""What every Datadog name starts with."""

SUBMITTED = MappingProxyType(
    {
        "counter": {"": (".count", "count")},
        "gauge": {"": ("", "gauge")},
        "histogram": {"_bucket": (".bucket", "count"), "_sum": (".sum", "count"), "_count": (".count", "count")},
        "summary": {"": (".quantile", "gauge"), "_sum": (".sum", "count"), "_count": (".count", "count")},
    }
)
"""By a family's type and a sample's suffix: what the metric's name is followed by, and its Datadog type."""

# Datadog takes 200 characters, what the kind of sample adds included.
_LONGEST = 200 - len(".quantile")

_FAMILY_PREFIX = "litellm_"

# The words that the names of the official check set apart by a dot. The first that fits counts.
_GROUPS = (
    "redis_",
    "in_memory_",
    "deployment_",
    "guardrail_",
    "anthropic_wif_cache_",
    "anthropic_wif_",
    "mcp_",
    "managed_batch_",
    "managed_file_",
    "check_batch_cost_",
    "provider_cache_",
    "project_",
    "admission_",
)
_MEASURES = ("_failed_requests", "_total_requests", "_latency", "_size", "_metric")

# Datadog would change such names on arrival, and the name that is sent would not be the one to look for.
_UNFIT = re.compile(r"[^A-Za-z0-9_.]+")
_DOTS = re.compile(r"_*\.[_.]*")


class Submission(NamedTuple):
    """What one kind of a family's samples is sent as.

    Attributes:
        name: the Datadog name in full.
        type: ``count`` or ``gauge``.
        unit: Datadog's name of the unit, ``""`` where it has none.
    """

    name: str
    type: str
    unit: str


@dataclass(frozen=True, slots=True)
class Metric:
    """One family under its Datadog name.

    Attributes:
        family: its name on the page, without the ``_total`` of a counter's samples.
        type: ``counter``, ``gauge``, ``histogram``, ... as the page declares it.
        name: the Datadog name, with the namespace and without what the kind of sample adds.
        transformer: ``time_elapsed`` where the value is a time and its age is sent, else ``""``.
        unit: Datadog's name of the unit of the values, not of the number of observations.
        orientation: 1 where more is better, -1 where less is, else 0.
        since: the oldest release known to have it; 1.74.0 stands for all before it too.
        until: the newest release known to have it, ``""`` where LiteLLM still has it.
        official: the Agent's own check sends it under this name.
        labels: every label that a release gives it without being configured to.
        description: what it counts or measures.
        known: it is in the table; if not, its name follows from the rule.
    """

    family: str
    type: str
    name: str
    transformer: str = ""
    unit: str = ""
    orientation: int = 0
    since: str = ""
    until: str = ""
    official: bool = False
    labels: tuple[str, ...] = ()
    description: str = ""
    known: bool = True

    @property
    def of_runtime(self) -> bool:
        """It is one of prometheus_client's own about Python and the process, which the Agent's check leaves out."""
        return not self.official and not self.family.startswith(_FAMILY_PREFIX)

    def submissions(self) -> dict[str, Submission]:
        """Return what its samples are sent as, by the suffix of their names, which is ``""`` for a counter."""
        return {
            suffix: Submission(self.name + ending, type_, "" if suffix in {"_bucket", "_count"} else self.unit)
            for suffix, (ending, type_) in SUBMITTED.get(self.type, {}).items()
        }


def _metric(row: Mapping[str, str]) -> Metric:
    return Metric(
        family=row["family"],
        type=row["type"],
        name=row["name"],
        transformer=row["transformer"],
        unit=row["unit"],
        orientation=int(row["orientation"]),
        since=row["since"],
        until=row["until"],
        official=row["official"] == "yes",
        labels=tuple(row["labels"].split()),
        description=row["description"],
    )


@cache
def table() -> tuple[Metric, ...]:
    """Return every row of the table, in its order."""
    text = (files("ddtrace_litellm.openmetrics") / "data" / "metrics.csv").read_text("ascii")
    return tuple(_metric(row) for row in csv.DictReader(text.splitlines()))


@cache
def families() -> Mapping[str, Metric]:
    """Return the rows of the table that are on the page, by family."""
    return MappingProxyType({metric.family: metric for metric in table() if metric.family})


def name_by_rule(family: str) -> str:
    """Return the Datadog name of a family that is not in the table.

    The rule gives most names that the official check has, and those that it was given for new families so far.

    Args:
        family: a name that starts with ``litellm_``.
    """
    name = family.removeprefix(_FAMILY_PREFIX)
    group = next((group for group in _GROUPS if name.startswith(group)), None)
    if group is not None:
        name = f"{group[:-1]}.{name.removeprefix(group)}"
    measure = next((measure for measure in _MEASURES if name.endswith(measure)), None)
    if measure is not None and not name.endswith("_guardrails_latency"):
        name = f"{name.removesuffix(measure)}.{measure[1:]}"
    name = _DOTS.sub(".", _UNFIT.sub("_", f"{NAMESPACE}.{name}")).strip("_.")
    if len(name) <= _LONGEST:
        return name
    # What is cut off still tells two names apart.
    return f"{name[: _LONGEST - 9].rstrip('_.')}_{crc32(name.encode()):08x}"


def metric_for(family: str, type_: str, *, runtime: bool = False) -> Metric | None:
    """Return what a family of the page becomes, ``None`` for one that is not LiteLLM's.

    Args:
        family: its name, without the ``_total`` of a counter's samples.
        type_: the type that the page declares. It decides over the table's how samples are sent.
        runtime: take prometheus_client's own families about Python and the process too.
    """
    metric = families().get(family)
    if metric is None:
        if not family.startswith(_FAMILY_PREFIX) or (name := name_by_rule(family)) == NAMESPACE:
            return None
        return Metric(family, type_, name, known=False)
    if metric.of_runtime and not runtime:
        return None
    return metric if metric.type == type_ else replace(metric, type=type_)
