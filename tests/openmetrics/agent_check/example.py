"""Write conf.yaml.example anew: `python -m tests.openmetrics.agent_check.example`, with datadog-checks-dev[cli]."""

from importlib.resources import files

from datadog_checks.dev.tooling.configuration import ConfigSpec
from datadog_checks.dev.tooling.configuration.consumers import ExampleConsumer

PACKAGE = files("ddtrace_litellm.openmetrics")
SPEC = PACKAGE / "assets" / "configuration" / "spec.yaml"
EXAMPLE = PACKAGE / "data" / "conf.yaml.example"


def render():
    """Return what the spec comes to."""
    spec = ConfigSpec(SPEC.read_text(), source="LiteLLM", version="1.0.0")
    spec.load()
    ((text, errors),) = ExampleConsumer(spec.data).render().values()
    assert [*spec.errors, *errors] == []
    return text


if __name__ == "__main__":
    EXAMPLE.write_text(render())
