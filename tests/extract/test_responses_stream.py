import time
from enum import Enum

import litellm
import pytest
from litellm.types.llms.openai import OutputTextDeltaEvent, ResponsesAPIResponse

from ddtrace_litellm.extract.fields import hidden_params
from ddtrace_litellm.extract.responses import read_response
from ddtrace_litellm.extract.responses_stream import assemble, first_content_detector
from ddtrace_litellm.extract.usage import openai_usage
from tests.provider import Provider, Script, ToolCall, Usage

ADDED, DONE = "response.output_item.added", "response.output_item.done"
TEXT = "response.output_text.delta"


def event(kind, index=0, **more):
    """Make an event about an item."""
    return {"type": kind, "output_index": index, "item_id": f"item_{index}", **more}


def text(delta, index=0, part=0):
    """Make an event with text."""
    return event(TEXT, index, content_index=part, delta=delta)


def text_object(delta, index=0, part=0):
    """Make an event with text of LiteLLM's class."""
    return OutputTextDeltaEvent(**text(delta, index, part))


CREATED = {"type": "response.created", "response": {"id": "resp_1", "model": "gpt-4o", "usage": None, "output": []}}
MESSAGE = {"type": "message", "role": "assistant", "content": []}
SPOKEN = {**MESSAGE, "content": [{"type": "output_text", "text": "hello"}]}


def messages(events):
    """Return the messages of a stream."""
    return read_response(assemble(events, {}), {}).annotations["output_messages"]


@pytest.mark.parametrize("kind", ["response.completed", "response.incomplete", "response.failed"])
def test_stream_that_has_ended(kind):
    """The last event's response is the answer, just as it is."""
    response = {"id": "resp_1", "output": [SPOKEN]}
    assert assemble([CREATED, text("hel"), {"type": kind, "response": response}], {}) is response


@pytest.mark.parametrize("events", [[], [CREATED], [None], [{"type": None}], [{"type": []}], [{"type": DONE}]])
def test_stream_that_brought_nothing(events):
    """It is a response without a message."""
    assert messages(events) == []


def test_stream_that_broke_off():
    """There is as much of a response as was received, and no tokens."""
    part = assemble([CREATED, event(ADDED, item=MESSAGE), text("hel"), text("lo")], {})
    assert part == {
        "id": "resp_1",
        "model": "gpt-4o",
        "usage": None,
        "status": None,
        "output": [SPOKEN],
    }
    assert openai_usage(part) is None


@pytest.mark.parametrize(
    ("item", "deltas", "expected"),
    [
        (MESSAGE, [text("a"), text("b"), text("c", part=1)], {"role": "assistant", "content": "ab\nc"}),
        (
            MESSAGE,
            [event("response.refusal.delta", content_index=0, delta="no")],
            {"role": "assistant", "content": "no"},
        ),
        (
            {"type": "reasoning", "summary": None},
            [
                event("response.reasoning_summary_text.delta", summary_index=0, delta="h"),
                event("response.reasoning_summary_text.delta", summary_index=0, delta="m"),
                event("response.reasoning_summary_text.delta", summary_index=1, delta="so"),
            ],
            {"role": "reasoning", "content": "hm\nso"},
        ),
        (
            {"type": "reasoning", "summary": []},
            [event("response.reasoning_text.delta", content_index=0, delta="hm")],
            {"role": "reasoning", "content": "hm"},
        ),
        (
            {"type": "function_call", "call_id": "call_1", "name": "f", "arguments": ""},
            [
                event("response.function_call_arguments.delta", delta='{"a":'),
                event("response.function_call_arguments.delta", delta="1}"),
            ],
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"name": "f", "arguments": {"a": 1}, "tool_id": "call_1", "type": "function"}],
            },
        ),
        (
            {"type": "custom_tool_call", "call_id": "call_1", "name": "f", "input": ""},
            [event("response.custom_tool_call_input.delta", delta="4 + 4")],
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"name": "f", "arguments": {"value": "4 + 4"}, "tool_id": "call_1", "type": "custom"}],
            },
        ),
        (
            {"type": "mcp_call", "id": "1", "name": "f", "arguments": ""},
            [event("response.mcp_call_arguments.delta", delta='{"a": 1}')],
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [{"name": "f", "arguments": {"a": 1}, "tool_id": "1", "type": "mcp_call"}],
            },
        ),
        (
            {"type": "code_interpreter_call", "id": "1", "code": None},
            [event("response.code_interpreter_call_code.delta", delta="print()")],
            {
                "role": "assistant",
                "content": "",
                "tool_calls": [
                    {
                        "name": "code_interpreter_call",
                        "arguments": {"code": "print()"},
                        "tool_id": "1",
                        "type": "code_interpreter_call",
                    }
                ],
            },
        ),
    ],
)
def test_deltas(item, deltas, expected):
    """Pieces of an item are put together to the item."""
    assert messages([CREATED, event(ADDED, item=item), *deltas]) == [expected]


def test_deltas_alone():
    """LiteLLM 1.72 sends no more than them where it translates."""
    assert messages([text("hel"), text("lo")]) == [{"role": "assistant", "content": "hello"}]


@pytest.mark.parametrize("make", [text, text_object])
def test_items_out_of_order(make):
    """Items keep the order in which they began, and the parts of one do."""
    call = {"type": "web_search_call", "id": "1", "action": {"query": "q"}}
    events = [make("hel"), event(ADDED, 1, item=call), make("lo"), event(DONE, 1, item=call)]
    events += [make("!", index=2), make(" you", part=1), make("!", index=2)]
    assert [message["content"] for message in messages(events)] == ["hello\n you", "", "!!"]


def test_two_items_of_one_number():
    """LiteLLM 1.95 gives the thoughts and the text of another API the same one."""
    thought = event("response.reasoning_summary_text.delta", summary_index=0, delta="hm")
    assert messages([event(ADDED, item={"type": "reasoning"}), thought, text("hello")]) == [
        {"role": "reasoning", "content": "hm"},
        {"role": "assistant", "content": "hello"},
    ]


def test_items_without_a_number():
    """The item's id tells them apart, too."""
    first = {"type": TEXT, "item_id": "a", "delta": "hello"}
    second = {"type": TEXT, "item_id": "b", "delta": "!"}
    added = {"type": ADDED, "item": {**MESSAGE, "id": "a"}}
    assert [message["content"] for message in messages([added, first, second])] == ["hello", "!"]


def test_finished_item_goes_before_its_pieces():
    """What an item's last event leaves empty is still taken from its pieces."""
    assert messages([text("hel"), event(DONE, item=SPOKEN)]) == [{"role": "assistant", "content": "hello"}]
    assert messages([text("hello"), event(DONE, item=MESSAGE)]) == [{"role": "assistant", "content": "hello"}]


@pytest.mark.parametrize("make", [text, text_object])
def test_second_response_in_a_stream(make):
    """After LiteLLM's fallback to another deployment the answer begins again."""
    again = {**CREATED, "response": {"id": "resp_2"}}
    part = assemble([CREATED, make("hel"), again, make("good"), make("bye")], {})
    assert part["id"] == "resp_2"
    assert read_response(part, {}).all_text == "goodbye"


def test_ended_stream_without_output():
    """The streamed items stand in; status, tokens and hidden parameters remain those of the response."""
    fields = ("error", "incomplete_details", "instructions", "metadata", "model", "temperature", "top_p", "reasoning")
    fields += ("max_output_tokens", "previous_response_id", "text", "truncation", "user")
    response = ResponsesAPIResponse(
        **dict.fromkeys(fields),
        id="resp_1",
        object="response",
        created_at=1_700_000_000,
        status="completed",
        output=[],
        parallel_tool_calls=True,
        tool_choice="auto",
        tools=[],
        usage={"input_tokens": 20, "output_tokens": 7, "total_tokens": 27},
    )
    response._hidden_params = {"response_cost": 0.1}
    ending = {"type": "response.completed", "response": response}
    whole = assemble([CREATED, text("hello"), ending], {})
    output = read_response(whole, {})
    assert output.all_text == "hello"
    assert output.finish_reason == "completed"
    assert openai_usage(whole)[:2] == (20, 7)
    assert hidden_params(whole) == {"response_cost": 0.1}
    assert assemble([CREATED, ending], {}) is response


class Kind(str, Enum):
    """Types of events as LiteLLM has them."""

    TEXT = TEXT
    DONE = DONE


@pytest.mark.parametrize(
    ("received", "expected"),
    [
        (text("hi"), True),
        ({"type": Kind.TEXT, "delta": "hi"}, True),
        (text(""), False),
        (event("response.reasoning_summary_text.delta", delta="hm"), True),
        (event("response.some_new.delta", delta="x"), True),
        (event(ADDED, item={"type": "function_call"}), True),
        ({"type": Kind.DONE, "item": {"type": "web_search_call"}}, True),
        (event(ADDED, item=MESSAGE), False),
        (CREATED, False),
        ({"type": "response.completed", "response": {"output": [SPOKEN]}}, True),
        ({"type": "response.failed", "response": {"output": []}}, False),
        (None, False),
    ],
)
def test_what_a_reader_notices(received, expected):
    """Any piece of an answer and any call; not that something has begun."""
    assert first_content_detector()(received) is expected


@pytest.fixture(scope="module")
def provider():
    """Return a provider that thinks, talks and asks for a call."""
    script = Script(
        text="well yes it is",
        reasoning="let me see",
        tool_calls=(ToolCall("call_1", "f", '{"a": 1}'),),
        usage=Usage(input=20, output=7),
    )
    with Provider({"m": script}) as running:
        yield running


@pytest.mark.parametrize("model", ["openai/m", "hosted_vllm/m"], ids=["native", "over chat"])
def test_stream_of_litellm(provider, model):
    """A whole stream gives what the response says, and so do its pieces, as far as LiteLLM sends them."""
    arguments = {"input": "hi", "model": model, "api_base": f"{provider.url}/v1", "api_key": "sk-local"}
    events = list(litellm.responses(**arguments, stream=True))
    whole = assemble(events, {})
    output = read_response(whole, {})
    assert "well yes it is" in output.all_text
    assert [call.name for call in output.tool_calls] == ["f"]
    assert output.finish_reason == "completed"
    assert openai_usage(whole)[:2] == (20, 7)
    pieces = read_response(assemble(events[:-1], {}), {})
    assert {"role": "assistant", "content": "well yes it is"} in pieces.annotations["output_messages"]
    assert any(map(first_content_detector(), events))


def test_long_stream():
    """Its length costs no more than in proportion."""

    def duration(length):
        events = [text("x") for _ in range(length)]
        begin = time.perf_counter()
        assert len(read_response(assemble(events, {}), {}).all_text) == length
        return time.perf_counter() - begin

    assert min(duration(20_000) for _ in range(3)) < 40 * min(duration(2_000) for _ in range(3))
