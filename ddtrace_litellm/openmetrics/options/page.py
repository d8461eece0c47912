"""The options that say what becomes of a page: in an Agent and in process alike."""

from collections.abc import Mapping
from typing import Any

from ddtrace_litellm.openmetrics.names import NAMESPACE
from ddtrace_litellm.openmetrics.options.entries import is_pattern, read_entries
from ddtrace_litellm.openmetrics.options.fields import OptionError, compiled, naming, read, wrong
from ddtrace_litellm.openmetrics.options.models import PageModel
from ddtrace_litellm.openmetrics.pipeline.histograms import HistogramRules
from ddtrace_litellm.openmetrics.pipeline.labels import LabelRules
from ddtrace_litellm.openmetrics.pipeline.naming import NameRules
from ddtrace_litellm.openmetrics.pipeline.page_options import PageOptions
from ddtrace_litellm.openmetrics.pipeline.places import MOST_SERIES
from ddtrace_litellm.openmetrics.pipeline.share_labels import Share, SharingRules


def page_options(
    instance: Mapping[str, Any], init_config: Mapping[str, Any] | None = None, *, in_agent: bool = False
) -> PageOptions:
    """Read the options of an instance that are about the page's content.

    Args:
        instance: all its options.
        init_config: those of all instances.
        in_agent: the Agent's base class applies ``disable_generic_tags``, ``metric_patterns``, ``max_returned_metrics``
            and ``service`` to everything that is submitted, so they are left to it; entries of the type ``metadata``
            have a meaning.

    Raises:
        OptionError: a value cannot be used.
    """
    options = read(PageModel, instance)
    service = options.service or read(PageModel, init_config or {}).service
    most = options.max_returned_metrics or None
    shares = {
        family: Share(frozenset(each.labels) or None, frozenset(each.match), each.values)
        for family, each in options.share_labels.items()
    }
    return PageOptions(
        labels=_labels(options, service, in_agent=in_agent),
        names=_names(options, in_agent=in_agent),
        histograms=_histograms(options),
        sharing=SharingRules(shares, options.cache_shared_labels, options.target_info),
        tag_by_endpoint=options.tag_by_endpoint,
        telemetry=options.telemetry,
        most_contexts=None if in_agent else most,
        most_series=max(MOST_SERIES, most or 0) if in_agent or most else None,
    )


def _labels(options: PageModel, service: str, *, in_agent: bool) -> LabelRules:
    rename, ignored = options.rename_labels, options.ignore_tags
    tags = [tag for tag in options.tags if not (ignored and ignored.search(tag))]
    if not in_agent:
        if service:
            tags.append(f"service:{service}")
        if options.disable_generic_tags:
            rename = {name: _specific(rename.get(name, name)) for name in [*rename, *_GENERIC]}
            tags = [_specific(name) + colon + value for name, colon, value in (tag.partition(":") for tag in tags)]
    hostname_format = options.hostname_format or _HOSTNAME
    if _HOSTNAME not in hostname_format and options.hostname_label:
        raise OptionError(f"hostname_format: {wrong(hostname_format, f'does not contain {_HOSTNAME}')}")
    return LabelRules(
        exclude=frozenset(options.exclude_labels),
        include=frozenset(options.include_labels),
        rename=rename,
        drop=options.exclude_metrics_by_labels,
        tags=tuple(tags),
        hostname_label=options.hostname_label,
        hostname_format=hostname_format,
    )


_HOSTNAME = "<HOSTNAME>"
# What the Agent's `disable_generic_tags` is about.
_GENERIC = (
    "cluster",
    "cluster_id",
    "cluster_name",
    "clusterid",
    "clustername",
    "env",
    "host",
    "host_name",
    "hostname",
    "service",
    "version",
)


def _specific(tag: str) -> str:
    return f"{NAMESPACE}_{tag}" if tag in _GENERIC else tag


def _names(options: PageModel, *, in_agent: bool) -> NameRules:
    entries, patterns = read_entries(options, metadata=in_agent)
    excluded = options.exclude_metrics
    with naming("exclude_metrics"):
        exclude_pattern = compiled(tuple(name for name in excluded if is_pattern(name)))
    return NameRules(
        prefix=options.raw_metric_prefix,
        entries=entries,
        patterns=patterns,
        table=not options.has("metrics"),
        runtime=options.collect_runtime_metrics,
        exclude=frozenset(name for name in excluded if not is_pattern(name)),
        exclude_pattern=exclude_pattern,
        only=None if in_agent else options.metric_patterns.include,
        never=None if in_agent else options.metric_patterns.exclude,
    )


def _histograms(options: PageModel) -> HistogramRules:
    counters, whole = options.collect_counters_with_distributions, options.collect_histograms_as_distributions
    distributions = options.histogram_buckets_as_distributions or counters or whole
    return HistogramRules(
        buckets=options.collect_histogram_buckets,
        non_cumulative=options.non_cumulative_histogram_buckets,
        distributions=distributions,
        bound_tags=not whole,
        counters=counters or not distributions,
    )
