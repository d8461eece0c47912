"""A web service that streams answers: the LLM spans are below ddtrace's span of the web request.

    OPENAI_API_KEY=... DD_LLMOBS_ENABLED=1 DD_LLMOBS_ML_APP=service ddtrace-run uvicorn fastapi_app:app
    curl -N 'http://localhost:8000/ask?question=How+are+you&user=ada'

A client that disconnects closes the stream, and its span ends with what had come until then.
"""

from collections.abc import AsyncIterator

import litellm
from fastapi import FastAPI
from fastapi.responses import StreamingResponse

app = FastAPI()


@app.get("/ask")
async def ask(question: str, user: str = "") -> StreamingResponse:
    """Stream the answer to a question."""
    stream = await litellm.acompletion(
        model="openai/gpt-4o-mini",
        messages=[{"role": "user", "content": question}],
        user=user or None,
        stream=True,
        stream_options={"include_usage": True},
    )

    async def text() -> AsyncIterator[str]:
        async for chunk in stream:
            if chunk.choices:
                yield chunk.choices[0].delta.content or ""

    return StreamingResponse(text(), media_type="text/plain")
