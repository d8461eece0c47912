import io
import json

import litellm
import pytest
from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract import families
from ddtrace_litellm.extract.api import Family
from ddtrace_litellm.extract.families import CHAT, TEXT
from ddtrace_litellm.extract.metadata import parameters
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


FAMILIES = {name: found for name, found in vars(families).items() if isinstance(found, Family)}
STREAMED = {name: found for name, found in FAMILIES.items() if found.streaming is not None}
each_family = pytest.mark.parametrize("family", FAMILIES.values(), ids=FAMILIES)
each_streamed_family = pytest.mark.parametrize("family", STREAMED.values(), ids=STREAMED)
NOTHING = CaptureConfig(input=False, output=False)

MARK = "MARK"
_PART = {"type": "text", "text": MARK}
_ITEM = {"type": "message", "role": "assistant", "content": [{"type": "output_text", "text": MARK}]}
ASKED = {
    "contents": [{"role": "user", "parts": [{"text": MARK}]}],
    "config": {"system_instruction": MARK},
    "document": {"document_name": MARK, "document_url": f"https://host/{MARK}", "image_url": f"https://host/{MARK}"},
    "documents": [MARK, {"text": MARK}],
    "file": (MARK, MARK.encode()),
    "image": [(MARK, MARK.encode())],
    "input": [MARK],
    "input_reference": (MARK, MARK.encode()),
    "instructions": MARK,
    "mask": (MARK, MARK.encode()),
    "messages": [{"role": "user", "content": MARK, "name": MARK}, {"role": "tool", "content": [_PART]}],
    "metadata": {"note": MARK},
    "prediction": {"type": "content", "content": MARK},
    "prompt": MARK,
    "query": MARK,
    "suffix": MARK,
    "system": MARK,
    "systemInstruction": MARK,
    "video": (MARK, MARK.encode()),
}
"""What every API asks with, and none may say where contents are not captured."""
ANSWERED = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": MARK}]}, "finishReason": "STOP"}],
    "choices": [{"finish_reason": "stop", "text": MARK, "message": {"role": "assistant", "content": MARK}}],
    "content": [_PART],
    "data": [{"embedding": MARK, "url": f"https://host/{MARK}", "revised_prompt": MARK, "title": MARK}],
    "document_annotation": MARK,
    "id": MARK,
    "output": [_ITEM],
    "pages": [{"markdown": MARK}],
    "results": [
        {
            "index": 0,
            "document": {"text": MARK},
            "title": MARK,
            "url": MARK,
            "snippet": MARK,
            "flagged": True,
            "categories": {MARK: True},
        }
    ],
    "role": "assistant",
    "text": MARK,
}
"""What every API answers."""


def _event(**data):
    return f"data: {json.dumps(data)}\n\n".encode()


STREAM = [
    {"choices": [{"index": 0, "text": MARK, "delta": {"role": "assistant", "content": MARK}}]},
    {"type": "response.output_text.delta", "output_index": 0, "content_index": 0, "item_id": "item_0", "delta": MARK},
    _event(type="content_block_start", index=0, content_block={"type": "text", "text": ""}),
    _event(type="content_block_delta", index=0, delta={"type": "text_delta", "text": MARK}),
    _event(candidates=ANSWERED["candidates"]),
]
"""What every API streams; each family picks what is its own."""
SAYS_NOTHING = {"EMBEDDING", "SPEECH"}
"""The families whose answers have no text: vectors and sound."""


def _says(annotations):
    return MARK in json.dumps(annotations)


@each_family
def test_contents_of_every_request(family):
    """They are on the span where they are captured, and else neither there nor among the parameters."""
    assert _says(family.read_input(ASKED, CaptureConfig()).annotations)
    assert not _says(family.read_input(ASKED, CaptureConfig(input=False)).annotations)
    settings = family.settings(ASKED) if family.settings is not None else ASKED
    assert not _says(parameters(settings, family.parameters, contents=False))


@pytest.mark.parametrize("name", FAMILIES)
def test_contents_of_every_response(name):
    """They are on the span where they are captured, and else not."""
    family = FAMILIES[name]
    assert _says(family.read_response(ANSWERED, ASKED, CaptureConfig()).annotations) is (name not in SAYS_NOTHING)
    assert not _says(family.read_response(ANSWERED, ASKED, NOTHING).annotations)


@each_family
def test_a_response_does_not_bring_back_what_was_asked(family):
    """What an answer repeats of the request is left out where the request's contents are not captured."""
    said = family.read_response({"results": [{"index": 0}]}, ASKED, CaptureConfig(input=False))
    assert not _says(said.annotations)


@each_streamed_family
def test_contents_of_every_stream(family):
    """They are on the span where they are captured, and else not."""
    assembled = family.streaming.assemble(STREAM, ASKED)
    assert _says(family.read_response(assembled, ASKED, CaptureConfig()).annotations)
    assert not _says(family.read_response(assembled, ASKED, NOTHING).annotations)
    has_content = family.streaming.detector()
    assert any(map(has_content, STREAM))


class _Odd:
    """An object that says nothing."""


ODD = [None, {}, [], "odd", b"odd", 7, True, (None,), [[]], [7], {"odd": 1}, [{"odd": 1}], _Odd(), object, io.BytesIO()]


@each_family
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:25])
def test_no_malformed_call_raises(family, odd):
    """Whatever the arguments, the response and their parts are."""
    nested = (dict.fromkeys(ASKED, odd), {name: [odd] for name in ASKED}, {name: {name: odd} for name in ASKED})
    responses = (odd, *({name: value(odd) for name in ANSWERED} for value in (lambda odd: odd, lambda odd: [odd])))
    for arguments in ({}, *nested):
        family.read_input(arguments, CaptureConfig())
        for response in responses:
            family.read_response(response, arguments, CaptureConfig())
            family.read_usage(response)
    family.read_usage({"usage": odd, "meta": odd, "usageMetadata": odd})


@each_streamed_family
@pytest.mark.parametrize("odd", ODD, ids=lambda odd: str(odd)[:25])
def test_no_malformed_stream_raises(family, odd):
    """Whatever its chunks are, alone or among others; and without any."""
    for chunks in ([], [odd], [odd, *STREAM, odd], [dict.fromkeys((*ANSWERED, "type", "delta", "choices"), odd)]):
        has_content = family.streaming.detector()
        found = [has_content(chunk) for chunk in chunks]
        assert any(found) is (len(chunks) > 1)
        assembled = family.streaming.assemble(chunks, {})
        family.read_response(assembled, {}, CaptureConfig())
        family.read_usage(assembled)
        if family.streaming.reported_usage is not None:
            family.streaming.reported_usage(chunks, odd)
