"""Builds the scrapers that a configuration asks for."""

from __future__ import annotations

import logging
import os
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from multiprocessing import parent_process
from typing import Any, NamedTuple

from ddtrace_litellm import masking
from ddtrace_litellm.config import OpenMetricsConfig
from ddtrace_litellm.metrics.sinks import Sink
from ddtrace_litellm.openmetrics.options.conf import read_conf
from ddtrace_litellm.openmetrics.options.instance import Instance, instance
from ddtrace_litellm.openmetrics.pipeline.collector import Collector
from ddtrace_litellm.openmetrics.process.health import EndpointHealth
from ddtrace_litellm.openmetrics.process.scraper import ScrapeOptions, Scraper
from ddtrace_litellm.openmetrics.sources.http import HttpSource
from ddtrace_litellm.openmetrics.sources.leader import leader_of_endpoint
from ddtrace_litellm.openmetrics.sources.multiprocess_dir import shared_directory
from ddtrace_litellm.openmetrics.sources.registry import RegistrySource

log = logging.getLogger("ddtrace.litellm.openmetrics")

_INSTALL = "pip install 'ddtrace-litellm[openmetrics]'"


class Process(NamedTuple):
    """What is to be known of the process that scrapes.

    Attributes:
        registry: the source that was made before LiteLLM's metrics were; ``None`` where an endpoint is scraped.
        since: since when what its registry counts was not sent yet, in seconds since 1970.
        forked: it began as a copy of another that has scrapers too.
        no_fork: what holds forks back while it is held, for what they must not interrupt.
    """

    registry: RegistrySource | None
    since: float
    forked: bool
    no_fork: AbstractContextManager[Any]


def scrapers(config: OpenMetricsConfig, process: Process) -> list[Scraper]:
    """Return the scrapers, not started yet; what cannot be used is one error message and no scraper."""
    try:
        return [_scraper(each, config, process) for each in _instances(config)]
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        log.error("no metrics of LiteLLM are sent: %s is not installed: %s", missing, _INSTALL)  # noqa: TRY400
    except ValueError as error:
        log.error("no metrics of LiteLLM are sent: %s", masking.reason(error))  # noqa: TRY400 - the user's to mend
    return []


def checked(config: OpenMetricsConfig) -> list[Instance]:
    """Return the instances of a configuration that scrapers can be made of.

    Raises:
        ModuleNotFoundError: a package is not installed.
        ValueError: something cannot be used.
    """
    found = _instances(config)
    for each in found:
        _sink(config, each, Process(None, 0.0, forked=False, no_fork=nullcontext()))
    return found


def _instances(config: OpenMetricsConfig) -> list[Instance]:
    try:
        return read_conf(config.conf) if config.conf else [_instance(config)]
    except ValueError as error:
        raise masking.SafeValueError(
            f"DD_LITELLM_OPENMETRICS_{'CONFIG' if config.conf else 'ENDPOINT'}: {masking.reason(error)}"
        ) from None


def _instance(config: OpenMetricsConfig) -> Instance:
    """Return the instance that the variables describe without a file."""
    options: dict[str, Any] = {"min_collection_interval": config.interval}
    if config.endpoint:
        options["openmetrics_endpoint"] = config.endpoint
    if config.token_file:
        options["auth_token"] = {
            "reader": {"type": "file", "path": config.token_file},
            "writer": {"type": "header", "name": "Authorization", "value": "Bearer <TOKEN>"},
        }
    made = instance(options)
    return replace(made, endpoint=made.endpoint and replace(made.endpoint, token=config.token))


def _scraper(of: Instance, config: OpenMetricsConfig, process: Process) -> Scraper:
    for warning in of.warnings:
        log.warning("%s", warning)
    said = of.options
    options = ScrapeOptions(
        said.min_collection_interval, said.enable_health_service_check, said.ignore_connection_errors
    )
    sink = _sink(config, of, process)
    if of.endpoint is not None:
        source = HttpSource(of.endpoint)
        options = replace(options, wanted=leader_of_endpoint(of.endpoint.url).leads)
        if url := said.litellm_health_endpoint:
            tags = said.tags_of(source.endpoint)
            extra = EndpointHealth(of.endpoint, url, said.litellm_health_endpoint_interval, tags)
            options = replace(options, extra=extra.collect)
        return Scraper(source, lambda: Collector(said, endpoint=source.endpoint), sink, options)
    registry = process.registry or RegistrySource()

    def collector_of_registry() -> Collector:
        return Collector(said, started=max(registry.started, process.since), inherited=registry.inherited)

    return Scraper(
        registry, collector_of_registry, sink, replace(options, wanted=registry.available, guard=process.no_fork)
    )


def _sink(config: OpenMetricsConfig, of: Instance, process: Process) -> Sink:
    if not config.agentless:
        from ddtrace_litellm.metrics.sinks import dogstatsd

        return dogstatsd.from_environment(os.environ, interval=of.options.min_collection_interval)
    from ddtrace_litellm.metrics.sinks import api

    # An Agent adds up the counts of several workers. Datadog's API does not: of two for one second it keeps one.
    one_of_several = process.forked or parent_process() is not None or shared_directory() is not None
    tags = (f"worker:{os.getpid()}",) if of.endpoint is None and one_of_several else ()
    return api.from_environment(os.environ, interval=of.options.min_collection_interval, tags=tags)
