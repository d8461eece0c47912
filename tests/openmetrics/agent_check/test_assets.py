"""Datadog's own client of its API knows every field and value in our dashboards and monitors."""

import json
from importlib.resources import files

import pytest

pytest.importorskip("datadog_api_client", reason="needs Datadog's client: pip install datadog-api-client")

from datadog_api_client import Configuration
from datadog_api_client.model_utils import validate_and_convert_types
from datadog_api_client.v1.model.dashboard import Dashboard
from datadog_api_client.v1.model.monitor import Monitor

MODELS = {"dashboards": Dashboard, "monitors": Monitor}
ASSETS = [(folder, path.name) for folder in MODELS for path in (files("ddtrace_litellm.assets") / folder).iterdir()]


def unknown(value, path=""):
    """Yield where in a model there is something that the client has no model for."""
    if getattr(value, "_unparsed", False):
        yield path
    inner = getattr(value, "_data_store", None) or (dict(enumerate(value)) if isinstance(value, list) else {})
    for name, each in inner.items():
        yield from unknown(each, f"{path}.{name}")


def read(folder, body):
    """Return what the client makes of the body of a request or an answer."""
    return validate_and_convert_types(body, (MODELS[folder],), ["body"], True, True, Configuration())


@pytest.mark.parametrize(("folder", "name"), ASSETS)
def test_the_client_reads_it(folder, name):
    """A dashboard or monitor is one of the API's, with nothing in it that the client does not know."""
    body = json.loads((files("ddtrace_litellm.assets") / folder / name).read_text())
    model = read(folder, body)
    assert isinstance(model, MODELS[folder])
    assert list(unknown(model)) == []


def test_the_client_tells():
    """What the API has no word for is found."""
    body = json.loads((files("ddtrace_litellm.assets") / "dashboards" / "litellm_calls.json").read_text())
    query = body["widgets"][0]["definition"]["widgets"][1]["definition"]["requests"][0]["queries"][0]
    query["data_source"] = "nobody"
    assert list(unknown(read("dashboards", body)))
