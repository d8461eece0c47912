"""What the ``.pth`` file adds to the start of a Python process that never sees ddtrace.

    python benchmarks/startup.py [--starts 40]

Each start processes one site directory, as Python's ``site`` does: in turn an empty one, and one with the package and
its ``.pth`` file. The time is taken inside the new process, around that one step.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

PROGRAM = """
import site, sys, time
start = time.perf_counter()
site.addsitedir(sys.argv[1])
print((time.perf_counter() - start) * 1e6)
"""


def _time_start(directory):
    # -S: nothing of this environment is processed before; the modules that site itself needs are loaded already.
    command = [sys.executable, "-I", "-S", "-c", PROGRAM, str(directory)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--starts", type=int, default=40)
    starts = arguments.parse_args().starts
    package = Path(__file__).parents[1] / "ddtrace_litellm"
    with tempfile.TemporaryDirectory() as root:
        empty, installed = Path(root, "empty"), Path(root, "installed")
        empty.mkdir()
        shutil.copytree(package, installed / "ddtrace_litellm")
        shutil.copy(package.with_suffix(".pth"), installed)
        _time_start(installed)  # writes the bytecode
        pairs = [(_time_start(empty), _time_start(installed)) for _ in range(starts)]
    without, with_us = (statistics.median(times) for times in zip(*pairs, strict=True))
    added = with_us - without
    print(f"site directory: empty {without:.0f} us, with ddtrace-litellm {with_us:.0f} us, added {added:.0f} us")


if __name__ == "__main__":
    main()
