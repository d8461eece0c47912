"""The options that say what becomes of a page: in an Agent and in process alike."""

import re
from collections.abc import Mapping
from typing import Any

from ddtrace_litellm import masking
from ddtrace_litellm.openmetrics.names import NAMESPACE
from ddtrace_litellm.openmetrics.options.entries import is_pattern, read_entries
from ddtrace_litellm.openmetrics.options.values import OptionError, Options
from ddtrace_litellm.openmetrics.pipeline.histograms import HistogramRules
from ddtrace_litellm.openmetrics.pipeline.labels import LabelRules
from ddtrace_litellm.openmetrics.pipeline.naming import NameRules
from ddtrace_litellm.openmetrics.pipeline.page_options import MOST_CONTEXTS, PageOptions
from ddtrace_litellm.openmetrics.pipeline.places import MOST_SERIES
from ddtrace_litellm.openmetrics.pipeline.share_labels import Share, SharingRules

PAGE_OPTIONS = frozenset(
    {
        "cache_metric_wildcards",
        "cache_shared_labels",
        "collect_counters_with_distributions",
        "collect_histogram_buckets",
        "collect_histograms_as_distributions",
        "collect_runtime_metrics",
        "disable_generic_tags",
        "enable_legacy_tags_normalization",
        "exclude_labels",
        "exclude_metrics",
        "exclude_metrics_by_labels",
        "extra_metrics",
        "histogram_buckets_as_distributions",
        "hostname_format",
        "hostname_label",
        "ignore_tags",
        "include_labels",
        "max_returned_metrics",
        "metric_patterns",
        "metrics",
        "namespace",
        "non_cumulative_histogram_buckets",
        "raw_metric_prefix",
        "rename_labels",
        "service",
        "share_labels",
        "tag_by_endpoint",
        "tags",
        "target_info",
        "telemetry",
        "use_process_start_time",
    }
)
"""The names of the options read here, and of those about a page that are right whatever they say: the namespace is
LiteLLM's, tags are never normalised, what a regular expression finds is always remembered, and the deltas know what
began when without ``use_process_start_time``."""


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
    options = Options(instance)
    most = _most_contexts(options)
    return PageOptions(
        labels=_labels(options, Options(init_config or {}), in_agent=in_agent),
        names=_names(options, in_agent=in_agent),
        histograms=_histograms(options),
        sharing=_sharing(options),
        tag_by_endpoint=options.boolean("tag_by_endpoint", default=True),
        telemetry=options.boolean("telemetry", default=False),
        most_contexts=None if in_agent else most,
        most_series=max(MOST_SERIES, most or 0) if in_agent or most else None,
    )


def _labels(options: Options, init_config: Options, *, in_agent: bool) -> LabelRules:
    rename = options.mapping("rename_labels")
    for label, name in rename.items():
        if not isinstance(name, str):
            raise options.error("rename_labels", f"renames {masking.name(label)} to what is not a text")
    ignored = options.pattern("ignore_tags")
    tags = [tag for tag in options.texts("tags") if not (ignored and ignored.search(tag))]
    if not in_agent:
        if service := options.text("service") or init_config.text("service"):
            tags.append(f"service:{service}")
        if options.boolean("disable_generic_tags", default=False):
            rename = {name: _specific(rename.get(name, name)) for name in [*rename, *_GENERIC]}
            tags = [_specific(name) + colon + value for name, colon, value in (tag.partition(":") for tag in tags)]
    hostname_format = options.text("hostname_format", _HOSTNAME) or _HOSTNAME
    if _HOSTNAME not in hostname_format and options.text("hostname_label"):
        raise options.error("hostname_format", f"does not contain {_HOSTNAME}")
    return LabelRules(
        exclude=frozenset(options.texts("exclude_labels")),
        include=frozenset(options.texts("include_labels")),
        rename=rename,
        drop=_drop(options),
        tags=tuple(tags),
        hostname_label=options.text("hostname_label"),
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


def _drop(options: Options) -> dict[str, re.Pattern[str]]:
    name = "exclude_metrics_by_labels"
    patterns = {}
    for label, values in options.mapping(name).items():
        if values is not True and not (isinstance(values, list) and all(isinstance(value, str) for value in values)):
            raise options.error(name, f"has neither true nor a list of texts for {masking.name(label)}")
        patterns[label] = options.compiled(name, () if values is True else tuple(values)) or re.compile("")
    return patterns


def _names(options: Options, *, in_agent: bool) -> NameRules:
    entries, patterns = read_entries(options, metadata=in_agent)
    excluded = options.texts("exclude_metrics")
    patterns_of_names = {} if in_agent else options.mapping("metric_patterns")
    full = Options({f"metric_patterns.{name}": each for name, each in patterns_of_names.items()})
    return NameRules(
        prefix=options.text("raw_metric_prefix"),
        entries=entries,
        patterns=patterns,
        table="metrics" not in options,
        runtime=options.boolean("collect_runtime_metrics", default=False),
        exclude=frozenset(name for name in excluded if not is_pattern(name)),
        exclude_pattern=options.compiled("exclude_metrics", tuple(name for name in excluded if is_pattern(name))),
        only=_metric_patterns(full, "metric_patterns.include"),
        never=_metric_patterns(full, "metric_patterns.exclude"),
    )


def _metric_patterns(options: Options, name: str) -> re.Pattern[str] | None:
    # An empty pattern would be found in every name; the Agent passes over it too.
    return options.compiled(name, tuple(filter(None, options.texts(name))))


def _histograms(options: Options) -> HistogramRules:
    counters = options.boolean("collect_counters_with_distributions", default=False)
    whole = options.boolean("collect_histograms_as_distributions", default=False)
    distributions = options.boolean("histogram_buckets_as_distributions", default=False) or counters or whole
    return HistogramRules(
        buckets=options.boolean("collect_histogram_buckets", default=True),
        non_cumulative=options.boolean("non_cumulative_histogram_buckets", default=False),
        distributions=distributions,
        bound_tags=not whole,
        counters=counters or not distributions,
    )


def _sharing(options: Options) -> SharingRules:
    return SharingRules(
        families={family: _share(family, value) for family, value in options.mapping("share_labels").items()},
        cache=options.boolean("cache_shared_labels", default=True),
        target_info=options.boolean("target_info", default=False),
    )


def _share(family: str, value: Any) -> Share:
    if value is True:
        return Share()
    where = f"share_labels.{masking.name(family)}"
    if not isinstance(value, Mapping):
        raise OptionError(
            f"{where}: a {type(value).__name__} is neither true nor a mapping of labels, match and values"
        )
    options = Options(value)
    try:
        labels, match = options.texts("labels"), options.texts("match")
        return Share(frozenset(labels) or None, frozenset(match), _whole_numbers(options, "values"))
    except OptionError as error:
        raise OptionError(f"{where}: {error}") from None


def _whole_numbers(options: Options, name: str) -> frozenset[int] | None:
    if name not in options:
        return None
    try:
        return frozenset(int(str(number)) for number in options.values[name])
    except (TypeError, ValueError):
        raise options.error(name, "is not a list of whole numbers") from None


def _most_contexts(options: Options) -> int | None:
    name = "max_returned_metrics"
    value = options.values.get(name, MOST_CONTEXTS)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise OptionError(f"{name}: {masking.word(value)} is not a whole number from 0 on, where 0 is no limit")
    return value or None
