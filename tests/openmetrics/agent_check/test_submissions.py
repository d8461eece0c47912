"""What the check submits of live pages, held against metadata.csv by Datadog's own assertions."""

import csv
import sys
from importlib.resources import files

import pytest

pytest.importorskip("datadog_checks.base", reason="needs the packages of an Agent: pip install datadog-checks-base")
pytest.importorskip("datadog_checks.dev", reason="needs Datadog's test tools: pip install datadog-checks-dev")

from ddtrace_litellm.openmetrics.check import LiteLLMCheck
from ddtrace_litellm.openmetrics.names import metric_for
from tests.openmetrics.agent_check.checks import served
from tests.openmetrics.agent_check.test_differential import versions_of
from tests.openmetrics.measured import FOLDER, needs_data
from tests.openmetrics.pages import of_text

pytestmark = needs_data

METADATA = {
    row["metric_name"]: row
    for row in csv.DictReader((files("ddtrace_litellm.openmetrics") / "data" / "metadata.csv").read_text().splitlines())
}


def expected_names(name, *, runtime):
    """Return the Datadog names of a page's samples that are a number and no limit, and a part of a histogram not 0."""
    names = set()
    for sample in of_text((FOLDER / name).read_text()):
        metric = metric_for(sample.family, sample.type, runtime=runtime)
        sent = metric and metric.submissions().get(sample.suffix)
        moves = sample.value or sample.suffix not in {"_sum", "_bucket"}
        is_date = sample.type == "gauge" and sample.family.endswith("_created")
        if sent and moves and abs(sample.value) < sys.maxsize and sample.bound != "+Inf" and not is_date:
            names.add(sent.name)
    return names


@pytest.mark.parametrize("runtime", [False, True])
@pytest.mark.parametrize("name", ["metrics_1.106.txt", "metrics_1.109.txt", "metrics_1.106_multiproc_families.txt"])
def test_submissions_are_those_of_the_metadata(aggregator, dd_run_check, name, runtime):
    """Everything on a page is submitted, with the type of its row, none twice and nothing else."""
    options = {"collect_runtime_metrics": runtime, "disable_generic_tags": runtime}  # `python_info` has a `version`
    names = set()
    with served() as (page, server):
        check = LiteLLMCheck("litellm_om", {}, [{"openmetrics_endpoint": server.url, **options}])
        for page.text in versions_of((FOLDER / name).read_text()):
            aggregator.reset()
            dd_run_check(check)
            names |= set(aggregator.metric_names)
            aggregator.assert_metrics_using_metadata(METADATA, check_submission_type=True)
            aggregator.assert_no_duplicate_all()
            endpoint = f"endpoint:{server.url}"
            for each in expected_names(name, runtime=runtime) & set(aggregator.metric_names):
                aggregator.assert_metric_has_tag(each, endpoint)
            aggregator.assert_all_metrics_covered()
            aggregator.assert_service_check("litellm.openmetrics.health", LiteLLMCheck.OK, tags=[endpoint], count=1)
    assert names == expected_names(name, runtime=runtime)
