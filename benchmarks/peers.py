"""What a call costs with each tracer of LiteLLM, and without one: CPU time of the process, all its threads included.

    pip install openinference-instrumentation-litellm opentelemetry-instrumentation-litellm openlit opentelemetry-sdk
    python benchmarks/peers.py [--rounds 100] [--only "OpenInference,OpenLIT"]

LiteLLM's real ``acompletion``, with its logging, which its own callbacks need, and with ``mock_response`` in the place
of a provider: HTTP would be most of the time, and the same for all. Each tracer has a process of its own, forked once
LiteLLM is imported, with contents on and with an exporter that drops what it gets: encoding and sending do not count.
All processes run at once and take turns, a few calls each. The figures are each tracer's cheapest call, as other work
on the machine only ever adds. Only the ratios of one run mean anything: machines differ, and so do the hours of one.
"""

import argparse
import asyncio
import gc
import multiprocessing
import os
import sys
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import version
from multiprocessing.connection import Connection
from time import process_time

from overhead import Nothing, silence  # it sets the variables that LiteLLM and ddtrace read when they are imported

# isort: split
import litellm
from cases import ANSWER, CALLS
from ddtrace import tracer
from ddtrace.contrib.internal.litellm import patch as builtin
from ddtrace.llmobs import LLMObs
from litellm.litellm_core_utils.logging_worker import GLOBAL_LOGGING_WORKER

import ddtrace_litellm

ASKED = CALLS["chat"].asked
WORDS = " ".join(f"word{number}" for number in range(30))
MORE = {
    "call": {"mock_response": ANSWER},
    "stream": {"mock_response": WORDS, "stream": True, "stream_options": {"include_usage": True}},
}
"""What is measured, and what else is asked for."""
CALLS_A_TURN = 4
SETTLE_SECONDS = 0.005


class _Counted(Nothing):
    spans = 0

    def write(self, spans):
        self.spans += len(spans)


def _bare():
    return lambda: 0


def _ddtrace(patch):
    def trace():
        patch()
        LLMObs.enable(ml_app="benchmark", integrations_enabled=False, agentless_enabled=False)
        silence()
        writer = tracer._span_aggregator.writer = _Counted()
        return lambda: writer.spans

    return trace


def _opentelemetry(instrument):
    def trace():
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
        from opentelemetry.trace import set_tracer_provider

        class Dropping(SpanExporter):
            spans = 0

            def export(self, spans):
                self.spans += len(spans)
                return SpanExportResult.SUCCESS

        exporter, provider = Dropping(), TracerProvider()
        provider.add_span_processor(BatchSpanProcessor(exporter))
        set_tracer_provider(provider)
        instrument()
        return lambda: provider.force_flush() and exporter.spans

    return trace


def _instrumented(module, **options):
    return lambda: import_module(module).LiteLLMInstrumentor().instrument(**options)


def _openlit():
    from openlit._config import OpenlitConfig

    OpenlitConfig.reset_to_defaults()  # openlit.init() does, which also fetches a list of prices
    _instrumented("openlit.instrumentation.litellm", capture_message_content=True, disable_metrics=True)()


def _otel_callback():
    from litellm.integrations.opentelemetry import OpenTelemetry

    litellm.callbacks = [OpenTelemetry()]


def _datadog_callback(module, name):
    def trace():
        callback = getattr(import_module(f"litellm.integrations.datadog.{module}"), name)

        class Dropping(callback):
            events = 0

            async def async_send_batch(self):
                self.events += len(self.log_queue)
                self.log_queue.clear()

        os.environ.update(DD_API_KEY="none", DD_SITE="localhost")
        logger = Dropping()
        litellm.callbacks = [logger]
        return lambda: logger.events + len(logger.log_queue)

    return trace


PEERS: dict[str, tuple[str, Callable[[], Callable[[], int]]]] = {
    "bare": ("litellm", _bare),
    "ours": ("ddtrace-litellm", _ddtrace(ddtrace_litellm.patch)),
    "ddtrace's own": ("ddtrace", _ddtrace(builtin.patch)),
    "OpenInference": (
        "openinference-instrumentation-litellm",
        _opentelemetry(_instrumented("openinference.instrumentation.litellm")),
    ),
    "Traceloop": (
        "opentelemetry-instrumentation-litellm",
        _opentelemetry(_instrumented("opentelemetry.instrumentation.litellm")),
    ),
    "OpenLIT": ("openlit", _opentelemetry(_openlit)),
    "LiteLLM's `otel`": ("litellm", _opentelemetry(_otel_callback)),
    "LiteLLM's `datadog_llm_observability`": ("litellm", _datadog_callback("datadog_llm_obs", "DataDogLLMObsLogger")),
    "LiteLLM's `datadog` (logs)": ("litellm", _datadog_callback("datadog", "DataDogLogger")),
}
"""Each tracer's package, and what sets it up and returns a function that says how many spans it has recorded."""


async def _call(what):
    """Return the CPU seconds of a call, with what LiteLLM tells its callbacks afterwards."""
    start = process_time()
    answer = await litellm.acompletion(**ASKED, **MORE[what])
    if what == "stream":
        async for _ in answer:
            pass
    await GLOBAL_LOGGING_WORKER.flush()
    await asyncio.sleep(SETTLE_SECONDS)  # for threads
    return process_time() - start


async def _serve(name, parent):
    recorded = PEERS[name][1]()
    gc.freeze()
    while (what := parent.recv()) is not None:
        gc.collect()
        parent.send(min([await _call(what) for _ in range(CALLS_A_TURN)]))
    parent.send(recorded())


def _process(name: str, parent: Connection) -> None:
    """Be one tracer, in a process of its own."""
    asyncio.run(_serve(name, parent))


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--only", help="these tracers, separated by commas, beside bare and ours")
    options = parser.parse_args()
    names = list(PEERS) if not options.only else ["bare", "ours", *options.only.split(",")]
    context = multiprocessing.get_context("fork")
    processes = {}
    for name in names:
        processes[name], theirs = context.Pipe()
        context.Process(target=_process, args=(name, theirs), daemon=True).start()
    least: dict[str, dict[str, float]] = {name: {} for name in names}
    for _ in range(options.rounds):
        for what in MORE:
            for name, process in processes.items():
                process.send(what)
                taken = process.recv()
                least[name][what] = min(taken, least[name].get(what, taken))
    recorded = {}
    for name, process in processes.items():
        process.send(None)
        recorded[name] = process.recv() / (options.rounds * CALLS_A_TURN * len(MORE))
    print(f"Python {sys.version.split()[0]}, litellm {version('litellm')}\n")
    print("| tracer | a call, CPU ms | times bare | a stream, CPU ms | times bare | spans a call |")
    print("|---|---|---|---|---|---|")
    for name, taken in least.items():
        columns = [f"{seconds * 1e3:.2f} | {seconds / least['bare'][what]:.2f}" for what, seconds in taken.items()]
        print(f"| {name} {version(PEERS[name][0])} | {' | '.join(columns)} | {recorded[name]:.2f} |")


if __name__ == "__main__":
    main()
