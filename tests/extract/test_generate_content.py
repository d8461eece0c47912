import json
from time import perf_counter
from types import SimpleNamespace

import pytest

from ddtrace_litellm.extract.api import Output
from ddtrace_litellm.extract.generate_content import (
    PARAMETERS,
    read_input,
    read_response,
    read_usage,
)
from ddtrace_litellm.extract.generate_content_stream import assemble, first_content_detector
from ddtrace_litellm.extract.metadata import parameters
from ddtrace_litellm.extract.tools import ToolCall
from ddtrace_litellm.extract.usage import Usage
from tests.provider import Script

CALL = {"functionCall": {"id": "c", "name": "weather", "args": {"city": "Paris"}}}
CALL_PART = {"name": "weather", "arguments": {"city": "Paris"}, "tool_id": "c", "type": "function_call"}
IMAGE = {"inlineData": {"mimeType": "image/png", "data": "aGk="}}
IMAGE_PART = {"mime_type": "image/png", "content": "aGk="}


def user(text, **more):
    """Return a message of the user."""
    return {"role": "user", "content": text, **more}


def tool_message(name, result, tool_id, kind):
    """Return the message of one result."""
    part = {"name": name, "result": result, "tool_id": tool_id, "type": kind}
    return {"role": "tool", "content": "", "tool_results": [part]}


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ("hi", [user("hi")]),
        (["a", "b"], [user("a\nb")]),
        ({"text": "hi"}, [user("hi")]),
        ({"role": "user", "parts": [{"text": "hi"}]}, [user("hi")]),
        ({"parts": [{"text": "hi"}]}, [user("hi")]),
        ([{"role": "user", "parts": "hi"}], [user("hi")]),
        (
            ["a", {"text": "b"}, {"role": "model", "parts": [{"text": "c"}, {"text": "d"}]}, "e"],
            [user("a\nb"), {"role": "assistant", "content": "cd"}, user("e")],
        ),
        ([SimpleNamespace(role="user", parts=[SimpleNamespace(text="hi", thought=None)])], [user("hi")]),
        (["look", IMAGE], [user("look", image_parts=[IMAGE_PART])]),
        ([{"inline_data": {"mime_type": "image/png", "data": "aGk="}}], [user("", image_parts=[IMAGE_PART])]),
        (
            [{"inlineData": {"mimeType": "audio/mp3;rate=1", "data": "aGk="}}],
            [user("", audio_parts=[{"mime_type": "audio/mpeg", "content": "aGk="}])],
        ),
        ([{"inlineData": {"mimeType": "application/pdf", "data": "aGk="}}], [user("[file: application/pdf]")]),
        ([{"inlineData": {"mimeType": "image/png"}}], [user("[file: image/png]")]),
        (
            [{"fileData": {"mimeType": "image/png", "fileUri": "https://h/a?k=s"}}],
            [user("[image: https://h/a]")],
        ),
        ([{"file_data": {"mime_type": "video/mp4", "file_uri": "gs://b/a"}}], [user("[file: gs://b/a]")]),
        (
            [
                {
                    "role": "model",
                    "parts": [{"text": "hm", "thought": True}, {"text": "yes", "thoughtSignature": "x"}, CALL],
                }
            ],
            [
                {"role": "reasoning", "content": "hm"},
                {"role": "assistant", "content": "yes", "tool_calls": [CALL_PART]},
            ],
        ),
        (
            [{"role": "user", "parts": [{"functionResponse": {"id": "c", "name": "weather", "response": {"t": 21}}}]}],
            [tool_message("weather", '{"t": 21}', "c", "function_response")],
        ),
        (
            [{"function_response": {"name": "weather", "response": "21"}}, "so?"],
            [tool_message("weather", "21", "", "function_response"), user("so?")],
        ),
        (
            [
                {
                    "role": "model",
                    "parts": [
                        {"executableCode": {"language": "PYTHON", "code": "print(1)"}},
                        {"codeExecutionResult": {"outcome": "OUTCOME_OK", "output": "1"}},
                        {"code_execution_result": {"outcome": "OUTCOME_FAILED"}},
                    ],
                }
            ],
            [
                {
                    "role": "assistant",
                    "content": "",
                    "tool_calls": [
                        {
                            "name": "code_execution",
                            "arguments": {"language": "PYTHON", "code": "print(1)"},
                            "tool_id": "",
                            "type": "executable_code",
                        }
                    ],
                },
                tool_message("code_execution", "1", "", "code_execution_result"),
                tool_message("code_execution", "OUTCOME_FAILED", "", "code_execution_result"),
            ],
        ),
        ([{"newThing": {"x": 1}, "thoughtSignature": "x", "text": None}], [user("[newThing]")]),
        ([{"text": 7}], [user("[text]")]),
        ([{"inlineData": 7}, {"fileData": None}, {"functionCall": None}], [user("[file: ]")]),
        ([{"role": "user", "parts": None}], [user("")]),
        (None, []),
        ("", []),
        ([], []),
        ([None], []),
        (7, [user("")]),
    ],
    ids=lambda value: str(value)[:70],
)
def test_messages_of_a_request(contents, expected):
    """Every form of contents and every kind of part, as LLM Observability's messages."""
    assert read_input({"contents": contents}).annotations == {"input_messages": expected}


@pytest.mark.parametrize(
    "arguments",
    [
        {"systemInstruction": {"parts": [{"text": "be nice"}]}},
        {"system_instruction": {"role": "user", "parts": [{"text": "be nice"}]}},
        {"config": {"system_instruction": "be nice"}},
        {"generationConfig": {"systemInstruction": [{"text": "be nice"}]}},
        {"config": SimpleNamespace(system_instruction="be nice")},
    ],
    ids=str,
)
def test_the_system_instruction(arguments):
    """Comes first, wherever and however it is given."""
    found = read_input({"contents": "hi", **arguments}).annotations["input_messages"]
    assert found == [{"role": "system", "content": "be nice"}, user("hi")]


@pytest.mark.parametrize("where", ["argument", "config"])
def test_tools_of_a_request(where):
    """Functions with their schema in either spelling, the provider's tools by name."""
    tools = [
        {"functionDeclarations": [{"name": "a", "description": "d", "parameters": {"type": "OBJECT"}}]},
        {"function_declarations": [{"name": "b", "parametersJsonSchema": {"type": "object"}}], "google_search": None},
        {"googleSearch": {}},
    ]
    arguments = {"tools": tools} if where == "argument" else {"config": {"tools": tools}}
    assert read_input({"contents": "hi", **arguments}).annotations["tool_definitions"] == [
        {"name": "a", "description": "d", "schema": {"type": "OBJECT"}},
        {"name": "b", "description": "", "schema": {"type": "object"}},
        {"name": "googleSearch", "description": "", "schema": {}},
    ]


def test_ids_of_the_results_that_a_request_hands_in():
    """Those of the program's functions, where the API gave the calls ids."""
    parts = [
        {"functionResponse": {"id": "c", "name": "a"}},
        {"functionResponse": {"name": "a"}},
        {"codeExecutionResult": {"id": "x"}},
    ]
    assert read_input({"contents": parts}).tool_result_ids == ["c"]


USAGE = {
    "promptTokenCount": 20,
    "cachedContentTokenCount": 5,
    "candidatesTokenCount": 7,
    "thoughtsTokenCount": 3,
    "toolUsePromptTokenCount": 2,
    "totalTokenCount": 32,
}
PARTS = [{"text": "hm", "thought": True}, {"text": "Hel"}, {"text": "lo"}, CALL, IMAGE]


def said_by(candidates, **more):
    """Return a response of the candidates' parts."""
    return {
        "candidates": [
            {"content": {"role": "model", "parts": parts}, "finishReason": "STOP", "index": index}
            for index, parts in enumerate(candidates)
        ],
        **more,
    }


@pytest.mark.parametrize("form", [dict, SimpleNamespace], ids=["dict", "object"])
def test_what_a_response_says(form):
    """Thoughts first, then text, calls and images, and the tokens."""
    response = form(**said_by([PARTS], usageMetadata=USAGE))
    found = read_response(response, {})
    assert found.annotations["output_messages"] == [
        {"role": "reasoning", "content": "hm"},
        {"role": "assistant", "content": "Hello", "tool_calls": [CALL_PART], "image_parts": [IMAGE_PART]},
    ]
    assert found.finish_reason == "STOP"
    assert found.tool_calls == [ToolCall("weather", '{"city": "Paris"}', "c", "function_call")]
    assert found.all_text == 'hmHelloweather{"city": "Paris"}'
    assert read_usage(response) == Usage(22, 10, cache_read_tokens=5, reasoning_tokens=3)


def test_every_candidate_of_a_response():
    """All of them, their reasons joined; code that Google runs is no call for the program."""
    response = said_by([[{"text": "one"}], [{"executableCode": {"code": "1"}}], []])
    found = read_response(response, {})
    assert [message["content"] for message in found.annotations["output_messages"]] == ["one", "", ""]
    assert found.finish_reason == "STOP,STOP,STOP"
    assert found.tool_calls == []


def test_a_prompt_that_was_refused():
    """Its reason is why there is nothing."""
    response = {"promptFeedback": {"blockReason": "SAFETY"}, "usageMetadata": {"promptTokenCount": 4}}
    assert read_response(response, {}) == Output({"output_messages": []}, "SAFETY", [], "")
    assert read_usage(response) == Usage(4, 0)
    assert assemble([response], {}) == response


@pytest.mark.parametrize("response", [None, {}, "odd", 7, {"candidates": 7, "usageMetadata": 7}], ids=str)
def test_responses_without_content(response):
    """After an error, and of what is no response."""
    assert read_response(response, {}) == Output({"output_messages": []}, "", [], "")
    assert read_usage(response) is None


@pytest.mark.parametrize("candidate", [None, 7, {}, {"content": 7}, {"content": {"parts": 7}}], ids=str)
def test_malformed_candidates_do_not_raise(candidate):
    """Each is a message still."""
    found = read_response({"candidates": [candidate]}, {})
    assert found.annotations["output_messages"] == [{"role": "assistant", "content": ""}]
    read_response(assemble([{"candidates": [candidate, {"index": "odd"}]}], {}), {})


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_token_count": 20, "candidates_token_count": 7, "thoughts_token_count": None}, Usage(20, 7)),
        ({"promptTokenCount": 20, "cachedContentTokenCount": 0}, Usage(20, 0, 0)),
        ({"promptTokenCount": 0, "candidatesTokenCount": 0, "totalTokenCount": 0}, None),
        ({"promptTokenCount": "odd"}, None),
    ],
    ids=str,
)
def test_usage(usage, expected):
    """In either spelling; all zero is not known."""
    assert read_usage({"usage_metadata": usage}) == expected


def test_parameters():
    """Settings in either spelling go into metadata; config as a whole, prompts and headers do not."""
    secret = {
        "config": {"http_options": {"headers": {"x": "s"}}},
        "extra_headers": {"x": "s"},
        "systemInstruction": "s",
    }
    settings = {"temperature": 0.5, "maxOutputTokens": 9, "top_k": 3, "thinkingConfig": {"thinkingBudget": 9}}
    assert parameters({**secret, **settings}, PARAMETERS, contents=True) == settings


def sse(chunk):
    """Return a chunk as Google sends it."""
    return f"data: {json.dumps(chunk)}\r\n\r\n".encode()


def piece(*parts, **more):
    """Return a chunk of a stream with one candidate."""
    return {
        "candidates": [{"content": {"role": "model", "parts": list(parts)}, **more}],
        "usageMetadata": {"promptTokenCount": 20},
    }


CHUNKS = [
    piece({"text": "h", "thought": True}),
    piece({"text": "m", "thought": True}),
    *(piece(part) for part in PARTS[1:]),
    {**piece({"text": "", "thoughtSignature": "x"}, finishReason="STOP"), "usageMetadata": USAGE},
]
BODY = b"".join(map(sse, CHUNKS))


@pytest.mark.parametrize(
    "chunks",
    [
        CHUNKS,
        [SimpleNamespace(**chunk) for chunk in CHUNKS],
        [sse(chunk) for chunk in CHUNKS],
        [BODY],
        [BODY[at : at + 7] for at in range(0, len(BODY), 7)],
        [json.dumps(CHUNKS)[:50], json.dumps(CHUNKS)[50:]],
    ],
    ids=["dicts", "objects", "events", "body", "pieces", "array"],
)
def test_a_stream_put_together(chunks):
    """However it comes, it says what a response that was not streamed says."""
    response = assemble(chunks, {})
    assert read_response(response, {}) == read_response(said_by([PARTS]), {})
    assert read_usage(response) == Usage(22, 10, cache_read_tokens=5, reasoning_tokens=3)


def test_texts_of_a_stream_are_joined_by_kind():
    """Texts in a row are one part; a thought or a call between them parts them."""
    (candidate,) = assemble([*CHUNKS[:4], piece({"text": "?", "thought": True})], {})["candidates"]
    assert [part["text"] for part in candidate["content"]["parts"]] == ["hm", "Hello", "?"]


def test_a_stream_of_several_candidates():
    """Their pieces may come in any order."""
    chunks = [piece({"text": text}, index=index) for index, text in [(1, "b"), (0, "a"), (1, "d"), (0, "c")]]
    found = read_response(assemble(chunks, {}), {})
    assert [message["content"] for message in found.annotations["output_messages"]] == ["ac", "bd"]


def test_a_reason_is_kept():
    """A chunk behind the last one, with the usage and no reason, does not take it back."""
    response = assemble([*CHUNKS, piece(finishReason=None)], {})
    assert read_response(response, {}).finish_reason == "STOP"


def test_a_stream_that_broke_off():
    """What there is of it, without a reason, and the input as far as it was counted."""
    response = assemble([BODY[: BODY.index(b"lo") - 5]], {})
    found = read_response(response, {})
    assert [message["content"] for message in found.annotations["output_messages"]] == ["hm", "Hel"]
    assert found.finish_reason == ""
    assert read_usage(response) == Usage(20, 0)


@pytest.mark.parametrize(
    ("quiet", "first"),
    [
        ([piece(), piece({"text": ""}), piece({"text": "", "thoughtSignature": "x"})], piece({"text": "x"})),
        ([{}, None, 7, {"usageMetadata": USAGE}], piece({"text": "x", "thought": True})),
        ([], piece(CALL)),
        ([], piece(IMAGE)),
        ([sse(piece())], BODY),
        ([BODY[:60]], BODY[60:]),
    ],
    ids=["text", "thought", "call", "image", "body", "two halves"],
)
def test_the_first_content_of_a_stream(quiet, first):
    """The chunk that completes the first part with something in it."""
    has_come = first_content_detector()
    assert [has_come(chunk) for chunk in quiet] == [False] * len(quiet)
    assert has_come(first)


def test_time_of_a_long_stream():
    """Ten thousand chunks take a moment: it grows with their number only."""
    chunks = [sse(piece({"text": "word "}))] * 10_000
    start = perf_counter()
    assemble(chunks, {})
    assert perf_counter() - start < 2


GEMINI_BODY = said_by([PARTS], usageMetadata=USAGE, modelVersion="gemini-2.5-flash", responseId="r")


@pytest.mark.parametrize("model", ["gemini/gemini-2.5-flash", "openai/gpt-4o-mini"])
def test_what_litellm_returns(provider, model):
    """LiteLLM's own results, of Gemini and of an API that it translates."""
    google_genai = pytest.importorskip("litellm.google_genai")  # since 1.74
    if model.startswith("gemini"):
        pytest.importorskip("fastapi")  # which LiteLLM imports in these calls, up to 1.109
        provider.otherwise = Script(reply_body=GEMINI_BODY)
    response = google_genai.generate_content(
        model=model,
        contents=[{"role": "user", "parts": [{"text": "hi"}]}],
        config={"temperature": 0.5},
        api_base=f"{provider.url}/v1",
        api_key="sk-local",
    )
    found = read_response(response, {})
    expected = "Hello" if model.startswith("gemini") else "The local provider heard: hi"
    assert found.annotations["output_messages"][-1]["content"] == expected
    assert found.finish_reason == "STOP"
    usage = read_usage(response)
    assert usage is not None
    assert usage[:2] == ((22, 10) if model.startswith("gemini") else (1, 5))
