"""What an instance's options say of a page, as it is meant in an Agent or in process."""

from typing import TypeVar

from ddtrace_litellm.openmetrics.names import NAMESPACE
from ddtrace_litellm.openmetrics.options.fields import MetricPatterns, OptionError, wrong
from ddtrace_litellm.openmetrics.options.models import PageModel

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

Model = TypeVar("Model", bound=PageModel)


def page_options(options: Model, common: PageModel, *, in_agent: bool = False) -> Model:
    """Return the options of an instance with what one of them says of another carried out.

    Args:
        options: of the instance.
        common: those of all instances.
        in_agent: the Agent's base class applies ``disable_generic_tags``, ``metric_patterns`` and ``service`` to
            everything that is submitted, so they are left to it; entries of the type ``metadata`` have a meaning.

    Raises:
        OptionError: a value cannot be used.
    """
    if options.hostname_label and "<HOSTNAME>" not in options.hostname_format:
        raise OptionError(f"hostname_format: {wrong(options.hostname_format, 'does not contain <HOSTNAME>')}")
    ignored = options.ignore_tags
    tags = [tag for tag in options.tags if not (ignored and ignored.search(tag))]
    if in_agent:
        return options.model_copy(update={"tags": tuple(tags), "metric_patterns": MetricPatterns()})
    for option, entries in (("metrics", options.metrics), ("extra_metrics", options.extra_metrics)):
        if any(entry.type == "metadata" for entry in (*entries.families.values(), *entries.patterns.values())):
            raise OptionError(
                f"{option}: the type metadata sends a label's value to the Agent, which is not there in process"
            )
    rename = options.rename_labels
    if service := options.service or common.service:
        tags.append(f"service:{service}")
    if options.disable_generic_tags:
        rename = {name: _specific(rename.get(name, name)) for name in [*rename, *_GENERIC]}
        tags = [_specific(name) + colon + value for name, colon, value in (tag.partition(":") for tag in tags)]
    return options.model_copy(update={"tags": tuple(tags), "rename_labels": rename})


def _specific(tag: str) -> str:
    return f"{NAMESPACE}_{tag}" if tag in _GENERIC else tag
