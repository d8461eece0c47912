"""The metric families that the installed LiteLLM declares, read in its source: many are declared at their first use."""

import ast
import re
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from litellm.types.services import DEFAULT_SERVICE_CONFIGS, ServiceMetrics, ServiceTypes

# From 1.75 to 1.79 they are in the second.
_PACKAGES = ("litellm", "litellm_enterprise")
_MAKES_A_METRIC = re.compile(r"counter|gauge|histogram|summary", re.IGNORECASE)
_FAMILY = re.compile(r"litellm_[a-z0-9_]+")
# What PrometheusServicesLogger makes for each kind of metric of a service, whose names the source does not spell out.
_OF_A_SERVICE = {
    ServiceMetrics.COUNTER: ("failed_requests", "total_requests"),
    ServiceMetrics.HISTOGRAM: ("latency",),
    ServiceMetrics.GAUGE: ("size",),
}
_OF_ANY_SERVICE = {"metrics": [ServiceMetrics.COUNTER, ServiceMetrics.HISTOGRAM]}


def declared() -> set[str]:
    """Return their names, without the ``_total`` of a counter's samples."""
    return {family.removesuffix("_total") for family in (*_in_source(), *_of_services())}


def _of_services() -> Iterator[str]:
    for service in ServiceTypes:
        for metric in DEFAULT_SERVICE_CONFIGS.get(service.value, _OF_ANY_SERVICE)["metrics"]:
            yield from (f"litellm_{service.value}_{what}" for what in _OF_A_SERVICE[metric])


def _in_source() -> Iterator[str]:
    for package in filter(find_spec, _PACKAGES):
        for folder in find_spec(package).submodule_search_locations:
            for path in Path(folder).rglob("*.py"):
                text = path.read_text("utf-8")
                if "prometheus_client" in text:
                    yield from _in_module(ast.parse(text))


def _in_module(module: ast.Module) -> Iterator[str]:
    for call in ast.walk(module):
        if isinstance(call, ast.Call) and _MAKES_A_METRIC.search(_name(call.func)):
            for argument in (*call.args, *(keyword.value for keyword in call.keywords if keyword.arg == "name")):
                if isinstance(argument, ast.Constant) and _FAMILY.fullmatch(str(argument.value)):
                    yield argument.value


def _name(function: ast.expr) -> str:
    return getattr(function, "id", None) or getattr(function, "attr", "")
