"""What the Lambda layer adds to the cold start of a function, beside ddtrace's own integration.

    python benchmarks/lambda_start.py [--starts 15]

Each start is a new process that keeps no bytecode, as ``/opt`` is read-only, and has imported LiteLLM and ddtrace's LLM
Observability, as a function with Datadog's layer does anyway. The time is taken around ``ddtrace.patch(litellm=True)``,
which loads this package and wraps, and around the site directory with its ``.pth`` file.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from ddtrace_litellm.aws_lambda.layer import build

SITE_PACKAGES = f"python/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
PROGRAM = """
import json, site, sys, time
start = time.perf_counter()
site.addsitedir(sys.argv[1])
added = time.perf_counter() - start
import ddtrace.llmobs, litellm
start = time.perf_counter()
ddtrace.patch(litellm=True)
patched = time.perf_counter() - start
print(json.dumps([added * 1e3, patched * 1e3, "ddtrace_litellm.patching" in sys.modules]))
"""


def _time_start(directory, environment):
    command = [sys.executable, "-S", "-B", "-c", PROGRAM, "."]
    done = subprocess.run(command, cwd=directory, env=environment, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def _environment(directory):
    """Everything that this Python has installed but this package, through PYTHONPATH, which reads no .pth file."""
    installed = directory / "installed"
    installed.mkdir()
    for path in map(Path, sys.path):
        if path.name in ("site-packages", "dist-packages"):
            for entry in path.iterdir():
                if "ddtrace_litellm" not in entry.name and not (installed / entry.name).exists():
                    (installed / entry.name).symlink_to(entry)
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(installed),
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DD_REMOTE_CONFIGURATION_ENABLED": "false",
        "DD_TRACE_STARTUP_LOGS": "false",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
    }


def _shown(times):
    return f"{statistics.median(times):.1f} ms (fastest {min(times):.1f})"


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--starts", type=int, default=15)
    starts = arguments.parse_args().starts
    layer = build(SITE_PACKAGES.split("/")[2].removeprefix("python"))
    with tempfile.TemporaryDirectory() as root:
        directory = Path(root)
        (directory / "layer.zip").write_bytes(layer.content)
        kinds = {name: directory / name for name in ("built-in", "layer", "layer without bytecode")}
        for name, place in kinds.items():
            (place / SITE_PACKAGES).mkdir(parents=True)
            if name != "built-in":
                with zipfile.ZipFile(directory / "layer.zip") as archive:
                    archive.extractall(place)
            if name == "layer without bytecode":
                for cache in list(place.rglob("__pycache__")):
                    shutil.rmtree(cache)
        environment = _environment(directory)
        times = {name: [] for name in kinds}
        for _ in range(starts):
            for name, place in kinds.items():
                added, patched, ours = _time_start(place / SITE_PACKAGES, environment)
                assert ours == (name != "built-in")
                times[name].append((added, patched))
    print(f"layer: {len(layer.content) / 1024:.0f} KiB, {layer.unpacked / 1024:.0f} KiB unpacked")
    for name, pairs in times.items():
        added, patched = zip(*pairs, strict=True)
        print(f"{name}: .pth {_shown(added)}, patch {_shown(patched)}")


if __name__ == "__main__":
    main()
