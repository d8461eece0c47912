"""Retrieval-augmented generation: embed, search, rerank and answer, as one trace.

    OPENAI_API_KEY=... COHERE_API_KEY=... DD_LLMOBS_ENABLED=1 DD_LLMOBS_ML_APP=rag ddtrace-run python rag.py

ddtrace-litellm traces the three LiteLLM calls. The decorators of LLM Observability put them into one trace, and show
the search, which is this program's own.
"""

import litellm
from ddtrace.llmobs import LLMObs
from ddtrace.llmobs.decorators import retrieval, workflow

DOCUMENTS = [
    "Lisbon is warm in July and mild in January.",
    "Oslo is cold in January and mild in July.",
    "A router chooses among deployments of a model.",
]


def embed(texts: list[str]) -> list[list[float]]:
    """Return one vector for each text."""
    response = litellm.embedding(model="openai/text-embedding-3-small", input=texts)
    return [entry["embedding"] for entry in response.data]


@retrieval
def search(question: str) -> list[str]:
    """Return the documents that are closest to a question."""
    asked, *vectors = embed([question, *DOCUMENTS])
    scores = [sum(a * b for a, b in zip(asked, vector, strict=True)) for vector in vectors]
    ranked = sorted(zip(scores, DOCUMENTS, strict=True), reverse=True)
    LLMObs.annotate(input_data=question, output_data=[{"text": text, "score": score} for score, text in ranked])
    return [text for _, text in ranked]


@workflow
def answer(question: str) -> str:
    """Answer a question from the documents."""
    found = search(question)
    reranked = litellm.rerank(model="cohere/rerank-v3.5", query=question, documents=found, top_n=2)
    context = "\n".join(found[result["index"]] for result in reranked.results)
    response = litellm.completion(
        model="openai/gpt-4o-mini",
        messages=[
            {"role": "system", "content": f"Answer from these documents:\n{context}"},
            {"role": "user", "content": question},
        ],
    )
    text = str(response.choices[0].message.content)
    LLMObs.annotate(input_data=question, output_data=text)
    return text


if __name__ == "__main__":
    print(answer("How warm is Lisbon in July?"))
