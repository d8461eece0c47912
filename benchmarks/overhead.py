"""What tracing costs: ours, ddtrace's built-in, the ddtrace floor and a bare wrapt wrapper, interleaved in one run.

    python benchmarks/overhead.py [--rounds 15] [--only "chat,chat stream"] [--json]

Isolated: the traced function is a stub that returns a response, or a stream of about 1,000 chunks, which LiteLLM made
before of what a provider sent, so that nothing but the tracing is timed. Spans are built and finished as always; only
the writers drop what they get. Only the ratios of one run mean anything: machines differ, and so do the hours of one.

The floor is the least that ddtrace's own API can do with the same data: a span opened, annotated once, finished. It is
what the others are compared with where the built-in traces nothing. "Same calls" makes all calls of ddtrace's that ours
makes, with the values that ours has found: what ours takes above that is our own share.
"""

import argparse
import gc
import inspect
import json
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
sys.path.insert(0, str(Path(__file__).parents[1]))  # the tests' provider

import litellm
import wrapt
from cases import CALLS, Case, answered_cases
from ddtrace import config, tracer
from ddtrace.llmobs import LLMObs
from ddtrace.llmobs._integrations.litellm import LiteLLMIntegration
from ddtrace.llmobs._utils import _annotate_llmobs_span_data

import ddtrace_litellm
from ddtrace_litellm import _ddtrace
from ddtrace_litellm.targets import Target
from ddtrace_litellm.tracing.wrappers import traced

BATCHES = 15
CALLS_A_BATCH = 20
REFERENCES = ("built-in", "floor")


class Nothing:
    """A writer that drops everything."""

    def __getattr__(self, _name):
        return lambda *_args, **_kwargs: None

    def recreate(self, *_args, **_kwargs):
        """Stay what it is: the first span of a fork renews ddtrace's writer (4.16)."""
        return self


class Stream:
    """A stub of LiteLLM's stream, without LiteLLM's own work."""

    def __init__(self, chunks):
        self.made = iter(chunks)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.made)


class KeepingStream(wrapt.ObjectProxy):
    """The least a stream can cost: a proxy that keeps the chunks, and says when there are no more."""

    def __init__(self, stream, end):
        super().__init__(stream)
        self._self_chunks = []
        self._self_end = end

    def __iter__(self):
        return self

    def __next__(self):
        try:
            chunk = self.__wrapped__.__next__()
        except StopIteration:
            self._self_end()
            raise
        self._self_chunks.append(chunk)
        return chunk


def _stub(case):
    def stub(*_args, **_kwargs):
        return Stream(case.answered) if case.streams else case.answered

    stub.__name__ = case.function.__name__
    return stub


def _bare(case):
    def wrapper(wrapped, _instance, args, kwargs):
        result = wrapped(*args, **kwargs)
        return KeepingStream(result, lambda: None) if case.streams else result

    return wrapper


def _copied(content):
    return [dict(part) for part in content] if isinstance(content, list) else content


def _floor(case):
    provider, _, model = case.asked["model"].partition("/")

    def end(span):
        if LLMObs.enabled:
            _annotate_llmobs_span_data(
                span,
                kind=case.api.kind,
                model_name=model,
                model_provider=provider,
                metrics={"input_tokens": 60, "output_tokens": 1000, "total_tokens": 1060, "total_cost": 0.00153},
                metadata={"temperature": 0.2, "max_tokens": 2000, "finish_reason": "stop"},
                tags={"integration": "litellm"},
                **{name: _copied(content) for name, content in case.contents.items()},
            )
        span.finish()

    def wrapper(wrapped, _instance, args, kwargs):
        span = tracer.start_span(
            "litellm.request",
            child_of=tracer.context_provider.active(),
            resource=case.function.__name__,
            span_type="llm" if LLMObs.enabled else None,
            activate=not case.streams,
        )
        result = wrapped(*args, **kwargs)
        if case.streams:
            return KeepingStream(result, lambda: end(span))
        end(span)
        return result

    return wrapper


def _same_calls(case, ours):
    """Return a wrapper that makes the calls of ddtrace that ours makes, with the same values: the rest is our own."""
    calls, span_of_record = [], []

    def recording(name, function):
        def recorder(*args, **kwargs):
            returned = function(*args, **kwargs)
            if name == "start_span":
                span_of_record.append(returned)
            calls.append((name, function, args, kwargs))
            return returned

        return recorder

    functions = {name: value for name, value in vars(_ddtrace).items() if _is_called(name, value)}
    try:
        for name, function in functions.items():
            setattr(_ddtrace, name, recording(name, function))
        wrapt.FunctionWrapper(_stub(case), ours)(**case.asked)
    finally:
        for name, function in functions.items():
            setattr(_ddtrace, name, function)
    begins = next(number for number, call in enumerate(calls) if call[0] == "start_span")
    (recorded,) = span_of_record

    def wrapper(wrapped, _instance, args, kwargs):
        for _, function, given, keywords in calls[:begins]:
            function(*given, **keywords)
        _, start, given, keywords = calls[begins]
        get_apm, set_apm = _ddtrace.apm_context_access()
        outside = get_apm(), _ddtrace.get_llmobs_context()
        span = start(*given, **keywords)
        result = wrapped(*args, **kwargs)
        for _, function, given, keywords in calls[begins + 1 :]:
            said = {name: _copied(content) for name, content in keywords.items()}
            function(*(span if value is recorded else value for value in given), **said)
        span.finish()
        set_apm(outside[0])
        _ddtrace.set_llmobs_context(outside[1])
        return result

    return wrapper


def _is_called(name, value):
    context = name.endswith("llmobs_context") or name == "apm_context_access"
    return inspect.isfunction(value) and (value.__module__ == _ddtrace.__name__ or name == "annotate") and not context


def _variants(case):
    """Return the stub in each of the wrappers."""
    function = case.function
    ours = traced(Target(function.__name__, (), case.api).with_signature_of(function))
    wrappers = {"ours": ours, "built-in": case.builtin, "floor": _floor(case), "bare": _bare(case)}
    if not case.streams:
        wrappers["same calls"] = _same_calls(case, ours)
    stub = _stub(case)
    return {name: wrapt.FunctionWrapper(stub, wrapper) for name, wrapper in wrappers.items() if wrapper is not None}


def _time_calls(function, case):
    # In batches that are over before the system gives the core to another process.
    best = min(_time_batch(function, case.asked) for _ in range(BATCHES))
    return {"us a call": best / CALLS_A_BATCH * 1e6}


def _time_batch(function, asked):
    start = thread_time()
    for _ in range(CALLS_A_BATCH):
        function(**asked)
    return thread_time() - start


def _time_stream(function, case):
    chunks = len(case.answered)
    stream = iter(function(**case.asked))
    start = thread_time()
    for _ in range(chunks):
        next(stream)
    looped = thread_time()
    next(stream, None)
    ended = thread_time()
    return {
        "us a chunk, in the loop": (looped - start) / chunks * 1e6,
        "us a chunk, all in all": (ended - start) / chunks * 1e6,
        "ms after the last chunk": (ended - looped) * 1e3,
    }


def measure(case: Case, rounds: int) -> dict[str, dict[str, float]]:
    """Return, for each thing that is timed, the best of ``rounds`` of each variant; the variants take turns."""
    variants = _variants(case)
    time = _time_stream if case.streams else _time_calls
    best = {}
    for turn in range(rounds + 1):
        for name, function in variants.items():
            gc.collect()
            for what, taken in time(function, case).items():
                if turn:
                    of_variant = best.setdefault(what, {})
                    of_variant[name] = min(taken, of_variant.get(name, taken))
    return best


def _report(title, best):
    reference = next(name for name in REFERENCES if name in best)
    columns = "   ".join(f"{name} {value:8.2f} ({value / best[reference]:5.2f}x)" for name, value in best.items())
    own = f"   own share {1 - best['same calls'] / best['ours']:4.0%}" if "same calls" in best else ""
    print(f"{title:58} {columns}{own}")


def silence():
    tracer._span_aggregator.writer = Nothing()
    if LLMObs.enabled:
        LLMObs._instance._llmobs_span_writer = Nothing()


def _prepare_builtin():
    """Do what the built-in's patch does, but for the wrapping."""
    litellm._datadog_integration = LiteLLMIntegration(integration_config=config.litellm)
    for case in CALLS.values():
        provider, _, model = case.asked["model"].partition("/")
        LiteLLMIntegration._model_map[case.asked["model"]] = (model, provider)
    litellm._datadog_patch = True


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=15)
    arguments.add_argument("--only", help="these cases, separated by commas")
    arguments.add_argument("--json", action="store_true")
    chosen = arguments.parse_args()
    _prepare_builtin()
    silence()
    cases = answered_cases()
    gc.freeze()  # what LiteLLM and ddtrace have loaded would be gone through in each collection
    names = chosen.only.split(",") if chosen.only else cases
    results = {}
    for enabled in (False, True):
        if enabled:
            LLMObs.enable(ml_app="benchmark", integrations_enabled=False, agentless_enabled=False)
            silence()
        label = "on" if enabled else "off"
        for name in names:
            for what, best in measure(cases[name], chosen.rounds).items():
                results[f"{name}: {what}, LLM Observability {label}"] = best
    if chosen.json:
        print(json.dumps(results, indent=2))
        return
    print(
        f"Python {sys.version.split()[0]}, litellm {ddtrace_litellm.get_version()}; "
        "x: against the built-in, or the floor where it traces nothing"
    )
    for title, best in results.items():
        _report(title, best)


if __name__ == "__main__":
    main()
