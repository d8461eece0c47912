import io
from typing import Any

import pytest

from ddtrace_litellm.extract.ocr import read_input, read_response

PNG = "data:image/png;base64,aGk="
PAGES = [{"index": 0, "markdown": "# One", "images": []}, {"index": 1, "markdown": "two"}]


def _asked(document: Any) -> Any:
    return read_input({"document": document}).annotations["input_messages"]


def _said(response: Any) -> Any:
    messages = read_response(response, {}).annotations["output_messages"]
    assert all(message["role"] == "assistant" for message in messages)
    return [message["content"] for message in messages]


@pytest.mark.parametrize(
    ("document", "content"),
    [
        ({"type": "document_url", "document_url": "https://ann:SECRET@host/a.pdf?sig=SECRET"},
         "[document: https://host/a.pdf]"),
        ({"type": "document_url", "document_url": "data:application/pdf;base64,SECRET"},
         "[document: application/pdf]"),
        ({"type": "file", "file": "/home/ann/a.pdf"}, "[document: a.pdf]"),
        ({"type": "file", "file": b"%PDF"}, "[document]"),
        ({"document_name": "a.pdf"}, "[document: a.pdf]"),
        ({"type": "image_url", "image_url": "https://host/a.png?sig=SECRET"}, "[image: https://host/a.png]"),
        ({"type": "image_url", "image_url": {"url": "https://host/a.png"}}, "[image: https://host/a.png]"),
        ({"type": "image_url", "image_url": "data:image/tiff;base64,SECRET"}, "[image: image/tiff]"),
        ({"type": "image_url", "image_url": 7}, "[image]"),
        ({}, "[document]"),
        (None, "[document]"),
        ("https://host/a.pdf?sig=SECRET", "[document]"),
        (7, "[document]"),
    ],
    ids=lambda value: str(value)[:60],
)  # fmt: skip
def test_document(document, content):
    """Which one it is: its address without credentials, its name, or the type of its data."""
    assert _asked(document) == [{"role": "user", "content": content}]


@pytest.mark.parametrize("image", [PNG, {"url": PNG}], ids=["text", "dict"])
def test_image_that_is_data(image):
    """It is attached, to be seen beside what was read from it."""
    assert _asked({"type": "image_url", "image_url": image}) == [
        {"role": "user", "content": "", "image_parts": [{"mime_type": "image/png", "content": "aGk="}]}
    ]


def test_a_document_is_not_read():
    """LiteLLM reads it from where it stands."""
    file = io.BytesIO(b"%PDF")
    file.seek(2)
    assert _asked({"type": "file", "file": file}) == [{"role": "user", "content": "[document]"}]
    assert file.tell() == 2


def _litellm(**fields: Any) -> Any:
    ocr = pytest.importorskip("litellm.llms.base_llm.ocr.transformation", reason="litellm has no OCR")
    return ocr.OCRResponse(model="mistral-ocr-latest", **fields)


@pytest.mark.parametrize("make", [dict, _litellm], ids=["dict", "litellm"])
def test_pages(make):
    """The Markdown of each."""
    assert _said(make(pages=PAGES)) == ["# One", "two"]


@pytest.mark.parametrize("make", [dict, _litellm], ids=["dict", "litellm"])
def test_annotation(make):
    """What the model filled the caller's schema with is the last message."""
    assert _said(make(pages=PAGES[:1], document_annotation='{"total": 7}')) == ["# One", '{"total": 7}']


@pytest.mark.parametrize("response", [None, {}, {"pages": None}, {"pages": "odd"}, 7], ids=repr)
def test_no_pages(response):
    """There are no messages."""
    assert _said(response) == []


def test_malformed_pages_do_not_raise():
    """Each says what it has."""
    assert _said({"pages": [None, 7, {"markdown": 7}]}) == ["", "", "7"]
