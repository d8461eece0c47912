import litellm
import pytest
from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.families import CHAT, TEXT
from ddtrace_litellm.extract.tools import ToolCall

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
    read = CHAT.read_input(CHAT_ARGUMENTS, CaptureConfig())
    assert [message["role"] for message in read.annotations["input_messages"]] == ["user", "tool"]
    assert read.annotations["tool_definitions"] == [{"name": "f", "description": "", "schema": {}}]
    assert read.tool_result_ids == ["c"]


def test_input_of_a_text_completion():
    """The prompt as a message."""
    read = TEXT.read_input({"prompt": "Once"}, CaptureConfig())
    assert read.annotations == {"input_messages": [{"role": "user", "content": "Once"}]}


@pytest.mark.parametrize("received", [RESPONSE, CHAT.streaming.assemble(CHUNKS, {})], ids=["response", "stream"])
@pytest.mark.parametrize("capture", [CaptureConfig(), CaptureConfig(output=False)], ids=["on", "off"])
def test_output_of_a_chat(received, capture):
    """Messages only where they are captured; finish reason and tool calls in any case."""
    output = CHAT.read_response(received, {}, capture)
    spoken = [{"role": "assistant", "content": "hello", "tool_calls": [PART]}]
    assert output.annotations == {"output_messages": spoken if capture.output else []}
    assert output.finish_reason == "stop"
    assert output.tool_calls == [ToolCall("f", "{}", "c")]


def test_what_a_stream_wrote_is_known_whatever_is_captured():
    """Its tokens may have to be counted: all text, reasoning and calls, uncut."""
    delta = Delta(content="hello", reasoning_content="hm", tool_calls=[{**CALL, "index": 0}])
    chunks = [ModelResponseStream(choices=[StreamingChoices(delta=delta)])]
    assembled = CHAT.streaming.assemble(chunks, {})
    assert CHAT.read_response(assembled, {}, CaptureConfig(output=False, max_chars=1)).written == "hmhellof{}"


@pytest.mark.parametrize("family", [CHAT, TEXT], ids=["chat", "text"])
def test_input_that_is_not_captured(family):
    """No message is there, nor anything else that says what was asked."""
    read = family.read_input({**CHAT_ARGUMENTS, "prompt": "hi"}, CaptureConfig(input=False))
    assert read.annotations.pop("input_messages") == []
    assert "hi" not in str(read.annotations)


def test_spoken_answer_has_the_format_that_was_asked_for():
    """The response does not say it, the request does."""
    response = {"choices": [{"message": {"role": "assistant", "audio": {"data": "aGk=", "transcript": "hi"}}}]}
    for arguments, mime_type in (({"audio": {"voice": "alloy", "format": "mp3"}}, "audio/mpeg"), ({}, "audio/wav")):
        (message,) = CHAT.read_response(response, arguments, CaptureConfig()).annotations["output_messages"]
        assert message["audio_parts"] == [{"mime_type": mime_type, "content": "aGk="}]


@pytest.mark.parametrize("family", [CHAT, TEXT], ids=["chat", "text"])
@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"messages": None, "prompt": None, "tools": None, "audio": None},
        {"messages": "odd", "prompt": {"odd": 1}, "tools": 7, "functions": "odd", "audio": "odd"},
    ],
    ids=str,
)
def test_malformed_calls_do_not_raise(family, arguments):
    """A call that LiteLLM is about to reject is read as far as it goes, and so is no answer at all."""
    family.read_input(arguments, CaptureConfig())
    for output in (
        family.read_response(None, arguments, CaptureConfig()),
        family.read_response(family.streaming.assemble([], arguments), arguments, CaptureConfig()),
    ):
        assert (output.annotations, output.finish_reason, output.tool_calls) == ({"output_messages": []}, "", [])
