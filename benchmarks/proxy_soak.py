"""What stays behind in the real proxy after many requests, with this package and without it.

    python benchmarks/proxy_soak.py [--requests 30000] [--variant ours]

Linux (``/proc``), ``pip install 'litellm[proxy]'``. The proxy runs under gunicorn with one worker, and answers 16
requests at a time: of fifteen, nine are answered, plain or streamed, three fail or break at the provider, and in three
the client goes away in the midst of the stream. In the midst of the middle batch it is reloaded (SIGHUP): a new worker
takes over, and the old one ends with its last request.

The status is 1 where, with this package, a call, a stream or a span is left open, more than :data:`KEPT` calls or spans
are alive, a trace has not arrived or not whole, a request to the provider has not exactly one leaf, a span that was
opened has not arrived, a failure of ours was counted, or the workers have grown by more than :data:`GROWTH` beyond what
they have grown by without. The first :data:`WARM_UP` batches of a worker are its warm-up.
"""

import argparse
import asyncio
import json
import os
import signal
import sys
import tempfile
import time
from collections import Counter
from http.client import HTTPConnection
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' proxy and provider

from ddtrace_litellm._ddtrace import SPAN_NAME
from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.traces import Assembly, Trace
from tests.provider import Provider
from tests.proxy.arrivals import leaves
from tests.proxy.callers import Caller
from tests.proxy.configuration import BEHAVIOURS, configuration
from tests.proxy.load import ask_all, mixture
from tests.proxy.server import Proxy, traced

BATCHES = 20
AT_A_TIME = 16
KINDS = 15
"""Kinds of requests in the mixture."""
STATUSES = {200: 13, 429: 1, 500: 1}
"""How often each answers, of one request of each kind."""
WARM_UP = 2
GROWTH = 8 * 2**20
"""Bytes. LiteLLM's own memory moves by some MB from batch to batch."""
KEPT = 100
"""Finished spans and calls that others keep: LiteLLM's background tasks and its connections in their contexts."""
CRASHED = "was sent SIGSEGV"
"""What gunicorn says of a worker that does, with LiteLLM 1.110 and without this package too; its traces are lost."""
RELOAD_AFTER = 0.5
TRIES = 3
SECONDS = 60


async def _batch(caller, questions, reload):
    asking = asyncio.create_task(ask_all(caller, questions, AT_A_TIME, tries=TRIES))
    if reload:
        await asyncio.sleep(RELOAD_AFTER)
        reload()
    return await asking


def _left(url):
    connection = HTTPConnection(url.removeprefix("http://"), timeout=SECONDS)
    connection.request("GET", "/left")
    left = json.loads(connection.getresponse().read())
    connection.close()
    return left


def _settled(url):
    """Return what is left once nothing is open, or what still is after a while."""
    deadline = time.monotonic() + SECONDS
    while (left := _left(url)).get("spans open") and time.monotonic() < deadline:
        time.sleep(0.5)
    return left


def _arrived(agent, mark, count) -> list[Trace]:
    """Return the traces of the requests with this mark, once they are there, or those that are after a while."""
    assembly, traces = Assembly(), {}
    deadline = time.monotonic() + SECONDS
    while len(traces) < count and time.monotonic() < deadline:
        time.sleep(0.5)
        for trace in assembly.add(*agent.take()):
            if any(span.apm_tags.get("test.id") == mark for span in trace.spans):
                traces[trace.trace_id] = trace
    return list(traces.values())


class Soak:
    """One variant of the proxy, and what is found of it."""

    def __init__(self, variant, provider, agent, requests):
        self.variant, self.provider, self.agent = variant, provider, agent
        self.size = requests // BATCHES // KINDS * KINDS
        self.memory: dict[int, list[int]] = {}
        self.found: Counter[str] = Counter()
        self.wrong: Counter[str] = Counter()
        self.opened: tuple[int, int] = 0, 0

    def run(self):
        launcher, environment = traced(self.agent.url) if self.variant == "ours" else ([], {})
        environment["PYTHONPATH"] = os.pathsep.join([str(Path(__file__).parent), os.getenv("PYTHONPATH", "")])
        configured = configuration(self.provider.url)
        configured["general_settings"]["custom_auth"] = "proxy_soak_hooks.authenticate"
        arguments = ("--run_gunicorn", "--num_workers", "1")
        with (
            tempfile.TemporaryDirectory() as directory,
            Proxy(Path(directory), configured, launcher, environment, arguments) as proxy,
        ):
            proxy.wait()
            for number in range(BATCHES):
                self._ask(proxy, reload=number == BATCHES // 2)
                self.found["crashes"] = proxy.output.count(CRASHED)
                print(f"{self.variant}: {self}", file=sys.stderr)

    def _ask(self, proxy, *, reload):
        caller = Caller(proxy.url)
        self.provider.requests.clear()
        reloading = (lambda: os.kill(proxy.pid, signal.SIGHUP)) if reload else None
        statuses = Counter(answer.status for answer in asyncio.run(_batch(caller, mixture(self.size), reloading)))
        left = _settled(proxy.url)
        self.memory.setdefault(left["pid"], []).append(left["memory"])
        self.found["requests"] += statuses.total()
        expected = Counter({status: times * self.size // KINDS for status, times in STATUSES.items()})
        self.wrong["answers"] += (statuses - expected).total()
        if self.variant == "ours":
            self._check(left, _arrived(self.agent, caller.mark, self.size))

    def _check(self, left, traces):
        asked = Counter(request.model for request in self.provider.requests if request.method == "POST")
        found = Counter(leaf.llm.model for trace in traces for leaf in leaves(trace))
        spans = sum(span.name == SPAN_NAME for trace in traces for span in trace.spans)
        whole = sum(not trace.lost_parents and len(trace.roots) == 1 for trace in traces)
        (pid, before), self.opened = self.opened, (left["pid"], left["spans opened"])
        self.found.update({"whole traces": whole, "requests to the provider": asked.total(), "spans": spans})
        self.wrong["incomplete traces"] += len(traces) - whole
        self.wrong["lost traces"] += max(self.size - len(traces), 0)
        self.wrong["requests without their leaf"] += (asked - found).total() + (found - asked).total()
        if pid == left["pid"]:  # of a worker that has ended nobody knows how many it opened
            self.wrong["spans that have not arrived"] += left["spans opened"] - before - spans
        self.wrong.update({name: left[name] for name in ("streams open", "spans open", "internal errors")})
        for name in ("calls alive", "spans alive"):
            self.found[name] = left[name]
            if len(self.memory[left["pid"]]) > WARM_UP:
                self.wrong[name] += max(left[name] - KEPT, 0)

    def grown(self):
        """Return by how many bytes its workers have grown after their warm-up."""
        return sum(memory[-1] - memory[WARM_UP] for memory in self.memory.values() if len(memory) > WARM_UP)

    def __str__(self) -> str:
        memory = ", then ".join(f"{grown[0] >> 20} -> {grown[-1] >> 20}" for grown in self.memory.values())
        return f"memory {memory} MiB; {dict(self.found)}; wrong: {dict(+self.wrong)}"


def main() -> int:
    """Print what is left of each variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--requests", type=int, default=30_000)
    parser.add_argument("--variant", action="append", choices=("bare", "ours"), help="both by default")
    chosen = parser.parse_args()
    soaks = []
    with Provider(BEHAVIOURS) as provider, TestAgent() as agent:
        for variant in chosen.variant or ("bare", "ours"):
            soaks.append(Soak(variant, provider, agent, chosen.requests))
            soaks[-1].run()
    for soak in soaks:
        print(f"{soak.variant}: {soak}; grown by {soak.grown() / 2**20:.1f} MiB after the warm-up")
    too_much = len(soaks) > 1 and soaks[1].grown() - soaks[0].grown() > GROWTH
    return int(too_much or any(+soak.wrong for soak in soaks))


if __name__ == "__main__":
    sys.exit(main())
