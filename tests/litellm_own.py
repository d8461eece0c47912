"""Runs tests of LiteLLM's own, of a checkout of its repository, with and without us, and compares test by test.

    LITELLM_CHECKOUT=../litellm python -m tests.litellm_own [FILE...]

Both times it is ``ddtrace-run`` with LLM Observability and an agent; without us it is told to trace no LiteLLM. The
checkout's ``litellm`` is what is tested, so its tag is to be the version that is installed; without that folder it is
the installed one. A test that fails both times needs the network or what is not installed.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import NamedTuple
from xml.etree import ElementTree as ET

from ddtrace_litellm._ddtrace import SPAN_NAME
from ddtrace_litellm.tryout.agent import TestAgent

FILES = (
    "tests/test_litellm/test_router.py",
    "tests/test_litellm/test_main.py",
    "tests/test_litellm/test_utils.py",
    "tests/test_litellm/litellm_core_utils/test_streaming_handler.py",
    "tests/test_litellm/responses",
    "tests/test_litellm/google_genai",
    "tests/test_litellm/llms/anthropic",
    "tests/test_litellm/chat_completions",
    "tests/test_litellm/passthrough",
    "tests/test_litellm/router_strategy",
    "tests/test_litellm/router_utils",
    "tests/router_unit_tests",
)
"""Those of the Router, of streams, of Responses and of Messages that ask nobody (1.110)."""


class Run(NamedTuple):
    """What has become of each test, and how many spans of ours have arrived."""

    outcomes: dict[str, str]
    spans: int


def run(checkout: Path, files: list[str], *, traced: bool) -> Run:
    """Run the tests."""
    with tempfile.TemporaryDirectory() as folder, TestAgent() as agent:
        report = Path(folder) / "report.xml"
        arguments = ("-q", "-p", "no:cacheprovider", "--continue-on-collection-errors", f"--junitxml={report}", *files)
        subprocess.run(
            ["ddtrace-run", sys.executable, "-m", "pytest", *arguments],
            cwd=checkout,
            env={
                **os.environ,
                "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
                "DD_LLMOBS_ENABLED": "true",
                "DD_LLMOBS_ML_APP": "tests",
                "DD_PYTEST_ENABLED": "false",
                "DD_TRACE_AGENT_URL": agent.url,
                "DD_TRACE_LITELLM_ENABLED": str(traced).lower(),
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            },
            check=False,
        )
        cases = ET.parse(report).iter("testcase")
        spans = sum(span["name"] == SPAN_NAME for trace in agent.get_json("/test/traces") for span in trace)
        return Run({f"{case.get('classname')}::{case.get('name')}": _outcome(case) for case in cases}, spans)


def _outcome(case: ET.Element) -> str:
    return next((child.tag for child in case if child.tag in {"error", "failure", "skipped"}), "passed")


def main() -> int:
    """Print the tests that end otherwise with us, and how many end how; return 1 where there is one."""
    checkout = Path(os.environ["LITELLM_CHECKOUT"])
    files = [file for file in sys.argv[1:] or FILES if (checkout / file.partition("::")[0]).exists()]
    without, with_us = (run(checkout, files, traced=traced) for traced in (False, True))
    before, after = without.outcomes, with_us.outcomes
    differ = {test for test in before.keys() | after.keys() if before.get(test) != after.get(test)}
    for test in sorted(differ):
        print(f"{test}: {before.get(test)} without us, {after.get(test)} with us")
    counts = dict(Counter(before.values()))
    print(f"{len(before)} tests, {counts} without us, {len(differ)} otherwise with us; {with_us.spans} spans of ours")
    return 1 if differ or not before or not with_us.spans or without.spans else 0


if __name__ == "__main__":
    sys.exit(main())
