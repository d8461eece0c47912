"""A guardrail's verdict: what it decided, and why as far as that quotes nobody."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ddtrace_litellm.extract.api import Api, Arguments, Input, Output
from ddtrace_litellm.extract.fields import fields_of, number, sequence, text_of
from ddtrace_litellm.extract.plain import plain, text

ALLOW, MASK, FLAG, BLOCK, ERROR, SKIP = "allow", "mask", "flag", "block", "error", "skip"
_ACTIONS = {
    "success": ALLOW,
    "not_run": SKIP,
    "guardrail_flagged": FLAG,
    "guardrail_intervened": BLOCK,
    "guardrail_failed_to_respond": ERROR,
}
_FAILURES = ("failure", "guardrail_failed_to_respond")  # 1.72 and 1.85 say them of a block as well
_SEVERITY = (SKIP, ALLOW, MASK, FLAG, ERROR, BLOCK)
# What LiteLLM says of a guardrail beyond its answer (1.110), but for what quotes the request: match_details,
# classification; and people: alert_recipients.
_DETAILS = ("guardrail_id", "policy_template", "detection_method", "patterns_checked", "guardrail_cost")
_SCORES = ("confidence_score", "risk_score")
_MOST = 50
"""Categories and types of entities kept of one run."""
# A hook of before 1.95 hands on the whole request or response as its answer.
_WHOLE_MESSAGES = frozenset({"choices", "content", "input", "messages", "metadata", "output"})
# How LiteLLM tells a guardrail that blocks from one that fails (``is_guardrail_intervention``, 1.110).
_BLOCKING_STATUS = frozenset({400, 403, 422})
_BLOCKING = frozenset(
    {"BlockedPiiEntityError", "GuardrailRaisedException", "ModifyResponseException", "SensitiveDataRouteException"}
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What came of one run of a guardrail.

    Attributes:
        name: the guardrail's, from LiteLLM's configuration.
        mode: when it ran: ``pre_call``, ``during_call``, ``post_call``, ...
        status: LiteLLM's word: ``success``, ``guardrail_intervened``, ``guardrail_flagged``,
            ``guardrail_failed_to_respond``, ``not_run``.
        action: ``allow``, ``mask``, ``flag``, ``block``, ``error`` or ``skip``.
        provider: who checked, ``""`` where LiteLLM does not say.
        said: its answer, which may quote what it has checked.
        masked: how many entities were masked, by type.
        categories: what it found, in the provider's words for it.
        details: what else LiteLLM says of it, without contents.
    """

    name: str
    mode: str
    status: str
    action: str
    provider: str = ""
    said: str = ""
    masked: Mapping[str, int] = field(default_factory=dict)
    categories: tuple[str, ...] = ()
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def passed(self) -> bool | None:
        """Whether what was checked may go on as it is, or masked; ``None`` where there is no verdict."""
        return None if self.action in (ERROR, SKIP) else self.action in (ALLOW, MASK)

    @property
    def reason(self) -> str:
        """What was found, by its kind; ``""`` where only the answer would tell, which may quote contents."""
        masked = [f"{number} {kind}" for kind, number in self.masked.items()]
        return "; ".join(
            f"{what}: {', '.join(found)}" for what, found in (("found", self.categories), ("masked", masked)) if found
        )

    def metadata(self) -> dict[str, Any]:
        """Return what goes into a span's metadata."""
        found = {
            "guardrail_name": self.name,
            "guardrail_mode": self.mode,
            "guardrail_status": self.status,
            "guardrail_action": self.action,
            "guardrail_provider": self.provider,
            "masked_entity_count": dict(self.masked),
            "violation_categories": list(self.categories),
            **self.details,
        }
        return {name: value for name, value in found.items() if value not in ("", {}, [], None)}


def verdict(name: Any, event_hook: Any, record: Mapping[str, Any]) -> Verdict:
    """Read what LiteLLM records of a guardrail.

    Args:
        name: the guardrail's.
        event_hook: its mode, where the record has none: one, several, or some for each tag.
        record: the arguments of ``CustomGuardrail.add_standard_logging_guardrail_information_to_request_data``.
    """
    answer, status = record.get("guardrail_json_response"), text_of(record.get("guardrail_status"))
    masked = _counts(record.get("masked_entity_count"))
    if status in _FAILURES:
        status = "guardrail_intervened" if is_block(answer) else "guardrail_failed_to_respond"
    action = _ACTIONS.get(status, ALLOW)
    if action == ALLOW and (masked or answer == MASK):
        action = MASK
    detail = fields_of(record.get("tracing_detail"))
    return Verdict(
        name=text_of(name),
        mode=_mode(record.get("event_type") or event_hook),
        status=status,
        action=action,
        provider=text_of(record.get("guardrail_provider")),
        said=_said(answer),
        masked=masked,
        categories=tuple(map(text_of, sequence(detail.get("violation_categories"))))[:_MOST],
        details=_details(detail),
    )


def unrecorded(name: Any, mode: str, error: BaseException | None) -> Verdict:
    """Return the verdict of a guardrail that has told LiteLLM nothing: what it did says all that is known."""
    if error is None:
        return Verdict(text_of(name), mode, "success", ALLOW)
    if is_block(error):
        return Verdict(text_of(name), mode, "guardrail_intervened", BLOCK, said=_said(error))
    return Verdict(text_of(name), mode, "guardrail_failed_to_respond", ERROR)


def merged(verdicts: Iterable[Verdict], *, mode: str, error: BaseException | None) -> Verdict:
    """Return the verdict of one run that was recorded text by text: the gravest, with what all have found.

    Args:
        verdicts: at least one.
        mode: of the run, ``""`` where the records say it.
        error: what the run raised: one that intervened and raised nothing has changed what it checked.
    """
    found = list(verdicts)
    gravest = max(found, key=lambda verdict: _SEVERITY.index(verdict.action))
    masked: dict[str, int] = {}
    for verdict in found:
        for kind, count in verdict.masked.items():
            masked[kind] = masked.get(kind, 0) + count
    action = MASK if gravest.action == BLOCK and error is None else gravest.action
    categories = dict.fromkeys(category for verdict in found for category in verdict.categories)
    return Verdict(
        gravest.name,
        mode or gravest.mode,
        gravest.status,
        action,
        gravest.provider,
        gravest.said,
        masked,
        tuple(categories)[:_MOST],
        {name: value for verdict in (*found, gravest) for name, value in verdict.details.items()},
    )


def is_block(error: Any) -> bool:
    """Whether a guardrail raised this to stop what it was asked about, and has not failed itself."""
    return type(error).__name__ in _BLOCKING or getattr(error, "status_code", None) in _BLOCKING_STATUS


def _counts(value: Any) -> dict[str, int]:
    counts = list(fields_of(value).items())[:_MOST]
    return {text(kind): count for kind, count in counts if type(count) is int}


def _details(detail: Mapping[str, Any]) -> dict[str, Any]:
    found = {name: detail.get(name) for name in (*_DETAILS, *_SCORES)}
    found["guardrail_provider_action"] = detail.get("guardrail_action")
    return {name: value for name, value in found.items() if isinstance(value, str) or number(value) is not None}


def _mode(value: Any) -> str:
    """Return one mode, or several with commas; of modes by tag those of the tags too."""
    if value is None:
        return ""
    if isinstance(value, (list, tuple)):
        return ",".join(dict.fromkeys(map(_mode, value)))
    if hasattr(value, "tags"):
        return ",".join(dict.fromkeys(filter(None, map(_mode, (*fields_of(value.tags).values(), value.default)))))
    return text(value)


def _said(answer: Any) -> str:
    if isinstance(answer, BaseException):
        return text(getattr(answer, "detail", None) or answer)
    read = plain(answer) if isinstance(answer, (str, list, dict)) else None
    if isinstance(read, dict) and _WHOLE_MESSAGES & read.keys():
        return ""
    return read if isinstance(read, str) else json.dumps(read) if read else ""


def read_input(_arguments: Arguments) -> Input:
    """Read nothing: what is checked is on the span of the call, or of the request that was blocked."""
    return Input({})


def read_response(response: Any, _arguments: Arguments) -> Output:
    """Read the answer, which may quote what was checked, of a request as of a response."""
    return Output({"output_value": response.said} if isinstance(response, Verdict) else {}, quotes_input=True)


API = Api(
    name="guardrail",
    kind="task",
    parameters=frozenset(
        {
            "guardrail_action",
            "guardrail_mode",
            "guardrail_name",
            "guardrail_provider",
            "guardrail_provider_action",
            "guardrail_status",
            "masked_entity_count",
            "violation_categories",
            *_DETAILS,
            *_SCORES,
        }
    ),
    read_input=read_input,
    read_response=read_response,
    settings=lambda arguments: arguments["guardrail"],
)
