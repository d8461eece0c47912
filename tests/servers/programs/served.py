"""A web application, for WSGI and for ASGI, that asks the provider at $PROVIDER_URL once a request.

It says which process has answered, and what this package has counted there.
"""

import json
import os

import litellm

from ddtrace_litellm.telemetry import snapshot

ASKED = {
    "model": "openai/gpt-4o-mini",
    "messages": [{"role": "user", "content": "Hello"}],
    "api_base": f"{os.environ['PROVIDER_URL']}/v1",
    "api_key": "sk-local",
}
HEADERS = {"Content-Type": "application/json"}


def answer(said):
    """Return the body of an answer."""
    return json.dumps({"said": said, "pid": os.getpid(), **snapshot().as_dict()}).encode()


def wsgi(environ, start_response):
    """Ask for a stream or for a whole answer, as the path says."""
    said = ""
    if environ["PATH_INFO"] == "/stream":
        said = "".join(chunk.choices[0].delta.content or "" for chunk in litellm.completion(**ASKED, stream=True))
    elif environ["PATH_INFO"] == "/plain":
        said = litellm.completion(**ASKED).choices[0].message.content
    start_response("200 OK", list(HEADERS.items()))
    return [answer(said)]


async def asgi(scope, _receive, send):
    """Do the same asynchronously."""
    said = ""
    if scope["path"] == "/stream":
        async for chunk in await litellm.acompletion(**ASKED, stream=True):
            said += chunk.choices[0].delta.content or ""
    elif scope["path"] == "/plain":
        said = (await litellm.acompletion(**ASKED)).choices[0].message.content
    headers = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": answer(said)})
