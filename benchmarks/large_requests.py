"""What tracing adds to one call that is as large as a caller or a provider likes: 100,000 of everything.

    python benchmarks/large_requests.py [--items 100000] [--rounds 5] [--only messages,parts]

The traced function is a stub that returns an answer at once: its own time is nothing, and all that is measured is what
tracing adds, to the encoding of the trace as the Agent takes it. LLM Observability is on. What an event cannot hold is
to be counted, not read: the time must not grow with the items, and stay below 50 ms.
"""

import argparse
import gc
import os
import sys
from pathlib import Path
from time import thread_time

os.environ.update(
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
    DD_REMOTE_CONFIGURATION_ENABLED="false",
    DD_LITELLM_TAKEOVER="false",
    DD_TRACE_STARTUP_LOGS="false",
)
sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' calls

import wrapt
from ddtrace import tracer
from ddtrace.internal.encoding import MsgpackEncoderV04
from ddtrace.llmobs import LLMObs

from ddtrace_litellm.targets import Target
from ddtrace_litellm.tracing.wrappers import traced
from tests.tracing.large import large_calls

LIMIT = 64 << 20


class _Encoding:
    """A writer that encodes each trace, in the caller's thread as ddtrace's own do, and drops it."""

    def write(self, spans=None):
        encoder = MsgpackEncoderV04(LIMIT, LIMIT)
        encoder.put(spans)
        encoder.encode()

    def __getattr__(self, _name):
        return lambda *_args, **_kwargs: None


def measure(case, rounds):
    """Return the best and the worst of several calls, in milliseconds of the caller's thread."""
    api, asked, answered = case
    asked = {"model": "gpt-4o-mini", "custom_llm_provider": "openai", **asked}
    function = wrapt.FunctionWrapper(lambda **_asked: answered, traced(Target(api.name, (), api)))
    times = []
    for _ in range(rounds + 1):
        gc.collect()
        start = thread_time()
        function(**asked)
        times.append((thread_time() - start) * 1e3)
    return min(times[1:]), max(times[1:])


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--items", type=int, default=100_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--only", help="these cases, separated by commas")
    chosen = arguments.parse_args()
    LLMObs.enable(ml_app="benchmark", integrations_enabled=False, agentless_enabled=False)
    tracer._span_aggregator.writer = _Encoding()
    found = large_calls(chosen.items)
    gc.collect()
    gc.freeze()  # the items themselves would be gone through in each collection
    print(f"{chosen.items:,} items; ms a call, best and worst")
    for name in chosen.only.split(",") if chosen.only else found:
        best, worst = measure(found[name], chosen.rounds)
        print(f"{name:26} {best:9.1f} {worst:9.1f}", flush=True)


if __name__ == "__main__":
    main()
