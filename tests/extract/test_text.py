import litellm
import pytest
from litellm.types.utils import TextChoices

from ddtrace_litellm.config import CaptureConfig
from ddtrace_litellm.extract.chat import Choice
from ddtrace_litellm.extract.content import Content
from ddtrace_litellm.extract.text import choices_from_response, input_messages

CAPTURE = CaptureConfig()


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
    assert input_messages(prompt, CAPTURE) == [{"role": "user", "content": content} for content in contents]


def test_long_prompts_are_cut():
    """The limit is of each prompt."""
    cut = input_messages(["abcdef", "ab"], CaptureConfig(max_chars=2))
    assert [message["content"] for message in cut] == ["ab... [4 more characters]", "ab"]


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
