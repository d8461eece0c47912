import litellm
import pytest
from litellm.types.utils import TextChoices

from ddtrace_litellm.extract.choices import Choice
from ddtrace_litellm.extract.content import Content
from ddtrace_litellm.extract.text import choices_from_response, countable_input, input_messages


@pytest.mark.parametrize(
    ("prompt", "contents"),
    [
        ("Once", ["Once"]),
        (["Once", "Twice"], ["Once", "Twice"]),
        (("Once",), ["Once"]),
        ([1, 2, 3], ["[1, 2, 3]"]),
        ([[1, 2], [3]], ["[1, 2]", "[3]"]),
        ([], []),
        ("", [""]),
        (None, []),
        (7, ["7"]),
        ({"odd": 1}, ["{'odd': 1}"]),
    ],
    ids=repr,
)
def test_each_prompt_is_a_message(prompt, contents):
    """Texts and token ids, one or several; a list of numbers is one prompt."""
    assert input_messages(prompt) == [{"role": "user", "content": content} for content in contents]


CHOICES = [{"index": 0, "text": "one", "finish_reason": "stop"}, {"index": 1, "text": "two", "finish_reason": "length"}]


@pytest.mark.parametrize(
    "response",
    [
        {"choices": CHOICES},
        litellm.TextCompletionResponse(choices=[TextChoices(**choice) for choice in CHOICES]),
    ],
    ids=["dict", "litellm"],
)
def test_every_choice_of_a_response(response):
    """Text and finish reason, in order."""
    assert choices_from_response(response) == [
        Choice(content=Content("one"), finish_reason="stop"),
        Choice(content=Content("two"), finish_reason="length"),
    ]


@pytest.mark.parametrize(
    ("response", "count"),
    [(None, 0), ({}, 0), ({"choices": None}, 0), ({"choices": "odd"}, 0), ({"choices": [None, 7, {"text": 5}]}, 3)],
    ids=repr,
)
def test_malformed_responses_do_not_raise(response, count):
    """What has no text says nothing."""
    assert len(choices_from_response(response)) == count


@pytest.mark.parametrize(
    ("prompt", "countable"),
    [
        ("Once", [{"text": "Once"}]),
        (["Once", "Twice"], [{"text": "Once"}, {"text": "Twice"}]),
        ([1, 2, 3], [3]),
        ([[1, 2], [3]], [2, 1]),
        ("", [{"text": ""}]),
        (None, []),
    ],
    ids=repr,
)
def test_what_is_countable_of_a_request(prompt, countable):
    """Texts for LiteLLM's tokenizer; token ids are counted already."""
    assert countable_input({"prompt": prompt}) == countable
    texts = [text for text in countable if isinstance(text, dict)]
    assert all(isinstance(litellm.token_counter(model="gpt-4o", **text), int) for text in texts)
