"""How long a proxy's other clients wait while it handles one request that is as large as its caller likes.

    python benchmarks/hostile_requests.py [--items 40000] [--rounds 5]

The real proxy (``pip install 'litellm[proxy]'``), one worker, a model that answers without a provider: bare, under
``ddtrace-run`` without any integration for LiteLLM, with ddtrace's own, with ours; LLM Observability on in all three.
While a hostile request is handled another client asks for ``/health/liveliness`` again and again: the longest of its
waits, the median of several rounds, in milliseconds. Ours is to be no more than 50 ms above ddtrace without us.
"""

import argparse
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' proxy

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.runner import find_ddtrace_run
from tests.proxy.server import Proxy

KEY = "sk-0123456789abcdef0123456789abcdef"
_MODEL = {"model": "openai/gpt-4o-mini", "api_key": "k", "mock_response": "Hi."}
CONFIGURATION = {
    "model_list": [{"model_name": "mock", "litellm_params": _MODEL}],
    "general_settings": {"master_key": KEY},
}
ASK = [{"role": "user", "content": "Hello"}]


def requests(items: int) -> dict[str, dict]:
    """Return the requests by what there is too much of."""
    tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
    return {
        "nothing": {"messages": ASK},
        "request tags": {"messages": ASK, "metadata": {"tags": [f"tag-{index}" for index in range(items)]}},
        "metadata": {"messages": ASK, "metadata": {f"key-{index}": index for index in range(items)}},
        "messages": {"messages": ASK * items},
        "parts": {"messages": [{"role": "user", "content": [{"type": "text", "text": "Hello"}] * items}]},
        "tools": {"messages": ASK, "tools": [tool] * items},
        "text": {"messages": [{"role": "user", "content": "Hello " * items * 10}]},
    }


def post(url: str, body: dict) -> None:
    """Send one request, and read its answer."""
    host = url.removeprefix("http://")
    connection = HTTPConnection(host, timeout=120)
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", json.dumps({"model": "mock", **body}), headers)
    connection.getresponse().read()
    connection.close()


def longest_wait(url: str, body: dict) -> float:
    """Return the longest wait of another client during a request, milliseconds."""
    hostile = threading.Thread(target=post, args=(url, body))
    connection = HTTPConnection(url.removeprefix("http://"), timeout=120)
    waits = []
    hostile.start()
    while hostile.is_alive():
        asked = time.perf_counter()
        connection.request("GET", "/health/liveliness")
        connection.getresponse().read()
        waits.append(time.perf_counter() - asked)
        time.sleep(0.002)
    hostile.join()
    connection.close()
    return max(waits) * 1e3


def proxies(agent: TestAgent) -> Iterator[tuple[str, list[str], dict[str, str]]]:
    """Yield what is compared: a name, what the proxy is started under, its environment."""
    traced = {
        "DD_LLMOBS_ENABLED": "1",
        "DD_LLMOBS_ML_APP": "benchmark",
        "DD_TRACE_AGENT_URL": agent.url,
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DD_REMOTE_CONFIGURATION_ENABLED": "false",
    }
    yield "bare", [], {}
    yield "ddtrace", [find_ddtrace_run()], {**traced, "DD_TRACE_LITELLM_ENABLED": "false"}
    yield "built-in", [find_ddtrace_run()], {**traced, "DD_LITELLM_TAKEOVER": "false"}
    yield "ours", [find_ddtrace_run()], traced


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=int, default=40_000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    asked = requests(options.items)
    found: dict[str, dict[str, float]] = {}
    with TestAgent() as agent:
        for name, launcher, environment in proxies(agent):
            with (
                tempfile.TemporaryDirectory() as directory,
                Proxy(Path(directory), CONFIGURATION, launcher, environment) as proxy,
            ):
                proxy.wait()
                post(proxy.url, asked["nothing"])  # what is imported late
                found[name] = {
                    kind: statistics.median(longest_wait(proxy.url, body) for _ in range(options.rounds))
                    for kind, body in asked.items()
                }
    print(f"{'':14}" + "".join(f"{name:>12}" for name in found) + f"{'ours - ddtrace':>16}")
    for kind in asked:
        waits = {name: each[kind] for name, each in found.items()}
        print(f"{kind:14}" + "".join(f"{wait:12.0f}" for wait in waits.values()), end="")
        print(f"{waits['ours'] - waits['ddtrace']:16.0f}")


if __name__ == "__main__":
    main()
