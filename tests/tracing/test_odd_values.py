"""Whatever a program passes and a provider answers: texts that are no Unicode, types that are no JSON."""

import asyncio
import json
from dataclasses import dataclass
from datetime import date
from enum import Enum, IntEnum
from typing import Any

import litellm
import pytest
import wrapt
from ddtrace import tracer
from ddtrace.internal.encoding import MsgpackEncoderV04
from ddtrace.llmobs import LLMObs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ddtrace_litellm.targets import Target
from ddtrace_litellm.telemetry import counters, snapshot
from ddtrace_litellm.tracing.wrappers import traced
from tests.extract.every_api import ANSWERED, APIS, ASKED, MARK, STREAM
from tests.provider import Script, ToolCall
from tests.tracing.scenarios import router, to

pytestmark = pytest.mark.usefixtures("clean_slate")


class Template(str):
    """Text that shows itself otherwise, as Jinja2's Markup."""

    __slots__ = ()

    def __str__(self):
        return "<template>"


class Speaker(str, Enum):
    """Roles of a program's own."""

    ASKING = "user"


class Many(IntEnum):
    """Numbers of a program's own."""

    TOKENS = 64


class Warmth(float):
    """As numpy's float64."""


@dataclass
class Ticket:
    """A dataclass."""

    number: Any


class Grumpy:
    """A value that raises, whatever it is asked."""

    def __str__(self):
        raise RuntimeError("no text")


def _refuse(*_asked):
    raise RuntimeError("no")


class Hostile:
    """A value that raises at every question: its attributes, its type, its truth, its items, its text."""

    __bool__ = __call__ = __contains__ = __eq__ = __float__ = __format__ = __getattribute__ = __getitem__ = _refuse
    __hash__ = __index__ = __int__ = __iter__ = __len__ = __repr__ = __str__ = _refuse


# What fails somewhere: halves of characters, ends of C strings, what turns the text around, a JSON of its own.
_TEXTS = st.text(st.characters(exclude_categories=()), max_size=30) | st.sampled_from(
    ["\ud83d", "\ude00\ud83d", "a\0b", "\u202eabc", '{"a": "\\ud83d"}', "data:image/png;base64,AAAA", "http://[", ""]
)
_NUMBERS = st.integers() | st.integers(2**62, 2**80) | st.floats() | st.decimals() | st.fractions()
_ODD = st.one_of(
    _TEXTS,
    _TEXTS.map(Template),
    _TEXTS.map(lambda text: text.encode("utf-8", "replace")),
    _TEXTS.map(Ticket),
    _NUMBERS,
    st.booleans(),
    st.none(),
    st.binary(max_size=8),
    st.uuids(),
    st.dates(),
    st.datetimes(),
    st.sampled_from([Speaker.ASKING, Many.TOKENS, Warmth(0.5), Grumpy(), Grumpy, object(), len]),
)
_NAMES = st.sampled_from(
    sorted({*ANSWERED, *ASKED, "arguments", "function", "name", "parts", "tool_calls", "type", "url"})
)
_ANYTHING = st.recursive(
    _ODD,
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.tuples(inside)
        | st.dictionaries(_NAMES | _TEXTS | st.integers(), inside, max_size=4)
    ),
    max_leaves=12,
)
_JSON = st.recursive(
    _TEXTS | st.integers() | st.floats() | st.booleans() | st.none(),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(_NAMES | _TEXTS, inside, max_size=4),
    max_leaves=12,
)


@st.composite
def _filled(draw, template, values, *, shaped=False):
    """Draw a value of the template's shape with others in the marked places and, unless ``shaped``, here and there."""
    if template == MARK or not (shaped or draw(st.integers(0, 9))):
        return draw(values)
    if isinstance(template, dict):
        return {name: draw(_filled(value, values, shaped=shaped)) for name, value in template.items()}
    if isinstance(template, list):
        return [draw(_filled(value, values, shaped=shaped)) for value in template]
    if isinstance(template, bytes):
        return template.replace(MARK.encode(), json.dumps(draw(_TEXTS))[1:-1].encode())
    return template


@st.composite
def _asked(draw, api, values, *, shaped=False):
    """Draw the arguments of a call: contents, parameters, and what identifies it."""
    contents = {name: value for name, value in ASKED.items() if name != "metadata"}
    asked = (
        draw(_filled(contents, values, shaped=True))
        if shaped
        else {name: draw(_filled(value, values)) for name, value in contents.items()}
    )
    names = draw(st.sets(st.sampled_from(sorted(api.parameters | {"timeout"})), max_size=3))
    identity = {"session_id": MARK, "tags": [MARK, MARK], "user_api_key_alias": MARK, "user_api_key_hash": MARK}
    return {
        **asked,
        **{name: draw(_ANYTHING) for name in names},
        "metadata": {name: draw(_filled(value, _ODD)) for name, value in identity.items()},
        "user": draw(_ODD),
        "model": draw(_TEXTS | _TEXTS.map(Template)),
        "custom_llm_provider": "openai",
    }


def _traced(name, answer):
    """Return a function of an API, traced, that LiteLLM has no part in."""
    return wrapt.FunctionWrapper(answer, traced(Target(name, (), APIS[name])))


def _encode(spans):
    """Encode a trace as it goes to the Agent, and its events as they go without one."""
    encoder = MsgpackEncoderV04(1 << 26, 1 << 26)
    encoder.put(spans)
    ((packed, count),) = encoder.encode()
    assert count == 1
    return packed


def _encode_event(event):
    shown = {name: value for name, value in event.items() if name != "span"}
    json.dumps(shown, allow_nan=False, ensure_ascii=False).encode()
    assert "Can not serialize" not in json.dumps(shown)
    return shown


def _shape(value):
    """Return what tells whether anybody has changed a value, without asking the values in it."""
    if type(value) is dict:
        return {name: _shape(item) for name, item in value.items()}
    return [_shape(item) for item in value] if type(value) in {list, tuple} else id(value)


def _check(recorder, checked):
    assert not snapshot().internal_errors
    _encode(recorder.finished[checked:])
    for event in recorder.events[checked:]:
        _encode_event(event)


_EXAMPLES = pytest.mark.parametrize("examples", [4, pytest.param(60, marks=pytest.mark.nightly)])


def _each(examples, check):
    """Check so many examples, each for itself: one that fails is to be made smaller."""

    def alone(data):
        counters.reset()
        check(data)

    health = [HealthCheck.too_slow, HealthCheck.data_too_large]
    settings(deadline=None, max_examples=examples, suppress_health_check=health)(given(st.data())(alone))()


@_EXAMPLES
@pytest.mark.parametrize("name", sorted(APIS))
def test_anything_that_is_asked_and_answered(name, examples, recorder):
    """No error of ours, a trace that can be encoded, and for the program what it has without us."""

    def check(data):
        asked = data.draw(_asked(APIS[name], _ANYTHING))
        answered = data.draw(_filled(ANSWERED, _JSON))
        checked, before = len(recorder.events), _shape(asked)
        assert _traced(name, lambda **_asked: answered)(**asked) is answered
        assert _shape(asked) == before
        assert len(recorder.events) == checked + 1
        _check(recorder, checked)

    _each(examples, check)


class _Stream:
    def __init__(self, chunks):
        self.left = iter(chunks)

    def __iter__(self):
        return self

    def __next__(self):
        return next(self.left)


@_EXAMPLES
@pytest.mark.parametrize("name", sorted(name for name, api in APIS.items() if api.streaming))
def test_anything_that_is_streamed(name, examples, recorder):
    """So it is with streams: the program reads the provider's own chunks."""

    def check(data):
        # LiteLLM's tokenizer, which counts what nobody reports, takes messages that a provider takes.
        asked = {**data.draw(_asked(APIS[name], _TEXTS | _TEXTS.map(Template), shaped=True)), "stream": True}
        chunks = [data.draw(_filled(chunk, _TEXTS)) for chunk in STREAM]
        checked = len(recorder.events)
        streamed = _traced(name, lambda **_asked: _Stream(chunks))(**asked)
        assert list(map(id, streamed)) == list(map(id, chunks))
        _check(recorder, checked)

    _each(examples, check)


@pytest.mark.parametrize("where", ["arguments", "answer", "inside"])
@pytest.mark.parametrize("name", sorted(APIS))
def test_value_that_raises_at_every_question(name, where, recorder):
    """What of ours fails at it stays with us: the program gets its answer, and the span ends."""
    hostile = Hostile()
    asked = dict.fromkeys(ASKED, hostile) if where == "arguments" else {}
    answered = {"answer": hostile, "inside": dict.fromkeys(ANSWERED, hostile)}.get(where, {})
    assert _traced(name, lambda **_asked: answered)(model="m", custom_llm_provider="openai", **asked) is answered
    assert len(recorder.finished) == 1


@pytest.mark.parametrize("name", sorted(name for name, api in APIS.items() if api.streaming))
def test_chunk_that_raises_at_every_question(name, recorder):
    """So it is with chunks, and when the stream is read again after its end."""
    chunks = [Hostile(), {"choices": Hostile()}, Hostile()]
    stream = _traced(name, lambda **_asked: _Stream(chunks))(model="m", custom_llm_provider="openai", stream=True)
    assert list(map(id, stream)) == list(map(id, chunks))
    assert len(recorder.finished) == 1
    with pytest.raises(StopIteration):
        next(stream)


@_EXAMPLES
@pytest.mark.parametrize("name", sorted(APIS))
def test_any_error(name, examples, recorder):
    """An error's text goes the same way, and the program gets the error itself."""

    def check(data):
        error = LookupError(data.draw(_TEXTS))

        def refuse(**_asked):
            raise error

        checked = len(recorder.events)
        with pytest.raises(LookupError) as raised:
            _traced(name, refuse)(model="m", custom_llm_provider="openai")
        assert raised.value is error
        _check(recorder, checked)

    _each(examples, check)


def _said(response):
    return response.choices[0].message.content


def _streamed(chunks):
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)


async def _asked_for(function, asked):
    response = await function(**asked)
    return _streamed([chunk async for chunk in response]) if asked.get("stream") else _said(response)


def _ask(way, provider, asked):
    """Make a chat call in one of the ways, and return what the program gets to read."""
    if "router" in way:
        owner, asked = router(provider, ("group", "mistral/m")), {**asked, "model": "group"}
    else:
        owner, asked = litellm, {**asked, **to(provider, model="mistral/m")}
    if "async" in way:
        return asyncio.run(_asked_for(owner.acompletion, asked))
    response = owner.completion(**asked)
    return _streamed(response) if asked.get("stream") else _said(response)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("way", ["direct", "async", "router", "async router"])
def test_types_of_a_program(way, stream, provider, recorder):
    """What LiteLLM sends as text and numbers is text and numbers on the event, whatever type the program has for it."""
    _ask(
        way,
        provider,
        {
            "messages": [{"role": Speaker.ASKING, "content": [{"type": "text", "text": Template("Hello {name}")}]}],
            "temperature": Warmth(0.25),
            "max_tokens": Many.TOKENS,
            "user": Template("ann"),
            "metadata": {"session_id": Template("s-41"), "tags": [Template("stage:beta"), date(2031, 4, 5)]},
            "stream": stream,
        },
    )
    (leaf,) = recorder.leaves
    assert leaf["meta"]["input"]["messages"] == [{"role": "user", "content": "Hello {name}"}]
    assert (leaf["meta"]["metadata"]["temperature"], leaf["meta"]["metadata"]["max_tokens"]) == (0.25, 64)
    assert {"stage:beta", "request_tags:stage:beta,2031-04-05", "end_user:ann"} <= set(leaf["tags"])
    assert leaf["session_id"] == "s-41"
    _check(recorder, 0)


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
@pytest.mark.parametrize("way", ["direct", "async", "router", "async router"])
def test_half_of_a_character(way, stream, provider, recorder):
    """A model that wrote half an emoji: the program gets the half, the event U+FFFD, and nothing is lost."""
    provider.otherwise = Script(text="cut \ud83c off")
    try:
        with tracer.trace("web.request"), LLMObs.workflow("handle"):
            said = _ask(way, provider, {"messages": [{"role": "user", "content": "hi \udf0a"}], "stream": stream})
    except litellm.InternalServerError as error:
        pytest.skip(f"this LiteLLM cannot ask that: {error}")
    assert said == "cut \ud83c off"
    (leaf,) = [event for event in recorder.leaves if event["resource"] in {"completion", "acompletion"}]
    assert leaf["meta"]["input"]["messages"][0]["content"] == "hi \ufffd"
    assert leaf["meta"]["output"]["messages"][0]["content"] == "cut \ufffd off"
    _check(recorder, 0)


RESPONSES_EVENT = next(event for event in STREAM if isinstance(event, dict) and "item_id" in event)


@pytest.mark.parametrize("api", ["chat", "text", "messages", "responses", "generate_content"])
def test_halves_that_meet(api, recorder):
    """The halves of a character that came in two pieces of a stream are that character."""
    chunks = []
    for piece in ("so \ud83c", "\udf0a high"):
        chunks += {
            "chat": [{"choices": [{"index": 0, "delta": {"content": piece}}]}],
            "text": [{"choices": [{"index": 0, "text": piece}]}],
            "messages": [{"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}],
            "responses": [{**RESPONSES_EVENT, "delta": piece}],
            "generate_content": [{"candidates": [{"content": {"role": "model", "parts": [{"text": piece}]}}]}],
        }[api]
    asked = {"model": "gpt-4o-mini", "custom_llm_provider": "openai", "messages": [], "stream": True}
    assert list(_traced(api, lambda **_asked: _Stream(chunks))(**asked)) == chunks
    assert recorder.event["meta"]["output"]["messages"][0]["content"] == "so \U0001f30a high"
    _check(recorder, 0)


def test_arguments_of_a_tool(provider, recorder):
    """Arguments that hold half a character, escaped as JSON has it, and a name that does, are on the event."""
    provider.otherwise = Script(tool_calls=(ToolCall("call_7", "say", json.dumps({"text\ud83c": "\udf0a"})),))
    litellm.completion(messages=[{"role": "user", "content": "hi"}], **to(provider, model="mistral/m"))
    (call,) = recorder.event["meta"]["output"]["messages"][0]["tool_calls"]
    assert call["arguments"] == {"text\ufffd": "\ufffd"}
    _check(recorder, 0)


def test_long_error(recorder):
    """Megabytes of an error are cut on the span: an event has room for its contents beside it."""

    def refuse(**_asked):
        raise ValueError("x" * 8_000_000)

    with pytest.raises(ValueError, match="xxxxxx"):
        _traced("chat", refuse)(model="gpt-4o-mini", messages=[])
    shown = _encode_event(recorder.event)
    assert len(json.dumps(shown)) < 100_000
    assert shown["meta"]["error"]["message"].endswith("more characters]")


def test_attachments_of_an_agent(recorder):
    """An agent that sends one screenshot more in each step keeps all text, and its trace is small enough to be sent."""
    answered = {"choices": [{"message": {"role": "assistant", "content": "next"}}]}
    act = _traced("chat", lambda **_asked: answered)
    messages = []
    checked = len(recorder.finished)
    with LLMObs.workflow("agent"):
        for step in range(12):
            image = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{step:04}{'A' * 900_000}"}}
            messages.append({"role": "user", "content": [{"type": "text", "text": f"Step {step}"}, image]})
            act(model="gpt-4o-mini", custom_llm_provider="openai", messages=messages)
    steps = [event["meta"]["input"]["messages"] for event in recorder.leaves if event["resource"] == "chat"]
    assert [[message["content"][:6] for message in shown] for shown in steps] == [
        [f"Step {number}"[:6] for number in range(step + 1)] for step in range(12)
    ]
    assert len(_encode(recorder.finished[checked:])) < 10_000_000
    for event in recorder.events:
        assert len(json.dumps(_encode_event(event))) < 5_000_000
    assert steps[1][1]["image_parts"][0]["content"].startswith("0001")
    assert steps[11][11]["content"] == "Step 11\n[image: image/png, 675,003 bytes]"
