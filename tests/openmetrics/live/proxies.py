"""LiteLLM's proxy with its metrics on, started in the ways that its users start it, and what was asked of it."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

from openai import OpenAI

from tests.proxy.server import Proxy

MASTER_KEY = "sk-master-0123456789abcdef0123456789abcdef"
CONFIGURATION: dict[str, Any] = {
    "model_list": [
        {
            "model_name": "mock",
            "litellm_params": {"model": "openai/gpt-4o-mini", "api_key": "k", "mock_response": "Good day to you."},
        }
    ],
    "litellm_settings": {"callbacks": ["prometheus"], "num_retries": 0},
    "general_settings": {"master_key": MASTER_KEY},
}


class Uvicorn(Proxy):
    """Workers that share a port and nothing else: each page is that of one of them."""

    def _command(self, host: str, port: str) -> list[str]:
        application = "litellm.proxy.proxy_server:app"
        return [sys.executable, "-m", "uvicorn", application, "--host", host, "--port", port]


def proxy_of(workers: int, directory: Path, launcher: list[str], environment: dict[str, str], *arguments: str) -> Proxy:
    """Return a proxy, whose workers share a directory where they are several."""
    # The shared directory's default is the same for every proxy of the machine.
    shared = directory / "shared"
    shared.mkdir()
    more = {**environment, "PROMETHEUS_MULTIPROC_DIR": str(shared)} if workers > 1 else environment
    return Proxy(directory, CONFIGURATION, launcher, more, ["--num_workers", str(workers), *arguments])


def uvicorn_of(workers: int, directory: Path) -> Proxy:
    """Return a proxy whose workers share nothing but a port."""
    return Uvicorn(directory, CONFIGURATION, [], {"CONFIG_FILE_PATH": "config.yaml"}, ["--workers", str(workers)])


class Truth(NamedTuple):
    """What callers know of their own requests."""

    requests: int = 0
    tokens: int = 0
    cost: float = 0.0

    def __add__(self, other: Any) -> "Truth":
        return Truth(*(mine + theirs for mine, theirs in zip(self, other, strict=True)))


def ask(proxy: Proxy, times: int) -> Truth:
    """Ask the proxy so often, four at a time, and return what its answers say."""

    def once(number: int) -> Truth:
        # A client each, as connections that are kept all lead to one worker.
        with OpenAI(base_url=f"{proxy.url}/v1", api_key=MASTER_KEY, max_retries=0) as client:
            raw = client.chat.completions.with_raw_response.create(
                model="mock", messages=[{"role": "user", "content": "Good day " * number}]
            )
        usage = raw.parse().usage
        assert usage is not None
        return Truth(1, usage.total_tokens, float(raw.headers["x-litellm-response-cost"]))

    with ThreadPoolExecutor(4) as pool:
        return sum(pool.map(once, range(1, times + 1)), Truth())
