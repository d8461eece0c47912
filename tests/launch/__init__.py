"""What programs that tests start are started with."""

import os
from pathlib import Path

import ddtrace_litellm

PACKAGES = Path(ddtrace_litellm.__file__).parents[1]
"""Where the package lies that is tested: the checkout, or where the wheel is installed."""
_NOT_INHERITED = ("DD_", "_DD_", "LITELLM_", "PYTEST_", "PYTHONPATH", "COV_", "DATABASE_URL")


def environment(*path: str | Path, **more: str) -> dict[str, str]:
    """Return an environment with nothing of ddtrace's or LiteLLM's in it but what a test needs.

    Programs make no full collections (``sitecustomize.py`` beside this). Those of Lambda, whose start is tested as it
    is, and those that need no LiteLLM have environments of their own.

    Args:
        path: directories for ``PYTHONPATH``, before those of the tests' own.
        more: variables.
    """
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    inherited = os.environ.get("PYTHONPATH")
    places = [*map(str, path), str(Path(__file__).parent), *([inherited] if inherited else [])]
    return {**clean, "LITELLM_LOCAL_MODEL_COST_MAP": "True", "PYTHONPATH": os.pathsep.join(places), **more}
