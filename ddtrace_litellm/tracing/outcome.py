"""From a request and its result to what the span will say. Everything is decided here, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ddtrace_litellm import _ddtrace
from ddtrace_litellm.extract.api import Api, Output
from ddtrace_litellm.extract.cost import add_cost
from ddtrace_litellm.extract.fields import field, hidden_params, number, text_of
from ddtrace_litellm.extract.usage import Usage
from ddtrace_litellm.tracing import costs, models
from ddtrace_litellm.tracing.call_records import Request, Result
from ddtrace_litellm.tracing.models import Model

WORKFLOW = "workflow"


class Beneath(NamedTuple):
    """What has happened beneath a call.

    Attributes:
        leaf: the call reached the provider itself.
        own_response: what that provider answered, where LiteLLM went on from there and returned a later answer.
        answered_by: the model of the call beneath that answered this one.
    """

    leaf: bool
    own_response: Any = None
    answered_by: Model | None = None


class Outcome(NamedTuple):
    """What a span will say of its call.

    Attributes:
        kind: LLM Observability's.
        model: that answered; on a workflow the one of the call that answered it, or else the one that was asked for.
        leaf: the call reached the provider itself: its span has the tokens and the cost.
        elsewhere: it would be a leaf, but the span of its provider request is another service's.
        usage: the tokens, ``None`` where nobody knows them.
        metrics: those tokens, cost and time to first token, by LLM Observability's names.
        output: what was answered; ``None`` where no event is made of it, or it could not be read.
        metadata: what the end adds to the request's.
        error: type and message of a failure that an answer reports, and nothing raised.
    """

    kind: str
    model: Model
    leaf: bool = False
    elsewhere: bool = False
    usage: Usage | None = None
    metrics: Mapping[str, float] = {}
    output: Output | None = None
    metadata: Mapping[str, Any] = {}
    error: tuple[str, str] | None = None


def outcome(
    api: Api,
    request: Request,
    result: Result,
    beneath: Beneath,
    *,
    event: bool,
) -> Outcome:
    """Return what the span of a call says.

    Args:
        api: the API of the call.
        request: what was asked.
        result: what came of it.
        beneath: what has happened beneath.
        event: an event is made of it, so that contents and cost are wanted.
    """
    arguments, (leaf, own_response, model) = request.arguments, beneath
    base_url = arguments.get("base_url") or arguments.get("api_base")
    elsewhere = leaf and bool(base_url) and _ddtrace.is_instrumented_proxy(base_url)
    leaf = leaf and not elsewhere
    hidden = hidden_params(result.latest)
    if result.chunks is not None:
        # A stream of bytes has nothing on its chunks; and of any stream out of the cache only the object says so.
        hidden = {**hidden_params(result.response), **hidden}
    response = _response(api, result, arguments, event=event)
    output = api.read_response(response, arguments) if event else None
    metadata = _metadata(request, result, hidden, output) if output is not None else {}
    usage, metrics = None, dict[str, float]()
    if leaf:
        asked = result
        if own_response is not None:
            asked, hidden, response = Result(own_response), hidden_params(own_response), own_response
        model = models.model(api, arguments, hidden, asked.latest, result.error)
        usage, reported = costs.usage(api, asked, response, arguments, output)
        metrics = usage.metrics() if usage is not None else metrics
        if output is not None:  # APM has no place for a cost
            price = models.price(model, request.metadata.get("deployment_id"))
            total = costs.cost(asked, hidden, usage, reported, price)
            if total is not None:
                add_cost(metrics, total, price.entry if price is not None else None)
            if result.chunks is not None and usage is not None:
                metadata["token_source"] = "estimated" if usage.estimated else "reported"
    if result.first_content is not None:
        metrics["time_to_first_token"] = result.first_content
    kind = api.kind if leaf else WORKFLOW
    error = _reported_error(response) if result.error is None else None
    return Outcome(kind, model or _asked_for(request), leaf, elsewhere, usage, metrics, output, metadata, error)


def unread(api: Api, request: Request | None, *, leaf: bool) -> Outcome:
    """Return what is known without the response: an event without a kind is lost, and an error in the log."""
    kind = api.kind if leaf else WORKFLOW
    return Outcome(kind, _asked_for(request) if request is not None else Model("", ""), leaf)


def _asked_for(request: Request) -> Model:
    return Model(text_of(request.arguments.get("model")), "")


def _response(api: Api, result: Result, arguments: Mapping[str, Any], *, event: bool) -> Any:
    """Return the response, of a stream what it makes up: where an event is made of it, or its tokens are only there."""
    streaming = api.streaming
    if result.chunks is None or streaming is None:
        return result.response
    return streaming.assemble(result.chunks, arguments) if event or streaming.reported_usage is None else None


def _reported_error(response: Any) -> tuple[str, str] | None:
    """Return the error that an answer, or an event of a stream, reports: LiteLLM hands it on like any other."""
    failure = field(response, "error")
    if not failure:
        return None
    kind = field(failure, "type") or field(failure, "code") or type(failure).__name__
    return text_of(kind), text_of(field(failure, "message") or failure)


def _metadata(request: Request, result: Result, hidden: Mapping[str, Any], output: Output) -> dict[str, Any]:
    found: dict[str, Any] = dict(output.billed_units)
    if output.finish_reason:
        found["finish_reason"] = output.finish_reason
    if result.chunks is not None or (result.disconnected and request.arguments.get("stream")):
        found["stream_completed"] = result.completed
    if result.disconnected:
        found["client_disconnected"] = True
    if hidden.get("cache_hit"):
        found["cache_hit"] = True
    if call_id := hidden.get("litellm_call_id") or request.arguments.get("litellm_call_id"):
        found["litellm_call_id"] = text_of(call_id)
    if (overhead := number(hidden.get("litellm_overhead_time_ms"))) is not None:
        found["litellm_overhead_ms"] = overhead
    return found
