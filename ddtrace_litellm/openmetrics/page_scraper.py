"""One endpoint of the Agent check: its page is read with the Agent's HTTP client and submitted through the check."""

from collections.abc import Mapping
from typing import Any

from datadog_checks.base.agent import datadog_agent
from datadog_checks.base.utils.http import RequestsWrapper

from ddtrace_litellm import masking
from ddtrace_litellm.metrics.batch import MetricBatch, Status
from ddtrace_litellm.metrics.sanitizing import merged
from ddtrace_litellm.openmetrics.options.fields import OptionError, read
from ddtrace_litellm.openmetrics.options.models import InstanceModel
from ddtrace_litellm.openmetrics.options.page import page_options
from ddtrace_litellm.openmetrics.pipeline.collector import Collector
from ddtrace_litellm.openmetrics.pipeline.notices import Notices
from ddtrace_litellm.openmetrics.sources import SourceError
from ddtrace_litellm.openmetrics.sources.agent_http import AgentSource
from ddtrace_litellm.transport import FetchError, UnreachableError

READ_TIMEOUT = 30.0
"""Seconds without a byte, where no timeout is configured. LiteLLM needs 5 for a page of 112 MB before it sends any."""

_HEALTH = "openmetrics.health"
_DROPPED = "openmetrics.dropped_series.count"


class PageScraper:
    """What the base class wants of a scraper: ``scrape``, ``namespace`` and ``set_dynamic_tags``.

    Args:
        check: an ``OpenMetricsBaseCheckV2``, which submits.
        config: the options of the endpoint.

    Raises:
        OptionError: a value cannot be used.
    """

    def __init__(self, check: Any, config: Mapping[str, Any]) -> None:
        self.config = dict(config)
        self.namespace = check.__NAMESPACE__
        self._check = check
        init_config = check.init_config or {}
        options, common = read(InstanceModel, config), read(InstanceModel, init_config)
        if options.process_isolation if options.has("process_isolation") else common.process_isolation:
            raise OptionError(
                "process_isolation: each run would be a new process that knows no page before, and could count nothing;"
                " with use_base_class_scraper the Agent counts"
            )
        options = page_options(options, common, in_agent=True)
        self._options = options
        timeouts = {"timeout", "read_timeout"} & (config.keys() | init_config.keys())
        http = RequestsWrapper(
            config if timeouts else {**config, "read_timeout": READ_TIMEOUT},
            init_config,
            check.HTTP_CONFIG_REMAPPER,
            check.log,
        )
        self._source = AgentSource(
            http,
            options.openmetrics_endpoint,
            started=_agent_started() if options.use_process_start_time else None,
            openmetrics_only=options.use_latest_spec,
            line_filters=[options.raw_line_filters] if options.raw_line_filters else [],
        )
        self._collector = Collector(
            options, in_agent=True, started=self._source.started, endpoint=self._source.endpoint
        )
        self._dynamic_tags: tuple[str, ...] = ()
        self._notices = Notices(check.log, self._source.name)

    def set_dynamic_tags(self, *tags: str) -> None:
        """Add tags to everything but the service check from now on."""
        ignored = self._options.ignore_tags
        self._dynamic_tags = tuple(tag for tag in tags if not (ignored and ignored.search(tag)))

    def scrape(self) -> None:
        """Read the page and submit what became of it; a page that is not whole submits nothing but that."""
        try:
            with self._source.read() as page:
                batch = self._collector.collect(page.samples, page.asked_at)
        except UnreachableError as error:
            self._health(Status.CRITICAL, str(error))
            if not self._options.ignore_connection_errors:
                raise
            self._check.log.warning("%s", error)
            return
        except Exception as error:
            failure = error
            # Of the page's content, which does not know where it is from.
            if not isinstance(error, SourceError | FetchError):
                failure = SourceError(f"{self._source.name}: {masking.reason(error)}")
            self._health(Status.CRITICAL, str(failure))
            raise failure.with_traceback(error.__traceback__) from None
        self._submit(batch)
        self._health(Status.OK)
        self._notices.tell(batch)

    def _health(self, status: Status, message: str = "") -> None:
        if self._options.enable_health_service_check:
            self._check.service_check(_HEALTH, int(status), tags=self._collector.tags, message=message)

    def _submit(self, batch: MetricBatch) -> None:
        check, more = self._check, self._dynamic_tags
        # Of two series that differ by case only, Datadog would keep one.
        for record in merged(batch.records):
            submit = check.count if record.type == "count" else check.gauge
            submit(record.name, record.value, tags=(*record.tags, *more), hostname=record.hostname, raw=True)
        for distribution in batch.distributions:
            tags = (*distribution.tags, *more)
            for lower, upper, value in distribution.buckets:
                # Not monotonic: the Agent would compare the step with the one before.
                check.submit_histogram_bucket(
                    distribution.name, value, lower, upper, False, distribution.hostname, tags, raw=True
                )
        for result in batch.checks:
            check.service_check(
                result.name,
                int(result.status),
                tags=(*result.tags, *more),
                hostname=result.hostname,
                message=result.message,
                raw=True,
            )
        for metadata in batch.metadata:
            check.set_metadata(metadata.name, metadata.value, **metadata.options)
        if batch.dropped:
            check.count(_DROPPED, batch.dropped, tags=(*self._collector.tags, *more))
        if self._options.telemetry:
            check.gauge("telemetry.payload.size", self._source.size, tags=(*self._collector.tags, *more))
            if left_out := self._source.lines.left_out:
                check.count("telemetry.metrics.blacklist.count", left_out, tags=(*self._collector.tags, *more))


def _agent_started() -> float:
    """Return when the Agent started, in seconds since 1970."""
    return float(datadog_agent.get_process_start_time())
