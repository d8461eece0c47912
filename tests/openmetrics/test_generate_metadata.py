import csv
import io
import json
import re
from importlib.resources import files

import pytest

from ddtrace_litellm.openmetrics.names import table
from tests.openmetrics import generate_metadata
from tests.openmetrics.measured import needs_data, official

DATA = files("ddtrace_litellm.openmetrics") / "data"
COLUMNS = (
    "metric_name,metric_type,interval,unit_name,per_unit_name,description,orientation,integration,short_name,"
    "curated_metric,sample_tags"
)


@pytest.fixture
def rows():
    """Return the rows of metadata.csv as it lies in the package."""
    return list(csv.DictReader(io.StringIO((DATA / "metadata.csv").read_text("utf-8"))))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("metadata.csv", generate_metadata.metadata_csv()),
        ("service_checks.json", generate_metadata.service_checks_json()),
    ],
)
def test_the_files_are_up_to_date(name, text):
    """What lies in the package is what the table gives."""
    assert (DATA / name).read_text("utf-8") == text


def test_one_command_writes_both(tmp_path, monkeypatch):
    """The command writes the two files anew."""
    monkeypatch.setattr(generate_metadata, "_DATA", tmp_path)
    generate_metadata.main()
    assert {path.name for path in tmp_path.iterdir()} == {"metadata.csv", "service_checks.json"}
    assert (tmp_path / "metadata.csv").read_text() == generate_metadata.metadata_csv()


def test_the_columns_are_datadogs(rows):
    """The file has Datadog's columns in their order, and every row has each of them."""
    text = (DATA / "metadata.csv").read_text("utf-8")
    assert text.splitlines()[0] == COLUMNS
    assert all(None not in row and None not in row.values() for row in rows)


def test_required_values_are_valid(rows):
    """Names, types, orientations and the integration are what Datadog's validator demands."""
    for row in rows:
        assert row["metric_name"].startswith("litellm.")
        assert row["metric_name"] == re.sub(r"_*\._*", ".", re.sub(r"[^a-zA-Z0-9_.]+", "_", row["metric_name"]))
        assert row["metric_type"] in {"count", "gauge"}
        assert row["orientation"] in {"-1", "0", "1"}
        assert row["integration"] == "litellm"


def test_no_name_twice_and_all_sorted(rows):
    """The rows are sorted by name, and none is there twice."""
    names = [row["metric_name"] for row in rows]
    assert names == sorted(set(names))


def test_descriptions_can_be_shown(rows):
    """Every metric has a description of its own, in ASCII, of at most 400 characters and without a bar."""
    descriptions = [row["description"] for row in rows]
    assert all(0 < len(text) <= 400 and text.isascii() and "|" not in text for text in descriptions)
    assert len(set(descriptions)) == len(rows)


def test_every_metric_of_the_table_is_there(rows):
    """Whatever the table lets be sent has a row with its type and unit."""
    expected = {made for metric in table() for made in metric.submissions().values()}
    assert {(row["metric_name"], row["metric_type"], row["unit_name"]) for row in rows} == expected


def test_a_renamed_family_is_described_as_it_is_now(rows):
    """Where an old and a new family share a name, the row describes the new one."""
    (row,) = [row for row in rows if row["metric_name"] == "litellm.total.tokens.count"]
    assert "1.74" not in row["description"]


def test_the_service_check_has_the_seven_attributes():
    """The service check is described by exactly what Datadog's validator demands."""
    (check,) = json.loads((DATA / "service_checks.json").read_text("utf-8"))
    assert set(check) == {"agent_version", "integration", "check", "statuses", "groups", "name", "description"}
    assert check["check"] == "litellm.openmetrics.health"
    assert check["statuses"] == ["ok", "critical"]
    assert check["groups"] == ["host", "endpoint"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", check["agent_version"])


@needs_data
def test_every_official_metric_has_a_row(rows):
    """The metrics of the Agent's check are all described, those included that its own metadata leaves out."""
    types = {row["metric_name"]: row["metric_type"] for row in rows}
    for row in official():
        assert types[row["datadog_name"]] == row["metric_type"]
