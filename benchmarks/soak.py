"""What stays behind after many calls: memory, spans, calls and streams, with this package and without it.

    python benchmarks/soak.py [--calls 100000] [--streams 10000]

Linux (``/proc``), Python 3.11. Each variant is a process of its own, and so is the provider. Half of the calls come
from threads, half from tasks of one event loop. A third of the streams is read to the end, a third is closed after two
chunks, a third is dropped: after two chunks, unread, or by an exception. Garbage is collected between batches only, as
LiteLLM's dropped streams are cycles, and httpcore can lock up where they are collected in the midst of a request.

The status is 1 where, with this package, a call or an open stream is left at the end, or more than :data:`KEPT` spans,
where a trace was sent that is not whole, a failure of ours was counted, or the memory has grown by more than
:data:`GROWTH` beyond what it has grown by without. The first tenth is the warm-up.
"""

import argparse
import asyncio
import contextlib
import gc
import json
import multiprocessing
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

os.environ.update(
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
    DD_REMOTE_CONFIGURATION_ENABLED="false",
    DD_LITELLM_TAKEOVER="false",
    DD_TRACE_STARTUP_LOGS="false",
)
sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' provider

from left_over import left_over, memory

BATCHES = 20
WORKERS = 4
GROWTH = 8 * 2**20
"""Bytes. LiteLLM's own memory moves by some MB from batch to batch."""
KEPT = 2 * WORKERS
"""Finished spans that others keep: ddtrace's link tracker its last one, LiteLLM's background tasks theirs."""
READ, CLOSED, DROPPED = range(3)
ASKED = {
    "model": "openai/gpt-4o-mini",
    "messages": [{"role": "user", "content": "Why is the sky blue?"}],
    "api_key": "sk-local",
    "max_retries": 0,
}


class StopError(Exception):
    """What breaks a loop over a stream."""


class CountingWriter:
    """A writer that drops what it gets, and counts it."""

    def __init__(self):
        self.traces = self.incomplete = 0

    def write(self, spans=None):
        self.traces += 1
        self.incomplete += any(span.duration is None for span in spans or ())

    def __getattr__(self, _name):
        return lambda *_args, **_kwargs: None


def _stream(litellm, asked, turn):
    stream = litellm.completion(**asked, stream=True)
    if turn % 3 == READ:
        list(stream)
    elif turn % 3 == CLOSED:
        next(stream)
        next(stream)
        stream.close()
    elif turn % 9 != DROPPED:  # else unread
        with contextlib.suppress(StopError):
            for number, _ in enumerate(stream):
                if number:
                    raise StopError


async def _astream(litellm, asked, turn):
    stream = await litellm.acompletion(**asked, stream=True)
    if turn % 3 == READ:
        [chunk async for chunk in stream]
    elif turn % 3 == CLOSED:
        await anext(stream)
        await anext(stream)
        await stream.aclose()
    elif turn % 9 != DROPPED:
        with contextlib.suppress(StopError):
            await anext(stream)
            async for _ in stream:
                raise StopError


def _in_threads(pool, litellm, asked, calls, streams):
    def call(turn):
        if turn < calls:
            litellm.completion(**asked)
        else:
            _stream(litellm, asked, turn)

    list(pool.map(call, range(calls + streams)))


async def _in_tasks(litellm, asked, calls, streams):
    turns = iter(range(calls + streams))

    async def work():
        for turn in turns:
            if turn < calls:
                await litellm.acompletion(**asked)
            else:
                await _astream(litellm, asked, turn)

    await asyncio.gather(*[work() for _ in range(WORKERS)])


def child(variant: str, url: str, calls: int, streams: int) -> dict[str, object]:
    """Make the calls in this process; return what is left, and the memory after each batch."""
    import litellm

    asked = {**ASKED, "api_base": f"{url}/v1"}
    writer = CountingWriter()
    if variant == "ours":
        from ddtrace import tracer
        from ddtrace.llmobs import LLMObs

        import ddtrace_litellm

        LLMObs.enable(ml_app="soak", integrations_enabled=False, agentless_enabled=False)
        tracer._span_aggregator.writer = LLMObs._instance._llmobs_span_writer = writer
        ddtrace_litellm.patch()
    gc.disable()
    grown = []
    with ThreadPoolExecutor(WORKERS) as pool, asyncio.Runner() as runner:
        for _ in range(BATCHES):
            _in_threads(pool, litellm, asked, calls // 2 // BATCHES, streams // 2 // BATCHES)
            runner.run(_in_tasks(litellm, asked, calls // 2 // BATCHES, streams // 2 // BATCHES))
            for _ in range(3):
                gc.collect()
            # A stream that was dropped never gives its connection back to httpcore's pool, which has 1,000.
            litellm.in_memory_llm_clients_cache.flush_cache()
            grown.append(memory())
    return {**left_over(), "memory": grown, "traces": writer.traces, "incomplete traces": writer.incomplete}


def _provide(connection):
    from tests.provider import Provider

    with Provider() as provider:
        connection.send(provider.url)
        while not connection.poll(1):
            provider.requests.clear()


def main() -> int:
    """Print what is left of each variant."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--calls", type=int, default=100_000)
    parser.add_argument("--streams", type=int, default=10_000)
    parser.add_argument("--child", choices=("bare", "ours"), help=argparse.SUPPRESS)
    parser.add_argument("--url", help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    if chosen.child:
        print(json.dumps(child(chosen.child, chosen.url, chosen.calls, chosen.streams)))
        return 0
    here, there = multiprocessing.Pipe()
    provider = multiprocessing.get_context("spawn").Process(target=_provide, args=(there,))
    provider.start()
    url, grown, left = here.recv(), {}, {}
    try:
        for variant in ("bare", "ours"):
            command = [sys.executable, __file__, "--child", variant, "--url", url]
            command += ["--calls", str(chosen.calls), "--streams", str(chosen.streams)]
            ended = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            left = json.loads(ended.stdout.splitlines()[-1])
            first, *_, last = left.pop("memory")[BATCHES // 10 :]
            grown[variant] = last - first
            print(f"{variant}: memory {first / 2**20:.0f} -> {last / 2**20:.0f} MiB; {left}")
    finally:
        here.send(None)
        provider.join()
    alive = ("incomplete traces", "calls alive", "streams open", "spans open", "internal errors")
    too_much = left["spans alive"] > KEPT or grown["ours"] - grown["bare"] > GROWTH
    return int(too_much or any(left[name] for name in alive))


if __name__ == "__main__":
    sys.exit(main())
