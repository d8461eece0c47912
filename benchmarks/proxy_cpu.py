"""What tracing costs the real proxy: its own CPU time for a request, as the kernel accounts for it.

    python benchmarks/proxy_cpu.py [--batches 16] [--case "bare" --case "ours"]

Linux only (``/proc``). The real proxy (``pip install 'litellm[proxy]'``), one worker. Provider, client and Agent are
other processes, so that none of their time counts; the proxy's threads that send spans do. It runs bare, under
``ddtrace-run`` with no integration for LiteLLM, with ddtrace's own and with ours, and with ours without some of
ddtrace's integrations. All proxies run at once and take turns, a batch of requests each; the figures are medians. Only
the ratios of one run mean anything: machines differ, and so do the hours of one.
"""

import argparse
import json
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from http import HTTPStatus
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' proxy and provider

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.runner import find_ddtrace_run
from tests.provider import Provider
from tests.proxy.server import Proxy

KEY = "sk-0123456789abcdef0123456789abcdef"
BATCH = 25
FLUSH_SECONDS = 3
QUIET = {"DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false", "DD_REMOTE_CONFIGURATION_ENABLED": "false"}


def off(*integrations: str) -> dict[str, str]:
    """Return the variables that switch integrations of ddtrace's off."""
    return {f"DD_TRACE_{name.upper()}_ENABLED": "false" for name in integrations}


@dataclass(frozen=True)
class Case:
    """What is compared; ``more`` are variables, ``traced`` says whether ``ddtrace-run`` starts the proxy."""

    name: str
    more: dict[str, str] = field(default_factory=dict)
    traced: bool = True


CASES = (
    Case("bare", traced=False),
    Case("ddtrace without an integration for LiteLLM", off("litellm")),
    Case("ddtrace's own integration", {"DD_LITELLM_TAKEOVER": "false"}),
    Case("ours"),
    Case("ours, without asyncio", off("asyncio")),
    Case("ours, without aiohttp", off("aiohttp")),
    Case("ours, without httpx", off("httpx")),
    Case("ours, without asgi (fastapi, starlette)", off("asgi", "fastapi", "starlette")),
    Case("ours, without asyncio, aiohttp, httpx", off("asyncio", "aiohttp", "httpx")),
    Case("ours, without any of them", off("asyncio", "aiohttp", "httpx", "asgi", "fastapi", "starlette")),
)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process and its threads have had."""
    nanoseconds = (int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat"))
    return sum(nanoseconds) / 1e9


def ask(url: str, times: int) -> None:
    """Ask the proxy, one request after the other over one connection."""
    body = json.dumps({"model": "chat", "messages": [{"role": "user", "content": "How warm is it in Lisbon?"}]})
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection = HTTPConnection(url.removeprefix("http://"), timeout=120)
    for _ in range(times):
        connection.request("POST", "/v1/chat/completions", body, headers)
        response = connection.getresponse()
        answer = response.read()
        assert response.status == HTTPStatus.OK, answer
    connection.close()


def proxy(case: Case, provider_url: str, agent: TestAgent, directory: str) -> Proxy:
    """Return a proxy that is not started yet."""
    parameters = {"model": "openai/gpt-4o-mini", "api_base": f"{provider_url}/v1", "api_key": "k"}
    configuration = {
        "model_list": [{"model_name": "chat", "litellm_params": parameters}],
        "general_settings": {"master_key": KEY},
    }
    traced = {**QUIET, "DD_LLMOBS_ENABLED": "1", "DD_LLMOBS_ML_APP": "b", "DD_TRACE_AGENT_URL": agent.url}
    launcher, more = ([find_ddtrace_run()], {**traced, **case.more}) if case.traced else ([], {})
    return Proxy(Path(directory), configuration, launcher, more)


def spans_of_a_request(agent: TestAgent) -> str:
    """Return the names of a chat's spans: no other trace has as many."""
    names = Counter(span["name"] for span in max(agent.get_json("/test/traces"), key=len, default=()))
    return ", ".join(f"{name} x{times}" if times > 1 else name for name, times in names.items())


def served(provider_url: "multiprocessing.Queue[str]") -> None:
    """Be the provider, in a process of its own."""
    with Provider() as provider:
        provider_url.put(provider.url)
        threading.Event().wait()


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--batches", type=int, default=16)
    parser.add_argument("--case", action="append", help="one that is compared, all by default")
    options = parser.parse_args()
    cases = [case for case in CASES if not options.case or case.name in options.case]
    context = multiprocessing.get_context("spawn")
    urls = context.Queue()
    provider = context.Process(target=served, args=(urls,), daemon=True)
    provider.start()
    provider_url = urls.get()
    spent: dict[str, list[float]] = {case.name: [] for case in cases}
    with ExitStack() as stack:
        agent = stack.enter_context(TestAgent())
        proxies = {}
        spans = {}
        for case in cases:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            started = stack.enter_context(proxy(case, provider_url, agent, directory)).wait()
            ask(started.url, BATCH)
            time.sleep(FLUSH_SECONDS)
            spans[case.name] = spans_of_a_request(agent) if case.traced else ""
            agent.clear()
            proxies[case.name] = started
            print(f"started: {case.name}", file=sys.stderr)
        for _ in range(options.batches):
            for name, started in proxies.items():
                before = cpu_seconds(started.pid)
                ask(started.url, BATCH)
                spent[name].append((cpu_seconds(started.pid) - before) / BATCH * 1e3)
            agent.clear()
    provider.terminate()
    medians = {name: statistics.median(values) for name, values in spent.items()}
    least = medians[cases[0].name]
    print(f"| proxy | CPU ms a request | times {cases[0].name} | spans |\n|---|---|---|---|")
    for name, value in medians.items():
        print(f"| {name} | {value:.1f} | {value / least:.2f} | {spans[name] or 'none'} |")


if __name__ == "__main__":
    main()
