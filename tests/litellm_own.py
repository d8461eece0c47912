"""Runs tests of LiteLLM's own, of a checkout of its repository, with and without us, and compares test by test.

    LITELLM_CHECKOUT=../litellm python -m tests.litellm_own [FILE...]

Both times it is ``ddtrace-run``; without us it is told to trace no LiteLLM. The checkout's tag is to be the version
that is installed. A test that fails both times needs the network or what is not installed.
"""

import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

FILES = (
    "tests/test_litellm/test_router.py",
    "tests/test_litellm/test_main.py",
    "tests/test_litellm/test_utils.py",
    "tests/test_litellm/litellm_core_utils/test_streaming_handler.py",
    "tests/test_litellm/responses",
    "tests/test_litellm/google_genai",
    "tests/test_litellm/llms/anthropic",
    "tests/test_litellm/chat_completions",
)
"""Those of the Router, of streams, of Responses and of Messages that ask nobody (1.110)."""


def outcomes(checkout: Path, files: list[str], *, traced: bool) -> dict[str, str]:
    """Return what has become of each test."""
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [
                "ddtrace-run",
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                f"--junitxml={report}",
                *files,
            ],
            cwd=checkout,
            env={
                **os.environ,
                "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
                "DD_LLMOBS_ENABLED": "true",
                "DD_LLMOBS_ML_APP": "tests",
                "DD_TRACE_AGENT_URL": "http://127.0.0.1:9",
                "DD_TRACE_LITELLM_ENABLED": str(traced).lower(),
                "LITELLM_LOCAL_MODEL_COST_MAP": "True",
            },
            check=False,
        )
        cases = ET.parse(report).iter("testcase")
        return {f"{case.get('classname')}::{case.get('name')}": _outcome(case) for case in cases}


def _outcome(case: ET.Element) -> str:
    return next((child.tag for child in case if child.tag in {"error", "failure", "skipped"}), "passed")


def main() -> int:
    """Print the tests that end otherwise with us, and how many end how; return 1 where there is one."""
    checkout = Path(os.environ["LITELLM_CHECKOUT"])
    files = [file for file in sys.argv[1:] or FILES if (checkout / file.partition("::")[0]).exists()]
    without, with_us = (outcomes(checkout, files, traced=traced) for traced in (False, True))
    differ = {test for test in without.keys() | with_us.keys() if without.get(test) != with_us.get(test)}
    for test in sorted(differ):
        print(f"{test}: {without.get(test)} without us, {with_us.get(test)} with us")
    print(f"{len(without)} tests, {dict(Counter(without.values()))} without us, {len(differ)} otherwise with us")
    return 1 if differ or not without else 0


if __name__ == "__main__":
    sys.exit(main())
