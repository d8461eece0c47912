from typing import Any

import pytest

from ddtrace_litellm.extract.search import read_response

FOUND = [{"title": "Cats", "url": "https://pages.example/watch?v=7", "snippet": "cats purr", "score": 0.9}]


@pytest.mark.parametrize("response", [None, {}, {"results": None}, {"results": "odd"}, {"data": 7}, 7], ids=repr)
def test_nothing_found(response):
    """There are no documents."""
    assert read_response(response, {"query": "odd"}).annotations == {"output_documents": []}


def test_malformed_results_do_not_raise():
    """Each is a document that says nothing."""
    documents = read_response({"results": [None, 7]}, {}).annotations["output_documents"]
    assert [document["text"] for document in documents] == ["", ""]


def _search_response() -> Any:
    search = pytest.importorskip("litellm.llms.base_llm.search.transformation", reason="litellm has no search")
    return search.SearchResponse(results=[search.SearchResult(**result) for result in FOUND])


@pytest.mark.parametrize("make", [lambda: {"results": FOUND}, _search_response], ids=["dict", "litellm"])
def test_search_results(make):
    """Title, address and score beside the text; a page's query is part of its address."""
    assert read_response(make(), {}).annotations == {
        "output_documents": [
            {"text": "cats purr", "name": "Cats", "id": "https://pages.example/watch?v=7", "score": 0.9}
        ]
    }


def test_answer_of_a_vector_store():
    """The parts of a file's text are one document."""
    content = [{"type": "text", "text": "cats"}, {"type": "text", "text": "purr"}]
    response = {"data": [{"file_id": "file-7", "filename": "cats.md", "score": 0.5, "content": content}]}
    assert read_response(response, {}).annotations == {
        "output_documents": [{"text": "cats\npurr", "name": "cats.md", "id": "file-7", "score": 0.5}]
    }
