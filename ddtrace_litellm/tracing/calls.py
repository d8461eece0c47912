"""One traced call: it opens, and ends exactly once, whichever way.

Which span is the leaf of a provider request is known only at the end, by what has happened beneath: a call is one if
LiteLLM asked a provider while it was the innermost (:func:`provider_asked`), or if no other call served it. No name is
looked at. The rule was validated over 68 scenarios a LiteLLM version, 1.60 to 1.110.
"""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable, Mapping, Sequence
from time import perf_counter
from typing import Any
from weakref import WeakKeyDictionary

import litellm

from ddtrace_litellm import _ddtrace
from ddtrace_litellm.config import NOTHING
from ddtrace_litellm.extract import a2a, credentials, embeddings, mcp, metadata, plain, prompts, tool
from ddtrace_litellm.extract.api import Input
from ddtrace_litellm.extract.fields import sequence
from ddtrace_litellm.targets import Target
from ddtrace_litellm.telemetry import counters
from ddtrace_litellm.tracing import debug_log, spans
from ddtrace_litellm.tracing.attempts import Attempts
from ddtrace_litellm.tracing.call_records import Built, Request, Result
from ddtrace_litellm.tracing.delegation import is_delegated
from ddtrace_litellm.tracing.error_text import ErrorText, Failures
from ddtrace_litellm.tracing.errors import contain, contained
from ddtrace_litellm.tracing.outcome import Beneath, Outcome, outcome, unread
from ddtrace_litellm.tracing.stream_proxies import proxy_class
from ddtrace_litellm.tracing.streams import StreamReading, open_streams

# A coroutine that is closed while it waits was cancelled as well.
_CANCELLED = (CancelledError, GeneratorExit)
_KEYS = tuple(name for name in vars(litellm) if name.endswith("_key"))
"""LiteLLM's settings that hold keys (``litellm.openai_key``)."""
_STREAM, _STRATEGY, _DEBUG_LOG = contain("stream"), contain("routing strategy"), contain("debug log")
_OBSERVED, _ERROR_TEXT, _PROMPT = contain("provider request"), contain("error text"), contain("prompt")

_prompts: WeakKeyDictionary[Any, prompts.Prompt] = WeakKeyDictionary()
"""By LiteLLM's logging object: the managed prompt that its request was made of."""

open_calls: set[Call] | None = None
"""Calls that have not ended; ``None`` where nobody asks (see ``lambda_invocations``)."""


def begin(target: Target, args: tuple[Any, ...], kwargs: dict[str, Any], instance: Any = None) -> Call | None:
    """Open a call in what is active; ``None`` for one that LiteLLM makes to carry out the call around it."""
    try:
        active = _ddtrace.active_context()
        parent = enclosing(active)
        if parent is not None and (target.batch or parent.delegates(target, kwargs)):
            if debug_log.wanted():
                debug_log.delegated(target.resource, parent.target.api.name)
            return None
        if parent is not None and not target.api.asks_provider:
            parent.end_whole_streams()
            parent.tell_choices()
        call = Call.open(target, target.arguments(args, kwargs, instance), parent, active)
        if target.router:
            call.chosen_by(instance)
        if parent is None:
            _ddtrace.note_answered(active, target.api.kind)
    except Exception as error:
        contained("begin", error)
        return None
    return call


def enclosing(active: Any) -> Call | None:
    """Return the innermost call of the active span, or above it, that has not ended."""
    call: Call | None = _ddtrace.nearest_call(active)
    while call is not None and call.done:
        call = call.parent
    return call


def innermost() -> Call | None:
    """Return the innermost call of what is active."""
    return enclosing(_ddtrace.active_context())


def provider_asked(logging_obj: Any) -> None:
    """Note for the innermost call that LiteLLM sends a request to a provider, and its logging object of that one."""
    with _OBSERVED:
        call = innermost()
        if call is not None:
            call.logging_obj = logging_obj


def provider_answered(response: Any) -> None:
    """Note what a provider answered the innermost call, where LiteLLM may go on from there (an agentic loop)."""
    with _OBSERVED:
        call = innermost()
        if call is not None:
            call.own_response = response


def prompt_rendered(logging_obj: Any, asked: Mapping[str, Any], rendered: tuple[Any, Sequence[Any], Any]) -> None:
    """Note what LiteLLM has made of a managed prompt, for the innermost call and for those that are made of it.

    Other hooks that change messages come through the same door: one adds what it has found in a vector store.

    Args:
        logging_obj: LiteLLM's of the request; the Router and the proxy render before they call.
        asked: what was to be rendered, by name.
        rendered: model, messages, parameters.
    """
    with _PROMPT:
        model, messages, _ = rendered
        if messages == asked.get("messages"):  # LiteLLM asks again further down, where nobody knows the prompt
            return
        prompt = None
        if asked.get("prompt_id"):
            prompt = _prompts[logging_obj] = prompts.managed(asked, messages)
        call = innermost()
        if call is not None and call.request is not None:
            call.request = spans.rendered(call.target.api, call.request, model, messages, prompt)


def agent_named(name: Any) -> None:
    """Name the event of the innermost call for the agent that it asks, whose name is on a card that LiteLLM fetches."""
    with _OBSERVED:
        call = innermost()
        if call is not None and call.target.api is a2a.API and _ddtrace.is_llmobs_span(call.span):
            spans.introduce(call.span, Input({}, name=plain.text(name)))


def stream_completed(event: Any) -> None:
    """End the stream beneath the innermost call that has just brought its last event."""
    with _OBSERVED:
        call = innermost()
        if call is not None:
            call.end_streams(lambda stream: stream.chunks[-1] is event)


def span_failed(span: Any, error: BaseException) -> None:
    """Let a span of others say no more of an error than a call's: one beneath (a provider's SDK), or one around it."""
    with _ERROR_TEXT:
        call, failures = enclosing(span), _ddtrace.kept_failures(span)
        if call is None and failures is None:
            return
        stack = _ddtrace.take_error_texts(span)[1]
        text = call.error_text() if call is not None else failures.text(stack)
        _ddtrace.set_error_texts(span, text.message(error), text.stack(error, stack))


def stream_built(chunks: Any, response: Any) -> None:
    """Note how LiteLLM has put the innermost stream together, and what of, which has the usage that providers send."""
    with _OBSERVED:
        call = innermost()
        if call is not None and call.stream is not None:
            call.built = Built(response, sequence(chunks))


class Call:
    """A call between its start and the end of its span; for a stream that is the end of the stream.

    Attributes:
        target: what was called.
        parent: the call that was open when this one began.
        serves: that call, where this one is how it gets its answer: an attempt, a bridge, a loop's tool at its server.
            Any other call beneath (the embedding of a semantic cache, a search) does not.
        runs_tool: it is how a loop runs a tool: one event shows both, the tool's.
        children: calls that serve this one.
        streaming: calls beneath whose streams are still being read.
        stream: its own, while it is read.
        told: what it has chosen is linked already.
        logging_obj: LiteLLM's of the last request to a provider that it sent while this call was the innermost.
        own_response: what that request brought, where it is not what the call returned.
        built: the stream as LiteLLM itself has put it together.
        answered_by: the outcome of the call that served this one last without an error.
        attempts: what was tried beneath, for a call that retries or falls back; ``None`` for any other.
        blocked: a guardrail beneath has stopped it; where LiteLLM has then asked no provider, it is no leaf.
        request: ``None`` where it could not be read.
        counted_in: where its end is counted: with its start, which a forked process has not counted.
        secrets: what no text of an error may quote, of calls that served it and failed.
        own_secrets: what no text of an error may quote, of itself; ``None`` until it is asked for.
        done: the call has ended; what starts later (LiteLLM's background tasks) is not beneath it.
    """

    __slots__ = (
        "_outside",
        "answered_by",
        "attempts",
        "blocked",
        "built",
        "children",
        "counted_in",
        "done",
        "logging_obj",
        "own_response",
        "own_secrets",
        "parent",
        "request",
        "runs_tool",
        "secrets",
        "serves",
        "span",
        "started",
        "stream",
        "streaming",
        "target",
        "told",
    )

    def __init__(self, target: Target, parent: Call | None, arguments: Mapping[str, Any]) -> None:
        self.started = perf_counter()
        get_apm, set_apm = _ddtrace.apm_context_access()
        self._outside = set_apm, get_apm(), _ddtrace.get_llmobs_context()
        self.target = target
        self.parent = parent
        self.serves = parent if parent is not None and parent.is_served_by(target, arguments) else None
        self.runs_tool = self.serves is not None and self.serves.target.api is tool.API
        self.children = 0
        self.streaming: set[Call] | None = None
        self.stream: StreamReading | None = None
        self.done = self.blocked = self.told = False
        self.counted_in = counters.ended
        self.logging_obj: Any = None
        self.own_response: Any = None
        self.built: Built | None = None
        self.answered_by: Outcome | None = None
        self.attempts: Attempts | None = None
        self.request: Request | None = None
        self.secrets: set[str] | None = None
        self.own_secrets: set[str] | None = None
        self.span: Any = None

    @classmethod
    def open(
        cls,
        target: Target,
        arguments: Mapping[str, Any],
        parent: Call | None,
        child_of: Any,
        *,
        at: float | None = None,
    ) -> Call:
        """Start and activate the span of a call.

        Args:
            target: what is called.
            arguments: of the call, by name.
            parent: the call that this one is beneath, if any.
            child_of: the span or context that its span is a child of.
            at: when it began, seconds since 1970; ``None``: now.
        """
        call = cls(target, parent, arguments)
        try:
            call.span = _ddtrace.start_span(target.resource, child_of, call, at, event=not call.runs_tool)
            counters.opened.up()
            if open_calls is not None:
                open_calls.add(call)
            try:
                call._read(arguments)
            except Exception as error:
                contained("request", error)
        except BaseException as error:  # Ctrl-C, a time-out from a signal handler
            if call.span is not None:
                call.end(Result(error=error))
            call.leave()
            raise
        return call

    def chosen_by(self, router: Any) -> None:
        """Note how a Router chooses among its deployments.

        Args:
            router: LiteLLM's object; from 1.110 on its settings are a snapshot that it keeps.
        """
        with _STRATEGY:
            settings = getattr(router, "settings", None)
            strategy = getattr(settings() if callable(settings) else router, "routing_strategy", None)
            if strategy is not None and self.request is not None:
                self.request.metadata["routing_strategy"] = plain.tag(plain.text(strategy))

    def is_served_by(self, target: Target, arguments: Mapping[str, Any]) -> bool:
        """Whether a call of ``target`` beneath is how this one gets its answer."""
        api = target.api
        if not self.target.api.asks_provider:
            if self.request is None or self.target.api is not tool.API or api is not mcp.API:
                return False
            return mcp.is_call_of(tool.called(self.request.arguments), arguments)
        if not api.serves_other_apis and api.name != self.target.api.name:
            return False
        # The attempts of a Router call are LiteLLM's functions. A method of the Router beneath one is a call of its
        # own: a silent experiment, the classifier of an auto-router.
        return not (target.router and self.target.router and not self.target.batch)

    def delegates(self, target: Target, arguments: Mapping[str, Any]) -> bool:
        """Whether a call of ``target`` beneath is this one, a layer further down."""
        own = self.target
        if not target.api.asks_provider:
            return target.api is own.api
        asks = own.api.asks_provider and not (own.router or own.batch)
        return asks and is_delegated(target.api.name, own.api.name, arguments)

    @property
    def is_leaf(self) -> bool:
        """Whether the call reached the provider itself, as far as is known by now."""
        return not self.target.never_leaf and (self.logging_obj is not None or not (self.children or self.blocked))

    def _read(self, arguments: Mapping[str, Any]) -> None:
        """Read the request, and whether it is one of several attempts."""
        target, serves = self.target, self.serves
        if serves is not None:
            serves.children += 1
        within = self.parent.request if self.parent is not None else None
        self.request = request = spans.open_request(
            self.span, target.api, arguments, router=target.router, within=within
        )
        if (logging_obj := arguments.get("litellm_logging_obj")) is not None and _prompts:
            self.request = request = request._replace(prompt=_prompts.get(logging_obj, request.prompt))
        if self.runs_tool and serves is not None and _ddtrace.is_llmobs_span(serves.span):
            _ddtrace.annotate(serves.span, tags={**target.api.read_input(plain.plain_arguments(arguments)).tags})
        if (target.router and not target.batch) or arguments.get("fallbacks"):
            self.attempts = Attempts()
        if serves is not None and serves.attempts is not None:
            tried = request.metadata.get("model_group", arguments.get("model"))
            request.metadata.update(serves.attempts.begin(plain.text(tried)))
            if serves.target.router and serves.request is not None:
                # The Router notes its choice in the metadata that it hands on.
                serves.request.metadata.update(metadata.routing_decision(metadata.request_metadata(arguments)))
        if request.capture is NOTHING and (within is None or within.capture is not NOTHING):
            self._redact_served()
        if debug_log.wanted():
            above = self.parent.target.api.name if self.parent is not None else ""
            debug_log.began(self.span, above, serves=serves is not None)

    def _redact_served(self) -> None:
        """Redact the calls that this one serves: what they show is what this one is asked and answers."""
        call = self.serves
        while call is not None:
            if call.request is not None:
                call.request = spans.redacted(call.request)
            call = call.serves

    def leave(self) -> None:
        """Make active what was when the call began: nothing of ours is, once our wrapper has returned."""
        # Set, never reset with a token: the call may end in another task or thread than it began in.
        set_apm, apm, llmobs = self._outside
        set_apm(apm)
        _ddtrace.set_llmobs_context(llmobs)

    def succeed(self, response: Any) -> Any:
        """End the call with its response; return that, or for a stream its proxy, which ends the call later."""
        try:
            streaming = self.target.api.streaming
            try:
                proxy = proxy_class(type(response))
                if streaming is not None and proxy is not None:
                    stream = StreamReading(response, streaming, self.started, self._end_stream)
                    traced = proxy(response, stream)
                    self._keep(stream)
                    return traced
            except Exception as error:
                contained("result", error)
            self.end(Result(response))
        finally:
            self.leave()
        return response

    def fail(self, error: BaseException) -> None:
        """End the call with what it raised."""
        try:
            self.end(Result(error=error))
        finally:
            self.leave()

    def end_whole_streams(self) -> None:
        """End the streams beneath that have brought their last event, and with it the choice of a tool.

        LiteLLM runs the tool before it reads on (Responses), or reads no further (Interactions; 1.85 to 1.110).
        """
        self.end_streams(
            lambda stream: stream.streaming.is_last is not None and stream.streaming.is_last(stream.chunks[-1])
        )

    def end_streams(self, is_whole: Callable[[StreamReading], bool]) -> None:
        """End those of the streams beneath of which ``is_whole`` says so."""
        for call in tuple(self.streaming or ()):
            stream = call.stream
            if stream is not None and stream.chunks and is_whole(stream):
                stream.end(StopAsyncIteration())

    def tell_choices(self) -> None:
        """Link the tools that streams beneath have chosen: LiteLLM runs them before the usage (chat, 1.85 to 1.95)."""
        for call in tuple(self.streaming or ()):
            call.tell_choices()
            request, stream, api = call.request, call.stream, call.target.api
            if call.told or stream is None or request is None or api.streaming is None or not call.is_leaf:
                continue
            if _ddtrace.is_llmobs_span(call.span):
                output = api.read_response(api.streaming.assemble(stream.chunks, request.arguments), request.arguments)
                if output.finish_reason and output.tool_calls:
                    spans.link_choices(call.span, output)
                    call.told = True

    def _leave_streams(self) -> None:
        """End the streams beneath: one open span holds its whole trace back."""
        with _STREAM:
            self.end_whole_streams()
            for call in tuple(self.streaming or ()):
                if call.stream is not None:
                    call.stream.abandon(counters.LEFT)

    def _keep(self, stream: StreamReading) -> None:
        self.stream = stream
        open_streams.add(stream)
        parent = self.parent
        if parent is not None:
            parent.streaming = parent.streaming or set()
            parent.streaming.add(self)

    def _end_stream(self, result: Result, ended_as: str) -> None:
        self.stream = None
        if self.parent is not None and self.parent.streaming is not None:
            self.parent.streaming.discard(self)
        self.end(result, ended_as)

    def end(self, result: Result, ended_as: str = counters.OK, *, at: float | None = None) -> None:
        """Write the outcome on the span and finish it; the first end counts.

        Args:
            result: what came of the call.
            ended_as: what it is counted as, where it was no error.
            at: when it ended, seconds since 1970; ``None``: now.
        """
        if self.done:
            return
        self.done = True
        self.blocked = self.blocked and result.error is not None
        if self.streaming:
            self._leave_streams()
        if isinstance(result.error, _CANCELLED):
            result, ended_as = self._cancelled(result, ended_as)
        said: Outcome | None = None
        if result.error is not None:
            with _ERROR_TEXT:
                self._tell_error(result.error)
        try:
            said = self._outcome(result)
        except Exception as error:
            contained("outcome", error)
        self._write(said)
        if self.span.error and ended_as != counters.CANCELLED:
            ended_as = counters.ERROR
        if debug_log.wanted():
            with _DEBUG_LOG:
                if said is not None:
                    debug_log.decided(self.span, said, children=self.children, never_leaf=self.target.never_leaf)
                debug_log.ended(self.span, result, ended_as)
        self._finish(ended_as, at)

    def _write(self, said: Outcome | None) -> None:
        try:
            spans.write(self.span, self.request, said or unread(self.target.api, self.request, leaf=self.is_leaf))
        except Exception as error:
            contained("span", error)
            with contain("span"):
                spans.write(self.span, None, unread(self.target.api, None, leaf=self.is_leaf))

    def _cancelled(self, result: Result, ended_as: str) -> tuple[Result, str]:
        """Return what a cancellation says: a proxy's client has left, or a stream was closed."""
        request = self.request
        if request is not None and request.arguments.get("proxy_server_request") is not None:
            return result._replace(error=None, completed=False, disconnected=True), counters.DISCONNECTED
        if result.chunks is not None and isinstance(result.error, GeneratorExit):
            return result._replace(error=None), ended_as
        return result, counters.CANCELLED

    def _outcome(self, result: Result) -> Outcome | None:
        request, serves, error = self.request, self.serves, result.error
        if request is None:
            return None
        if self.attempts is not None:
            request.metadata.update(self.attempts.summary())
            if self.target.router:
                request.metadata.update(metadata.applied_guardrails(request.arguments))
        # An attempt that was cancelled is not one that failed.
        if isinstance(error, Exception) and serves is not None and serves.attempts is not None:
            serves.attempts.fail(request.metadata, self.error_text().summary(error))
        said = outcome(
            self.target.api,
            request,
            result,
            self._beneath(),
            event=self.runs_tool or (request.contents is not None and _ddtrace.is_llmobs_span(self.span)),
        )
        if serves is not None and error is None:
            serves.answered_by = said
        if self.told and said.output is not None:
            said = said._replace(output=said.output._replace(tool_calls=()))
        if said.error is not None:
            said = said._replace(error=self.error_text().reported(*said.error))
        return said

    def _tell_error(self, error: BaseException) -> None:
        stack = _ddtrace.set_exception(self.span, error)
        if self.span.error:  # exit(0) is none
            text = self.error_text()
            _ddtrace.set_error_texts(self.span, text.message(error), text.stack(error, stack))
            if self.parent is None:
                for span in _ddtrace.spans_above(self.span):
                    failures = _ddtrace.kept_failures(span) or Failures()
                    failures.add(text, error)
                    _ddtrace.keep_failures(span, failures)

    def error_text(self) -> ErrorText:
        """Return how errors of this call are told."""
        if self.request is None:
            return ErrorText(captured=False)
        if self.own_secrets is None:  # looked for once, as it takes some 100 us
            arguments = self.request.arguments
            of_process = credentials.of_process({name: getattr(litellm, name, None) for name in _KEYS})
            self.own_secrets = credentials.of_call(arguments) | spans.hidden_users(arguments) | of_process
        secrets = self.own_secrets | (self.secrets or set())
        if self.serves is not None:
            # Its error is the same, and its arguments do not have the deployment's key.
            self.serves.secrets = (self.serves.secrets or set()) | secrets
        capture = self.request.capture
        return ErrorText(capture.input and capture.output, secrets)

    def _beneath(self) -> Beneath:
        # LiteLLM hands responses over before it knows whether it asks again; of embeddings, to add those of its cache.
        went_on = self.children or self.target.api is embeddings.API
        return Beneath(
            self.is_leaf, self.own_response if went_on else None, self.answered_by, self.logging_obj, self.built
        )

    def _finish(self, ended_as: str, at: float | None) -> None:
        self.counted_in[ended_as].up()
        if open_calls is not None:
            open_calls.discard(self)
        try:
            _ddtrace.mend_error(self.span, plain.tag)
            # The span outlives the call: what starts beneath it later belongs to the call above.
            _ddtrace.keep_call(self.span, self.parent)
            self.span.finish(at)
        except Exception as error:
            contained("finish", error)
