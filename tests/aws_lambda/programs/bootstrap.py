"""Starts a function as the main program of Lambda's Python runtimes does, with ``$OPT`` in the place of ``/opt``."""

import gc
import os
import site
import sys

gc.disable()  # collections would take seconds of the start

opt, task = os.environ["OPT"], os.environ["LAMBDA_TASK_ROOT"]
python = f"{opt}/python"
layers = [f"{python}/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages", python]

if "PYTHONPATH" in os.environ:
    layers = []
sys.path[:0] = [task, *layers]
for directory in (task, *layers):
    site.addsitedir(directory)
os.environ.setdefault("PYTHONPATH", os.environ["LAMBDA_RUNTIME_DIR"])

# Datadog's extension: the libraries ask whether this file is there.
exists = os.path.exists
os.path.exists = lambda path: path == "/opt/extensions/datadog-agent" or exists(path)

from awslambdaric import __main__ as runtime  # noqa: E402

runtime.main([task, os.environ["_HANDLER"]])
