"""The Agent check: an Agent reads the proxy's page with its own options, and gets what was added since the page before.

The Agent looks for the class in a module with the name of the check, which has to import it. Nothing is imported here
that an Agent does not have.
"""

import time
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from datadog_checks.base import ConfigurationError, OpenMetricsBaseCheckV2, is_affirmative

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.names import NAMESPACE, Metric, families
from ddtrace_litellm.openmetrics.options.fields import OptionError, read
from ddtrace_litellm.openmetrics.options.models import InstanceModel
from ddtrace_litellm.openmetrics.page_scraper import PageScraper
from ddtrace_litellm.openmetrics.process.health import endpoint_gauges
from ddtrace_litellm.openmetrics.sources import SourceError
from ddtrace_litellm.openmetrics.sources.agent_http import asking
from ddtrace_litellm.transport import status_text
from ddtrace_litellm.versions import __version__

ENDPOINT = "http://localhost:4000/metrics/"
"""Where a proxy on the Agent's host has its page; without the slash it redirects there."""


class LiteLLMCheck(OpenMetricsBaseCheckV2):  # type: ignore[misc]
    """The check of one instance, which usually is one proxy."""

    __NAMESPACE__ = NAMESPACE
    DEFAULT_METRIC_LIMIT = 0

    def __init__(self, name: str, init_config: Mapping[str, Any], instances: Sequence[Mapping[str, Any]]) -> None:
        super().__init__(name, init_config, instances)
        self._check_version = __version__  # the base class would look for it in the package `openmetrics`
        self.scraper_configs = [{**(self.instance or {})}]
        if not self.scraper_configs[0].get("openmetrics_endpoint"):
            self.scraper_configs[0]["openmetrics_endpoint"] = ENDPOINT
        self._health_due = 0.0

    def check(self, instance: Mapping[str, Any]) -> None:
        """Read the page, and then the proxy's health check if that is wanted and due."""
        super().check(instance)
        options = read(InstanceModel, instance)
        if options.litellm_health_endpoint and time.monotonic() >= self._health_due:
            self._health_due = time.monotonic() + options.litellm_health_endpoint_interval
            self._read_health(options.litellm_health_endpoint)

    def _read_health(self, url: str) -> None:
        place = masking.url(url)
        with asking(place, self.http):
            response = self.http.get(url)
        if response.status_code >= HTTPStatus.BAD_REQUEST:
            raise SourceError(f"{place} answers {status_text(response.status_code)}")
        try:
            answer = response.json()
        except ValueError:
            raise SourceError(f"{place} does not answer with JSON") from None
        for record in endpoint_gauges(answer, place, tuple(self.instance.get("tags") or ())):
            self.gauge(record.name, record.value, tags=record.tags, raw=True)

    def create_scraper(self, config: Mapping[str, Any]) -> Any:
        """Return what reads the endpoint of a configuration: what there is, as it knows the pages before."""
        if is_affirmative(config.get("use_base_class_scraper", False)):
            return super().create_scraper(config)
        known = self.scrapers.get(config["openmetrics_endpoint"])
        if isinstance(known, PageScraper) and known.config == config:
            return known
        try:
            return PageScraper(self, config)
        except OptionError as error:
            raise ConfigurationError(str(error)) from None

    def get_default_config(self) -> dict[str, Any]:
        """Return the table of names in the form that the base class reads."""
        return {"metrics": [{metric.family: _entry(metric) for metric in families().values() if not metric.of_runtime}]}


def _entry(metric: Metric) -> Any:
    name = metric.name.removeprefix(f"{NAMESPACE}.")
    return {"name": name, "type": metric.transformer} if metric.transformer else name
