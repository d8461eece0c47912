"""Work that a caller or a provider chooses the size of."""

import gc
import json
import sys

import litellm
import pytest
import wrapt

from ddtrace_litellm.extract.plain import MAX_ITEMS
from ddtrace_litellm.targets import Target
from ddtrace_litellm.telemetry import snapshot
from ddtrace_litellm.tracing.wrappers import traced
from tests.provider import Script
from tests.tracing.large import large_calls
from tests.tracing.scenarios import to

pytestmark = pytest.mark.usefixtures("clean_slate")
FEW, MANY = 20 * MAX_ITEMS, 100 * MAX_ITEMS
CALLS = {items: large_calls(items) for items in (FEW, MANY)}


def _work(name, items):
    """Return how many functions are called, Python's own included, while a call is traced."""
    api, asked, answered = CALLS[items][name]
    function = wrapt.FunctionWrapper(lambda **_asked: answered, traced(Target(api.name, (), api)))
    calls = 0

    def count(_frame, event, _argument):
        nonlocal calls
        calls += event in {"call", "c_call"}

    sys.setprofile(count)
    try:
        result = function(model="gpt-4o-mini", custom_llm_provider="openai", **asked)
    finally:
        sys.setprofile(None)
    assert result is answered
    return calls


@pytest.mark.parametrize("name", CALLS[FEW])
def test_work_does_not_grow_with_the_items(name, recorder):
    """Whatever there is too much of is summed up, not read, and the event is one that ddtrace takes."""
    few, many = _work(name, FEW), _work(name, MANY)
    assert many <= few + 1000
    assert many < 400 * MAX_ITEMS
    assert not snapshot().internal_errors
    for event in recorder.events:
        shown = {field: value for field, value in event.items() if field != "span"}
        assert len(json.dumps(shown)) < 5_000_000


@pytest.mark.parametrize(
    ("name", "side", "more"),
    [
        ("messages", "input", "... and 99,000 more messages"),
        ("parts", "input", "... and 99,000 more parts"),
        ("tool calls sent", "input", "... and 99,000 more tool calls"),
        ("tools", "tool_definitions", "... and 99,800 more tools"),
        ("tool calls answered", "output", "... and 99,000 more tool calls"),
        ("choices", "output", "... and 99,000 more choices"),
        ("embedding inputs", "input", "... and 99,000 more inputs"),
        ("documents", "output", "... and 99,000 more results"),
        ("search results", "output", "... and 99,000 more results"),
        ("moderation", "output", "... and 99,000 more results"),
        ("items", "input", "... and 99,000 more inputs"),
        ("items", "output", "... and 99,000 more items"),
        ("blocks", "input", "... and 99,000 more parts"),
        ("contents", "output", "... and 99,000 more candidates"),
    ],
)
def test_rest_is_counted(name, side, more, recorder):
    """The event says how many there are more, in the midst of those that it shows."""
    _work(name, MANY)
    assert more in json.dumps(recorder.event["meta"][side])


@pytest.mark.parametrize(
    "messages",
    [
        [{"role": "user", "content": "one two three four"}] * 6_000,
        [{"role": "user", "content": "one two three four " * 6_000}],
    ],
    ids=["messages", "text"],
)
def test_tokens_of_a_very_long_request_are_estimated_from_its_beginning(messages, provider, recorder, monkeypatch):
    """LiteLLM's tokenizer, which is asked in the caller's thread, gets a part; the estimate is of the whole."""
    counted = []
    token_counter = litellm.token_counter

    def counts(**what):
        counted.append(what)
        return token_counter(**what)

    monkeypatch.setattr(litellm, "token_counter", counts)
    provider.otherwise = Script(text="one two three four five")
    stream = litellm.completion("mistral/m", messages, stream=True, **to(provider))
    next(stream)
    stream.close() if hasattr(stream, "close") else None
    del stream
    gc.collect()
    assert recorder.event["meta"]["metadata"]["token_source"] == "estimated"
    assert 20_000 < recorder.event["metrics"]["input_tokens"] < 80_000
    assert counted
    assert all(len(what.get("text") or "") <= 100_000 and len(what.get("messages") or ()) <= 1_000 for what in counted)
    assert not snapshot().internal_errors
