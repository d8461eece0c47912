"""Interactions: the forms of what is asked and answered, and of what a stream brings."""

import pytest

from ddtrace_litellm.extract.interactions import API
from ddtrace_litellm.extract.tools import ToolCall

PNG = {"type": "image", "data": "aGk=", "mime_type": "image/png"}
CALL = {"type": "function_call", "id": "c", "name": "add", "arguments": {"a": 1}}
RESULT = {"type": "function_result", "call_id": "c", "name": "add", "result": "2"}
CALLED = {"name": "add", "arguments": {"a": 1}, "tool_id": "c", "type": "function_call"}
RETURNED = {"name": "add", "result": "2", "tool_id": "c", "type": "function_result"}
ADDED = [
    {"role": "user", "content": "1 + 1?"},
    {"role": "assistant", "content": "", "tool_calls": [CALLED]},
    {"role": "tool", "content": "", "tool_results": [RETURNED]},
]


def _text(text):
    return {"type": "text", "text": text}


@pytest.mark.parametrize(
    ("asked", "messages"),
    [
        ("Hi", [{"role": "user", "content": "Hi"}]),
        (_text("Hi"), [{"role": "user", "content": "Hi"}]),
        (
            [_text("What is it?"), PNG, {"type": "document", "uri": "https://host/a.pdf?key=secret"}],
            [
                {
                    "role": "user",
                    "content": "What is it?\n[document: https://host/a.pdf]",
                    "image_parts": [{"mime_type": "image/png", "content": "aGk="}],
                }
            ],
        ),
        ([{"type": "user_input", "content": [_text("1 + 1?")]}, CALL, RESULT], ADDED),
        (
            [
                {"role": "user", "content": "1 + 1?"},
                {"role": "model", "content": [CALL]},
                {"role": "user", "content": [RESULT]},
            ],
            ADDED,
        ),
        (None, []),
    ],
    ids=["text", "part", "parts", "steps", "turns of the first form", "nothing"],
)
def test_input(asked, messages):
    """Whatever its form, it is the turns of a conversation; a result names its call."""
    read = API.read_input({"model": "gemini/gemini-2.5-flash", "input": asked})
    assert read.annotations["input_messages"] == messages
    assert list(read.tool_result_ids) == (["c"] if messages == ADDED else [])


def test_input_has_the_system_instruction_first():
    """It is a message, and tools are definitions, Google's own by their type."""
    tools = [{"type": "function", "name": "add"}, {"type": "google_search"}]
    annotations = API.read_input({"system_instruction": "Be brief.", "input": "Hi", "tools": tools}).annotations
    assert [message["role"] for message in annotations["input_messages"]] == ["system", "user"]
    assert [tool["name"] for tool in annotations["tool_definitions"]] == ["add", "google_search"]


@pytest.mark.parametrize(
    ("named", "kind", "name"),
    [
        ({"agent": "deep-research"}, "agent", "deep-research"),
        ({"agent": "deep-research", "model": "deep-research"}, "agent", "deep-research"),
        ({"agent": "deep-research", "model": "gemini/gemini-2.5-flash"}, "llm", ""),
        ({"model": "gemini/gemini-2.5-flash"}, "llm", ""),
    ],
    ids=str,
)
def test_kind(named, kind, name):
    """It is an agent where LiteLLM asks one: a model goes first, but for one of the agent's own name."""
    assert (API.kind_of(named), API.read_input(named).name) == (kind, name)


STEPS = [
    {"type": "thought", "summary": [_text("Let me look.")]},
    {"type": "google_search_call", "id": "s", "arguments": {"queries": ["cats"]}},
    {"type": "google_search_result", "call_id": "s", "result": [{"url": "https://cats.example"}]},
    {"type": "model_output", "content": [_text("Cats "), _text("purr.")]},
    CALL,
]


@pytest.mark.parametrize("form", ["steps", "outputs"])
def test_response(form):
    """Thoughts, text, calls and the results of Google's own tools are messages; the program's calls can be linked."""
    outputs = [part for step in STEPS for part in step.get("content", [step])]
    read = API.read_response({"status": "requires_action", form: STEPS if form == "steps" else outputs}, {})
    thought, said, searched = read.annotations["output_messages"]
    assert thought == {"role": "reasoning", "content": "Let me look."}
    assert (said["role"], said["content"]) == ("assistant", "Cats purr.")
    assert [call["name"] for call in said["tool_calls"]] == ["google_search_call", "add"]
    assert searched["tool_results"][0]["result"] == '[{"url": "https://cats.example"}]'
    assert read.tool_calls == [ToolCall("add", '{"a": 1}', "c", "function_call")]
    assert read.finish_reason == "requires_action"


def _whole(*events):
    return API.read_response(API.streaming.assemble(events, {}), {})


def _delta(kind, **delta):
    return {"event_type": "step.delta", "index": 0, "delta": {"type": kind, **delta}}


@pytest.mark.parametrize(
    ("opening", "deltas"),
    [
        ({"step": {**CALL, "arguments": {}}}, [_delta("arguments_delta", arguments=text) for text in ('{"a"', ": 1}")]),
        ({"content": {"type": "function_call"}}, [{"event_type": "content.delta", "index": 0, "delta": CALL}]),
    ],
    ids=["steps", "the first form"],
)
def test_streamed_call(opening, deltas):
    """Its arguments come in pieces, or at once with its name."""
    (call,) = _whole({"event_type": "step.start", "index": 0, **opening}, *deltas).tool_calls
    assert (call.name, call.tool_id, call.as_message_part()["arguments"]) == ("add", "c", {"a": 1})


def test_stream_whose_end_has_all():
    """LiteLLM's bridge says it all once more at the end, without an interaction around it."""
    told = {"event_type": "interaction.completed", "status": "completed", "steps": STEPS}
    read = _whole({"event_type": "step.start", "index": 0, "step": {"type": "model_output"}}, _delta("text"), told)
    assert read.annotations["output_messages"][1]["content"] == "Cats purr."


def test_failed():
    """It is an error, with the provider's words where there are any."""
    assert API.read_error({"status": "failed"}) == ("interaction failed", "")
    assert API.read_error({"status": "failed", "error": {"code": "x", "message": "No."}}) == ("x", "No.")
    assert API.read_error({"status": "completed"}) is None


def test_tokens():
    """What Google's own tools brought in is input, what was thought is output."""
    usage = {"total_input_tokens": 4, "total_tool_use_tokens": 3, "total_output_tokens": 2, "total_thought_tokens": 1}
    read = API.read_usage({"usage": {**usage, "total_cached_tokens": 2}})
    assert (read.input_tokens, read.output_tokens, read.cache_read_tokens, read.reasoning_tokens) == (7, 3, 2, 1)
    assert API.read_usage({"usage": {"total_input_tokens": 0}}) is None
