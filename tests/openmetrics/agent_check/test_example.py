"""conf.yaml.example is what Datadog's tool makes of the spec, and every option in it can be set."""

import re
from importlib.metadata import version
from importlib.resources import files

import pytest

pytest.importorskip("datadog_checks.base", reason="needs the packages of an Agent: pip install datadog-checks-base")

import yaml

from ddtrace_litellm.openmetrics.check import LiteLLMCheck
from tests.openmetrics.measured import needs_data, rows

RENDERED_BY = "40.0.1"
"""The version of datadog-checks-dev whose templates are in the example."""

EXAMPLE = (files("ddtrace_litellm.openmetrics") / "data" / "conf.yaml.example").read_text()
OWN = {
    "collect_runtime_metrics": False,
    "litellm_health_endpoint_interval": 300,
    "use_base_class_scraper": False,
}

# Where the example only has placeholders.
VALUES = {
    "auth_token": {"reader": {"type": "file", "path": "/t"}, "writer": {"type": "header", "name": "Authorization"}},
    "connect_timeout": 5,
    "extra_metrics": ["a", {"b": "c"}, {"d": {"name": "e", "type": "gauge"}}],
}
# Of libraries that an Agent has, and nobody needs to test this.
ELSEWHERE = {"kerberos_auth", "ntlm_domain"}


def uncommented():
    """Return the example with every option set to what it shows."""
    lines = [re.sub(r"^( *)# ?", r"\1", line) for line in EXAMPLE.splitlines() if not re.match(r" *##", line)]
    loaded = yaml.safe_load("\n".join(lines))
    return {**loaded["init_config"]}, {**loaded["instances"][0]}


def test_it_is_rendered_from_the_spec():
    """It is up to date: else `python -m tests.openmetrics.agent_check.example`."""
    pytest.importorskip(
        "datadog_checks.dev.tooling.configuration.consumers", reason="needs datadog-checks-dev[cli] to render"
    )
    if version("datadog-checks-dev") != RENDERED_BY:
        pytest.skip(f"rendered by datadog-checks-dev {RENDERED_BY}, whose templates differ from version to version")
    from tests.openmetrics.agent_check.example import render

    assert render() == EXAMPLE


def test_it_can_be_used_as_it_is():
    """Only comments: an Agent that is given it scrapes the proxy on its host."""
    loaded = yaml.safe_load(EXAMPLE)
    check = LiteLLMCheck("litellm_om", loaded["init_config"], loaded["instances"])
    check.configure_scrapers()
    assert list(check.scrapers) == ["http://localhost:4000/metrics/"]


def test_our_own_options_are_there():
    """Each option that the Agent's check lacks is shown with its default."""
    _, instance = uncommented()
    assert {name: instance[name] for name in OWN} == OWN


@pytest.mark.parametrize(("name", "value"), uncommented()[1].items(), ids=str)
def test_options_can_be_set(name, value):
    """What the example shows for an option is accepted."""
    if name in ELSEWHERE:
        pytest.skip("needs a library that only an Agent has")
    options = {name: VALUES.get(name, value)}
    check = LiteLLMCheck("litellm_om", {}, [options])
    check.configure_scrapers()


def test_options_of_all_instances_can_be_set():
    """What the example shows for all instances is accepted."""
    init_config, _ = uncommented()
    assert set(init_config) == {"proxy", "skip_proxy", "timeout", "service"}
    LiteLLMCheck("litellm_om", init_config, [{}]).configure_scrapers()


@needs_data
def test_every_option_of_the_agents_check_is_there():
    """What the Agent's own check shows can be found here too."""
    shown = {"init_config": uncommented()[0], "instances": uncommented()[1]}
    for row in rows("openmetrics_v2_options.csv"):
        if row["hidden_in_example"] == "False":
            assert row["name"] in shown[row["section"]]
