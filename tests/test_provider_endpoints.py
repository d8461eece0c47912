import asyncio
import json
import time

import httpx
import litellm
import openai
import pytest

from tests.provider import Script, ToolCall, Usage
from tests.provider.calls import CALLS, CONTENTS

GEMINI = "/v1beta/models/gemini-2.5-flash"
ASYNCHRONOUS = pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
EACH_CALL = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


def _function(name, asynchronous):
    """Return LiteLLM's function, or skip the test where this LiteLLM has none."""
    home = pytest.importorskip("litellm.google_genai") if "generate_content" in name else litellm
    function = getattr(home, f"a{name}" if asynchronous else name, None)
    if function is None:
        pytest.skip("this LiteLLM has no such function")
    return function


def _run(provider, call, asynchronous):
    """Call LiteLLM's function for its result, or skip the test where LiteLLM misses a module it does not depend on."""
    function = _function(call.function, asynchronous)
    keywords = call.keywords(provider.url)
    try:
        return asyncio.run(function(**keywords)) if asynchronous else function(**keywords)
    except litellm.APIConnectionError as error:
        _skip_without_module(error)
        raise


def _skip_without_module(error):
    # fastapi for Gemini's own API, and on 1.95 dateutil for searches.
    if "No module named" in str(error):
        pytest.skip(str(error).splitlines()[0])


@ASYNCHRONOUS
@EACH_CALL
def test_litellm_gets_the_answer(provider, call, asynchronous):
    """LiteLLM's own function reaches the endpoint and understands what it answers."""
    result = _run(provider, call, asynchronous)
    assert call.said(result) == call.expected
    # LiteLLM 1.109 puts a version into Azure's path.
    assert [request.path.replace("/openai/v1/", "/openai/") for request in provider.requests] == [call.path]


@ASYNCHRONOUS
@EACH_CALL
def test_litellm_gets_the_error(provider, call, asynchronous):
    """A script is found by the model or by the path's name, and its error reaches LiteLLM's caller."""
    provider.behaviours[call.name] = Script(status=400, error="Not like that.", error_type="invalid_request_error")
    # Some functions keep the status only; 1.72 takes the error of a stored response for a response, 1.95 of a video.
    with pytest.raises(
        Exception, match=r"Not like that\.|400 Bad Request|errors for (ResponsesAPIResponse|VideoObject)"
    ):
        _run(provider, call, asynchronous)


@ASYNCHRONOUS
def test_moderation(provider, asynchronous):
    """A moderation flags what it is told, through the client it is given."""
    # LiteLLM 1.72 has no other way to another base.
    connection = {"base_url": f"{provider.url}/v1", "api_key": "sk-local"}

    async def moderate():
        async with openai.AsyncOpenAI(**connection) as client:
            return await litellm.amoderation(input="They kill.", model="omni-moderation-latest", client=client)

    if asynchronous:
        moderation = asyncio.run(moderate())
    else:
        with openai.OpenAI(**connection) as client:
            moderation = litellm.moderation(input="They kill.", model="omni-moderation-latest", client=client)
    (verdict,) = moderation.results
    assert (verdict.flagged, verdict.category_scores["violence"], verdict.category_scores["hate"]) == (True, 0.75, 0.0)


@ASYNCHRONOUS
def test_gemini_stream(provider, asynchronous):
    """LiteLLM's stream of Gemini's own API brings the text in pieces, and the usage."""
    function = _function("generate_content_stream", asynchronous)
    keywords = {"contents": CONTENTS, "api_key": "sk-local", "api_base": f"{provider.url}/v1beta"}

    async def collect():
        return [chunk async for chunk in await function(model="gemini/gemini-2.5-flash", **keywords)]

    try:
        chunks = asyncio.run(collect()) if asynchronous else list(function(model="gemini/gemini-2.5-flash", **keywords))
    except litellm.APIConnectionError as error:
        _skip_without_module(error)
        raise
    events = _events(b"".join(chunks).decode())
    assert "".join(_texts(events)) == "The local provider heard: Good day"
    assert events[-1]["usageMetadata"]["candidatesTokenCount"] == 6


def _events(text):
    return [json.loads(line.removeprefix("data: ")) for line in text.splitlines() if line.startswith("data: {")]


def _texts(events):
    return [part["text"] for event in events for part in event["candidates"][0]["content"]["parts"]]


def test_gemini_thoughts_tools_and_cache(provider):
    """Gemini's answers have thoughts and calls as parts, and count thoughts beside the candidates."""
    provider.behaviours["gemini-2.5-flash"] = Script(
        reasoning="Let me see.",
        tool_calls=(ToolCall("x", "look", '{"at": "cats"}'),),
        usage=Usage(20, 9, cache_read=5, reasoning=4),
    )
    answer = httpx.post(f"{provider.url}{GEMINI}:generateContent", json={"contents": CONTENTS}).json()
    thought, call = answer["candidates"][0]["content"]["parts"]
    assert thought == {"text": "Let me see.", "thought": True}
    assert call == {"functionCall": {"name": "look", "args": {"at": "cats"}}}
    usage = answer["usageMetadata"]
    assert (usage["promptTokenCount"], usage["cachedContentTokenCount"], usage["totalTokenCount"]) == (25, 5, 34)
    assert (usage["candidatesTokenCount"], usage["thoughtsTokenCount"]) == (5, 4)


@pytest.mark.parametrize("type_name", ["string", "STRING"])
def test_gemini_calls_the_tool_it_was_asked_for(provider, type_name):
    """A declared function that fits the question is called, in either spelling of a schema's types."""
    function = {
        "name": "look_at",
        "description": "Look at something on a good day",
        "parameters": {"type": "OBJECT", "properties": {"what": {"type": type_name}}},
    }
    body = {"contents": CONTENTS, "tools": [{"functionDeclarations": [function]}]}
    answer = httpx.post(f"{provider.url}{GEMINI}:generateContent", json=body).json()
    (part,) = answer["candidates"][0]["content"]["parts"]
    assert part == {"functionCall": {"name": "look_at", "args": {"what": "day"}}}


def test_gemini_stream_is_cut(provider):
    """A stream whose model is in the path breaks where the script says."""
    provider.behaviours["gemini-2.5-flash"] = Script(cut_after=2)
    received = []
    with (
        pytest.raises(httpx.RemoteProtocolError),
        httpx.stream("POST", f"{provider.url}{GEMINI}:streamGenerateContent?alt=sse", json={"contents": CONTENTS}) as r,
    ):
        received.extend(r.iter_lines())
    assert _texts(_events("\n".join(received))) == ["The ", "local "]


def test_transcription_stream(provider):
    """A streamed transcription sends words, then the whole text with its usage."""
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="sk-local") as client:
        events = list(
            client.audio.transcriptions.create(model="gpt-4o-transcribe", file=("day.wav", b"RIFF"), stream=True)
        )
    *deltas, done = events
    assert "".join(event.delta for event in deltas) == done.text == "The local provider heard a recording."


@pytest.mark.parametrize(("wanted", "expected"), [("text", b"Hello.\n"), ("json", None), ("verbose_json", None)])
def test_transcription_formats(provider, wanted, expected):
    """A transcript comes as plain text, as JSON, or as JSON with its duration."""
    provider.otherwise = Script(text="Hello.")
    form = {"model": "whisper-1", "response_format": wanted}
    response = httpx.post(f"{provider.url}/v1/audio/transcriptions", data=form, files={"file": ("a.wav", b"RIFF")})
    if expected is not None:
        assert response.content == expected
        return
    assert response.json()["text"] == "Hello."
    assert ("duration" in response.json()) == (wanted == "verbose_json")


def test_form_fields_are_the_body(provider):
    """Of a form the body holds the fields, files by name, and lists where a field came more than once."""
    httpx.post(
        f"{provider.url}/v1/images/edits",
        data={"model": "gpt-image-1", "prompt": "größer"},
        files=[
            ("image[]", ("a.png", b"\x89PNG\r\n--\r\n\xff")),
            ("image[]", ("b.png", b"")),
            ("mask", ("m.png", b"x")),
        ],
    )
    (request,) = provider.requests
    assert request.body == {
        "model": "gpt-image-1",
        "prompt": "größer",
        "image[]": ["a.png", "b.png"],
        "mask": "m.png",
    }


def test_faults_of_a_form(provider):
    """A script's delay, number of failures and drop work for a form whose field names the model."""
    url, form = f"{provider.url}/v1/audio/transcriptions", {"data": {"model": "m"}, "files": {"file": ("a.wav", b"")}}
    provider.behaviours["m"] = Script(status=503, fail_first=1, delay=0.2)
    started = time.monotonic()
    assert [httpx.post(url, **form).status_code for _ in range(2)] == [503, 200]
    assert time.monotonic() - started >= 0.4
    provider.behaviours["m"] = Script(drop=True)
    with pytest.raises(httpx.RemoteProtocolError):
        httpx.post(url, **form)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v2/rerank", {"id": "rerank-local", "message": "Slow down."}),
        (
            f"{GEMINI}:generateContent",
            {"error": {"code": 429, "message": "Slow down.", "status": "RESOURCE_EXHAUSTED"}},
        ),
        (
            "/v1/ocr",
            {"object": "error", "message": "Slow down.", "type": "rate_limit_error", "param": None, "code": None},
        ),
        ("/search", {"detail": {"error": "Slow down."}}),
        (
            "/v1/images/generations",
            {"error": {"message": "Slow down.", "type": "rate_limit_error", "param": None, "code": None}},
        ),
    ],
)
def test_errors_are_in_the_words_of_the_api(provider, path, expected):
    """Each API has its own way to put an error."""
    provider.otherwise = Script(status=429, error="Slow down.", error_type="rate_limit_error")
    response = httpx.post(provider.url + path, json={})
    assert (response.status_code, response.json()) == (429, expected)


def test_stored_objects_are_fetched(provider):
    """What was stored is fetched with GET, and the request says so."""
    assert httpx.get(f"{provider.url}/v1/responses/resp_7").json()["id"] == "resp_7"
    assert provider.requests[0].method == "GET"
