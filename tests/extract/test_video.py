import io
from typing import Any

import pytest

from ddtrace_litellm.extract.video import read_input, read_response


def _asked(**arguments: Any) -> Any:
    return read_input(arguments).annotations["input_messages"]


@pytest.mark.parametrize(
    ("arguments", "content"),
    [
        ({"prompt": "a cat"}, "a cat"),
        ({"prompt": "a cat", "input_reference": ("cat.png", b"x")}, "a cat\n[image: cat.png]"),
        ({"prompt": "a hat", "video": b"x"}, "a hat\n[video]"),
        ({"prompt": None, "input_reference": None}, ""),
        ({"prompt": 7, "input_reference": {"odd": 1}}, "7\n[image]"),
        ({}, ""),
    ],
    ids=str,
)
def test_prompt_and_what_it_starts_from(arguments, content):
    """A line of text, and one for each file, by name."""
    assert _asked(**arguments) == [{"role": "user", "content": content}]


def test_files_are_not_read():
    """LiteLLM sends them from where they stand."""
    file = io.BytesIO(b"image")
    file.seek(2)
    _asked(prompt="a cat", input_reference=file)
    assert file.tell() == 2


def _litellm(**fields: Any) -> Any:
    videos = pytest.importorskip("litellm.types.videos.main", reason="litellm has no videos")
    return videos.VideoObject(object="video", **fields)


@pytest.mark.parametrize("make", [dict, _litellm], ids=["dict", "litellm"])
def test_job(make):
    """Which one it is, and how far it is."""
    read = read_response(make(id="video_7", status="queued"), {})
    assert read.annotations == {"output_messages": [{"role": "assistant", "content": "[video: video_7, queued]"}]}
    assert read.finish_reason == "queued"


@pytest.mark.parametrize(
    ("response", "said"),
    [
        ({"id": "video_7"}, ["[video: video_7]"]),
        ({"status": "failed"}, ["[video: failed]"]),
        ({"id": 7, "status": None}, ["[video: 7]"]),
        ({}, []),
        (None, []),
        ("odd", []),
    ],
    ids=str,
)
def test_malformed_jobs_do_not_raise(response, said):
    """They are read as far as they go."""
    messages = read_response(response, {}).annotations["output_messages"]
    assert [message["content"] for message in messages] == said
