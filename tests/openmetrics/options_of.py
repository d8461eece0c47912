"""Options as a ``conf.yaml`` has them, read."""

from ddtrace_litellm.openmetrics.options.fields import read
from ddtrace_litellm.openmetrics.options.models import InstanceModel
from ddtrace_litellm.openmetrics.options.page import page_options


def options_of(instance, init_config=None, *, in_agent=False):
    """Return the options of an instance."""
    read_both = (read(InstanceModel, each or {}) for each in (instance, init_config))
    return page_options(*read_both, in_agent=in_agent)
