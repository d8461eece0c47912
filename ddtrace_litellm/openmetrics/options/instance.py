"""An instance in process: where its pages are, how often they are read, and what becomes of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.names import NAMESPACE
from ddtrace_litellm.openmetrics.options.page import PAGE_OPTIONS, page_options
from ddtrace_litellm.openmetrics.options.refused import REFUSED, refuse, refuse_request
from ddtrace_litellm.openmetrics.options.request import REQUEST_OPTIONS, request_options
from ddtrace_litellm.openmetrics.options.values import Options
from ddtrace_litellm.openmetrics.pipeline.page_options import PageOptions
from ddtrace_litellm.openmetrics.sources.endpoint import Endpoint

INTERVAL = 15.0
"""Seconds, as in an Agent."""
HEALTH_ENDPOINT_INTERVAL = 300.0
"""Seconds, as it calls every model."""


@dataclass(frozen=True)
class Instance:
    """One proxy whose metrics are sent.

    Attributes:
        endpoint: where its page is; ``None``: its registry is in this process.
        page: what becomes of the page.
        interval: ``min_collection_interval``: seconds from page to page.
        health_check: ``enable_health_service_check``: send whether the page could be read.
        ignore_connection_errors: ``ignore_connection_errors``: a proxy that cannot be reached is no reason to complain.
        health_endpoint: ``litellm_health_endpoint``: the URL that asks every model whether it works; ``""`` for none.
        health_endpoint_interval: ``litellm_health_endpoint_interval``: seconds from one such question to the next.
        warnings: sentences about options that are not known or have no effect, each to be logged once.
    """

    endpoint: Endpoint | None = None
    page: PageOptions = field(default_factory=PageOptions)
    interval: float = INTERVAL
    health_check: bool = True
    ignore_connection_errors: bool = False
    health_endpoint: str = ""
    health_endpoint_interval: float = HEALTH_ENDPOINT_INTERVAL
    warnings: tuple[str, ...] = ()


def instance(options: Mapping[str, Any], init_config: Mapping[str, Any] | None = None) -> Instance:
    """Read the options of an instance that runs in this process.

    Raises:
        OptionError: a value cannot be used, or an option cannot apply in process.
    """
    refuse(options)
    refuse(init_config or {})
    values = Options(options)
    remote = bool(values.text("openmetrics_endpoint"))
    if not remote:
        refuse_request(options)
    return Instance(
        endpoint=request_options(options, init_config) if remote else None,
        page=page_options(options, init_config),
        interval=values.number("min_collection_interval", INTERVAL),
        health_check=values.boolean("enable_health_service_check", default=True),
        ignore_connection_errors=values.boolean("ignore_connection_errors", default=False),
        health_endpoint=values.text("litellm_health_endpoint"),
        health_endpoint_interval=values.number("litellm_health_endpoint_interval", HEALTH_ENDPOINT_INTERVAL),
        warnings=tuple(_warnings(values)),
    )


_OWN = frozenset(
    {
        "enable_health_service_check",
        "ignore_connection_errors",
        "litellm_health_endpoint",
        "litellm_health_endpoint_interval",
        "min_collection_interval",
    }
)
OPTIONS = _OWN | PAGE_OPTIONS | REQUEST_OPTIONS | REFUSED.keys()
"""The names of all options."""


def _warnings(values: Options) -> Iterator[str]:
    for name in values.values:
        if name not in OPTIONS:
            like = get_close_matches(str(name), OPTIONS, n=1)
            yield f"{masking.name(name)}: there is no such option{f'; is it {like[0]}?' if like else ''}"
    if values.text("namespace", NAMESPACE) != NAMESPACE:
        yield f"namespace: it has no effect, every name begins with {NAMESPACE}"
    if values.boolean("use_process_start_time", default=False):
        yield "use_process_start_time: it has no effect, as the first page is the baseline whatever began when"
