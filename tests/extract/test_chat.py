import litellm
import pytest

from ddtrace_litellm.extract.chat import choices_from_response, countable_input, input_messages, read_input
from ddtrace_litellm.extract.choices import Choice, finish_reasons, output_messages
from ddtrace_litellm.extract.content import Content
from ddtrace_litellm.extract.tools import ToolCall

CALL = {"id": "call_1", "type": "function", "function": {"name": "weather", "arguments": '{"city": "Paris"}'}}
CALL_PART = {"name": "weather", "arguments": {"city": "Paris"}, "tool_id": "call_1", "type": "function"}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"role": "system", "content": "be nice"}, [{"role": "system", "content": "be nice"}]),
        ({"role": "developer", "content": "be nice"}, [{"role": "developer", "content": "be nice"}]),
        ({"role": "user", "content": "hi", "name": "Ann"}, [{"role": "user", "content": "hi"}]),
        ({"role": "user", "content": [{"type": "text", "text": "hi"}]}, [{"role": "user", "content": "hi"}]),
        ({"role": "user", "content": "hi", "cache_control": {}}, [{"role": "user", "content": "hi"}]),
        (
            {"role": "user", "content": [{"type": "text", "text": "look"}, IMAGE]},
            [{"role": "user", "content": "look", "image_parts": [{"mime_type": "image/png", "content": "aGk="}]}],
        ),
        (
            {"role": "user", "content": [{"type": "input_audio", "input_audio": {"data": "aGk=", "format": "mp3"}}]},
            [{"role": "user", "content": "", "audio_parts": [{"mime_type": "audio/mpeg", "content": "aGk="}]}],
        ),
        ({"role": "assistant", "content": None}, [{"role": "assistant", "content": ""}]),
        ({"role": "assistant", "refusal": "no"}, [{"role": "assistant", "content": "no"}]),
        (
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            [{"role": "assistant", "content": "", "tool_calls": [CALL_PART]}],
        ),
        (
            {"role": "assistant", "content": None, "function_call": CALL["function"]},
            [{"role": "assistant", "content": "", "tool_calls": [{**CALL_PART, "tool_id": ""}]}],
        ),
        (
            {"role": "assistant", "content": "yes", "reasoning_content": "hm"},
            [{"role": "reasoning", "content": "hm"}, {"role": "assistant", "content": "yes"}],
        ),
        (
            {
                "role": "assistant",
                "content": "yes",
                "thinking_blocks": [
                    {"type": "thinking", "thinking": "h", "signature": "x"},
                    {"type": "thinking", "thinking": "m"},
                    {"type": "redacted_thinking", "data": "x"},
                ],
            },
            [{"role": "reasoning", "content": "hm"}, {"role": "assistant", "content": "yes"}],
        ),
        (
            {"role": "tool", "tool_call_id": "call_1", "name": "weather", "content": "21"},
            [
                {
                    "role": "tool",
                    "content": "",
                    "tool_results": [{"name": "weather", "result": "21", "tool_id": "call_1", "type": "tool_result"}],
                }
            ],
        ),
        (
            {"role": "function", "name": "weather", "content": [{"type": "text", "text": "21"}]},
            [
                {
                    "role": "function",
                    "content": "",
                    "tool_results": [{"name": "weather", "result": "21", "tool_id": "", "type": "tool_result"}],
                }
            ],
        ),
        (
            litellm.Message(role="assistant", content="yes", tool_calls=[CALL]),
            [{"role": "assistant", "content": "yes", "tool_calls": [CALL_PART]}],
        ),
        (
            litellm.Message(role="assistant", content="yes", reasoning_content="hm"),
            [{"role": "reasoning", "content": "hm"}, {"role": "assistant", "content": "yes"}],
        ),
        ({"content": "no role"}, [{"role": "", "content": "no role"}]),
        ({"role": None, "content": 7}, [{"role": "", "content": "7"}]),
        ({"role": ["odd"], "content": "x"}, [{"role": "['odd']", "content": "x"}]),
        ({}, [{"role": "", "content": ""}]),
        (None, [{"role": "", "content": ""}]),
        ("odd", [{"role": "", "content": ""}]),
    ],
    ids=lambda value: str(value)[:70],
)
def test_messages_of_a_request(message, expected):
    """Every role and form of content, as LLM Observability's messages."""
    assert input_messages([message]) == expected


@pytest.mark.parametrize("messages", [None, [], (), "odd", 7, {"role": "user"}], ids=repr)
def test_no_messages(messages):
    """What is no list of messages has none."""
    assert input_messages(messages) == []
    assert read_input({"messages": messages}).tool_result_ids == []


def test_ids_of_the_results_that_a_request_hands_in():
    """Those of tool messages, in order."""
    messages = [
        {"role": "user", "content": "hi"},
        {"role": "tool", "content": "21", "tool_call_id": "call_1"},
        litellm.Message(role="assistant", content="x"),
        {"role": "tool", "content": "22", "tool_call_id": 2},
        None,
        "odd",
    ]
    assert read_input({"messages": messages}).tool_result_ids == ["call_1", "2"]


@pytest.fixture(params=["dict", "litellm"])
def response(request):
    """Build a response of message fields, as a dict or as LiteLLM's own object."""

    def build(*messages, finish_reason="stop"):
        choices = [
            {"index": index, "finish_reason": finish_reason, "message": {"role": "assistant", **message}}
            for index, message in enumerate(messages)
        ]
        return {"choices": choices} if request.param == "dict" else litellm.ModelResponse(choices=choices)

    return build


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({"content": "hi"}, Choice(content=Content("hi"))),
        ({"content": None}, Choice()),
        ({"content": None, "refusal": "no"}, Choice(content=Content("no"))),
        ({"content": "hi", "reasoning_content": "hm"}, Choice(content=Content("hi"), reasoning="hm")),
        (
            {"content": "hi", "thinking_blocks": [{"type": "thinking", "thinking": "hm", "signature": "x"}]},
            Choice(content=Content("hi"), reasoning="hm"),
        ),
        (
            {"content": None, "tool_calls": [CALL]},
            Choice(tool_calls=[ToolCall("weather", '{"city": "Paris"}', "call_1")]),
        ),
        (
            {"content": None, "function_call": CALL["function"]},
            Choice(tool_calls=[ToolCall("weather", '{"city": "Paris"}')]),
        ),
        (
            {"content": None, "audio": {"id": "a", "data": "aGk=", "transcript": "hi", "expires_at": 1}},
            Choice(content=Content("hi", audio_parts=({"mime_type": "audio/mpeg", "content": "aGk="},))),
        ),
        (
            {"content": "look", "images": [{"type": "image_url", "index": 0, "image_url": IMAGE["image_url"]}]},
            Choice(content=Content("look", image_parts=({"mime_type": "image/png", "content": "aGk="},))),
        ),
        (
            {"content": "look", "images": [{"type": "image_url", "index": 0, "image_url": {"url": "https://h/a?k=s"}}]},
            Choice(content=Content("look\n[image: https://h/a]")),
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_what_a_response_says(response, message, expected):
    """Text, refusal, reasoning both ways, tool calls, speech and images."""
    expected.role, expected.finish_reason = "assistant", "stop"
    assert choices_from_response(response(message), "mp3") == [expected]


def test_every_choice_of_a_response(response):
    """With n > 1 all answers are there in order, and their reasons are joined."""
    choices = choices_from_response(response({"content": "one"}, {"content": "two", "reasoning_content": "hm"}))
    assert output_messages(choices) == [
        {"role": "assistant", "content": "one"},
        {"role": "reasoning", "content": "hm"},
        {"role": "assistant", "content": "two"},
    ]
    assert finish_reasons(choices) == "stop,stop"


@pytest.mark.parametrize(
    ("response", "count"),
    [
        (None, 0),
        ({}, 0),
        ("odd", 0),
        ({"choices": None}, 0),
        ({"choices": "odd"}, 0),
        ({"choices": [None, "odd", 7, {}, {"message": "odd"}]}, 5),
        ({"choices": [{"message": {"content": 7, "role": 7, "tool_calls": 7, "images": 7, "audio": 7}}]}, 1),
        ({"choices": [{"message": {"thinking_blocks": "odd", "reasoning_content": ["odd"]}, "finish_reason": 7}]}, 1),
    ],
    ids=lambda value: str(value)[:60],
)
def test_malformed_responses_do_not_raise(response, count):
    """Each choice is one still, with what can be read of it."""
    choices = choices_from_response(response)
    assert len(choices) == count
    assert all(isinstance(message["content"], str) for message in output_messages(choices))
    assert isinstance(finish_reasons(choices), str)


def test_what_is_countable_of_a_request():
    """LiteLLM's tokenizer takes it as it is: the messages and the tools, or none."""

    def count(**arguments):
        return sum(litellm.token_counter(model="gpt-4o", **countable) for countable in countable_input(arguments))

    tools = [{"type": "function", "function": {"name": "weather", "description": "The weather.", "parameters": {}}}]
    messages = [{"role": "user", "content": "hi"}]
    assert count() == count(messages=None) < count(messages=messages) < count(messages=messages, tools=tools)
