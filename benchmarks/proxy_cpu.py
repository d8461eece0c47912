"""What tracing costs the real proxy: its own CPU time for a request, as the kernel accounts for it.

    python benchmarks/proxy_cpu.py [--requests 400] [--rounds 2] [--only "bare,ours"]

Linux only (``/proc``). The real proxy (``pip install 'litellm[proxy]'``), one worker. Provider, client and Agent are
other processes, so that none of their time counts; the proxy's threads that send spans do. It runs bare, under
``ddtrace-run`` with no integration for LiteLLM, with ddtrace's own and with ours, and with ours without some of
ddtrace's integrations. Each round starts each proxy anew; the figure is the best of its rounds, since other programs
on the machine only add.
"""

import argparse
import json
import multiprocessing
import os
import sys
import tempfile
import threading
from collections import Counter
from collections.abc import Iterator
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
WARM_UP = 100
TICKS = os.sysconf("SC_CLK_TCK")
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
    # After the name in parentheses, which may hold anything: fields 14 and 15 are user and system time.
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


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


def measured(case: Case, provider_url: str, requests: int) -> tuple[float, Counter[str]]:
    """Return CPU milliseconds a request, and the spans of one."""
    parameters = {"model": "openai/gpt-4o-mini", "api_base": f"{provider_url}/v1", "api_key": "k"}
    configuration = {
        "model_list": [{"model_name": "chat", "litellm_params": parameters}],
        "general_settings": {"master_key": KEY},
    }
    with TestAgent() as agent, tempfile.TemporaryDirectory() as directory:
        traced = {**QUIET, "DD_LLMOBS_ENABLED": "1", "DD_LLMOBS_ML_APP": "b", "DD_TRACE_AGENT_URL": agent.url}
        launcher = [find_ddtrace_run()] if case.traced else []
        with Proxy(Path(directory), configuration, launcher, {**traced, **case.more} if case.traced else {}) as proxy:
            ask(proxy.wait().url, WARM_UP)
            before = cpu_seconds(proxy.pid)
            ask(proxy.url, requests)
            spent = cpu_seconds(proxy.pid) - before
        chats = [
            trace for trace in agent.get_json("/test/traces") if any(s["name"] == "litellm.request" for s in trace)
        ]
    return spent / requests * 1e3, Counter(span["name"] for span in chats[-1]) if chats else Counter()


def served(provider_url: "multiprocessing.Queue[str]") -> None:
    """Be the provider, in a process of its own."""
    with Provider() as provider:
        provider_url.put(provider.url)
        threading.Event().wait()


def chosen(names: str) -> Iterator[Case]:
    """Yield the cases of the command line, all by default."""
    wanted = [name.strip() for name in names.split(",") if name.strip()]
    yield from (case for case in CASES if not wanted or case.name in wanted)


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--requests", type=int, default=400)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--only", default="", help="names of cases, with commas between them")
    options = parser.parse_args()
    context = multiprocessing.get_context("spawn")
    urls = context.Queue()
    provider = context.Process(target=served, args=(urls,), daemon=True)
    provider.start()
    url = urls.get()
    best: dict[str, float] = {}
    spans: dict[str, Counter[str]] = {}
    for _ in range(options.rounds):
        for case in chosen(options.only):
            spent, spans[case.name] = measured(case, url, options.requests)
            best[case.name] = min(spent, best.get(case.name, spent))
            print(f"  {case.name}: {spent:.2f} ms", file=sys.stderr)
    provider.terminate()
    print("| proxy | CPU ms a request | above bare | spans of a request |")
    print("|---|---|---|---|")
    for name, spent in best.items():
        above = f"{spent - best['bare']:+.2f}" if "bare" in best else ""
        print(f"| {name} | {spent:.2f} | {above} | {sum(spans[name].values()) or 'none'} |")
        print(f"  {name}: {dict(spans[name])}", file=sys.stderr)


if __name__ == "__main__":
    main()
