"""Turns a request and its result into an outcome. Everything is decided here, and nothing is written."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from ddtrace_litellm import _ddtrace
from ddtrace_litellm.extract.api import Api, Output
from ddtrace_litellm.extract.cost import add_cost
from ddtrace_litellm.extract.fields import hidden_params, number, text_of
from ddtrace_litellm.extract.usage import Usage
from ddtrace_litellm.tracing import costs, models
from ddtrace_litellm.tracing.call_records import Built, Request, Result
from ddtrace_litellm.tracing.models import Model

WORKFLOW = "workflow"
_PLAIN_COST = frozenset({"input_cost", "output_cost", "total_cost", "original_cost", "service_tier"})
"""What LiteLLM's breakdown has of every cost: the metrics say it."""


class Beneath(NamedTuple):
    """What happened in the calls beneath a call.

    Attributes:
        leaf: the call reached the provider itself.
        own_response: what that provider answered, where LiteLLM went on from there and returned a later answer.
        answered_by: the outcome of the call beneath that answered this one.
        logging_obj: LiteLLM's of the request to that provider; ``None``: it sent none.
        built: the stream as LiteLLM itself has put it together.
    """

    leaf: bool
    own_response: Any = None
    answered_by: Outcome | None = None
    logging_obj: Any = None
    built: Built | None = None


class Outcome(NamedTuple):
    """What the span will say of its call.

    Attributes:
        kind: LLM Observability's.
        model: that answered; on a workflow the one of the call that answered it, or else the one that was asked for.
        leaf: the call reached the provider itself: its span has the tokens and the cost.
        elsewhere: it would be a leaf or a tool, but the span of that request is another service's.
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
    arguments, leaf, own_response, answer = request.arguments, beneath.leaf, beneath.own_response, beneath.answered_by
    elsewhere = _is_elsewhere(api, arguments, leaf=leaf)
    leaf = leaf and not elsewhere
    hidden = hidden_params(result.latest)
    if result.chunks is not None:
        # A stream of bytes has nothing on its chunks; and of any stream out of the cache only the object says so.
        hidden = {**hidden_params(result.response), **hidden}
    response = _response(api, result, arguments, event=event)
    output = api.read_response(response, arguments) if event else None
    # Embeddings that are partly out of the cache say so of all.
    cached = bool(hidden.get("cache_hit")) and beneath.logging_obj is None
    if answer is not None and not leaf:
        cached = "cache_hit" in answer.metadata
    metadata = _metadata(request, result, hidden, output, cached=cached) if output is not None else {}
    usage, metrics = None, dict[str, float]()
    model = answer.model if answer is not None else None
    if leaf:
        asked = result
        if own_response is not None:
            asked, hidden, response = Result(own_response), hidden_params(own_response), own_response
        model = models.model(api, arguments, hidden, asked.latest, result.error)
        exchange = costs.Exchange(api, arguments, asked, response, beneath.logging_obj, beneath.built)
        tokens = costs.tokens(exchange, output)
        usage = tokens.usage
        metrics = usage.metrics() if usage is not None else metrics
        if output is not None:  # APM has no place for a cost
            price = models.price(model, request.metadata.get("deployment_id"))
            cost = costs.cost(exchange, tokens, hidden, price)
            metadata |= _add_cost(metrics, cost, price, cached=cached)
            if result.chunks is not None and usage is not None:
                metadata["token_source"] = "estimated" if usage.estimated else "reported"
    elif output is not None and output.cost is not None:
        metrics["total_cost"] = float(output.cost)
    error = api.read_error(response) if result.error is None else None
    if answer is not None and not api.asks_provider:  # a loop's tool, by the server that has run it
        metrics, elsewhere, error = {**answer.metrics, **metrics}, answer.elsewhere, error or answer.error
    if result.first_content is not None:
        metrics["time_to_first_token"] = result.first_content
    kind = _kind(api, request, leaf=leaf, elsewhere=elsewhere)
    return Outcome(kind, model or _asked_for(request), leaf, elsewhere, usage, metrics, output, metadata, error)


def _add_cost(
    metrics: dict[str, float], cost: costs.Cost | None, price: models.Price | None, *, cached: bool
) -> dict[str, Any]:
    """Add a cost to the metrics; return what there is to say of it beyond them."""
    if cached:
        add_cost(metrics, 0.0, {}, None)
        return {"saved_cache_cost": cost.total} if cost is not None and cost.total else {}
    if cost is None:
        return {}
    add_cost(metrics, cost.total, cost.breakdown, price.entry if price is not None else None)
    return {"cost_breakdown": cost.breakdown} if cost.breakdown.keys() - _PLAIN_COST else {}


def unread(api: Api, request: Request | None, *, leaf: bool) -> Outcome:
    """Return what is known without the response: an event without a kind is lost, and an error in the log."""
    kind = _kind(api, request, leaf=leaf, elsewhere=False)
    return Outcome(kind, _asked_for(request) if request is not None else Model("", ""), leaf)


def _is_elsewhere(api: Api, arguments: Mapping[str, Any], *, leaf: bool) -> bool:
    """Whether the call goes to a proxy that reports it itself."""
    if api.address is not None:
        return _ddtrace.is_at_instrumented_proxy(api.address(arguments))
    url = arguments.get("base_url") or arguments.get("api_base") if leaf else None
    return bool(url) and _ddtrace.is_instrumented_proxy(url)


def _kind(api: Api, request: Request | None, *, leaf: bool, elsewhere: bool) -> str:
    if elsewhere or (api.asks_provider and not leaf):
        return WORKFLOW
    return api.kind if api.kind_of is None or request is None else api.kind_of(request.arguments)


def _asked_for(request: Request) -> Model:
    return Model(text_of(request.arguments.get("model")), "")


def _response(api: Api, result: Result, arguments: Mapping[str, Any], *, event: bool) -> Any:
    """Return the response, of a stream what it makes up: where an event is made of it, or its tokens are only there."""
    streaming = api.streaming
    if result.chunks is None or streaming is None:
        return result.response
    return streaming.assemble(result.chunks, arguments) if event or streaming.reported_usage is None else None


def _metadata(
    request: Request, result: Result, hidden: Mapping[str, Any], output: Output, *, cached: bool
) -> dict[str, Any]:
    found: dict[str, Any] = dict(output.billed_units)
    if output.finish_reason:
        found["finish_reason"] = output.finish_reason
    if result.chunks is not None or (result.disconnected and request.arguments.get("stream")):
        found["stream_completed"] = result.completed
    if result.disconnected:
        found["client_disconnected"] = True
    if cached:
        found["cache_hit"] = True
    if call_id := hidden.get("litellm_call_id") or request.arguments.get("litellm_call_id"):
        found["litellm_call_id"] = text_of(call_id)
    if (overhead := number(hidden.get("litellm_overhead_time_ms"))) is not None:
        found["litellm_overhead_ms"] = overhead
    return found
