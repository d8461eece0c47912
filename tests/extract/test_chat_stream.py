import copy
from types import SimpleNamespace

import litellm
import pytest
from litellm.types.utils import Delta, ModelResponseStream, StreamingChoices

from ddtrace_litellm.extract.chat import choices_from_response
from ddtrace_litellm.extract.chat_stream import choices_from_chunks, has_content
from ddtrace_litellm.extract.choices import Choice, output_messages
from ddtrace_litellm.extract.content import Content
from ddtrace_litellm.extract.tools import ToolCall

WORDS = ["Hel", "lo", " ", "wor", "ld", "\n", "ä", "!"]
ARGUMENTS = ['{"ci', 'ty": "Pa', 'ris"}']
INLINE = {"url": "data:image/png;base64,aGk="}


def _call(index, *pieces, name="weather"):
    opening = {"index": index, "id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": ""}}
    return [
        {"tool_calls": [opening]},
        *({"tool_calls": [{"index": index, "function": {"arguments": piece}}]} for piece in pieces),
    ]


def _called(index, name="weather"):
    return {"id": f"call_{index}", "type": "function", "function": {"name": name, "arguments": "".join(ARGUMENTS)}}


TEXT = [{"content": word} for word in WORDS]
ANSWERS = {
    "text": (TEXT, {"content": "".join(WORDS)}),
    "nothing": ([], {"content": None}),
    "empty pieces": ([{"content": ""}, *TEXT, {"content": ""}], {"content": "".join(WORDS)}),
    "reasoning": (
        [{"reasoning_content": "hm"}, {"reasoning_content": ", so"}, *TEXT],
        {"content": "".join(WORDS), "reasoning_content": "hm, so"},
    ),
    "reasoning amid text": (
        [*TEXT, {"content": "a", "reasoning_content": "hm"}, {"content": "b"}],
        {"content": "".join(WORDS) + "ab", "reasoning_content": "hm"},
    ),
    "tool call": (_call(0, *ARGUMENTS), {"content": None, "tool_calls": [_called(0)]}),
    "text and tool calls": (
        [*TEXT, *_call(0, *ARGUMENTS), *_call(1, *ARGUMENTS, name="clock")],
        {"content": "".join(WORDS), "tool_calls": [_called(0), _called(1, "clock")]},
    ),
    "interleaved tool calls": (
        [piece for pair in zip(_call(0, *ARGUMENTS), _call(1, *ARGUMENTS), strict=True) for piece in pair],
        {"content": None, "tool_calls": [_called(0), _called(1)]},
    ),
    "broken arguments": (
        _call(0, '{"ci', "ty"),
        {"content": None, "tool_calls": [{**_called(0), "function": {"name": "weather", "arguments": '{"city'}}]},
    ),
    "function call": (
        [
            {"function_call": {"name": "weather", "arguments": ""}},
            *({"function_call": {"arguments": piece}} for piece in ARGUMENTS),
        ],
        {"content": None, "function_call": {"name": "weather", "arguments": "".join(ARGUMENTS)}},
    ),
}
MORE_ANSWERS = {
    "refusal": ([{"refusal": "I can"}, {"refusal": "not."}], {"content": None, "refusal": "I cannot."}),
    "images amid text": (
        [*TEXT, {"content": "x", "images": [{"type": "image_url", "index": 0, "image_url": INLINE}]}, {"content": "y"}],
        {
            "content": "".join(WORDS) + "xy",
            "images": [{"type": "image_url", "index": 0, "image_url": INLINE}],
        },
    ),
    "speech": (
        [{"audio": {"transcript": "hel"}}, {"audio": {"transcript": "lo", "data": "aG"}}, {"audio": {"data": "k="}}],
        {"content": None, "audio": {"id": "a", "data": "aGk=", "transcript": "hello", "expires_at": 1}},
    ),
}
EVERY_ANSWER = ANSWERS | MORE_ANSWERS


def _streamed(deltas, *, real, index=0):
    """Return the chunks that carry the deltas: the role at first, the finish reason at last."""
    choices = [
        {"index": index, "delta": {"role": "assistant", "content": ""}, "finish_reason": None},
        *({"index": index, "delta": delta, "finish_reason": None} for delta in copy.deepcopy(deltas)),
        {"index": index, "delta": {}, "finish_reason": "stop"},
    ]
    if not real:
        return [{"choices": [choice]} for choice in choices]
    return [
        ModelResponseStream(
            model="m", choices=[StreamingChoices(**{**choice, "delta": Delta(**choice["delta"])})]
        )
        for choice in choices
    ]  # fmt: skip


@pytest.fixture(params=["litellm", "dict"])
def chunks(request):
    """Build chunks, as LiteLLM's own objects or as dicts."""
    return lambda deltas, **more: _streamed(deltas, real=request.param == "litellm", **more)


def _answered(message):
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", **message}}
    return choices_from_response({"choices": [choice]}, "mp3")


@pytest.mark.parametrize(("deltas", "message"), EVERY_ANSWER.values(), ids=EVERY_ANSWER)
def test_a_stream_says_what_the_same_response_says(chunks, deltas, message):
    """The choices of chunks equal those of the response with the same answer."""
    assert choices_from_chunks(chunks(deltas), "mp3") == _answered(message)


@pytest.mark.parametrize(("deltas", "message"), EVERY_ANSWER.values(), ids=EVERY_ANSWER)
def test_the_fast_path_gives_what_the_general_one_gives(deltas, message):
    """Whichever way each chunk takes, the result is the same: mixtures of objects, which are fast, and dicts."""
    fast, general = (_streamed(deltas, real=real) for real in (True, False))
    for mixture in (fast, general, [*fast[:2], *general[2:]], [*general[:2], *fast[2:]]):
        assert choices_from_chunks(mixture, "mp3") == _answered(message)


@pytest.mark.parametrize("deltas", [answer for answer, _ in ANSWERS.values()], ids=ANSWERS)
def test_a_stream_says_what_litellms_builder_makes_of_it(deltas):
    """``litellm.stream_chunk_builder`` comes to the same answer, of what it puts together at all."""
    built = litellm.stream_chunk_builder(_streamed(deltas, real=True), messages=[])
    ours, theirs = (
        output_messages(choices)
        for choices in (choices_from_chunks(_streamed(deltas, real=True)), choices_from_response(built))
    )
    assert ours == theirs


def test_choices_of_a_stream_are_kept_apart(chunks):
    """With n > 1 their chunks come mixed, and their order is that of the indexes."""
    first, second = chunks(TEXT), chunks([{"content": "two"}] * len(TEXT), index=1)
    mixed = [chunk for pair in zip(second, first, strict=True) for chunk in pair]
    assert [choice.content.text for choice in choices_from_chunks(mixed)] == ["".join(WORDS), "two" * len(TEXT)]


def test_several_choices_in_one_chunk_are_kept_apart():
    """A chunk may hold a piece of each."""
    pieces = [{"index": index, "delta": {"content": str(index)}} for index in (1, 0)]
    assert [choice.content.text for choice in choices_from_chunks([{"choices": pieces}] * 3)] == ["000", "111"]


def test_text_stream():
    """Chunks of a text stream have their text in the choice itself."""
    pieces = [{"index": 0, "text": "Once"}, {"index": 0, "text": " upon", "finish_reason": "length"}]
    real = [litellm.TextCompletionResponse(choices=[piece]) for piece in pieces]
    for chunks in (real, [{"choices": [piece]} for piece in pieces]):
        assert choices_from_chunks(chunks) == [Choice(content=Content("Once upon"), finish_reason="length")]


def test_custom_tool_call_in_pieces():
    """The input of a custom tool is put together as arguments are."""
    opening = {"index": 0, "id": "c", "type": "custom", "custom": {"name": "sql", "input": ""}}
    pieces = [opening, {"index": 0, "custom": {"input": "SELECT"}}, {"index": 0, "custom": {"input": " 1"}}]
    (choice,) = choices_from_chunks([{"choices": [{"delta": {"tool_calls": [piece]}}]} for piece in pieces])
    assert choice.tool_calls == [ToolCall("sql", "SELECT 1", "c", "custom")]


def test_a_stream_that_broke_off_has_no_finish_reason(chunks):
    """What came is there, and why it stopped is unknown."""
    (choice,) = choices_from_chunks(chunks(TEXT)[:4])
    assert (choice.content.text, choice.finish_reason) == ("".join(WORDS[:3]), "")


@pytest.mark.parametrize(
    "chunk", [None, {}, 7, b"data: [DONE]", {"choices": None}, {"choices": []}, ModelResponseStream(choices=[])]
)
def test_a_chunk_without_choices_adds_none(chunk):
    """Heartbeats and the chunk with the usage say nothing."""
    assert choices_from_chunks([chunk]) == []
    assert choices_from_chunks([*_streamed(TEXT, real=True), chunk])[0].content.text == "".join(WORDS)
    assert not has_content(chunk)


ODD_DELTAS = [
    None,
    "odd",
    7,
    {"content": 7},
    {"content": ["a", {"type": "text", "text": "b"}]},
    {"tool_calls": "odd"},
    {"tool_calls": [None, 7, {"index": ["odd"], "function": "odd"}, {"index": "x"}]},
    {"function_call": "odd", "audio": "odd", "images": "odd", "refusal": 7, "reasoning_content": 7, "role": 7},
]


def _fragment(number, identifier, name, arguments):
    return {**number, "id": identifier, "type": "function", "function": {"name": name, "arguments": arguments}}


SUNNY = [("call_x", "weather", '{"day": 1}'), ("call_y", "tides", '{"day": 2}'), ("call_z", "weather", "{}")]
IN_PIECES = [
    [("call_x", "weather", '{"day"'), ("", "", ": 1}"), ("call_y", "tides", '{"day": 2}'), ("call_z", "weather", "{}")],
    [("call_x", "weather", '{"day"'), ("call_y", "tides", '{"day": 2}'), ("call_x", None, ": 1}"), SUNNY[2]],
    [("call_x", "weather", '{"day"'), ("call_9", None, ": 1}"), *SUNNY[1:]],
]


@pytest.mark.parametrize("number", [{"index": 0}, {"index": None}, {}], ids=str)
@pytest.mark.parametrize("fragments", [SUNNY, *IN_PIECES], ids=["whole", "cut", "mixed", "an id for each piece"])
def test_tool_calls_that_are_numbered_badly(fragments, number):
    """Calls that have all the same number, or none, are told from each other by their ids."""
    chunks = [{"choices": [{"delta": {"tool_calls": [_fragment(number, *given)]}}]} for given in fragments]
    (choice,) = choices_from_chunks(chunks)
    assert choice.tool_calls == [ToolCall(name, arguments, identifier) for identifier, name, arguments in SUNNY]


@pytest.mark.parametrize("delta", ODD_DELTAS, ids=repr)
@pytest.mark.parametrize("index", [None, 0, "odd", ["odd"], -1], ids=repr)
def test_malformed_chunks_do_not_raise(delta, index):
    """Whatever comes, the rest of the stream is put together."""
    odd = {"index": index, "delta": delta, "finish_reason": index}
    stream = [*_streamed(TEXT, real=True), {"choices": [odd]}, SimpleNamespace(choices=[SimpleNamespace(**odd)])]
    has_content(stream[-1])
    found = {choice.content.text.startswith("".join(WORDS)): choice for choice in choices_from_chunks(stream)}
    assert True in found
    output_messages(found.values())


@pytest.mark.parametrize(
    ("delta", "noticed"),
    [
        ({"role": "assistant", "content": ""}, False),
        ({"role": "assistant", "content": None}, False),
        ({}, False),
        ({"content": "a"}, True),
        ({"content": " "}, True),
        ({"reasoning_content": "a"}, True),
        ({"tool_calls": [{"index": 0, "id": "c", "function": {"name": "f", "arguments": ""}}]}, True),
        ({"function_call": {"name": "f", "arguments": ""}}, True),
        ({"audio": {"data": "aGk="}}, True),
        ({"refusal": "no"}, True),
    ],
    ids=str,
)
@pytest.mark.parametrize("real", [True, False], ids=["litellm", "dict"])
def test_has_content(delta, noticed, real):
    """The chunk that opens a stream with the role is not the first one that a reader notices."""
    assert has_content(_streamed([delta], real=real)[1]) is noticed


def test_has_content_of_a_text_stream():
    """A text chunk counts once there is text."""
    assert has_content({"choices": [{"text": "a"}]})
    assert not has_content({"choices": [{"text": ""}]})
