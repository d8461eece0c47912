import csv
import re

import pytest

from ddtrace_litellm.openmetrics.options.fields import OptionError, place_of
from ddtrace_litellm.openmetrics.options.instance import OPTIONS, Instance, instance
from ddtrace_litellm.openmetrics.options.models import InstanceModel
from ddtrace_litellm.openmetrics.sources.http import Endpoint
from tests.openmetrics.measured import FOLDER, needs_data
from tests.openmetrics.options_of import options_of

REFUSED = {
    name: reason for name, field in InstanceModel.model_fields.items() if (reason := place_of(field).not_in_process)
}
URL = {"openmetrics_endpoint": "http://localhost:4000/metrics"}


def test_the_registry():
    """Without an endpoint it is the registry of this process, with every default."""
    assert instance({}) == Instance()
    assert instance(dict.fromkeys(OPTIONS), {"proxy": {"http": "http://p"}}) == Instance()


def test_an_endpoint():
    """What is about the request and what is about the page are read as such."""
    options = {
        **URL,
        "timeout": 3,
        "tags": ["a:b"],
        "min_collection_interval": "30",
        "enable_health_service_check": False,
        "ignore_connection_errors": True,
        "litellm_health_endpoint": "http://localhost:4000/health",
        "litellm_health_endpoint_interval": 60,
    }
    made = instance(options, {"service": "s"})
    assert made == Instance(
        Endpoint(URL["openmetrics_endpoint"], connect_timeout=3, read_timeout=3), options_of(options, {"service": "s"})
    )
    said = made.options
    assert (said.min_collection_interval, said.enable_health_service_check) == (30.0, False)
    assert said.ignore_connection_errors
    assert (said.litellm_health_endpoint, said.litellm_health_endpoint_interval) == ("http://localhost:4000/health", 60)


def test_what_has_no_effect():
    """What is not known, or means nothing here, is a warning that names it, as an Agent passes over it too."""
    options = {"exclude_label": ["a"], "colour": 1, 5: 6, "namespace": "mine", "use_process_start_time": True}
    assert instance(options).warnings == (
        "exclude_label: there is no such option; is it exclude_labels?",
        "colour: there is no such option",
        "***: there is no such option",
        "namespace: it has no effect, every name begins with litellm",
        "use_process_start_time: it has no effect, as the first page is the baseline whatever began when",
    )
    assert instance({"namespace": "litellm", "cache_metric_wildcards": False}).warnings == ()


@pytest.mark.parametrize("name", sorted(REFUSED))
def test_what_only_an_agent_can_do(name):
    """It is refused by name with the reason, except where it is switched off."""
    with pytest.raises(OptionError, match=f"^{name}: it cannot apply in process: {re.escape(REFUSED[name])}$"):
        instance({**URL, name: True})
    assert instance({name: False}).endpoint is None
    with pytest.raises(OptionError, match=f"^{name}: it cannot apply in process"):
        instance(URL, {name: {"a": "b"}})


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"openmetrics_endpoint": "http://%%host%%:4000/metrics"},
            "openmetrics_endpoint: only an Agent fills in %%...%%",
        ),
        ({"tags": ["a:b", "c:%%env_TEAM%%"]}, "tags: only an Agent fills in %%...%%"),
        ({"extra_headers": {"Authorization": "ENC[handle]"}}, "extra_headers: only an Agent decrypts ENC[...]"),
        ({"share_labels": {"a": {"match": [" ENC[b] "]}}}, "share_labels: only an Agent decrypts ENC[...]"),
        ({"min_collection_interval": 0}, "min_collection_interval: 0 is not a number above 0"),
        ({"min_collection_interval": "often"}, "min_collection_interval: 'often' is not a number above 0"),
        ({"min_collection_interval": float("inf")}, "min_collection_interval: inf is not a number above 0"),
        ({"min_collection_interval": True}, "min_collection_interval: True is not a number above 0"),
        ({"openmetrics_endpoint": 1}, "openmetrics_endpoint: its value (a int) is not a text"),
    ],
)
def test_what_cannot_be_used(options, message):
    """What the Agent would have filled in, and values that are none, are errors that name the option."""
    with pytest.raises(OptionError, match=f"^{re.escape(message)}"):
        instance(options)


def test_percent_signs_and_brackets_of_others():
    """Only what an Agent would replace is refused."""
    assert instance({"tags": ["a:100%%", "b:ENC[", "c:x ENC[y] z"]}).options.tags[0] == "a:100%%"


def test_the_registry_has_no_request():
    """Where no page is asked for, all options about that are refused by name at once."""
    with pytest.raises(OptionError, match=r"^timeout, ignore_connection_errors: without openmetrics_endpoint no page"):
        instance({"timeout": 3, "tls_verify": None, "ignore_connection_errors": True, "log_requests": False})


def test_secrets_stay_secret():
    """A value that cannot be used is shown, but not one that may be a secret."""
    for name, value in (("password", ["hunter2"]), ("extra_headers", ["hunter2"]), ("auth_token", "hunter2")):
        with pytest.raises(OptionError) as caught:
            instance({**URL, "username": "u", "password": "p", name: value})
        assert "hunter2" not in str(caught.value)
        assert name in str(caught.value)


@needs_data
def test_every_option_of_the_agent_is_known():
    """No option that an Agent's check has is called unknown."""
    with (FOLDER / "openmetrics_v2_options.csv").open(encoding="utf-8") as file:
        names = {name for row in csv.DictReader(file) for name in row["name"].split(" / ")}
    assert len(names) == 80
    assert names <= OPTIONS
