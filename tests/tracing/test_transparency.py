"""With us each call is what it is without us, whatever a program asks and a provider answers, broken or not."""

import asyncio
import copy
import inspect
import io
import re
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from importlib import import_module
from typing import Any

import litellm
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from litellm.integrations.custom_logger import CustomLogger
from litellm.litellm_core_utils.thread_pool_executor import executor
from pydantic import BaseModel

import ddtrace_litellm
from ddtrace_litellm import get_version
from ddtrace_litellm.telemetry import snapshot
from tests.provider import Script, ToolCall, Usage
from tests.provider.calls import Call
from tests.tracing.changes import CHANGES, FAULTS, FaultyProvider, changed
from tests.tracing.entry_points import ENTRY_POINTS, find, twin
from tests.tracing.scenarios import ASK

litellm.suppress_debug_info = True
pytestmark = [
    pytest.mark.usefixtures("clean_slate"),
    pytest.mark.skipif(
        tuple(map(int, get_version().split(".")[:2])) < (1, 106),
        reason="this LiteLLM tells its callbacks from threads, sooner or later, and its errors quote tracebacks",
    ),
]

_TOOL = {
    "name": "find",
    "description": "Finds",
    "parameters": {"type": "object", "properties": {"q": {"type": "string"}}},
}
_TALK = [
    {"role": "system", "content": "Be brief."},
    {
        "role": "user",
        "content": [
            {"type": "text", "text": "Look:"},
            {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}},
        ],
    },
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "c", "type": "function", "function": {"name": "find", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "c", "content": "Found."},
]
_CHAT = {
    "messages": _TALK,
    "tools": [{"type": "function", "function": _TOOL}],
    "temperature": 0.5,
    "max_tokens": 50,
    "stop": ["."],
    "user": "ann",
    "metadata": {"session_id": "s", "tags": ["a:b"]},
}
_WITH_USAGE = {"stream": True, "stream_options": {"include_usage": True}}


def _call(function: str, model: str, base: str = "/v1", **asked: Any) -> Call:
    return Call(function, lambda: {"model": model, **asked}, base, "", "", str, "")


_GEMINI = "/v1beta/models/gemini-2.5-flash"
CALLS = {
    **ENTRY_POINTS,
    "chat": _call("completion", "openai/gpt-4o-mini", **_CHAT, n=2),
    "chat of another provider": _call("completion", "mistral/m", **_CHAT),
    "chat of Claude": _call("completion", "anthropic/claude-haiku-4-5-20251001", "", **_CHAT),
    "chat of Gemini": _call("completion", "gemini/gemini-2.5-flash", _GEMINI, **_CHAT),
    "chat stream": _call("completion", "openai/gpt-4o-mini", **_CHAT, **_WITH_USAGE),
    "chat stream of another provider": _call("completion", "mistral/m", messages=ASK, stream=True),
    "chat stream of Claude": _call("completion", "anthropic/claude-haiku-4-5-20251001", "", **_CHAT, **_WITH_USAGE),
    "chat stream of Gemini": _call("completion", "gemini/gemini-2.5-flash", _GEMINI, **_CHAT, stream=True),
    "text": _call("text_completion", "openai/gpt-3.5-turbo-instruct", prompt=["Say", "it."], n=2, logprobs=1),
    "text stream": _call("text_completion", "openai/gpt-3.5-turbo-instruct", prompt="Say it.", **_WITH_USAGE),
    "batch": Call("batch_completion", lambda: {"model": "mistral/m", "messages": [ASK, _TALK]}, "/v1", "", "", str, ""),
}
_FORMS = {"anthropic_messages": (True,), "batch_completion": (False,)}
_FUNCTIONS = [
    (name, asynchronous)
    for name, call in CALLS.items()
    for asynchronous in _FORMS.get(call.function, (False, True))
    if not name.startswith("Azure")  # differs from OpenAI in the address
]
_SCRIPTS = st.builds(
    Script,
    text=st.sampled_from([None, "", "Half \ud83d", "So it is. " * 20]),
    tool_calls=st.sampled_from([(), (), (ToolCall("c1", "find", '{"q": "cats"}'), ToolCall("c2", "find", "{}"))]),
    reasoning=st.sampled_from(["", "First I think."]),
    finish_reason=st.sampled_from([None, "length", "content_filter"]),
    usage=st.sampled_from([None, Usage(0, 0), Usage(10, 20, cache_read=5, cache_write=3, reasoning=7)]),
)
_KEPT = {"model", "stream", "custom_llm_provider", "search_provider"}
"""Arguments that say whom LiteLLM asks, and what the test is to read."""
_VOLATILE = re.compile(
    r"(chatcmpl|cmpl|resp|msg|call|video|modr|ws|fc|rs|item)[_-][\w=-]+|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,}"
    r"|\b1[789]\d{8}(\.\d+)?\b|0x[0-9a-f]+|127.0.0.1:\d+|\d{4}-\d\d-\d\d[ T][\d:.]+(\+00:00|Z)?"
    r"|(?<=Traceback \(most recent call last\):)\\+n  .*?(?=\\+n\w)"  # which names our frames too (1.106)
)
_OF_EACH_REQUEST = ("baggage", "content-", "host", "trace", "x-datadog-")
"""Beginnings of the names of headers; ddtrace's httpx and aiohttp integrations send a trace along without us too."""
_OF_EACH_ANSWER = {"_response_ms", "hidden_params", "response_ms"}
"""Fields of what LiteLLM returns or changes that tell how long it took and when it was answered."""
_CALLBACKS = ("callbacks", "input_callback", "success_callback", "failure_callback", "_async_success_callback")


def told(value: Any, depth: int = 0) -> Any:
    """Return all that a program can see of a value, but for what is different each time."""
    if isinstance(value, BaseException):
        fields = {name: item for name, item in vars(value).items() if isinstance(item, (str, int, float, type(None)))}
        around = (value.__cause__, value.__context__) if depth < 5 else ()
        shown = [told([*value.args, fields, str(value)]), [told(error, depth + 1) for error in around]]
    elif isinstance(value, dict):
        shown = [(told(name), told(item)) for name, item in value.items() if name not in _OF_EACH_ANSWER]
    elif isinstance(value, (list, tuple)):
        shown = list(map(told, value))
    elif isinstance(value, BaseModel):
        shown = [told(value.__dict__), told(value.__pydantic_extra__), sorted(value.__pydantic_fields_set__)]
    elif isinstance(value, io.BytesIO):
        shown = [None if value.closed else value.tell()]
    elif callable(getattr(value, "iter_bytes", None)):
        shown = [value.content]
    else:
        shown = [_VOLATILE.sub("*", repr(value))]
    return [_kind(value), *shown]


def _kind(value: Any) -> str:
    kind = value.__class__  # as a program asks; a proxy's is that of what it stands for
    return f"{kind.__module__}.{kind.__qualname__}"


class _Counting(CustomLogger):
    """Counts what LiteLLM tells its callbacks."""

    def __init__(self) -> None:
        super().__init__()
        self.called: list[str] = []  # appending is one step, and a batch has threads

    def log_pre_api_call(self, *_positional: Any, **_told: Any) -> None:
        self.called.append("asked")

    def log_post_api_call(self, *_positional: Any, **_told: Any) -> None:
        self.called.append("answered")

    def log_success_event(self, *_positional: Any, **_told: Any) -> None:
        self.called.append("success")

    def log_failure_event(self, *_positional: Any, **_told: Any) -> None:
        self.called.append("failure")

    async def async_log_success_event(self, *_positional: Any, **_told: Any) -> None:
        self.called.append("async success")

    async def async_log_failure_event(self, *_positional: Any, **_told: Any) -> None:
        self.called.append("async failure")


def _at_once(function: Callable[..., Any], *args: Any, **kwargs: Any) -> Future[Any]:
    done: Future[Any] = Future()
    try:
        done.set_result(function(*args, **kwargs))
    except Exception as error:  # as of a thread's work, it is nobody's
        done.set_exception(error)
    return done


async def _next(stream: Any) -> Any:
    if isinstance(stream, AsyncIterator):
        return await stream.__anext__()
    return next(stream)


async def _read(stream: Any, reads: int | None, seen: list[Any]) -> None:
    """Read a stream so far and close it, or to its end; read again."""
    chunks: list[Any] = []
    seen.append(["stream", iter(stream) is stream if isinstance(stream, Iterator) else aiter(stream) is stream])
    ended: Any = None
    try:
        while reads is None or len(chunks) < reads:
            chunks.append(await _next(stream))
    except (Exception, StopAsyncIteration) as error:
        ended = told(error)
    in_bytes = any(isinstance(chunk, bytes) for chunk in chunks)
    if not in_bytes:
        seen.append([told(chunks), ended])
    elif reads is None:  # where bytes are cut is up to the network, and so is how many come in three reads
        seen.append([told(b"".join(chunks)), ended])
    for name in ("aclose", "close"):
        if reads is not None and callable(close := getattr(stream, name, None)):
            try:
                closing = close()
                seen.append([name, told(await closing if inspect.isawaitable(closing) else closing)])
            except Exception as error:
                seen.append(told(error))
    if reads is None:  # after a close it is up to the network what had come already
        seen.append(["again", await _again(stream), await _again(stream)])


async def _again(stream: Any) -> Any:
    try:
        return told(await _next(stream))
    except (Exception, StopAsyncIteration) as error:
        return [_kind(error), told(error.args)]


async def _seen(name: str, asked: dict[str, Any], reads: int | None, *, asynchronous: bool) -> list[Any]:
    """Return what a program sees of a call: its result or error, its stream, and its own arguments afterwards."""
    call, seen = CALLS[name], []
    function = find(litellm, twin(call) if asynchronous else call.function)
    try:
        result = function(**asked)
        if asynchronous:
            result = await result
    except Exception as error:
        seen.append(told(error))
    else:
        if isinstance(result, (Iterator, AsyncIterator)):
            seen.append(_kind(result))
            await _read(result, reads, seen)
        else:
            seen.append(told(result))
    if asynchronous:
        await _logged()
    return seen


async def _logged() -> None:
    """Wait until LiteLLM has told its callbacks, from tasks and from a queue."""
    worker = import_module("litellm.litellm_core_utils.logging_worker").GLOBAL_LOGGING_WORKER  # not in 1.72
    for _ in range(3):
        if tasks := asyncio.all_tasks() - {asyncio.current_task(), worker._worker_task}:
            await asyncio.wait(tasks, timeout=0.2)
        await worker.flush()


def _asked(name: str, changes: Any, url: str) -> dict[str, Any]:
    arguments = CALLS[name].keywords(url)
    kept = {key: value for key, value in arguments.items() if key in _KEPT or key.startswith("api_")}
    return {**copy.deepcopy(changed(arguments, changes)), **kept, "max_retries": 0}


@pytest.fixture(scope="module")
def faulty():
    """A provider for all examples."""
    with FaultyProvider() as running:
        yield running


def _in_both(name, asynchronous, data, provider, monkeypatch):
    changes, provider.fault, provider.otherwise = data.draw(CHANGES), data.draw(FAULTS), data.draw(_SCRIPTS)
    reads = data.draw(st.sampled_from([None, None, None, 0, 1, 3]))
    if reads is not None:  # a stream that is not read to its end can keep its connection, of which a client has so many
        litellm.in_memory_llm_clients_cache.flush_cache()
    found = []
    for patched in (True, False):
        (ddtrace_litellm.patch if patched else ddtrace_litellm.unpatch)()
        counting = _Counting()
        for callbacks in (*_CALLBACKS, "_async_failure_callback", "_async_input_callback"):
            monkeypatch.setattr(litellm, callbacks, [counting] if callbacks == "callbacks" else [])
        provider.requests.clear()
        asked = _asked(name, changes, provider.url)
        seen = asyncio.run(_seen(name, asked, reads, asynchronous=asynchronous))
        if patched:
            assert not snapshot().internal_errors
            assert snapshot().open == 0
        found.append((seen, told(asked), sorted(map(_sent, provider.requests)), Counter(counting.called)))
    for with_us, without in zip(*found, strict=True):
        assert with_us == without


def _sent(request):
    boundary = request.headers.get("content-type", "").partition("boundary=")[2]
    body = request.raw.replace(boundary.encode(), b"*") if boundary else request.raw
    headers = sorted((name, value) for name, value in request.headers.items() if not name.startswith(_OF_EACH_REQUEST))
    return request.method, request.path, told(body), _VOLATILE.sub("*", str(headers))


_QUIETLY = [HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large]


@pytest.mark.parametrize(("name", "asynchronous"), _FUNCTIONS)
@pytest.mark.parametrize("examples", [6, pytest.param(150, marks=pytest.mark.nightly)])
@pytest.mark.usefixtures("recorder")
def test_a_call_is_what_it_is_without_us(examples, name, asynchronous, faulty, monkeypatch):
    """Result or error, chunks, arguments, requests and callbacks are the same, every span ends, and nothing fails."""
    monkeypatch.setattr(executor, "submit", _at_once)  # or a callback of one call would come during the next

    # The same examples each time; to shrink one that fails would take minutes.
    @settings(
        database=None,
        deadline=None,
        derandomize=True,
        max_examples=examples,
        phases=[Phase.generate],
        suppress_health_check=_QUIETLY,
    )
    @given(data=st.data())
    def compared(data):
        _in_both(name, asynchronous, data, faulty, monkeypatch)

    compared()
