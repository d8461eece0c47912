import io

import litellm
import pytest
from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices

from ddtrace_litellm.extract import chat, text
from ddtrace_litellm.extract.tools import ToolCall
from tests.extract.every_api import ANSWERED, APIS, ASKED, MARK, STREAM, STREAMED

CHAT, TEXT = chat.API, text.API
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": "{}"}}
MESSAGES = [{"role": "user", "content": "hi"}, {"role": "tool", "tool_call_id": "c", "content": "21"}]
CHAT_ARGUMENTS = {"messages": MESSAGES, "tools": [{"type": "function", "function": {"name": "f"}}]}
DELTA = {"role": "assistant", "content": "hello", "tool_calls": [{**CALL, "index": 0}]}
RESPONSE = litellm.ModelResponse(
    choices=[{"finish_reason": "stop", "message": {"role": "assistant", "content": "hello", "tool_calls": [CALL]}}]
)
CHUNKS = [ModelResponseStream(choices=[StreamingChoices(delta=Delta(**DELTA), finish_reason="stop")])]
PART = {"name": "f", "arguments": {}, "tool_id": "c", "type": "function"}


def test_input_of_a_chat():
    """Messages, tool definitions, and which tool results it hands in."""
    read = CHAT.read_input(CHAT_ARGUMENTS)
    assert [message["role"] for message in read.annotations["input_messages"]] == ["user", "tool"]
    assert read.annotations["tool_definitions"] == [{"name": "f", "description": "", "schema": {}}]
    assert read.tool_result_ids == ["c"]


def test_input_of_a_text_completion():
    """The prompt as a message."""
    read = TEXT.read_input({"prompt": "Once"})
    assert read.annotations == {"input_messages": [{"role": "user", "content": "Once"}]}


@pytest.mark.parametrize("received", [RESPONSE, CHAT.streaming.assemble(CHUNKS, {})], ids=["response", "stream"])
def test_output_of_a_chat(received):
    """Messages, finish reason and tool calls."""
    output = CHAT.read_response(received, {})
    spoken = [{"role": "assistant", "content": "hello", "tool_calls": [PART]}]
    assert output.annotations == {"output_messages": spoken}
    assert output.finish_reason == "stop"
    assert output.tool_calls == [ToolCall("f", "{}", "c")]


def test_what_a_stream_wrote_is_known():
    """Its tokens may have to be counted: all text, reasoning and calls."""
    delta = Delta(content="hello", reasoning_content="hm", tool_calls=[{**CALL, "index": 0}])
    chunks = [ModelResponseStream(choices=[StreamingChoices(delta=delta)])]
    assembled = CHAT.streaming.assemble(chunks, {})
    assert CHAT.read_response(assembled, {}).all_text == "hmhellof{}"


def test_spoken_answer_has_the_format_that_was_asked_for():
    """The response does not say it, the request does."""
    response = {"choices": [{"message": {"role": "assistant", "audio": {"data": "aGk=", "transcript": "hi"}}}]}
    for arguments, mime_type in (({"audio": {"voice": "alloy", "format": "mp3"}}, "audio/mpeg"), ({}, "audio/wav")):
        (message,) = CHAT.read_response(response, arguments).annotations["output_messages"]
        assert message["audio_parts"] == [{"mime_type": mime_type, "content": "aGk="}]


@pytest.mark.parametrize("api", [CHAT, TEXT], ids=["chat", "text"])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"messages": None, "prompt": None, "tools": None, "audio": None},
        {"messages": "odd", "prompt": {"odd": 1}, "tools": 7, "functions": "odd", "audio": "odd"},
    ],
    ids=str,
)
def test_malformed_calls_do_not_raise(api, arguments):
    """A call that LiteLLM is about to reject is read as far as it goes, and so is no answer at all."""
    api.read_input(arguments)
    for output in (
        api.read_response(None, arguments),
        api.read_response(api.streaming.assemble([], arguments), arguments),
    ):
        assert (output.annotations, output.finish_reason, output.tool_calls) == ({"output_messages": []}, "", [])


each_api = pytest.mark.parametrize("api", APIS.values(), ids=APIS)
each_streamed_api = pytest.mark.parametrize("api", STREAMED.values(), ids=STREAMED)


class _Odd:
    """An object that says nothing."""


ODD = [None, {}, [], "odd", b"odd", 7, True, (None,), [[]], [7], {"odd": 1}, [{"odd": 1}], _Odd(), object, io.BytesIO()]


@each_api
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:25])
def test_no_malformed_call_raises(api, odd):
    """Whatever the arguments, the response and their parts are."""
    nested = (dict.fromkeys(ASKED, odd), {name: [odd] for name in ASKED}, {name: {name: odd} for name in ASKED})
    responses = (odd, *({name: value(odd) for name in ANSWERED} for value in (lambda odd: odd, lambda odd: [odd])))
    for arguments in ({}, *nested):
        api.read_input(arguments)
        for response in responses:
            api.read_response(response, arguments)
            api.read_usage(response)
            api.read_error(response)
    api.read_usage({"usage": odd, "meta": odd, "usageMetadata": odd})


@each_streamed_api
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:25])
def test_no_malformed_stream_raises(api, odd):
    """Whatever its chunks are, alone or among others; and without any."""
    for chunks in ([], [odd], [odd, *STREAM, odd], [dict.fromkeys((*ANSWERED, "type", "delta", "choices"), odd)]):
        has_content = api.streaming.first_content_detector()
        found = [has_content(chunk) for chunk in chunks]
        assert any(found) is (len(chunks) > 1)
        assembled = api.streaming.assemble(chunks, {})
        api.read_response(assembled, {})
        api.read_usage(assembled)
        if api.streaming.reported_usage is not None:
            api.streaming.reported_usage(chunks, [odd, *chunks], odd)


@each_streamed_api
def test_input_that_is_countable(api):
    """Where no one reports tokens, it is either messages of the request or what the API says."""
    if api.countable_input is None:
        assert all("content" in message for message in api.read_input(ASKED).annotations["input_messages"])
    else:
        assert MARK in str(api.countable_input(ASKED))


def test_names_of_the_apis():
    """Calls of one name are one call: only text completions share it, with chat, which answers them."""
    names = [api.name for api in APIS.values()]
    assert sorted(set(names), key=names.index) == [api.name for module, api in APIS.items() if module != "text"]
    assert text.API.name == chat.API.name
