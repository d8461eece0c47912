"""What was measured of LiteLLM's metrics and of the Agent's own check, where that data lies beside the checkout."""

import csv
import re
from collections.abc import Iterator

import pytest

from tests.checkout import CHECKOUT

FOLDER = CHECKOUT.parent / "shared" / "reference" / "data"
PAGES = (
    "metrics_1.106.txt",
    "metrics_1.109.txt",
    "metrics_1.106_multiproc.txt",
    "metrics_1.106_multiproc_families.txt",
)

needs_data = pytest.mark.skipif(not FOLDER.is_dir(), reason="the measured pages and tables are not beside the checkout")

_TYPE_LINE = re.compile(r"^# TYPE (\S+) (\S+)$", re.MULTILINE)


def rows(name):
    """Return the rows of a table."""
    with (FOLDER / name).open(newline="") as file:
        return list(csv.DictReader(file, delimiter="\t" if name.endswith(".tsv") else ","))


def official():
    """Return the metrics of the Agent's own check."""
    return rows("official_check_metrics.csv")


def families():
    """Return LiteLLM's families, 1.74 to 1.109."""
    return rows("metric_families.tsv")


def families_on(page) -> Iterator[tuple[str, str]]:
    """Yield name and type of the families on a text page, except the times of creation, which are no metrics."""
    for name, type_ in _TYPE_LINE.findall((FOLDER / page).read_text()):
        if not (type_ == "gauge" and name.endswith("_created")):
            yield name.removesuffix("_total") if type_ == "counter" else name, type_
