"""What is annotated of the contents, by what the user lets be captured."""

import json

import pytest

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.api import Output
from ddtrace_litellm.extract.capture import captured_input, captured_output, clip
from ddtrace_litellm.extract.metadata import parameters
from tests.extract.every_api import ANSWERED, APIS, ASKED, MARK, STREAM, STREAMED

EVERYTHING = CaptureConfig()
NO_INPUT, NO_OUTPUT = CaptureConfig(input=False), CaptureConfig(output=False)
NOTHING = CaptureConfig(input=False, output=False)
SAYS_NOTHING = {"embeddings", "speech"}
"""The APIs whose answers have no text: vectors and sound."""
each_api = pytest.mark.parametrize("name", APIS)


def _asked(name, capture, **arguments):
    return captured_input(APIS[name].read_input(arguments).annotations, capture)


def _said(name, capture, response, **arguments):
    return captured_output(APIS[name].read_response(response, arguments), capture)


def _says(annotations):
    return MARK in json.dumps(annotations)


@each_api
def test_contents_of_every_request(name):
    """They are on the span where they are captured, and else neither there nor among the parameters."""
    api = APIS[name]
    assert _says(_asked(name, EVERYTHING, **ASKED))
    assert not _says(_asked(name, NO_INPUT, **ASKED))
    settings = api.settings(ASKED) if api.settings is not None else ASKED
    assert not _says(parameters(settings, api.parameters, contents=False))


@each_api
def test_contents_of_every_response(name):
    """They are on the span where they are captured, and else not."""
    assert _says(_said(name, EVERYTHING, ANSWERED, **ASKED)) is (name not in SAYS_NOTHING)
    assert not _says(_said(name, NOTHING, ANSWERED, **ASKED))


@each_api
def test_a_response_does_not_bring_back_what_was_asked(name):
    """What an answer repeats of the request is left out where the request's contents are not captured."""
    assert not _says(_said(name, NO_INPUT, {"results": [{"index": 0}]}, **ASKED))


@pytest.mark.parametrize("name", STREAMED)
def test_contents_of_every_stream(name):
    """They are on the span where they are captured, and else not."""
    streaming = APIS[name].streaming
    assembled = streaming.assemble(STREAM, ASKED)
    assert _says(_said(name, EVERYTHING, assembled, **ASKED))
    assert not _says(_said(name, NOTHING, assembled, **ASKED))
    has_content = streaming.first_content_detector()
    assert any(map(has_content, STREAM))


@each_api
def test_everything_is_what_was_read(name):
    """Nothing is changed where nothing is to be left out or cut; and what was read is not, where something is."""
    read, said = APIS[name].read_input(ASKED), APIS[name].read_response(ANSWERED, ASKED)
    before = json.dumps([read.annotations, said.annotations])
    assert captured_input(read.annotations, EVERYTHING) == read.annotations
    summary = {"output_value": said.summary} if said.summary else {}
    assert captured_output(said, EVERYTHING) == said.annotations | summary
    for capture in (NOTHING, NO_INPUT, NO_OUTPUT, CaptureConfig(max_chars=1)):
        captured_input(read.annotations, capture)
        captured_output(said, capture)
    assert json.dumps([read.annotations, said.annotations]) == before


def _speaks(*roles):
    return [{"role": role, "content": ""} for role in roles]


RESULT = {
    "role": "tool",
    "content": "",
    "tool_results": [{"name": "", "result": "", "tool_id": "", "type": "tool_result"}],
}
NO_CONTENTS = {
    "batch": {"input_value": [*_speaks("user"), RESULT]},
    "chat": {"input_messages": [*_speaks("user"), RESULT]},
    "embeddings": {"input_documents": [{"text": ""}]},
    "generate_content": {"input_messages": _speaks("system", "user")},
    "mcp": {"input_value": ""},
    "messages": {"input_messages": _speaks("system", "user", "tool")},
    "rerank": {"input_value": ""},
    "responses": {"input_messages": _speaks("system", "user")},
    "sandbox": {"input_value": ""},
    "search": {"input_value": ""},
    "speech": {"input_messages": _speaks("system", "user")},
    "tool": {"input_value": ""},
    "tool_loop": {"input_messages": [*_speaks("user"), RESULT]},
    "typed_answers": {"input_messages": _speaks("user", "user")},
}
NO_ANSWER = {
    "batch": {"output_value": _speaks("assistant")},
    "embeddings": {"output_value": "1 embedding"},
    "mcp": {"output_value": ""},
    "ocr": {"output_messages": _speaks("assistant", "assistant")},
    "rerank": {"output_documents": [{"text": ""}]},
    "sandbox": {"output_value": ""},
    "search": {"output_documents": [{"text": ""}]},
    "tool": {"output_value": ""},
}


@each_api
def test_what_is_left_without_contents(name):
    """Empty messages by role, documents or values; of tools their names, which are no contents."""
    left = _asked(name, NO_INPUT, **ASKED)
    tools = left.pop("tool_definitions", [])
    assert left == NO_CONTENTS.get(name, {"input_messages": _speaks("user")})
    assert [set(tool) for tool in tools] == [{"name", "description", "schema"}] * len(tools)
    assert not any(tool["description"] or tool["schema"] for tool in tools)
    assert _said(name, NO_OUTPUT, ANSWERED, **ASKED) == NO_ANSWER.get(name, {"output_messages": _speaks("assistant")})


@pytest.mark.parametrize("name", ["chat", "generate_content", "messages", "responses"])
def test_tools_are_named_in_any_case(name):
    """What a request offers to the model is known by name, whole where contents are captured."""
    named = [tool["name"] for tool in _asked(name, NO_INPUT, **ASKED)["tool_definitions"]]
    assert "f" in named
    whole = _asked(name, EVERYTHING, **ASKED)["tool_definitions"]
    assert [tool["name"] for tool in whole] == named
    assert {"name": "f", "description": MARK, "schema": {"title": MARK}} in whole


def test_a_summary_quotes_nothing():
    """How many vectors came back is said in any case."""
    response = {"data": [{"embedding": [0.5] * 3}]}
    for capture in (EVERYTHING, NOTHING, CaptureConfig(max_chars=1)):
        assert _said("embeddings", capture, response) == {"output_value": "1 embedding of 3 dimensions"}


RANKED = {"results": [{"index": 0, "relevance_score": 0.9, "document": {"text": "cats purr"}}]}
RANKED_TEXT = {"text": "cats purr", "id": "0", "score": 0.9}


@pytest.mark.parametrize(
    ("capture", "documents"),
    [
        (EVERYTHING, [RANKED_TEXT]),
        (NO_OUTPUT, [{"text": "", "score": 0.9}]),
        (NO_INPUT, [RANKED_TEXT | {"text": ""}]),
        (CaptureConfig(max_chars=4), [RANKED_TEXT | {"text": "cats... [5 more characters]"}]),
    ],
    ids=["everything", "no output", "no input", "cut"],
)
def test_what_of_a_ranking_is_captured(capture, documents):
    """The texts are the request's: without its contents only the order and the scores are left."""
    for response in (RANKED, {"results": [{"index": 0, "relevance_score": 0.9}]}):
        assert _said("rerank", capture, response, documents=["cats purr"]) == {"output_documents": documents}


@pytest.mark.parametrize(
    ("limit", "expected"), [(6, "abcdef"), (4, "abcd... [2 more characters]"), (1, "a... [5 more characters]")]
)
def test_long_text_is_cut_with_a_mark(limit, expected):
    """The mark says how much is missing; a text that fits is whole."""
    assert clip("abcdef", limit) == expected


CUT = "ab... [2 more characters]"
CALLED = {"name": "f", "arguments": {"city": "Paris"}, "tool_id": "c", "type": "function"}
CALL = {"id": "c", "type": "function", "function": {"name": "f", "arguments": '{"city": "Paris"}'}}
IMAGE = {"mime_type": "image/png", "content": "aGk="}
PNG = "data:image/png;base64,aGk="


def _message(role, content=CUT, **more):
    return {"role": role, "content": content, **more}


def _result(name="", tool_id="c", kind="tool_result"):
    part = {"name": name, "result": CUT, "tool_id": tool_id, "type": kind}
    return {"role": "tool", "content": "", "tool_results": [part]}


THOUGHT = [{"type": "thinking", "thinking": "abcd"}, {"type": "text", "text": "abcd"}]
TOOL_USE = {"type": "tool_use", "id": "c", "name": "f", "input": {"city": "Paris"}}
PARTS = [
    {"text": "abcd", "thought": True},
    {"text": "abcd"},
    {"functionCall": {"id": "c", "name": "f", "args": {"city": "Paris"}}},
]
REASONING = {"type": "reasoning", "summary": [{"type": "summary_text", "text": "abcd"}]}
LONG_REQUESTS = {
    "chat": (
        {
            "messages": [
                {"role": "user", "content": "abcd"},
                {
                    "role": "user",
                    "content": ["abcd", {"type": "image_url", "image_url": PNG}],
                },
                {"role": "assistant", "content": "abcd", "reasoning_content": "abcd", "tool_calls": [CALL]},
                {"role": "tool", "content": "abcd", "tool_call_id": "c"},
            ]
        },
        [
            _message("user"),
            _message("user", image_parts=[IMAGE]),
            _message("reasoning"),
            _message("assistant", tool_calls=[CALLED]),
            _result(),
        ],
    ),
    "text": ({"prompt": ["abcd", "ab"]}, [_message("user"), _message("user", "ab")]),
    "responses": (
        {
            "instructions": "abcd",
            "input": ["abcd", REASONING, {"type": "function_call_output", "call_id": "c", "output": "abcd"}],
        },
        [_message("system"), _message("user"), _message("reasoning"), _result()],
    ),
    "messages": (
        {
            "system": "abcd",
            "messages": [
                {"role": "assistant", "content": [*THOUGHT, TOOL_USE]},
                {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "c", "content": "abcd"}]},
            ],
        },
        [
            _message("system"),
            _message("reasoning"),
            _message("assistant", tool_calls=[CALLED | {"type": "tool_use"}]),
            _result("f"),
        ],
    ),
    "generate_content": (
        {
            "systemInstruction": "abcd",
            "contents": [
                {"role": "model", "parts": PARTS},
                {"functionResponse": {"id": "c", "name": "f", "response": "abcd"}},
            ],
        },
        [
            _message("system"),
            _message("reasoning"),
            _message("assistant", tool_calls=[CALLED | {"type": "function_call"}]),
            _result("f", kind="function_response"),
        ],
    ),
    "interactions": (
        {
            "system_instruction": "abcd",
            "input": [
                {"type": "thought", "summary": [{"type": "text", "text": "abcd"}]},
                {"type": "function_result", "call_id": "c", "name": "f", "result": "abcd"},
            ],
        },
        [_message("system"), _message("reasoning"), _message("assistant", ""), _result("f", kind="function_result")],
    ),
    "sandbox": ({"code": "abcd"}, CUT),
    "typed_answers": ({"state": "abcd", "questions": "abcd"}, [_message("user"), _message("user")]),
    "embeddings": ({"input": ["abcd", "ab"]}, [{"text": CUT}, {"text": "ab"}]),
    "rerank": ({"query": "abcd"}, CUT),
    "search": ({"query": "abcd"}, CUT),
    "a2a": (
        {"request": {"params": {"message": {"role": "user", "parts": [{"text": "abcd"}]}}}},
        [_message("user")],
    ),
    "harness": ({"prompt": "abcd"}, [_message("user")]),
    "mcp": ({"arguments": "abcd"}, CUT),
    "tool": ({"tool_call": {"function": {"name": "f", "arguments": "abcd"}}}, CUT),
    "tool_loop": ({"messages": [{"role": "user", "content": "abcd"}]}, [_message("user")]),
    "images": ({"prompt": "abcd"}, [_message("user")]),
    "speech": ({"instructions": "abcd", "input": "abcd"}, [_message("system"), _message("user")]),
    "transcription": (
        {"prompt": "abcd", "file": ("day.wav", b"RIFF")},
        [_message("user", "ab... [19 more characters]")],
    ),
    "moderation": ({"input": "abcd"}, [_message("user")]),
    "ocr": ({"document": {"document_name": "a.pdf"}}, [_message("user", "[d... [15 more characters]")]),
    "video": ({"prompt": "abcd"}, [_message("user")]),
    "batch": (
        {"messages": [[{"role": "user", "content": "abcd"}], [{"role": "user", "content": "ab"}]]},
        [[_message("user")], [_message("user", "ab")]],
    ),
}
"""For each API a request, and what two characters of each of its texts leave."""


@each_api
def test_long_requests_are_cut(name):
    """Each text by itself; the arguments of a call, which are parsed, and attachments are whole."""
    arguments, expected = LONG_REQUESTS[name]
    assert list(_asked(name, CaptureConfig(max_chars=2), **arguments).values()) == [expected]


def _answer(content):
    return {"choices": [{"message": {"role": "assistant", "content": content}}]}


LONG_RESPONSES = {
    "a2a": ({"result": {"role": "agent", "parts": [{"text": "abcd"}]}}, [_message("agent")]),
    "harness": ({"text": "abcd"}, [_message("assistant")]),
    "mcp": ({"content": [{"type": "text", "text": "abcd"}]}, CUT),
    "interactions": (
        {"steps": [{"type": "model_output", "content": [{"type": "text", "text": "abcd"}]}]},
        [_message("assistant")],
    ),
    "sandbox": ({"stdout": "abcd"}, CUT),
    "typed_answers": ({"answers": {"a": "b"}}, [_message("assistant", '{"... [8 more characters]')]),
    "tool": ({"content": "abcd"}, CUT),
    "tool_loop": ("abcd", [_message("assistant")]),
    "chat": (
        {
            "choices": [
                {
                    "message": {
                        "role": "assistant",
                        "content": "abcd",
                        "reasoning_content": "abcd",
                        "tool_calls": [CALL],
                        "images": [{"image_url": {"url": PNG}}],
                    }
                }
            ]
        },
        [_message("reasoning"), _message("assistant", tool_calls=[CALLED], image_parts=[IMAGE])],
    ),
    "text": ({"choices": [{"text": "abcd"}]}, [_message("assistant")]),
    "responses": (
        {
            "output": [
                REASONING,
                {"role": "assistant", "content": "abcd"},
                {"type": "mcp_call", "id": "c", "name": "f", "arguments": '{"city": "Paris"}', "output": "abcd"},
            ]
        },
        [
            _message("reasoning"),
            _message("assistant"),
            _result("f") | {"role": "assistant", "tool_calls": [CALLED | {"type": "mcp_call"}]},
        ],
    ),
    "messages": (
        {"content": [*THOUGHT, TOOL_USE]},
        [_message("reasoning"), _message("assistant", tool_calls=[CALLED | {"type": "tool_use"}])],
    ),
    "generate_content": (
        {"candidates": [{"content": {"role": "model", "parts": PARTS}}]},
        [_message("reasoning"), _message("assistant", tool_calls=[CALLED | {"type": "function_call"}])],
    ),
    "embeddings": ({"data": [{"embedding": [0.5]}]}, "1 embedding of 1 dimensions"),
    "rerank": ({"results": [{"index": 0, "document": {"text": "abcd"}}]}, [{"text": CUT, "id": "0"}]),
    "search": (
        {"results": [{"title": "Cats", "url": "https://host/cats", "snippet": "abcd"}]},
        [{"text": CUT, "name": "Cats", "id": "https://host/cats"}],
    ),
    "images": (
        {"data": [{"b64_json": "aGk=", "revised_prompt": "abcd"}]},
        [_message("assistant", image_parts=[IMAGE])],
    ),
    "speech": (object(), [_message("assistant", "[a... [10 more characters]")]),
    "transcription": ({"text": "abcd"}, [_message("assistant")]),
    "moderation": ({"results": [{"flagged": False}]}, [_message("assistant", "no... [9 more characters]")]),
    "ocr": (
        {"pages": [{"markdown": "abcd"}], "document_annotation": "abcd"},
        [_message("assistant"), _message("assistant")],
    ),
    "video": ({"id": "v"}, [_message("assistant", "[v... [8 more characters]")]),
    "batch": (
        [_answer("abcd"), ValueError("ab"), [_answer("abcd")]],
        [[_message("assistant")], "Va... [12 more characters]", [[_message("assistant")]]],
    ),
}
"""For each API a response, and what two characters of each of its texts leave."""


@each_api
def test_long_responses_are_cut(name):
    """Each text by itself; the arguments of a call, names, addresses and attachments are whole."""
    response, expected = LONG_RESPONSES[name]
    assert list(_said(name, CaptureConfig(max_chars=2), response).values()) == [expected]


def test_what_the_tracing_needs_is_read_whatever_is_captured():
    """Finish reason, tool calls and all of the text are beside the annotations, and whole."""
    response = {"status": "completed", "output": [{"role": "assistant", "content": "abcd"}]}
    output = APIS["responses"].read_response(response, {})
    assert captured_output(output, NO_OUTPUT) == {"output_messages": _speaks("assistant")}
    assert captured_output(output, CaptureConfig(max_chars=2)) == {"output_messages": [_message("assistant")]}
    assert output == Output({"output_messages": [_message("assistant", "abcd")]}, "completed", [], "abcd")


def test_calls_of_tools_without_contents():
    """They keep name, id and type, not what they were called with or gave back; attachments are gone."""
    arguments, _ = LONG_REQUESTS["chat"]
    (messages,) = _asked("chat", NO_INPUT, **arguments).values()
    called = {"name": "f", "arguments": {}, "tool_id": "c", "type": "function"}
    result = {"name": "", "result": "", "tool_id": "c", "type": "tool_result"}
    assert messages == [
        *_speaks("user", "user", "reasoning"),
        {"role": "assistant", "content": "", "tool_calls": [called]},
        {"role": "tool", "content": "", "tool_results": [result]},
    ]


def test_an_outline_has_no_contents_to_lose():
    """It is the same again where a call is redacted late."""
    for name, (arguments, _) in LONG_REQUESTS.items():
        outline = _asked(name, NO_INPUT, **arguments)
        assert captured_input(outline, NO_INPUT) == outline


SCHEMA = {"type": "json_schema", "json_schema": {"name": MARK, "schema": {"description": MARK}}}


@pytest.mark.parametrize(
    ("api", "name", "value", "left"),
    [
        ("chat", "response_format", SCHEMA, {"type": "json_schema"}),
        ("chat", "response_format", {"type": "json_object"}, {"type": "json_object"}),
        ("chat", "response_format", type(MARK, (), {}), None),
        (
            "chat",
            "web_search_options",
            {"search_context_size": "low", "user_location": {"approximate": {"city": MARK}}},
            {"search_context_size": "low"},
        ),
        (
            "responses",
            "text",
            {"format": {"type": "json_schema", "name": MARK, "schema": {}}, "verbosity": "low"},
            {"format": {"type": "json_schema"}, "verbosity": "low"},
        ),
        ("messages", "output_format", {"type": "json_schema", "schema": {"title": MARK}}, {"type": "json_schema"}),
        (
            "messages",
            "output_config",
            {"effort": "low", "format": {"schema": {"title": MARK}}},
            {"effort": "low", "format": {}},
        ),
        ("generate_content", "responseSchema", {"type": "object", "title": MARK}, {"type": "object"}),
        ("transcription", "response_format", "verbose_json", "verbose_json"),
        ("images", "response_format", MARK + " said as a text", None),
    ],
)
def test_parameters_that_describe_contents(api, name, value, left):
    """Of a schema, and of where the user is, only the kind is left where the request's contents are not captured."""
    allowed = APIS[api].parameters
    assert parameters({name: value}, allowed, contents=False) == ({} if left is None else {name: left})
    assert (MARK in json.dumps(parameters({name: value}, allowed, contents=True))) is (MARK in str(value))
