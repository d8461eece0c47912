"""The specification and the table of options are what the models say."""

import pytest
import yaml

from ddtrace_litellm.openmetrics.options.models import InstanceModel
from tests.openmetrics import generate_options


@pytest.mark.parametrize(
    ("file", "text"),
    [
        (generate_options.SPEC, generate_options.spec_yaml),
        (generate_options.TABLE, generate_options.table),
    ],
)
def test_files_are_up_to_date(file, text):
    """Both are as they would be written; else `python -m tests.openmetrics.generate_options`."""
    assert file.read_text("utf-8") == text()


def test_the_specification_has_our_options():
    """Each option that the Agent's own check lacks is one of the models, with its meaning."""
    instances = yaml.safe_load(generate_options.spec_yaml())["files"][0]["options"][1]["options"]
    ours = {each["name"]: each["description"].strip() for each in instances if "name" in each}
    assert "litellm_health_endpoint" in ours
    assert ours == {name: InstanceModel.model_fields[name].description for name in ours}


def test_every_option_has_a_meaning():
    """No option is in the table without a word about it, and none is missing there."""
    table = generate_options.table()
    for name, field in InstanceModel.model_fields.items():
        assert f"| `{name}` |" in table
        assert (field.description or "").endswith(".")
