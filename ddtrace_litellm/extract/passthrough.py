"""Requests to a provider that LiteLLM hands on as they are: which API's they are, and how that API looks over HTTP.

The API is found by the path, since hosts are the operator's. What has a path that is no API's here is not read.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple
from urllib.parse import unquote, urlsplit

from ddtrace_litellm.extract import chat, embeddings, generate_content, interactions, messages, responses, text
from ddtrace_litellm.extract.api import Api, Arguments, Streaming
from ddtrace_litellm.extract.aws_frames import FrameParser
from ddtrace_litellm.extract.choices import Assembled
from ddtrace_litellm.extract.fields import field, fields_of, sequence, text_of
from ddtrace_litellm.extract.metadata import of_caller
from ddtrace_litellm.extract.sse import EventParser, event_detector, events_from
from ddtrace_litellm.extract.usage import StreamUsage

_FRAMED = "/invoke-with-response-stream"
"""The end of a path whose stream is of AWS's binary frames."""
_SUFFIXES = (
    ("/messages", messages.API, "anthropic"),
    ("/chat/completions", chat.API, "openai"),
    ("/completions", text.API, "openai"),
    ("/responses", responses.API, "openai"),
    ("/embeddings", embeddings.API, "openai"),
    (":generateContent", generate_content.API, "gemini"),
    (":streamGenerateContent", generate_content.API, "gemini"),
    ("/interactions", interactions.API, "gemini"),
    (":rawPredict", messages.API, "vertex_ai"),
    (":streamRawPredict", messages.API, "vertex_ai"),
    ("/invoke", messages.API, "bedrock"),
    (_FRAMED, messages.API, "bedrock"),
)
_OTHERS_TOO = ("/invoke", _FRAMED, ":rawPredict", ":streamRawPredict")
"""Paths that several providers' models share: only Anthropic's have a version in the body."""
_MODEL_IN_PATH = re.compile(r"/(?:models?|deployments|engines)/(.+?)(?::[a-zA-Z]+|/[a-z/-]+)$")
_MAX_BODY = 20_000_000
_ERROR = 400
"""The least HTTP status that is one."""

_TAG_HEADERS = ("x-litellm-tags", "tags")
_OF_CALLER = ("session_id", "tags")
"""What the metadata of a body may say of a request; anything else there may be forged, or is the provider's."""
_WHOLE = frozenset({"chat.completion", "interaction", "message", "response", "text_completion"})
"""What an answer that is no stream says it is."""
_HTTP_BODIES = ("content", "data", "json")


class Exchange(NamedTuple):
    """A request that is read: its API over HTTP, and its arguments by name as a function of that API takes them."""

    api: Api
    arguments: Mapping[str, Any]


def from_proxy(arguments: Arguments) -> Exchange | None:
    """Read the arguments of the proxy's ``pass_through_request``; ``None`` where they are no API's."""
    request = arguments["request"]
    scope = request.scope
    _, parsed = scope.get("parsed_body") or ((), None)
    body = fields_of(arguments.get("custom_body") or parsed)
    url = urlsplit(text_of(arguments.get("target")))
    found = _api(url.path, body)
    if found is None or scope.get("method") != "POST":
        return None
    api, provider = found
    headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.get("headers", ())}
    asked = {name: value for name, value in body.items() if name != "metadata"}
    return Exchange(
        over_http(api, framed=url.path.endswith(_FRAMED)),
        {
            **asked,
            "model": _model(url.path, body),
            "custom_llm_provider": arguments.get("custom_llm_provider") or _provider_of(url, provider),
            "api_base": f"{url.scheme}://{url.netloc}",
            "litellm_metadata": _who_asks(arguments.get("user_api_key_dict"), headers, fields_of(body.get("metadata"))),
            # LiteLLM's mark of a call that the proxy makes: a caller may go away.
            "proxy_server_request": {},
        },
    )


def from_sdk(arguments: Arguments) -> Exchange | None:
    """Read the arguments of ``allm_passthrough_route`` and its like; ``None`` where they are no API's."""
    body = fields_of(arguments.get("json") or arguments.get("data"))
    path = urlsplit("/" + text_of(arguments.get("endpoint"))).path
    found = _api(path, body)
    if found is None:
        return None
    own = {name: value for name, value in arguments.items() if name not in _HTTP_BODIES}
    asked = {name: value for name, value in body.items() if name != "metadata"}
    return Exchange(over_http(found[0], framed=path.endswith(_FRAMED)), {**asked, **own})


def _api(path: str, body: Mapping[str, Any]) -> tuple[Api, str] | None:
    for suffix, api, provider in _SUFFIXES:
        if path.endswith(suffix):
            return None if suffix in _OTHERS_TOO and "anthropic_version" not in body else (api, provider)
    return None


def _model(path: str, body: Mapping[str, Any]) -> str:
    in_path = _MODEL_IN_PATH.search(path)
    return text_of(body.get("model")) or (unquote(in_path[1]) if in_path else "")


def _provider_of(url: Any, provider: str) -> str:
    host = url.hostname or ""
    if provider == "gemini" and "/projects/" in url.path:
        return "vertex_ai"
    if provider == "openai" and (host.endswith(".azure.com") or "/openai/deployments/" in url.path):
        return "azure"
    return provider


def _who_asks(who: Any, headers: Mapping[str, str], told: Mapping[str, Any]) -> dict[str, Any]:
    found = of_caller(who) | {name: told[name] for name in _OF_CALLER if name in told}
    tags = [tag.strip() for name in _TAG_HEADERS for tag in headers.get(name, "").split(",") if tag.strip()]
    tags += sequence(fields_of(field(who, "metadata")).get("tags"))
    if tags:
        found["tags"] = [*sequence(found.get("tags")), *tags]
    return {**found, "headers": headers}


def body_of(response: Any) -> Any:
    """Return the JSON that a response of ``httpx`` or of ``starlette`` holds, read already; ``None`` for any other."""
    content = getattr(response, "body", None) or getattr(response, "_content", None)
    status = getattr(response, "status_code", 200)
    body = None
    if isinstance(content, bytes) and len(content) <= _MAX_BODY:
        with suppress(ValueError, RecursionError):
            body = json.loads(content)
    if status >= _ERROR and not fields_of(body).get("error"):
        return {"error": {"type": f"HTTP {status}", "message": f"HTTP {status}"}}
    return body


@cache
def over_http(api: Api, *, framed: bool = False) -> Api:
    """Return an API whose answers are what the provider sends: JSON, and streams of bytes.

    Args:
        api: what the bytes are of.
        framed: its streams are AWS's frames, not server-sent events.
    """
    streaming = api.streaming
    if streaming is None:
        return api
    detector, reported = streaming.first_content_detector, streaming.reported_usage
    parser = FrameParser if framed else EventParser
    return replace(
        api,
        streaming=Streaming(
            lambda chunks, arguments: _assembled(streaming, list(events_from(chunks, parser)), arguments),
            lambda: event_detector(detector(), parser),
            _reported(reported) if reported is not None else None,
        ),
    )


def _assembled(streaming: Streaming, events: Sequence[Any], arguments: Arguments) -> Any:
    """Put events together. A response that LiteLLM hands on piece by piece may be no stream, and so may an error."""
    if len(events) == 1 and _WHOLE & {events[0].get("object"), events[0].get("type")}:
        return events[0]
    response = streaming.assemble(events, arguments)
    error = next((event["error"] for event in events if fields_of(event).get("error")), None)
    if error is None:
        return response
    return response._replace(error=error) if type(response) is Assembled else {**fields_of(response), "error": error}


def _reported(
    reported: Callable[[Sequence[Any], Sequence[Any], Any], StreamUsage],
) -> Callable[[Sequence[Any], Sequence[Any], Any], StreamUsage]:
    def read(chunks: Sequence[Any], _kept: Sequence[Any], built: Any) -> StreamUsage:
        events = list(events_from(chunks))
        return reported(events, events, built)

    return read
