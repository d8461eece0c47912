from typing import Any

import litellm
import pytest

from ddtrace_litellm.extract.embeddings import read_input, read_response

PNG = "data:image/png;base64,aGk="


@pytest.mark.parametrize(
    ("given", "texts"),
    [
        ("one", ["one"]),
        (["one", "two"], ["one", "two"]),
        (("one", "two"), ["one", "two"]),
        ([1, 2, 3], ["[1, 2, 3]"]),
        ([[1, 2], [3]], ["[1, 2]", "[3]"]),
        (PNG, ["[data: image/png]"]),
        (["a cat", f" {PNG}"], ["a cat", "[data: image/png]"]),
        (["data: the new oil"], ["data: the new oil"]),
        ([{"type": "text", "text": "a cat"}], ["a cat"]),
        ([{"image": PNG}], ['{"image": "[data: image/png]"}']),
        ({"type": "image_url", "image_url": {"url": PNG}},
         ['{"type": "image_url", "image_url": {"url": "[data: image/png]"}}']),
        ([{"texts": ["é", PNG], 7: b"odd"}], ['{"texts": ["é", "[data: image/png]"], "7": "b\'odd\'"}']),
        (None, []),
        ([], []),
        ("", [""]),
        (7, ["7"]),
        ([None], [""]),
    ],
    ids=lambda value: str(value)[:50],
)  # fmt: skip
def test_documents_of_a_request(given, texts):
    """One for each vector that comes back; the data of an image never lands in the text."""
    assert read_input({"input": given}).annotations == {"input_documents": [{"text": text} for text in texts]}


def _vector(vector: Any) -> dict[str, Any]:
    return {"object": "embedding", "index": 0, "embedding": vector}


@pytest.mark.parametrize("make", [lambda data: {"data": data}, lambda data: litellm.EmbeddingResponse(data=data)])
@pytest.mark.parametrize(
    ("data", "said"),
    [
        ([_vector([0.5] * 3)], "1 embedding of 3 dimensions"),
        ([_vector([0.5] * 3), _vector([0.5] * 3)], "2 embeddings of 3 dimensions"),
        ([_vector("AAAAPwAAAL8=")], "1 embedding"),
    ],
    ids=["one", "two", "base64"],
)
def test_what_came_back(make, data, said):
    """How many vectors, and of how many dimensions where they are numbers: it quotes nothing."""
    read = read_response(make(data), {})
    assert (read.annotations, read.summary) == ({}, said)


@pytest.mark.parametrize("response", [None, {}, {"data": None}, {"data": "odd"}, {"data": []}, 7, "odd"], ids=repr)
def test_no_vectors(response):
    """Nothing is said."""
    read = read_response(response, {})
    assert (read.annotations, read.summary) == ({}, "")


def test_malformed_vectors_do_not_raise():
    """They are counted."""
    assert read_response({"data": [None, 7]}, {}).summary == "2 embeddings"
