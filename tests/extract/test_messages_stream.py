import json
from time import perf_counter

import pytest

from ddtrace_litellm.extract.messages import read_response, read_usage
from ddtrace_litellm.extract.messages_stream import assemble, first_content_detector
from ddtrace_litellm.extract.tools import ToolCall
from ddtrace_litellm.extract.usage import Usage

MESSAGE = {"id": "msg_1", "type": "message", "role": "assistant", "model": "claude-haiku-4-5-20251001"}
CALL_PART = {"name": "weather", "arguments": {"city": "Paris"}, "tool_id": "toolu_1", "type": "tool_use"}
FOUND_PART = {"name": "", "result": "t\nu", "tool_id": "srv_1", "type": "web_search_tool_result"}


def event(kind, **data):
    """Return an event as Anthropic sends it."""
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **data})}\n\n".encode()


def started(index, **block):
    """Return the event that opens a block."""
    return event("content_block_start", index=index, content_block=block)


def grown(index, kind, **delta):
    """Return the event that adds to a block."""
    return event("content_block_delta", index=index, delta={"type": kind, **delta})


START = event(
    "message_start",
    message={**MESSAGE, "content": [], "stop_reason": None, "usage": {"input_tokens": 20, "output_tokens": 1}},
)
THOUGHT = [
    started(0, type="thinking", thinking="", signature=""),
    grown(0, "thinking_delta", thinking="h"),
    grown(0, "thinking_delta", thinking="m"),
    grown(0, "signature_delta", signature="x"),
    event("content_block_stop", index=0),
]
TEXT = [
    started(1, type="text", text=""),
    event("ping"),
    grown(1, "text_delta", text="Hel"),
    grown(1, "citations_delta", citation={"title": "t"}),
    grown(1, "text_delta", text="lo"),
]
TOOL = [
    started(2, type="tool_use", id="toolu_1", name="weather", input={}),
    grown(2, "input_json_delta", partial_json=""),
    grown(2, "input_json_delta", partial_json='{"city"'),
    grown(2, "input_json_delta", partial_json=': "Paris"}'),
]
FOUND = started(
    3,
    type="web_search_tool_result",
    tool_use_id="srv_1",
    content=[{"type": "web_search_result", "title": "t", "url": "u"}],
)
END = [
    event("message_delta", delta={"stop_reason": "tool_use", "stop_sequence": None}, usage={"output_tokens": 7}),
    event("message_stop"),
]
STREAM = [START, *THOUGHT, *TEXT, *TOOL, FOUND, *END]


@pytest.mark.parametrize(
    "chunks",
    [
        STREAM,
        [b"".join(STREAM)],
        [b"".join(STREAM)[at : at + 7] for at in range(0, len(b"".join(STREAM)), 7)],
        [json.loads(piece.partition(b"data: ")[2]) for piece in STREAM],
    ],
    ids=["events", "body", "pieces", "objects"],
)
def test_a_stream_put_together(chunks):
    """However its bytes are cut, it says what a response that was not streamed says."""
    response = assemble(chunks, {})
    found = read_response(response, {})
    assert found.annotations["output_messages"] == [
        {"role": "reasoning", "content": "hm"},
        {"role": "assistant", "content": "Hello", "tool_calls": [CALL_PART]},
        {"role": "tool", "content": "", "tool_results": [FOUND_PART]},
    ]
    assert found.finish_reason == "tool_use"
    assert found.tool_calls == [ToolCall("weather", '{"city": "Paris"}', "toolu_1", "tool_use")]
    assert found.all_text == 'hmHelloweather{"city": "Paris"}'
    assert read_usage(response) == Usage(20, 7)
    assert (response["id"], response["model"]) == ("msg_1", "claude-haiku-4-5-20251001")


def test_a_stream_that_broke_off():
    """What there is of it: no reason, a call's input as text, and no count of the output, only its placeholder."""
    response = assemble([START, *TEXT, *TOOL[:3], b'event: content_block_delta\ndata: {"type'], {})
    found = read_response(response, {})
    (said,) = found.annotations["output_messages"]
    assert said["content"] == "Hello"
    assert said["tool_calls"] == [{**CALL_PART, "arguments": {"value": '{"city"'}}]
    assert found.finish_reason == ""
    assert read_usage(response) == Usage(20, None)


def test_a_stream_that_goes_on_elsewhere():
    """A second message behind the first, with the same indexes, adds to it."""
    response = assemble([START, *TEXT, START, *TEXT, *END], {})
    assert read_response(response, {}).annotations["output_messages"][0]["content"] == "HelloHello"


def test_a_stream_without_its_beginning():
    """Pieces of blocks that were not announced are blocks of their kind."""
    response = assemble([grown(0, "thinking_delta", thinking="hm"), *TEXT[2:], *TOOL[2:]], {})
    found = read_response(response, {})
    assert [message["content"] for message in found.annotations["output_messages"]] == ["hm", "Hello"]
    assert [call.arguments for call in found.tool_calls] == ['{"city": "Paris"}']


def test_usage_of_a_stream():
    """The last total counts, but a 0 is no total: LiteLLM opens the streams of other providers with zeros."""
    zeros = {"input_tokens": 0, "output_tokens": 0, "cache_read_input_tokens": 0}
    opening = event("message_start", message={"usage": zeros})
    closing = event("message_delta", usage={"input_tokens": 31, "output_tokens": 7, "cache_read_input_tokens": 5})
    assert read_usage(assemble([opening, closing], {})) == Usage(36, 7, 5)
    assert read_usage(assemble([START, event("message_delta", usage=zeros)], {})) == Usage(20, None, 0)


def test_an_error_in_a_stream():
    """Is kept, beside what came before it; alone it is no message."""
    error = event("error", error={"type": "overloaded_error", "message": "busy"})
    assert assemble([START, *TEXT, error], {})["error"] == {"type": "overloaded_error", "message": "busy"}
    assert read_response(assemble([error], {}), {}).annotations == {"output_messages": []}


@pytest.mark.parametrize(
    "chunks", [[], [b""], [None], [7], [{}], [event("message_start", message=7)], [event("message_delta", delta=[])]]
)
def test_streams_of_nothing(chunks):
    """Nothing was said."""
    response = assemble(chunks, {})
    assert read_response(response, {}).annotations == {"output_messages": []}
    assert read_usage(response) is None
    assert not any(map(first_content_detector(), chunks))


@pytest.mark.parametrize(
    ("quiet", "first"),
    [
        ([START, TEXT[0], event("ping"), grown(0, "text_delta", text="")], TEXT[2]),
        ([START, THOUGHT[0]], THOUGHT[1]),
        ([START], TOOL[0]),
        ([], TOOL[2]),
        ([START], started(0, type="redacted_thinking", data="x")),
        ([START], FOUND),
        ([START], b"".join(STREAM)),
        ([START, TEXT[2][:40]], TEXT[2][40:]),
        ([START, grown(0, "signature_delta", signature="x")], json.loads(TEXT[2].partition(b"data: ")[2])),
    ],
    ids=["text", "thinking", "tool", "tool input", "redacted", "result", "body", "two halves", "object"],
)
def test_the_first_content_of_a_stream(quiet, first):
    """The chunk that completes the first event with something in it."""
    has_come = first_content_detector()
    assert [has_come(chunk) for chunk in quiet] == [False] * len(quiet)
    assert has_come(first)


def test_time_of_a_long_stream():
    """Ten thousand events take a moment: it grows with their number only."""
    chunks = [START, *TEXT, *[grown(1, "text_delta", text="word ")] * 10_000, *END]
    start = perf_counter()
    assemble(chunks, {})
    assert perf_counter() - start < 2
