"""What tracing costs: ours, ddtrace's built-in, the ddtrace floor and a bare wrapt wrapper, interleaved in one run.

    python benchmarks/overhead.py [--rounds 15] [--json]

Isolated: the traced function is a stub that returns a response, or a stream of 1,000 chunks, which LiteLLM made before
of what a provider sent, so that nothing but the tracing is timed. Spans are built and finished as always; only the
writers drop what they get. Only the ratios of one run mean anything: machines differ, and so do the hours of one.

The floor is the least that ddtrace's own API can do with the same data: a span opened, annotated once, finished.
"""

import argparse
import gc
import json
import os
import sys
from time import perf_counter

os.environ.update(
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
    DD_REMOTE_CONFIGURATION_ENABLED="false",
    DD_LITELLM_TAKEOVER="false",
    DD_TRACE_STARTUP_LOGS="false",
)

import litellm
import wrapt
from ddtrace import config, tracer
from ddtrace.contrib.internal.litellm import patch as builtin
from ddtrace.llmobs import LLMObs
from ddtrace.llmobs._integrations.litellm import LiteLLMIntegration
from ddtrace.llmobs._utils import _annotate_llmobs_span_data

import ddtrace_litellm
from ddtrace_litellm.demo.provider import Behaviour, LocalProvider
from ddtrace_litellm.extract.families import CHAT
from ddtrace_litellm.patching import positional_parameters
from ddtrace_litellm.tracing.calls import Operation
from ddtrace_litellm.tracing.wrappers import traced

CHUNKS = 1000
MODEL = "mistral/mistral-large-latest"
ASK = {
    "model": MODEL,
    "messages": [
        {"role": "system", "content": "You answer in one sentence."},
        {"role": "user", "content": "Why is the sky blue? " * 10},
    ],
    "temperature": 0.2,
    "max_tokens": 2000,
}
ANSWER = "Because air scatters short wavelengths more. " * 5


class _Nothing:
    """A writer that drops everything."""

    def __getattr__(self, _name):
        return lambda *_args, **_kwargs: None


def _received():
    """Return a response and the chunks of a stream as LiteLLM makes them of a provider's HTTP answers."""
    long_answer = Behaviour(text=" ".join(f"word{number}" for number in range(CHUNKS - 2)))
    with LocalProvider({"mistral-large-latest": Behaviour(text=ANSWER)}) as provider:
        where = {"api_base": f"{provider.url}/v1", "api_key": "sk-local"}
        response = litellm.completion(**ASK, **where)
        provider.behaviours["mistral-large-latest"] = long_answer
        # With the usage, which LiteLLM then has: counting tokens that nobody reported is LiteLLM's tokenizer's time.
        usage = {"stream_options": {"include_usage": True}}
        chunks = list(litellm.completion(**ASK, **where, stream=True, **usage))
    return response, chunks


class Stream:
    """A stub of LiteLLM's stream, without LiteLLM's own work."""

    def __init__(self, chunks):
        self.chunks = chunks
        self.made = iter(chunks)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.made)


def _floor(wrapped, _instance, args, kwargs):
    span = tracer.start_span(
        "litellm.request",
        child_of=tracer.context_provider.active(),
        resource="completion",
        span_type="llm" if LLMObs.enabled else None,
        activate=True,
    )
    result = wrapped(*args, **kwargs)
    if LLMObs.enabled:
        _annotate_llmobs_span_data(
            span,
            kind="llm",
            model_name="mistral-large-latest",
            model_provider="mistral",
            metrics={"input_tokens": 60, "output_tokens": 1000, "total_tokens": 1060, "total_cost": 0.00153},
            metadata={"temperature": 0.2, "max_tokens": 2000, "finish_reason": "stop"},
            tags={"integration": "litellm"},
            input_messages=[dict(message) for message in ASK["messages"]],
            output_messages=[{"role": "assistant", "content": ANSWER}],
        )
    span.finish()
    return result


def _bare(wrapped, _instance, args, kwargs):
    return wrapped(*args, **kwargs)


class KeepingStream(wrapt.ObjectProxy):
    """The least a stream can cost: a proxy that keeps the chunks."""

    def __init__(self, stream):
        super().__init__(stream)
        self._self_chunks = []

    def __iter__(self):
        return self

    def __next__(self):
        chunk = self.__wrapped__.__next__()
        self._self_chunks.append(chunk)
        return chunk


def _variants(stub, *, stream):
    ours = traced(Operation("completion", CHAT, parameters=positional_parameters(litellm.completion)))
    keeping = lambda wrapped, _instance, args, kwargs: KeepingStream(wrapped(*args, **kwargs))  # noqa: E731
    return {
        "ours": wrapt.FunctionWrapper(stub, ours),
        "built-in": wrapt.FunctionWrapper(stub, builtin.traced_completion),
        **({} if stream else {"floor": wrapt.FunctionWrapper(stub, _floor)}),
        "bare": wrapt.FunctionWrapper(stub, keeping if stream else _bare),
    }


def _time_calls(function, number):
    start = perf_counter()
    for _ in range(number):
        function(**ASK)
    return (perf_counter() - start) / number * 1e6


def _time_stream(function, chunks):
    """Return microseconds of the loop for each chunk, and milliseconds of what comes after the last chunk."""
    stream = iter(function(stream=True, **ASK))
    start = perf_counter()
    for _ in range(chunks):
        next(stream)
    looped = perf_counter()
    next(stream, None)
    return (looped - start) / chunks * 1e6, (perf_counter() - looped) * 1e3


def _best(samples):
    return {name: min(values) for name, values in samples.items()}


def measure_calls(response, rounds):
    """Microseconds a call, best of ``rounds``, variants taking turns."""

    def completion(model, messages, **_kwargs):
        return response

    variants = _variants(completion, stream=False)
    samples = {name: [] for name in variants}
    for turn in range(rounds + 1):
        for name, function in variants.items():
            gc.collect()
            taken = _time_calls(function, 300)
            if turn:
                samples[name].append(taken)
    return _best(samples)


def measure_streams(chunks, rounds):
    """Microseconds a chunk in the loop, milliseconds to finalise, and microseconds a chunk all in all."""

    def completion(model, messages, **_kwargs):
        return Stream(chunks)

    variants = _variants(completion, stream=True)
    samples = {kind: {name: [] for name in variants} for kind in ("chunk in the loop", "finalise", "chunk in all")}
    for turn in range(rounds + 1):
        for name, function in variants.items():
            gc.collect()
            loop, finalise = _time_stream(function, len(chunks))
            if turn:
                samples["chunk in the loop"][name].append(loop)
                samples["finalise"][name].append(finalise)
                samples["chunk in all"][name].append(loop + finalise * 1e3 / len(chunks))
    return {kind: _best(values) for kind, values in samples.items()}


def _report(title, unit, best):
    against = best["built-in"]
    columns = "   ".join(f"{name} {value:8.2f} ({value / against:5.2f}x)" for name, value in best.items())
    print(f"{title:32} [{unit}]  {columns}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    litellm._datadog_integration = LiteLLMIntegration(integration_config=config.litellm)
    LiteLLMIntegration._model_map[MODEL] = ("mistral-large-latest", "mistral")
    litellm._datadog_patch = True
    tracer._span_aggregator.writer = _Nothing()
    response, chunks = _received()
    results = {}
    for enabled in (False, True):
        if enabled:
            LLMObs.enable(ml_app="benchmark", integrations_enabled=False, agentless_enabled=False)
            LLMObs._instance._llmobs_span_writer = _Nothing()
            tracer._span_aggregator.writer = _Nothing()
        label = "LLM Observability " + ("on" if enabled else "off")
        results[f"call, {label}"] = ("us", measure_calls(response, chosen.rounds))
        for kind, best in measure_streams(chunks, chosen.rounds).items():
            results[f"{kind}, {label}"] = ("ms" if kind == "finalise" else "us", best)
    if chosen.json:
        print(json.dumps({title: {"unit": unit, **best} for title, (unit, best) in results.items()}, indent=2))
        return
    print(f"Python {sys.version.split()[0]}, litellm {ddtrace_litellm.get_version()}; x: against the built-in")
    for title, (unit, best) in results.items():
        _report(title, unit, best)


if __name__ == "__main__":
    main()
