import io
from typing import Any

import pytest
from litellm.types.utils import ImageObject, ImageResponse

from ddtrace_litellm.extract.content import _MAX_ATTACHMENT_CHARS
from ddtrace_litellm.extract.images import read_input, read_response

MAKERS = [
    lambda images: {"data": images},
    lambda images: ImageResponse(data=[ImageObject(**image) for image in images]),
]


def _asked(**arguments: Any) -> Any:
    return read_input(arguments).annotations["input_messages"]


def _made(response: Any, **arguments: Any) -> Any:
    return read_response(response, arguments).annotations["output_messages"]


@pytest.mark.parametrize(
    ("arguments", "content"),
    [
        ({"prompt": "a cat"}, "a cat"),
        ({"prompt": "a hat", "image": [io.BytesIO(b"x"), ("cat.png", b"x")]}, "a hat\n[image]\n[image: cat.png]"),
        ({"prompt": "a hat", "image": ("cat.png", b"x", "image/png")}, "a hat\n[image: cat.png]"),
        ({"prompt": "a hat", "image": b"x", "mask": ("mask.png", b"x")}, "a hat\n[image]\n[mask: mask.png]"),
        ({"image": "https://host/cat.png?sig=SECRET"}, "[image: https://host/cat.png]"),
        ({"image": "data:image/png;base64,SECRET"}, "[image: image/png]"),
        ({"prompt": None, "image": [None], "mask": None}, ""),
        ({"prompt": 7, "image": 7, "mask": {}}, "7\n[image]\n[mask]"),
        ({}, ""),
    ],
    ids=lambda value: str(value)[:40],
)
def test_prompt_and_what_it_is_about(arguments, content):
    """A line of text, and one for each image and mask, by name."""
    assert _asked(**arguments) == [{"role": "user", "content": content}]


def test_images_are_not_read():
    """LiteLLM sends them from where they stand."""
    image, mask = io.BytesIO(b"image"), io.BytesIO(b"mask")
    image.seek(2)
    _asked(prompt="a hat", image=[image], mask=mask)
    assert (image.tell(), mask.tell()) == (2, 0)


@pytest.mark.parametrize("make", MAKERS, ids=["dict", "litellm"])
def test_images_that_came_as_data(make):
    """Each is a message with the image attached, beside the prompt that the model made of the caller's."""
    attached = [{"mime_type": "image/png", "content": "aGk="}]
    assert _made(make([{"b64_json": "aGk="}, {"b64_json": "aGk=", "revised_prompt": "a cat"}])) == [
        {"role": "assistant", "content": "", "image_parts": attached},
        {"role": "assistant", "content": "a cat", "image_parts": attached},
    ]


@pytest.mark.parametrize("make", MAKERS, ids=["dict", "litellm"])
def test_images_that_came_as_a_url(make):
    """Where it is, without the signature that gives access."""
    url = "https://images.example/0.png?sig=SECRET"
    assert _made(make([{"url": url, "revised_prompt": "a cat"}])) == [
        {"role": "assistant", "content": "a cat\n[image: https://images.example/0.png]"}
    ]


@pytest.mark.parametrize(
    ("reported", "asked", "mime_type"),
    [
        ("webp", None, "image/webp"),
        ("webp", "jpeg", "image/webp"),
        (None, "jpeg", "image/jpeg"),
        (None, None, "image/png"),
    ],
)
def test_format_of_an_image(reported, asked, mime_type):
    """The one that the response says, else the one that was asked for."""
    (message,) = _made({"data": [{"b64_json": "aGk="}], "output_format": reported}, output_format=asked)
    assert message["image_parts"] == [{"mime_type": mime_type, "content": "aGk="}]


@pytest.mark.parametrize(
    ("image", "content"),
    [
        ({"url": "data:image/tiff;base64,aGk="}, "[image: image/tiff]"),
        ({"b64_json": "A" * (_MAX_ATTACHMENT_CHARS + 1)}, "[image: image/png, 2,625,000 bytes]"),
        ({"b64_json": None, "url": None}, "[image]"),
        (None, "[image]"),
        (7, "[image]"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_images_that_cannot_be_shown(image, content):
    """A marker takes their place, never their data."""
    assert _made({"data": [image]}) == [{"role": "assistant", "content": content}]


@pytest.mark.parametrize("response", [None, {}, {"data": None}, {"data": "odd"}, ImageResponse(), 7])
def test_no_images(response):
    """There are no messages."""
    assert _made(response) == []
