"""Requests that LiteLLM hands on to a provider as they are: the proxy's pass-through routes, and the SDK's."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ddtrace_litellm.extract import passthrough
from ddtrace_litellm.extract.fields import field, fields_of
from ddtrace_litellm.targets import Target
from ddtrace_litellm.tracing import calls, spans
from ddtrace_litellm.tracing.calls import Call
from ddtrace_litellm.tracing.errors import contain
from ddtrace_litellm.tracing.stream_proxies import proxy_class

_READ, _ASKED, _BODY = contain("pass-through request"), contain("pass-through body"), contain("pass-through response")
_CALL_ID = "x-litellm-call-id"


def begin(target: Target, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any) -> Call | None:
    """Open the call of a request, ``None`` for one of no API that is known here."""
    exchange = None
    with _READ:
        if target.reads is not None:
            exchange = target.reads(target.arguments(args, kwargs, instance))
    if exchange is None:
        return None
    arguments = {**exchange.arguments}
    headers = fields_of(fields_of(arguments.get("litellm_metadata")).get("headers"))
    if headers and (session := _session(headers)):
        arguments["litellm_session_id"] = session
    return calls.begin(replace(target, api=exchange.api), (), arguments, instance)


def _session(headers: Mapping[str, str]) -> Any:
    """Return the session that the headers name, as the proxy finds it for its other routes."""
    find = getattr(sys.modules.get("litellm.proxy.litellm_pre_call_utils"), "get_chain_id_from_headers", None)
    with _READ:
        return find(dict(headers)) if find is not None else None
    return None


def asked(logging_obj: Any, sent: Mapping[str, Any]) -> None:
    """Read the request once more as it is sent: the proxy's hooks may have changed it, and its logging be off.

    Args:
        logging_obj: LiteLLM's of the request.
        sent: what it logs of it.
    """
    with _ASKED:
        call = calls.innermost()
        if call is None or call.request is None or call.target.reads is None:
            return
        body = fields_of(sent.get("complete_input_dict"))
        changed = {name: body[name] for name in body.keys() & call.request.arguments.keys() if name != "model"}
        call.request = spans.as_sent(call.target.api, call.request, changed)
        settings = fields_of(field(logging_obj, "standard_callback_dynamic_params"))
        if settings.get("turn_off_message_logging") is True:  # of a key or a team
            call.request = spans.redacted(call.request)


def succeed(call: Call, response: Any) -> Any:
    """End the call with its response; where that is a stream, put one in its place that ends the call later."""
    with _BODY:
        headers = getattr(response, "headers", None)
        if call.request is not None and headers is not None and (call_id := headers.get(_CALL_ID)):
            call.request.metadata["litellm_call_id"] = call_id
    if getattr(response, "body_iterator", None) is not None:  # starlette's
        response.body_iterator = call.succeed(response.body_iterator)
        return response
    if proxy_class(type(response)) is not None:
        return call.succeed(response)
    body = None
    with _BODY:
        body = passthrough.body_of(response)
    call.succeed(body)
    return response
