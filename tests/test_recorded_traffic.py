"""What real providers sent is what the events say: recorded exchanges, replayed under LiteLLM."""

import asyncio
import inspect
import re
from collections.abc import AsyncIterator, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import litellm
import openai
import pytest

from ddtrace_litellm import get_version
from tests.checkout import CHECKOUT
from tests.recorded import CHAT, MESSAGES, MESSAGES_BY_CHAT, RESPONSES, TEXT, Recording, player

FOLDER = CHECKOUT.parent / "shared" / "recorded-traffic"
PATTERNS = {
    "openai/chat_completion*": CHAT,
    "openai/azure_chat*": CHAT,
    "openai/deepseek*": CHAT,
    "openai/completion*": TEXT,
    "openai/azure_completion*": TEXT,
    "openai/response*": RESPONSES,
    "anthropic/anthropic_completion*": MESSAGES_BY_CHAT,
    "anthropic/*": MESSAGES,
}
CASES = [(api, path) for pattern, api in PATTERNS.items() for path in sorted(FOLDER.glob(f"{pattern}.yaml"))]
EMBEDDINGS = sorted(FOLDER.glob("openai/*embedding*.yaml"))
IMAGES = sorted(FOLDER.glob("openai/image_create*.yaml"))
# The first LiteLLM that can, and what those before it do (1.72.2; 1.85.0 too where it says 1.95).
FIRST_ABLE = {
    ("completion", "anthropic_completion_beta_tools_stream"): (
        (1, 95),
        "rejects the tool search tool, or fails to price an answer with it",
    ),
    ("completion", "anthropic_completion_cache_write_1h_ttl"): ((1, 85), "drops the time to live of cache writes"),
    ("completion", "anthropic_completion_stream_thinking"): (
        (1, 85),
        "numbers Anthropic's content blocks as choices",
    ),
    ("completion", "anthropic_completion_tools_server_tool_use"): ((1, 85), "rejects the tool search tool"),
    ("completion", "chat_completion_image_input"): ((1, 85), "takes the details of the finish for its reason"),
    ("completion", "deepseek_streamed_cumulative_tokens"): ((1, 85), "drops the usage that DeepSeek reports"),
    ("completion", "deepseek_streamed_reasoning_content"): ((1, 85), "rejects DeepSeek's parameters"),
}
_OPENAI_MODELS = [*litellm.open_ai_chat_completion_models]
UNREADABLE = ("Invalid response object", "validation error for ResponsesAPIResponse")
FAILED = ("error", "invalid_api_key", "wrong_api_key")

pytestmark = pytest.mark.skipif(not CASES, reason=f"the recorded traffic is not here: ../{FOLDER.parent.name}")


@pytest.fixture(autouse=True)
def _models_as_imported(monkeypatch: pytest.MonkeyPatch) -> None:
    """A Router of another test adds its models to OpenAI's (1.72), which then take OpenRouter's requests there."""
    monkeypatch.setattr(litellm, "open_ai_chat_completion_models", _OPENAI_MODELS)


def _cases(*, failed: bool) -> Any:
    found = [
        pytest.param(api, path, id=f"{api.function}-{path.stem}")
        for api, path in CASES
        if path.stem.endswith(FAILED) is failed
    ]
    return pytest.mark.parametrize(("api", "path"), found or [(CHAT, FOLDER)])


def _each(paths: list[Path]) -> Any:
    return pytest.mark.parametrize("path", paths or [FOLDER], ids=lambda path: path.stem)


def _replay(function, recording, arguments):
    """Ask what was asked; return LiteLLM's response, or all chunks."""
    able, reason = FIRST_ABLE.get((function, recording.path.stem), ((1, 0), ""))
    if tuple(map(int, get_version().split(".")[:2])) < able:
        pytest.skip(f"litellm {get_version()} {reason}")
    with player().use_cassette(str(recording.path)) as cassette:
        try:
            result = getattr(litellm, function)(**arguments)
            if inspect.isawaitable(result):
                result = asyncio.run(_read(result))
            elif recording.is_stream:
                result = list(result)
        except openai.OpenAIError as error:
            if any(reason in str(error) for reason in UNREADABLE):
                pytest.skip(f"litellm {get_version()} cannot read this answer")
            raise
        except ModuleNotFoundError as error:
            # Streams of Anthropic's own API.
            pytest.skip(f"litellm {get_version()} needs {error.name}")
        assert cassette.play_count == 1
    return result


async def _read(awaitable):
    result = await awaitable
    return [chunk async for chunk in result] if isinstance(result, AsyncIterator) else result


_OLD = tuple(map(int, get_version().split(".")[:2])) < (1, 85)


def _reported_cost(response):
    """Return what LiteLLM says; 0 is its word for a model without a price (1.106.2, 1.109.1)."""
    return response._hidden_params["response_cost"] or None


def _price(recording: Recording, usage: dict[str, int]) -> float:
    """Return what LiteLLM's calculator says of the tokens that the provider reported."""
    read, written = (usage.get(f"cache_{name}_input_tokens", 0) for name in ("read", "write"))
    by_ttl = {name: count for name, count in usage.items() if name.startswith("ephemeral_")}
    tokens = litellm.Usage(
        prompt_tokens=usage["input_tokens"],
        completion_tokens=usage["output_tokens"],
        total_tokens=usage["input_tokens"] + usage["output_tokens"],
        prompt_tokens_details={
            "cached_tokens": read,
            "cache_creation_tokens": written,
            "cache_creation_token_details": by_ttl or None,
            "text_tokens": usage["input_tokens"] - read - written,
        },
        cache_read_input_tokens=read,
        cache_creation_input_tokens=written,
    )
    return sum(
        litellm.cost_per_token(model=recording.model, custom_llm_provider=recording.provider, usage_object=tokens)
    )


def _texts(part: Any) -> Iterator[str]:
    """Yield all that there is to read in a part of a request."""
    if isinstance(part, str):
        yield part
    elif isinstance(part, list):
        for item in part:
            yield from _texts(item)
    elif isinstance(part, dict):
        for name in ("content", "text", "thinking"):
            yield from _texts(part.get(name))


def _written(messages: list[dict[str, Any]]) -> str:
    results = [result["result"] for message in messages for result in message.get("tool_results", ())]
    return "\n".join([message["content"] for message in messages] + results)


@_cases(failed=False)
def test_event_says_what_was_asked_and_sent(recorder, api, path):
    """What :func:`_check_asked` and :func:`_check_said` say of the request and of the answer."""
    recording = Recording(path)
    response = _replay(api.function, recording, api.arguments(recording))
    _check_asked(recording, recorder.event)
    _check_said(recording, api.said(recording), response, recorder.event)


def _check_said(recording, said, response, event):
    """Text, reasoning, tool calls, finish reason, tokens, model and provider, and the cost where there is a price."""
    meta, metrics = event["meta"], event["metrics"]
    messages = meta["output"]["messages"]

    spoken = [message for message in messages if message["role"] == "assistant"]
    assert [message["content"] for message in spoken] == said.texts
    assert "".join(message["content"] for message in messages if message["role"] == "reasoning") == said.reasoning
    calls = [call for message in spoken for call in message.get("tool_calls", ())]
    found = [(call["name"], call["arguments"], call["tool_id"]) for call in calls]
    assert [call for call in found if call in said.tool_calls or call[0] not in said.server_tools] == said.tool_calls
    results = [result for message in messages for result in message.get("tool_results", ())]
    assert [(result["name"], result["tool_id"]) for result in results] == said.results
    assert meta["metadata"].get("finish_reason", "") == said.finish_reason
    assert event["status"] == "ok"

    assert meta["model_provider"] == recording.provider
    assert meta["model_name"] == (said.model if "azure" in recording.provider else recording.model)

    if said.usage:
        counted = {name for name, value in metrics.items() if value and name.endswith("_tokens")} - {"total_tokens"}
        assert {name: metrics.get(name) for name in said.usage} == said.usage
        assert counted - {"reasoning_output_tokens"} == said.usage.keys() - {"reasoning_output_tokens"}
        assert metrics["total_tokens"] == said.usage["input_tokens"] + said.usage.get("output_tokens", 0)
    assert metrics["input_tokens"] > 0
    if recording.is_stream:
        assert meta["metadata"]["token_source"] == ("reported" if said.usage else "estimated")
        assert meta["metadata"]["stream_completed"] is True
        assert 0 < metrics["time_to_first_token"] < event["duration"] / 1e9
    else:
        assert "time_to_first_token" not in metrics

    if said.cost is not None:
        assert metrics["total_cost"] == pytest.approx(said.cost)
    elif hasattr(response, "_hidden_params"):
        assert metrics.get("total_cost") == _reported_cost(response)
    elif recording.model in litellm.model_cost and recording.provider != "azure":
        price = _price(recording, said.usage or metrics)
        # LiteLLM 1.72 itself prices a stream as if nothing had come out of the provider's cache.
        if not (recording.is_stream and "cache_read_input_tokens" in (said.usage or {}) and _OLD):
            assert metrics["total_cost"] == pytest.approx(price)


@_each([path for api, path in CASES if api is RESPONSES and "stream" in path.stem])
def test_response_that_breaks_off(recorder, path):
    """Without the last event, which has all of a response, the event says the same of what was said."""
    recording = Recording(path)
    with player().use_cassette(str(path)):
        stream = litellm.responses(**recording.arguments())
        events = list(islice(stream, len(recording.answers) - 1))
    assert len(events) == len(recording.answers) - 1
    del stream
    assert recorder.still_open() == []

    said, meta = RESPONSES.said(recording), recorder.event["meta"]
    messages = meta["output"]["messages"]
    assert [message["content"] for message in messages] == said.texts
    calls = [call for message in messages for call in message.get("tool_calls", ())]
    assert [(call["name"], call["arguments"], call["tool_id"]) for call in calls] == said.tool_calls
    assert meta["metadata"]["stream_completed"] is False
    assert meta["metadata"]["token_source"] == "estimated"
    assert "finish_reason" not in meta["metadata"]
    assert recorder.event["metrics"]["output_tokens"] > 0


def _check_asked(recording, event):
    """Each text of the request is in the event's input, no attachment's data is, and the tools are by name."""
    read = event["meta"]["input"]["messages"]
    body = recording.body
    prompt = body.get("prompt")
    variables = list(prompt["variables"].values()) if isinstance(prompt, dict) else prompt
    parts = [body.get("system"), body.get("instructions"), body.get("input"), body.get("messages"), variables]
    asked = list(_texts(parts))
    assert asked
    assert [text for text in asked if text not in _written(read)] == []
    assert "base64," not in _written(read)
    tools = [tool.get("function") or tool.get("custom") or tool for tool in body.get("tools", ())]
    names = [tool.get("name") or tool["type"] for tool in tools + body.get("functions", [])]
    assert [tool["name"] for tool in event["meta"].get("tool_definitions", ())] == names


@_cases(failed=True)
def test_rejected_request_is_an_error(recorder, api, path):
    """The event has LiteLLM's exception, and what was asked."""
    recording = Recording(path)
    with pytest.raises(Exception, match=r"Input does not match|api[- _]key|model|messages") as caught:
        _replay(api.function, recording, api.arguments(recording))
    event = recorder.event
    # Before 1.95 LiteLLM hands on what its HTTP client raised where Anthropic's own API is asked.
    status = getattr(caught.value, "status_code", None) or caught.value.response.status_code
    assert status == recording.status
    assert event["status"] == "error"
    assert event["meta"]["error"]["type"].rpartition(".")[2] == type(caught.value).__name__
    # OpenAI quotes a part of the key.
    told = re.sub(r"(?<=key provided: )\S+", "***", str(caught.value))
    assert event["meta"]["error"]["message"] == told
    assert event["meta"]["input"]["messages"]
    assert "total_cost" not in event["metrics"]


@_each(EMBEDDINGS)
def test_embeddings(recorder, path):
    """Each text or list of tokens is a document; number and dimensions of the vectors, tokens and cost are there."""
    recording = Recording(path)
    response = _replay("embedding", recording, recording.arguments())
    (answer,) = recording.answers
    meta, metrics = recorder.event["meta"], recorder.event["metrics"]

    asked = recording.body["input"]
    one = isinstance(asked, str) or isinstance(asked[0], int)
    assert [document["text"] for document in meta["input"]["documents"]] == list(map(str, [asked] if one else asked))
    vectors = [item["embedding"] for item in answer["data"]]
    number = f"{len(vectors)} embedding{'s' if len(vectors) > 1 else ''}"
    packed = isinstance(vectors[0], str)
    assert meta["output"]["value"] == (number if packed else f"{number} of {len(vectors[0])} dimensions")
    assert meta["model_provider"] == recording.provider
    assert meta["model_name"] == (answer["model"] if recording.provider == "azure" else recording.model)
    assert metrics["input_tokens"] == metrics["total_tokens"] == answer["usage"]["prompt_tokens"]
    assert metrics.get("total_cost") == _reported_cost(response)


@_each(IMAGES)
def test_images(recorder, path):
    """An image that came as data is attached, one that came as a URL is named."""
    recording = Recording(path)
    # LiteLLM 1.109.1 takes no response_format for this model.
    response = _replay("image_generation", recording, {**recording.arguments(), "drop_params": True})
    (image,) = recording.answers[0]["data"]
    meta, metrics = recorder.event["meta"], recorder.event["metrics"]
    (message,) = meta["output"]["messages"]

    assert meta["input"]["messages"] == [{"role": "user", "content": recording.body["prompt"]}]
    if data := image.get("b64_json"):
        assert message["image_parts"] == [{"mime_type": "image/png", "content": data}]
        assert message["content"] == ""
    else:
        assert "image_parts" not in message
        assert message["content"].startswith(f"[image: {image['url'].partition('?')[0]}")
    assert (meta["model_name"], meta["model_provider"]) == (recording.model, recording.provider)
    assert metrics.get("total_cost") == _reported_cost(response)
    assert meta["metadata"].items() >= {name: recording.body[name] for name in ("n", "size", "response_format")}.items()


def test_moderation(recorder):
    """The categories that were found are there, with their scores."""
    recording = Recording(FOLDER / "openai/moderation.yaml")
    arguments = {name: value for name, value in recording.arguments().items() if name != "max_retries"}
    _replay("moderation", recording, arguments)
    (verdict,) = recording.answers[0]["results"]
    meta = recorder.event["meta"]
    (message,) = meta["output"]["messages"]

    assert meta["input"]["messages"] == [{"role": "user", "content": recording.body["input"]}]
    found = [name for name, flagged in verdict["categories"].items() if flagged]
    assert message["content"].startswith("flagged: ")
    assert sorted(message["content"].removeprefix("flagged: ").split(", ")) == sorted(
        f"{name} ({verdict['category_scores'][name]:.2f})" for name in found
    )
    assert (meta["model_name"], meta["model_provider"]) == (recording.model, recording.provider)
