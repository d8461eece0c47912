"""Paths that name what they are about: read as the path of an endpoint, with the name in the body."""

import re
from dataclasses import replace
from urllib.parse import unquote

from ddtrace_litellm.demo.provider import Request

_AZURE = re.compile(r"/openai/deployments/(?P<model>[^/]+)(?P<rest>/.+)")
_AZURE_WITHOUT_DEPLOYMENT = re.compile(r"/openai(?:/v1)?(?P<rest>/.+)")
_GEMINI = re.compile(r"/v1(?:beta)?/models/(?P<model>[^/:]+):(?P<stream>streamG|g)enerateContent")
_BEDROCK = re.compile(r"/model/(?P<model>[^/]+)/invoke(?P<stream>-with-response-stream)?")
_STORED = re.compile(r"/v1/(?P<kind>responses|vector_stores|videos)/(?P<model>[^/]+)(?P<rest>/[a-z]+)?")
# The same form as a stored object's path, but it stores nothing.
_COMPACT = "/v1/responses/compact"


def addressed(request: Request) -> Request:
    """Return ``request`` as its endpoint sees it.

    Returns:
        The endpoint's path, and in ``body["model"]`` what the path names: Azure's deployment, Gemini's model, the id of
        a stored response, vector store or video. Requests whose paths name nothing come back as they are.
    """
    if azure := _AZURE.fullmatch(request.path):
        return replace(request, path=f"/v1{azure['rest']}", body={**request.body, "model": azure["model"]})
    if azure := _AZURE_WITHOUT_DEPLOYMENT.fullmatch(request.path):
        return addressed(replace(request, path=f"/v1{azure['rest']}"))
    if gemini := _GEMINI.fullmatch(request.path):
        body = {**request.body, "model": gemini["model"], "stream": gemini["stream"] == "streamG"}
        return replace(request, path="/v1beta/models/*:generateContent", body=body)
    if bedrock := _BEDROCK.fullmatch(request.path):
        body = {**request.body, "model": unquote(bedrock["model"]), "stream": bool(bedrock["stream"])}
        return replace(request, path="/model/*/invoke", body=body)
    stored = _STORED.fullmatch(request.path)
    if stored and request.path != _COMPACT:
        path = f"/v1/{stored['kind']}/*{stored['rest'] or ''}"
        return replace(request, path=path, body={**request.body, "model": stored["model"]})
    return request
