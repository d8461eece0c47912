"""Writes Datadog's descriptions of the metrics and the service check: metadata.csv and service_checks.json.

Both lie in ``openmetrics/data``. ``python -m tests.openmetrics.generate_metadata`` writes them from the table of names.
"""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

from ddtrace_litellm.openmetrics import names

COLUMNS = (
    "metric_name",
    "metric_type",
    "interval",
    "unit_name",
    "per_unit_name",
    "description",
    "orientation",
    "integration",
    "short_name",
    "curated_metric",
    "sample_tags",
)

_DATA = Path(names.__file__).parent / "data"

# A family of several kinds of samples has one description, and each kind says what it is of that.
_KINDS = {
    "_bucket": "{}: observations up to the tag upper_bound",
    "_sum": "{}: sum of the observations",
    "_count": "{}: number of observations",
}

_SERVICE_CHECK = {
    "agent_version": "7.68.0",
    "integration": "LiteLLM",
    "check": f"{names.NAMESPACE}.openmetrics.health",
    "statuses": ["ok", "critical"],
    "groups": ["host", "endpoint"],
    "name": "OpenMetrics Health",
    "description": "Critical where the last read of the proxy's metrics failed or was cut short, else ok.",
}


def rows() -> list[dict[str, str]]:
    """Return the rows of metadata.csv, sorted by name."""
    by_name: dict[str, dict[str, str]] = {}
    # Two families that share a name are an old one and the one that took its place, which describes both.
    for metric in sorted(names.table(), key=lambda metric: metric.until == ""):
        for suffix, sent in metric.submissions().items():
            by_name[sent.name] = dict.fromkeys(COLUMNS, "") | {
                "metric_name": sent.name,
                "metric_type": sent.type,
                "unit_name": sent.unit,
                "description": _KINDS.get(suffix, "{}").format(metric.description),
                "orientation": str(metric.orientation),
                "integration": names.NAMESPACE,
            }
    return sorted(by_name.values(), key=lambda row: row["metric_name"])


def metadata_csv() -> str:
    """Return the text of metadata.csv."""
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows())
    return text.getvalue()


def service_checks_json() -> str:
    """Return the text of service_checks.json."""
    return json.dumps([_SERVICE_CHECK], indent=4) + "\n"


def main() -> None:
    """Write both files."""
    (_DATA / "metadata.csv").write_text(metadata_csv(), "ascii")
    (_DATA / "service_checks.json").write_text(service_checks_json(), "ascii")


if __name__ == "__main__":
    main()
