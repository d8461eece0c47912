"""Guardrails: a span and an evaluation for each run of one, and a workflow for a request that one has blocked.

What a guardrail decides is known only when it is over, and whether a request was blocked only when all of them are: so
these spans are made afterwards, with the times that they had.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextvars import ContextVar
from dataclasses import replace
from time import time
from typing import Any, NamedTuple

from ddtrace_litellm import _ddtrace
from ddtrace_litellm.extract import guardrail
from ddtrace_litellm.extract.fields import number, sequence
from ddtrace_litellm.extract.guardrail import Verdict
from ddtrace_litellm.extract.metadata import request_metadata
from ddtrace_litellm.extract.plain import tag, text
from ddtrace_litellm.targets import GUARDRAIL, SCREENED
from ddtrace_litellm.tracing.call_records import Result
from ddtrace_litellm.tracing.calls import Call, enclosing, innermost
from ddtrace_litellm.tracing.errors import contain

MAX_RUNS = 100
"""Spans of guardrails beneath one span, and records kept of one run: Presidio records every text of a request."""

_GUARDRAIL, _EVALUATION = contain("guardrail"), contain("guardrail evaluation")
_RECORD = (
    "guardrail_json_response",
    "request_data",
    "guardrail_status",
    "start_time",
    "end_time",
    "duration",
    "masked_entity_count",
    "guardrail_provider",
    "event_type",
    "tracing_detail",
)
_REQUESTS = ("data", "request_data", "kwargs")
_KEPT = "standard_logging_guardrail_information"
# What of the request says whose it is, and whether its contents may be shown.
_OF_REQUEST = ("litellm_metadata", "litellm_session_id", "metadata", "no-log", "turn_off_message_logging", "user")


class Run:
    """A guardrail while it runs.

    Attributes:
        guardrail: LiteLLM's object.
        mode: when it runs.
        named: the arguments of what runs it, by name.
        ran: it applied to the request.
        verdicts: what it has recorded so far.
        error: what it has raised.
    """

    __slots__ = ("done", "error", "guardrail", "mode", "named", "ran", "started", "verdicts")

    def __init__(self, instance: Any, mode: str, named: Mapping[str, Any]) -> None:
        self.guardrail = named.get("callback", instance)
        self.mode = named.get("hook_type") or mode
        self.named = named
        self.ran = "coro" in named
        self.started = time()
        self.verdicts: list[Verdict] = []
        self.error: BaseException | None = None
        self.done = False

    def over(self) -> Ended | None:
        """Return what came of it, ``None`` where it did not apply."""
        self.done = True
        named, mode = self.named, self.mode
        if "mcp" in text(named.get("call_type")):
            mode = mode.replace("_call", "_mcp_call")  # LiteLLM's own record says pre_call (1.110)
        if self.verdicts:
            verdict = guardrail.merged(self.verdicts, mode=mode, error=self.error)
        elif self.ran:
            name = getattr(self.guardrail, "guardrail_name", None) or type(self.guardrail).__name__
            verdict = guardrail.unrecorded(name, mode, self.error)
        else:
            return None
        requests = [named[name] for name in _REQUESTS if isinstance(named.get(name), dict)]
        return Ended(verdict, requests[0] if requests else {}, self.started, time(), self.error)


class Ended(NamedTuple):
    """A run that is over.

    Attributes:
        verdict: what it decided.
        request: the arguments of the request that it has checked.
        started, ended: seconds since 1970.
        error: what it raised.
    """

    verdict: Verdict
    request: Mapping[str, Any]
    started: float
    ended: float
    error: BaseException | None = None

    @property
    def stopped(self) -> bool:
        """Whether the request may not go on."""
        return self.verdict.action in (guardrail.BLOCK, guardrail.ERROR)


class Screening:
    """The guardrails of a request to the proxy, while they run before it is routed."""

    __slots__ = ("done", "ended", "started")

    def __init__(self) -> None:
        self.started = time()
        self.ended: list[Ended] = []
        self.done = False


# A task that outlives what it was started in has it in its context still: hence ``done``.
_run: ContextVar[Run | None] = ContextVar("ddtrace_litellm_guardrail", default=None)
_screening: ContextVar[Screening | None] = ContextVar("ddtrace_litellm_screening", default=None)


async def running(instance: Any, mode: str, named: Mapping[str, Any], work: Callable[[], Awaitable[Any]]) -> Any:
    """Do what runs one guardrail; then make its span.

    Args:
        instance: whose method does it.
        mode: of the run, where no argument says it.
        named: the arguments by name.
        work: does it.
    """
    before, run = _run.get(), Run(instance, mode, named)
    _run.set(run)
    try:
        return await work()
    except BaseException as error:
        run.error = error
        raise
    finally:
        _run.set(before)  # never with a token: a coroutine may be closed in another context
        with _GUARDRAIL:
            ended = run.over()
            if ended is not None:
                _keep_or_write(ended)


async def screening(call_type: Any, request: Any, work: Callable[[], Awaitable[Any]]) -> Any:
    """Do what runs the guardrails of a request to the proxy; then make their spans, and that of a blocked request."""
    screened, before = Screening(), _screening.get()
    _screening.set(screened)
    raised: BaseException | None = None
    try:
        return await work()
    except BaseException as error:
        raised = error
        raise
    finally:
        _screening.set(before)
        screened.done = True
        if screened.ended:
            with _GUARDRAIL:
                _write_all(screened, call_type, request, raised)


def applies() -> None:
    """Note that the guardrail that runs applies to its request."""
    run = _run.get()
    if run is not None:
        run.ran = True


def recorded(checks: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> None:
    """Note what a guardrail has told LiteLLM."""
    with _GUARDRAIL:
        record = {**dict(zip(_RECORD, args, strict=False)), **kwargs}
        answer, request = record.get("guardrail_json_response"), record.get("request_data")
        if isinstance(answer, (dict, list)):
            record["guardrail_json_response"] = _as_kept(request)
        found = guardrail.verdict(checks.guardrail_name or type(checks).__name__, checks.event_hook, record)
        run = _run.get()
        if run is not None and not run.done:
            if len(run.verdicts) < MAX_RUNS:
                run.verdicts.append(found)
            return
        ended = time()
        started = number(record.get("start_time")) or ended - (number(record.get("duration")) or 0)
        error = answer if isinstance(answer, BaseException) else None
        _keep_or_write(Ended(found, request or {}, min(started, ended), ended, error))


def _as_kept(request: Any) -> Any:
    """Return the answer as LiteLLM has kept it: without the texts that matched (1.85), and without credentials."""
    for source in request_metadata(request or {}):
        kept = source.get(_KEPT)
        if record := kept if isinstance(kept, dict) else (sequence(kept) or (None,))[-1]:
            return record.get("guardrail_response")
    return None


def _keep_or_write(ended: Ended) -> None:
    screened = _screening.get()
    if screened is None or screened.done:
        _write(ended)
    elif len(screened.ended) < MAX_RUNS:
        screened.ended.append(ended)


def _write_all(screened: Screening, call_type: Any, request: Any, raised: BaseException | None) -> None:
    blocked = isinstance(raised, Exception) and any(ended.stopped for ended in screened.ended)
    target = SCREENED.get(getattr(call_type, "value", call_type))
    workflow = None
    if blocked and target is not None and innermost() is None:
        arguments = request if isinstance(request, dict) else {}
        workflow = Call.open(target, arguments, None, _ddtrace.active_context(), at=screened.started)
        workflow.blocked = True
    try:
        for ended in screened.ended:
            _write(ended)
    finally:
        if workflow is not None and raised is not None:
            workflow.fail(raised)


def _write(ended: Ended) -> None:
    active = _ddtrace.active_context()
    if _ddtrace.count_beneath(active) > MAX_RUNS:
        return
    parent = enclosing(active)
    if parent is not None and ended.stopped:
        parent.blocked = True
    verdict = ended.verdict
    arguments = {name: ended.request[name] for name in _OF_REQUEST if name in ended.request}
    target = replace(GUARDRAIL, called=tag(f"guardrail.{verdict.name}"))
    # Where a record has a time, 1.72 has that of the import of the guardrail's module there.
    started = max(ended.started, _ddtrace.began(active))
    call = Call.open(target, arguments | {"guardrail": verdict.metadata()}, parent, active, at=started)
    try:
        passed = verdict.passed
        if passed is not None and _ddtrace.is_llmobs_span(call.span):
            with _EVALUATION:
                label = f"guardrail_{verdict.name}"
                _ddtrace.submit_evaluation(call.span, label, verdict.action, passed=passed, reasoning=verdict.reason)
    finally:
        failed = ended.error if verdict.action == guardrail.ERROR else None
        call.end(Result(verdict, failed), at=max(ended.ended, started))
        call.leave()
