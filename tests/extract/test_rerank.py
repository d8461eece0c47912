from typing import Any

import pytest
from litellm.types.rerank import RerankResponse

from ddtrace_litellm.extract.rerank import read_input, read_response, read_usage
from ddtrace_litellm.extract.usage import Usage

RANKED = [
    {"index": 1, "relevance_score": 0.9, "document": {"text": "cats purr"}},
    {"index": 0, "relevance_score": 0.1, "document": {"text": "dogs bark"}},
]
DOCUMENTS = [{"text": "cats purr", "id": "1", "score": 0.9}, {"text": "dogs bark", "id": "0", "score": 0.1}]


def _documents(response: Any, arguments: Any = None) -> Any:
    return read_response(response, arguments or {}).annotations["output_documents"]


@pytest.mark.parametrize(
    ("query", "value"),
    [("cats", "cats"), (["cats", "dogs"], "cats\ndogs"), (("cats", None), "cats\n"), (None, ""), (7, "7")],
    ids=repr,
)
def test_query(query, value):
    """One query, or several one to a line."""
    assert read_input({"query": query}).annotations == {"input_value": value}


@pytest.mark.parametrize("make", [dict, RerankResponse], ids=["dict", "litellm"])
def test_ranked_documents(make):
    """Text, index in the request and score, in the order of the answer."""
    assert _documents(make(id="r", results=RANKED)) == DOCUMENTS


@pytest.mark.parametrize("make", [dict, RerankResponse], ids=["dict", "litellm"])
@pytest.mark.parametrize("asked", [["dogs bark", "cats purr"], ({"text": "dogs bark"}, {"text": "cats purr"})])
def test_texts_that_only_the_request_has(make, asked):
    """``return_documents=False`` leaves indexes only, which nobody could make sense of."""
    bare = [{"index": result["index"], "relevance_score": result["relevance_score"]} for result in RANKED]
    assert _documents(make(id="r", results=bare), {"documents": asked}) == DOCUMENTS


def test_a_text_that_the_answer_has_is_the_one_that_is_shown():
    """The provider may have cut or chosen fields from what was asked."""
    assert _documents({"results": RANKED}, {"documents": ["x", "y"]}) == DOCUMENTS


@pytest.mark.parametrize(
    ("asked", "text"),
    [
        ({"title": "Cats", "body": "purr"}, '{"title": "Cats", "body": "purr"}'),
        ({"image": "data:image/png;base64,aGk="}, '{"image": "[data: image/png]"}'),
        ("data:image/png;base64,aGk=", "[data: image/png]"),
        (None, ""),
        (7, "7"),
    ],
    ids=str,
)
@pytest.mark.parametrize("document", [None, {"text": ""}], ids=str)
def test_documents_without_a_text(asked, text, document):
    """A dict with fields of its own is JSON; data is its type only."""
    (found,) = _documents({"results": [{"index": 0, "document": document}]}, {"documents": [asked]})
    assert found["text"] == text


@pytest.mark.parametrize("index", [-1, 1, None, "0", 0.0], ids=repr)
def test_an_index_that_fits_no_document(index):
    """There is no text, rather than another document's."""
    (found,) = _documents({"results": [{"index": index, "relevance_score": "odd"}]}, {"documents": ["a"]})
    assert found == {"text": "", "id": "" if index is None else str(index)}


@pytest.mark.parametrize("response", [None, {}, {"results": None}, {"results": "odd"}, {"data": 7}, 7], ids=repr)
def test_nothing_found(response):
    """There are no documents."""
    assert read_response(response, {"documents": "odd"}).annotations == {"output_documents": []}


def test_malformed_results_do_not_raise():
    """Each is a document that says nothing."""
    documents = read_response({"results": [None, 7]}, {}).annotations["output_documents"]
    assert [document["text"] for document in documents] == ["", ""]


@pytest.mark.parametrize("make", [dict, RerankResponse], ids=["dict", "litellm"])
@pytest.mark.parametrize(
    ("meta", "usage"),
    [
        ({"billed_units": {"search_units": 1}}, None),
        ({"tokens": {"input_tokens": 5, "output_tokens": 0}}, Usage(5, 0)),
        ({"billed_units": {"total_tokens": 5}, "tokens": {"total_tokens": 5}}, Usage(5)),
        ({"billed_units": None, "tokens": None}, None),
        (None, None),
    ],
    ids=str,
)
def test_tokens_of_a_ranking(make, meta, usage):
    """Those that the provider bills; whoever bills searches reports none."""
    assert read_usage(make(id="r", results=[], meta=meta)) == usage
