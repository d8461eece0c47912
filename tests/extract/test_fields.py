from types import SimpleNamespace

import litellm
import pytest
from litellm.types.utils import Delta, ModelResponseStream

from ddtrace_litellm.extract.fields import field, fields_of, hidden_params, number, sequence, text_of

FIELDLESS = [None, "text", b"bytes", 7, 1.5, [1], (), object(), object, litellm.Message]


@pytest.mark.parametrize(
    "owner",
    [{"content": "x"}, SimpleNamespace(content="x"), Delta(content="x"), litellm.Message(content="x")],
    ids=lambda owner: type(owner).__name__,
)
def test_a_field_is_found_wherever_it_is_kept(owner):
    """Dicts, plain objects, declared fields and pydantic's extras read the same."""
    assert field(owner, "content") == fields_of(owner)["content"] == "x"


def test_declared_fields_and_extras_come_together():
    """An object with both shows both."""
    found = fields_of(Delta(content="x", reasoning_content="r"))
    assert (found["content"], found["reasoning_content"]) == ("x", "r")


@pytest.mark.parametrize("owner", [*FIELDLESS, {}, Delta(content="x")])
def test_an_absent_field_is_none(owner):
    """Nothing raises, whatever is asked."""
    assert field(owner, "absent") is None
    assert fields_of(owner).get("absent") is None


def test_absent_pydantic_fields_are_not_asked_for_by_getattr(monkeypatch):
    """Pydantic's ``__getattr__`` of an absent field, which costs microseconds, is never reached."""
    delta = Delta(content="x")
    asked = []
    monkeypatch.setattr(Delta, "__getattr__", lambda _self, name: asked.append(name), raising=False)
    assert field(delta, "reasoning_content") is None
    assert fields_of(delta).get("thinking_blocks") is None
    assert hidden_params(delta) == {}
    assert asked == []


@pytest.mark.parametrize(
    "owner", [litellm.ModelResponse(), ModelResponseStream(choices=[])], ids=lambda owner: type(owner).__name__
)
def test_hidden_params_of_responses_and_chunks(owner):
    """LiteLLM's private attribute is found on its pydantic objects."""
    owner._hidden_params = {"cache_hit": True}
    assert hidden_params(owner)["cache_hit"] is True


@pytest.mark.parametrize(
    ("owner", "expected"),
    [
        (SimpleNamespace(_hidden_params={"a": 1}), {"a": 1}),
        ({"_hidden_params": {"a": 1}}, {"a": 1}),
        (SimpleNamespace(_hidden_params=None), {}),
        (SimpleNamespace(_hidden_params=["odd"]), {}),
        *[(owner, {}) for owner in FIELDLESS],
    ],
)
def test_hidden_params_of_anything_else(owner, expected):
    """A stream keeps them as a plain attribute, the Router puts them in a dict, and the rest has none."""
    assert hidden_params(owner) == expected


@pytest.mark.parametrize(("value", "text"), [(None, ""), ("a", "a"), (0, "0"), (["a"], "['a']")])
def test_text_of(value, text):
    """Anything but None is text somehow."""
    assert text_of(value) == text


@pytest.mark.parametrize(
    ("value", "found"), [([1], [1]), ((1,), (1,)), ("ab", ()), (None, ()), ({"a": 1}, ()), (7, ())], ids=repr
)
def test_sequence(value, found):
    """Only lists and tuples are sequences; a string is not one of characters."""
    assert sequence(value) == found


@pytest.mark.parametrize(("value", "found"), [(0, 0), (1.5, 1.5), (True, None), ("1", None), (None, None)], ids=repr)
def test_number(value, found):
    """A boolean or a text is no number."""
    assert number(value) == found
