"""LiteLLM's Rust route (``LITELLM_RUST=true``): no Python client beneath the call, and streams of its own kinds."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path

import litellm
import pytest

from ddtrace_litellm import get_version
from tests import launch
from tests.provider import Provider
from tests.tracing.scenarios import ASK

_VERSION = tuple(int(digits) for digits in re.findall(r"\d+", get_version())[:2])
pytestmark = pytest.mark.skipif(_VERSION < (1, 106), reason="LiteLLM has this route since 1.106")

MODEL = "claude-haiku-4-5-20251001"
# LiteLLM 1.110 refuses sync calls on this route.
_PLAIN = ("acreate", "anthropic_messages", *(("create",) if _VERSION < (1, 110) else ()))
_STREAMS = tuple(f"{name} stream" for name in _PLAIN)
# A stream imports LiteLLM's proxy, in Rust as in Python.
CALLS = (*_PLAIN, *_STREAMS) if importlib.util.find_spec("fastapi") else _PLAIN
# In a process of its own, since LiteLLM reads the variable once.
PROGRAM = """
import asyncio, json, os, sys

from tests import conftest
from tests.recorder import Recorder

import litellm

MODEL, ASK, CALLS = json.loads(sys.argv[1])


async def make(name):
    function = {"acreate": litellm.anthropic.messages.acreate}.get(name.split()[0], litellm.anthropic_messages)
    result = await function(**arguments(name))
    return [chunk async for chunk in result] if "stream" in name else result


def make_sync(name):
    result = litellm.anthropic.messages.create(**arguments(name))
    return list(result) if "stream" in name else result


def arguments(name):
    where = {"api_base": os.environ["PROVIDER_URL"], "api_key": "sk-local"}
    return {"model": f"anthropic/{MODEL}", "messages": ASK, "max_tokens": 50, "stream": "stream" in name, **where}


found = {}
with Recorder(llmobs=True) as recorder:
    for name in CALLS:
        result = make_sync(name) if name.startswith("create") else asyncio.run(make(name))
        events = [{part: event[part] for part in ("meta", "metrics", "status")} for event in recorder.events]
        others = [span.name for span in recorder.finished if span.name != "litellm.request"]
        found[name] = {"events": events, "other_spans": others, "open": recorder.still_open()}
        recorder.events.clear()
        recorder.finished.clear()
        recorder.started.clear()
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def found():
    """What became of each call, by its name; and the provider's requests."""
    with Provider() as provider:
        ended = subprocess.run(
            [sys.executable, "-c", PROGRAM, json.dumps([MODEL, ASK, CALLS])],
            cwd=Path(__file__).parents[2],
            env=launch.environment(LITELLM_RUST="true", PROVIDER_URL=provider.url),
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
        assert ended.returncode == 0, ended.stderr
        return json.loads(ended.stdout.splitlines()[-1]), list(provider.requests)


def test_calls_take_the_rust_route(found):
    """Each call is one request to the provider, which no HTTP client that ddtrace traces has made."""
    calls, requests = found
    assert len(requests) == len(CALLS)
    assert {name: call["other_spans"] for name, call in calls.items()} == {name: [] for name in CALLS}


@pytest.mark.parametrize("name", [*_PLAIN, *_STREAMS])
def test_event_of_the_rust_route(name, found):
    """It is one LLM span with contents, tokens and cost, and of a stream the time to its first token."""
    if name not in CALLS:
        pytest.skip("LiteLLM cannot make this call without fastapi")
    call = found[0][name]
    (event,) = call["events"]
    meta, metrics = event["meta"], event["metrics"]
    assert event["status"] == "ok"
    assert meta["span"]["kind"] == "llm"
    assert (meta["model_name"], meta["model_provider"]) == (MODEL, "anthropic")
    assert meta["input"]["messages"] == ASK
    said = "The local provider heard: Say something short, please."
    assert meta["output"]["messages"] == [{"role": "assistant", "content": said}]
    assert meta["metadata"]["finish_reason"] == "end_turn"
    assert (metrics["input_tokens"], metrics["output_tokens"], metrics["total_tokens"]) == (4, 8, 12)
    prices = litellm.model_cost[MODEL]
    cost = 4 * prices["input_cost_per_token"] + 8 * prices["output_cost_per_token"]
    assert metrics["total_cost"] == pytest.approx(cost)
    assert ("time_to_first_token" in metrics) is ("stream" in name)
    assert meta["metadata"].get("stream_completed") is (True if "stream" in name else None)
    assert call["open"] == []
