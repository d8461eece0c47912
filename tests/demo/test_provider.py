import json
import subprocess
import sys
import threading
import time

import httpx
import openai
import pytest

from ddtrace_litellm.demo import scenarios
from ddtrace_litellm.demo.provider import Behaviour, LocalProvider
from tests import launch
from tests.provider import Provider, Script, ToolCall, Usage

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How warm is it in Lisbon?"}]
WEATHER = {
    "name": "get_temperature",
    "description": "How warm it is in a city",
    "parameters": {"type": "object", "properties": {"city": {"type": "string"}, "days": {"type": "integer"}}},
}
OPENAI_TOOL = {"type": "function", "function": WEATHER}
ANTHROPIC_TOOL = {
    "name": WEATHER["name"],
    "description": WEATHER["description"],
    "input_schema": WEATHER["parameters"],
}


@pytest.fixture
def provider():
    """Return a running provider."""
    with Provider() as running:
        yield running


@pytest.fixture
def client(provider):
    """Return an OpenAI client of the provider."""
    with openai.OpenAI(base_url=f"{provider.url}/v1", api_key="sk-local", max_retries=0) as connected:
        yield connected


@pytest.fixture
def claude(provider):
    """Return an Anthropic client of the provider."""
    anthropic = pytest.importorskip("anthropic")
    with anthropic.Anthropic(base_url=provider.url, api_key="sk-local", max_retries=0) as connected:
        yield connected


def test_chat_answers_and_counts_words(client):
    """A plain chat completion repeats the question, and its tokens are words."""
    response = client.chat.completions.create(model="m", messages=MESSAGES)
    assert response.model == "m"
    assert response.choices[0].message.content == "The local provider heard: How warm is it in Lisbon?"
    assert response.choices[0].finish_reason == "stop"
    assert (response.usage.prompt_tokens, response.usage.completion_tokens, response.usage.total_tokens) == (8, 10, 18)


def test_requests_are_recorded(provider, client):
    """The provider keeps path, headers and body of what it received."""
    client.chat.completions.create(model="m", messages=MESSAGES, temperature=0.5)
    (request,) = provider.requests
    assert request.path == "/v1/chat/completions"
    assert request.headers["authorization"] == "Bearer sk-local"
    assert request.body == {"model": "m", "messages": MESSAGES, "temperature": 0.5}


def test_body_in_chunks_is_read(provider):
    """A request of unknown length is read to its end, so that the connection is free for the next one."""
    with httpx.Client(base_url=provider.url) as client:
        for _ in range(2):
            assert client.post("/v1/chat/completions", content=iter([b'{"model": ', b'"m"}'])).status_code == 200
    assert [request.model for request in provider.requests] == ["m", "m"]


def test_chat_answers_n_choices_and_stops_at_max_tokens(client):
    """``n`` makes as many choices, each paid for, and ``max_tokens`` cuts the answer."""
    response = client.chat.completions.create(model="m", messages=MESSAGES, n=3, max_tokens=2)
    assert [choice.message.content for choice in response.choices] == ["The local"] * 3
    assert {choice.finish_reason for choice in response.choices} == {"length"}
    assert response.usage.completion_tokens == 6


def test_chat_streams_the_same_answer(client):
    """A stream adds up to the plain answer, with the usage last where it was asked for."""
    chunks = list(
        client.chat.completions.create(
            model="m", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
        )
    )
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert text == "The local provider heard: How warm is it in Lisbon?"
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert (chunks[-1].choices, chunks[-1].usage.total_tokens) == ([], 18)


def test_chat_stream_without_include_usage_has_no_usage(client):
    """No usage chunk comes unasked."""
    chunks = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    assert all(chunk.usage is None and chunk.choices for chunk in chunks)


@pytest.mark.parametrize(
    ("choice", "question", "called"),
    [
        ("auto", "How warm is it in Lisbon?", True),
        ("auto", "Who are you?", False),
        ("none", "How warm is it in Lisbon?", False),
        ("required", "Who are you?", True),
        ({"type": "function", "function": {"name": "get_temperature"}}, "Who are you?", True),
    ],
)
def test_chat_calls_a_tool_that_fits_the_question(client, choice, question, called):
    """A tool is called when the question mentions its purpose, unless ``tool_choice`` decides."""
    response = client.chat.completions.create(
        model="m", messages=[{"role": "user", "content": question}], tools=[OPENAI_TOOL], tool_choice=choice
    )
    message = response.choices[0].message
    assert bool(message.tool_calls) is called
    assert (message.content is None) is called
    assert response.choices[0].finish_reason == ("tool_calls" if called else "stop")


def test_chat_answers_a_tool_result_with_text(client):
    """After a tool's result comes an answer, not another call."""
    call = {"id": "call_0", "type": "function", "function": {"name": "get_temperature", "arguments": "{}"}}
    response = client.chat.completions.create(
        model="m",
        messages=[
            *MESSAGES,
            {"role": "assistant", "content": None, "tool_calls": [call]},
            {"role": "tool", "tool_call_id": "call_0", "content": "27 degrees, warm"},
        ],
        tools=[OPENAI_TOOL],
    )
    assert response.choices[0].message.content == "The local provider heard: 27 degrees, warm"


def test_chat_streams_tool_arguments_in_pieces(client):
    """A streamed tool call opens with its name and delivers its arguments in several chunks."""
    chunks = list(client.chat.completions.create(model="m", messages=MESSAGES, tools=[OPENAI_TOOL], stream=True))
    deltas = [call for chunk in chunks for call in chunk.choices[0].delta.tool_calls or ()]
    assert deltas[0].function.name == "get_temperature"
    assert len(deltas) > 2
    assert json.loads("".join(delta.function.arguments for delta in deltas)) == {"city": "Lisbon", "days": 1}


def test_text_completion_answers_every_prompt(client):
    """A list of prompts gets ``n`` choices each; a list of numbers is one prompt."""
    response = client.completions.create(model="m", prompt=["One upon", "It was"], n=2)
    assert [choice.index for choice in response.choices] == [0, 1, 2, 3]
    assert (response.usage.prompt_tokens, response.usage.completion_tokens) == (4, 20)
    assert len(client.completions.create(model="m", prompt=[1, 2, 3]).choices) == 1


def test_text_completion_streams(client):
    """A streamed text completion adds up to the plain one."""
    chunks = client.completions.create(
        model="m", prompt="Once upon", stream=True, stream_options={"include_usage": True}
    )
    chunks = list(chunks)
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == " and so it went on."
    assert chunks[-1].usage.total_tokens == 7


def test_anthropic_answers(claude):
    """A plain message carries text, stop reason and usage, the cache's counts included."""
    message = claude.messages.create(model="c", max_tokens=50, system="Be brief.", messages=MESSAGES[1:])
    assert message.content[0].text == "The local provider heard: How warm is it in Lisbon?"
    assert message.stop_reason == "end_turn"
    assert (message.usage.input_tokens, message.usage.output_tokens) == (8, 10)
    assert (message.usage.cache_read_input_tokens, message.usage.cache_creation_input_tokens) == (0, 0)


def test_anthropic_stops_at_max_tokens(claude):
    """``max_tokens`` cuts the answer and is the stop reason."""
    message = claude.messages.create(model="c", max_tokens=2, messages=MESSAGES[1:])
    assert (message.content[0].text, message.stop_reason) == ("The local", "max_tokens")


def test_anthropic_streams_text(claude):
    """The client's own accumulation of a stream is the plain answer."""
    with claude.messages.stream(model="c", max_tokens=50, messages=MESSAGES[1:]) as stream:
        text = "".join(stream.text_stream)
        final = stream.get_final_message()
    assert text == "The local provider heard: How warm is it in Lisbon?"
    assert (final.stop_reason, final.usage.output_tokens) == ("end_turn", 10)


@pytest.mark.parametrize("streamed", [False, True])
def test_anthropic_calls_a_tool(claude, streamed):
    """A tool call arrives as a block with parsed input, plain and streamed."""
    request = {"model": "c", "max_tokens": 50, "messages": MESSAGES[1:], "tools": [ANTHROPIC_TOOL]}
    if streamed:
        with claude.messages.stream(**request) as stream:
            message = stream.get_final_message()
    else:
        message = claude.messages.create(**request)
    (block,) = message.content
    assert (block.type, block.name, block.input) == ("tool_use", "get_temperature", {"city": "Lisbon", "days": 1})
    assert message.stop_reason == "tool_use"


def test_anthropic_answers_a_tool_result_with_text(claude):
    """After a tool's result comes text."""
    message = claude.messages.create(
        model="c",
        max_tokens=50,
        messages=[
            *MESSAGES[1:],
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "get_temperature", "input": {}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "27"}]},
        ],
        tools=[ANTHROPIC_TOOL],
    )
    assert message.content[0].type == "text"


def test_errors_have_each_apis_form(provider, client, claude):
    """A failing model answers with its status, as an error each client understands."""
    provider.behaviours["m"] = Behaviour(status=429, error="Slow down.", error_type="rate_limit_exceeded")
    with pytest.raises(openai.RateLimitError, match=r"Slow down\."):
        client.chat.completions.create(model="m", messages=MESSAGES)
    with pytest.raises(Exception, match=r"rate_limit_error.*Slow down\."):
        claude.messages.create(model="m", max_tokens=5, messages=MESSAGES[1:])


def test_unknown_endpoint_is_a_404(provider):
    """A path that the provider does not speak is an error that names it."""
    response = httpx.post(f"{provider.url}/v1/nothing", json={})
    assert response.status_code == 404
    assert "/v1/nothing" in response.json()["error"]["message"]


def test_delays_are_kept(provider, client):
    """``delay`` comes before the first byte, ``pace`` between events."""
    provider.behaviours["m"] = Behaviour(delay=0.2, pace=0.02)
    begin = time.monotonic()
    stream = client.chat.completions.create(model="m", messages=MESSAGES, stream=True)
    first = time.monotonic() - begin
    for _ in stream:
        pass
    assert first >= 0.2
    assert time.monotonic() - begin - first >= 0.1


def test_connection_is_cut_in_mid_stream(provider):
    """A cut stream ends its TCP connection with the chunked encoding unfinished, after the events that were sent."""
    provider.behaviours["m"] = Script(cut_after=3)
    body = {"model": "m", "messages": MESSAGES, "stream": True}
    received = []
    with httpx.stream("POST", f"{provider.url}/v1/chat/completions", json=body) as response:
        assert response.headers["transfer-encoding"] == "chunked"
        with pytest.raises(httpx.RemoteProtocolError, match="incomplete chunked read"):
            received.extend(response.iter_raw())
    assert b"".join(received).count(b"data: ") == 3


def test_connection_is_dropped_before_the_answer(provider, client):
    """A dropped request gets no byte back."""
    provider.behaviours["m"] = Script(drop=True)
    with pytest.raises(openai.APIConnectionError):
        client.chat.completions.create(model="m", messages=MESSAGES)


def test_error_and_garbage_events(provider):
    """A stream can send an error as an event and end, or an event that is no JSON and go on."""
    body = {"model": "m", "messages": MESSAGES, "stream": True}
    provider.behaviours["m"] = Script(error_event_after=2, error="Overloaded.")
    events = httpx.post(f"{provider.url}/v1/chat/completions", json=body).text.strip().split("\n\n")
    assert len(events) == 3
    assert json.loads(events[-1].removeprefix("data: "))["error"]["message"] == "Overloaded."
    provider.behaviours["m"] = Script(garbage_after=1)
    text = httpx.post(f"{provider.url}/v1/chat/completions", json=body).text
    assert "this is no JSON" in text
    assert text.endswith("data: [DONE]\n\n")


def test_fails_first_and_then_answers(provider, client):
    """``fail_first`` fails so many requests of the model and answers the next."""
    provider.behaviours["m"] = Script(status=500, fail_first=1, headers={"retry-after": "7"})
    with pytest.raises(openai.InternalServerError) as failure:
        client.chat.completions.create(model="m", messages=MESSAGES)
    assert failure.value.response.headers["retry-after"] == "7"
    assert client.chat.completions.create(model="m", messages=MESSAGES).choices


@pytest.mark.parametrize("streamed", [False, True])
def test_reasoning_usage_and_finish_reason(provider, client, streamed):
    """A script sets thoughts, token counts and the finish reason, plain and streamed."""
    provider.behaviours["m"] = Script(
        reasoning="Let me think.",
        usage=Usage(input=20, output=9, cache_read=5, cache_write=11, reasoning=4),
        finish_reason="content_filter",
    )
    if streamed:
        chunks = list(
            client.chat.completions.create(
                model="m", messages=MESSAGES, stream=True, stream_options={"include_usage": True}
            )
        )
        deltas = [chunk.choices[0].delta for chunk in chunks if chunk.choices]
        thoughts = "".join(getattr(delta, "reasoning_content", None) or "" for delta in deltas)
        usage, finish = chunks[-1].usage, chunks[-2].choices[0].finish_reason
    else:
        response = client.chat.completions.create(model="m", messages=MESSAGES)
        thoughts, usage = response.choices[0].message.reasoning_content, response.usage
        finish = response.choices[0].finish_reason
    assert (thoughts, finish) == ("Let me think.", "content_filter")
    assert (usage.prompt_tokens, usage.completion_tokens) == (36, 9)
    assert (usage.prompt_tokens_details.cached_tokens, usage.completion_tokens_details.reasoning_tokens) == (5, 4)


@pytest.mark.parametrize("streamed", [False, True])
def test_anthropic_thinking_and_cache(provider, claude, streamed):
    """Thoughts are a block of their own, and the cache's tokens are not part of the input's."""
    provider.behaviours["c"] = Script(reasoning="Let me think.", usage=Usage(20, 9, cache_read=5, cache_write=11))
    request = {"model": "c", "max_tokens": 50, "messages": MESSAGES[1:]}
    if streamed:
        with claude.messages.stream(**request) as stream:
            message = stream.get_final_message()
    else:
        message = claude.messages.create(**request)
    assert [block.type for block in message.content] == ["thinking", "text"]
    usage = message.usage
    assert (usage.input_tokens, usage.cache_read_input_tokens, usage.cache_creation_input_tokens) == (20, 5, 11)


def test_scripted_tool_calls_refusal_and_audio(provider, client):
    """A script makes calls nobody asked for and adds members to the message."""
    provider.behaviours["tools"] = Script(tool_calls=(ToolCall("x", "f", '{"a": 1}'), ToolCall("y", "g", "not json")))
    provider.behaviours["refusal"] = Script(text="", extra={"refusal": "I will not."})
    audio = {"id": "a", "data": "UklGRg==", "expires_at": 1, "transcript": "hello"}
    provider.behaviours["audio"] = Script(text="", extra={"audio": audio})

    def message(model):
        return client.chat.completions.create(model=model, messages=MESSAGES).choices[0].message

    assert [call.function.arguments for call in message("tools").tool_calls] == ['{"a": 1}', "not json"]
    assert message("refusal").refusal == "I will not."
    assert message("audio").audio.transcript == "hello"


def test_reply_body_works_on_any_path(provider):
    """A ready JSON body answers even where the provider knows no endpoint."""
    provider.behaviours["m"] = Script(reply_body={"results": []})
    response = httpx.post(f"{provider.url}/v1/batches", json={"model": "m"})
    assert (response.status_code, response.json()) == (200, {"results": []})


@pytest.mark.parametrize("streamed", [False, True])
def test_responses_api(client, streamed):
    """Responses answer with text or a tool call, plain and streamed."""
    tool = {"type": "function", "strict": False, **WEATHER}
    request = {"model": "m", "instructions": "Be brief.", "input": "How warm is it in Lisbon?"}
    if streamed:
        with client.responses.stream(**request) as stream:
            stream.until_done()
            response = stream.get_final_response()
    else:
        response = client.responses.create(**request)
    assert response.output_text == "The local provider heard: How warm is it in Lisbon?"
    assert (response.usage.input_tokens, response.usage.output_tokens) == (8, 10)
    (call,) = client.responses.create(**request, tools=[tool]).output
    assert (call.type, call.name) == ("function_call", "get_temperature")


def test_embeddings(client):
    """Each input gets a vector, and only input tokens are counted."""
    response = client.embeddings.create(model="m", input=["one two", "three"], encoding_format="float")
    assert [item.embedding for item in response.data] == [[0.25, -0.5, 0.75]] * 2
    assert response.usage.total_tokens == 3


def test_azure_paths(provider):
    """Azure's deployment paths reach the same endpoints, and the deployment is the model."""
    provider.behaviours["my-deployment"] = Script(text="From Azure.")
    with openai.AzureOpenAI(
        azure_endpoint=provider.url, api_version="2024-10-21", api_key="k", max_retries=0
    ) as client:
        response = client.chat.completions.create(model="my-deployment", messages=MESSAGES)
    assert response.choices[0].message.content == "From Azure."


def test_ends_with_its_with_block():
    """Leaving the block closes port and threads, even with a client's connection still open."""
    before = threading.active_count()
    with httpx.Client() as client:
        with LocalProvider() as provider:
            url = f"{provider.url}/v1/chat/completions"
            client.post(url, json={"messages": MESSAGES})
        deadline = time.monotonic() + 5
        while threading.active_count() > before and time.monotonic() < deadline:
            time.sleep(0.01)
        assert threading.active_count() == before
        with pytest.raises(httpx.HTTPError):
            client.post(url, json={})
    with pytest.raises(RuntimeError, match="not running"):
        _ = provider.url


def test_app_prints_a_line_for_each_call():
    """The demo's app makes its five calls and says what came of them, traced or not."""
    with LocalProvider(scenarios.BEHAVIOURS) as provider:
        finished = subprocess.run(
            [sys.executable, "-m", "ddtrace_litellm.demo.app", provider.url],
            env=launch.environment(launch.PACKAGES),
            capture_output=True,
            text=True,
            check=True,
        )
    lines = finished.stdout.splitlines()
    assert [line.split("  ")[0] for line in lines] == ["chat", "stream", "tool call", "router", "error"]
    assert "failed" not in finished.stdout
    assert len(provider.requests) == 6
