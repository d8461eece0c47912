from typing import Any

import litellm
import pytest

from ddtrace_litellm.extract.batch import API, read_input, read_response


def _asked(messages: Any) -> Any:
    return read_input({"messages": messages}).annotations["input_value"]


def _said(response: Any) -> Any:
    return read_response(response, {}).annotations["output_value"]


def _ask(text: str) -> dict[str, Any]:
    return {"role": "user", "content": text}


def _answer(text: str) -> Any:
    message = {"role": "assistant", "content": text}
    return litellm.ModelResponse(choices=[{"finish_reason": "stop", "message": message}])


@pytest.mark.parametrize(
    ("messages", "value"),
    [
        ([_ask("a")], [_ask("a")]),
        ([[_ask("a")], [_ask("b")]], [[_ask("a")], [_ask("b")]]),
        (([_ask("a")],), [[_ask("a")]]),
        ([[_ask("a")], None], [[_ask("a")], []]),
        (None, []),
        ([], []),
        ("odd", []),
        ([[]], [[]]),
    ],
    ids=str,
)
def test_conversations(messages, value):
    """One, for several models, or several."""
    assert _asked(messages) == value


def test_answers():
    """In the order of the conversations; one that failed is its error."""
    response = [_answer("a"), ValueError("no such model"), _answer("b")]
    said = [{"role": "assistant", "content": "a"}], [{"role": "assistant", "content": "b"}]
    assert _said(response) == [said[0], "ValueError: no such model", said[1]]
    assert _said([[_answer("a")], [_answer("b")]]) == [[said[0]], [said[1]]]


def test_first_answer_of_several_models():
    """It is the answer itself."""
    assert _said(_answer("a")) == [{"role": "assistant", "content": "a"}]


@pytest.mark.parametrize(("response", "value"), [(None, []), ({}, []), (7, []), ([None, "odd"], [[], []])], ids=str)
def test_malformed_answers_do_not_raise(response, value):
    """They say nothing."""
    assert _said(response) == value


def test_first_answer_of_several_models_as_a_stream():
    """Its chunks, put together, are the answer itself."""
    chunks = [{"choices": [{"index": 0, "delta": {"role": "assistant", "content": text}}]} for text in ("a", "b")]
    assert _said(API.streaming.assemble(chunks, {})) == [{"role": "assistant", "content": "ab"}]
