"""Skips where LiteLLM's proxy is not installed."""

import pytest

_NEEDED = ("apscheduler", "backoff", "fastapi", "openai", "orjson", "prometheus_client", "uvicorn")


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    for module in _NEEDED:
        pytest.importorskip(module, reason=f"LiteLLM's proxy needs {module}: pip install litellm[proxy]")
