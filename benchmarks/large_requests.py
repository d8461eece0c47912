"""What tracing adds to one call that is as large as a caller or a provider likes: 100,000 of everything.

    python benchmarks/large_requests.py [--items 100000] [--rounds 5] [--only messages,parts]

The traced function is a stub that returns an answer at once: its own time is nothing, and all that is measured is what
tracing adds, to the encoding of the trace as the Agent takes it. LLM Observability is on. What an event cannot hold is
to be counted, not read: the time must not grow with the items, and stay below 50 ms.
"""

import argparse
import gc
import json
import os
from time import thread_time

os.environ.update(
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    DD_INSTRUMENTATION_TELEMETRY_ENABLED="false",
    DD_REMOTE_CONFIGURATION_ENABLED="false",
    DD_LITELLM_TAKEOVER="false",
    DD_TRACE_STARTUP_LOGS="false",
)

import litellm
import wrapt
from ddtrace import tracer
from ddtrace.internal.encoding import MsgpackEncoderV04
from ddtrace.llmobs import LLMObs

from ddtrace_litellm.extract import (
    chat,
    embeddings,
    generate_content,
    messages,
    moderation,
    rerank,
    responses,
    search,
)
from ddtrace_litellm.targets import Target
from ddtrace_litellm.tracing.wrappers import traced

MODELS = {"completion": "openai/gpt-4o-mini", "embedding": "openai/text-embedding-3-small", "rerank": "cohere/rerank"}
ASK = {"messages": [{"role": "user", "content": "hello"}]}
SAID = {"choices": [{"finish_reason": "stop", "message": {"role": "assistant", "content": "hello"}}]}
LIMIT = 64 << 20


def _call(number):
    return {"id": f"call_{number}", "type": "function", "function": {"name": "add", "arguments": '{"a": 1, "b": 2}'}}


def _several(items, make):
    return [make(number) for number in range(items)]


def cases(items):
    """Return, by name: the API, what is asked, and what is answered."""
    tool = {"type": "function", "function": {"name": "add", "parameters": {"type": "object", "properties": {}}}}
    part = {"type": "text", "text": "some text of a part"}
    message = {"role": "user", "content": "some text of a message"}
    parts = [dict(part) for _ in range(items)]
    calls = _several(items, _call)
    hundred = items // 100
    nested = {f"group {n}": {f"name {number}": number for number in range(hundred)} for n in range(100)}
    return {
        "messages": (chat.API, {"messages": [dict(message) for _ in range(items)]}, SAID),
        "parts": (chat.API, {"messages": [{"role": "user", "content": parts}]}, SAID),
        "parts of 100 messages": (
            chat.API,
            {"messages": [{"role": "user", "content": parts[:hundred]} for _ in range(100)]},
            SAID,
        ),
        "tool calls sent": (chat.API, {"messages": [{"role": "assistant", "tool_calls": calls}]}, SAID),
        "tool results": (
            chat.API,
            {"messages": _several(items, lambda n: {"role": "tool", "tool_call_id": f"call_{n}", "content": "3"})},
            SAID,
        ),
        "tools": (chat.API, {**ASK, "tools": [dict(tool) for _ in range(items)]}, SAID),
        "tool schema": (
            chat.API,
            {**ASK, "tools": [{"function": {"name": "f", "parameters": {f"p{n}": {} for n in range(items)}}}]},
            SAID,
        ),
        "response format, nested": (chat.API, {**ASK, "response_format": nested}, SAID),
        "stop sequences": (chat.API, {**ASK, "stop": _several(items, str)}, SAID),
        "metadata": (chat.API, {**ASK, "metadata": {f"name {n}": n for n in range(items)}}, SAID),
        "tool calls answered": (
            chat.API,
            ASK,
            {"choices": [{"message": {"role": "assistant", "content": None, "tool_calls": calls}}]},
        ),
        "choices": (chat.API, ASK, {"choices": SAID["choices"] * items}),
        "long arguments": (
            chat.API,
            ASK,
            {"choices": [{"message": {"tool_calls": [_call(0) | {"function": {"arguments": json.dumps(nested)}}]}}]},
        ),
        "megabytes of text": (chat.API, {"messages": [{"role": "user", "content": "é" * (items * 100)}]}, SAID),
        "embedding inputs": (
            embeddings.API,
            {"input": _several(items, lambda n: f"text {n}")},
            {"data": [{"embedding": [0.1]} for _ in range(items)]},
        ),
        "token ids": (embeddings.API, {"input": list(range(items))}, {"data": [{"embedding": [0.1]}]}),
        "documents": (
            rerank.API,
            {"query": "q", "documents": _several(items, lambda n: f"text {n}")},
            {"results": _several(items, lambda n: {"index": n, "relevance_score": 0.5})},
        ),
        "search results": (search.API, {"query": "q"}, {"results": [{"snippet": "text"} for _ in range(items)]}),
        "moderation": (
            moderation.API,
            {"input": _several(items, str)},
            {"results": [{"flagged": False} for _ in range(items)]},
        ),
        "items": (
            responses.API,
            {"input": [dict(message) for _ in range(items)]},
            {"output": [{"type": "function_call", "call_id": "c", "name": "f", "arguments": "{}"}] * items},
        ),
        "blocks": (
            messages.API,
            {"messages": [{"role": "user", "content": parts}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {}}] * items},
        ),
        "contents": (
            generate_content.API,
            {"contents": [{"role": "user", "parts": [{"text": "text"}]} for _ in range(items)]},
            {"candidates": [{"content": {"role": "model", "parts": [{"text": "text"}]}}] * items},
        ),
    }


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
    asked = {"model": MODELS.get(api.name, MODELS["completion"]), "custom_llm_provider": "openai", **asked}
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
    found = cases(chosen.items)
    gc.collect()
    gc.freeze()  # the items themselves would be gone through in each collection
    print(f"litellm {litellm.__file__.rsplit('/', 2)[-2]}, {chosen.items:,} items; ms a call, best and worst")
    for name in chosen.only.split(",") if chosen.only else found:
        best, worst = measure(found[name], chosen.rounds)
        print(f"{name:26} {best:9.1f} {worst:9.1f}", flush=True)


if __name__ == "__main__":
    main()
