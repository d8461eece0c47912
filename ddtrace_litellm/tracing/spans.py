"""Writes spans: at the start what identifies the call, at the end its outcome. Nothing is decided here."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from ddtrace_litellm import _ddtrace
from ddtrace_litellm.config import NOTHING, CaptureConfig, UserConfig, capture_config, user_config
from ddtrace_litellm.extract import metadata as extract_metadata
from ddtrace_litellm.extract import plain, prompts, room
from ddtrace_litellm.extract.api import Api, Input, Output
from ddtrace_litellm.extract.capture import captured_input, captured_output
from ddtrace_litellm.extract.content import without_attachments
from ddtrace_litellm.extract.prompts import Prompt
from ddtrace_litellm.extract.tools import MAX_JSON_CHARS
from ddtrace_litellm.tracing.call_records import Request
from ddtrace_litellm.tracing.double_reporting import warn_if_reported_twice
from ddtrace_litellm.tracing.outcome import Outcome
from ddtrace_litellm.tracing.redaction import is_redacted

# Of other kinds ddtrace drops model and provider (4.8 to 4.16).
_KINDS_WITH_MODEL = frozenset({"llm", "embedding"})
# ddtrace parses the arguments of each once more, 20 us or 30 ms/MB a call (4.16).
_MAX_LINKS = 100
_INTEGRATION = {"integration": "litellm"}
_capture = CaptureConfig()
_users = UserConfig()


def configure() -> None:
    """Read the variables that say what of contents and users is on spans."""
    global _capture, _users  # settings of the process, read again at each patch
    _capture, _users = capture_config(os.environ), user_config(os.environ)


def open_request(
    span: Any, api: Api, arguments: Mapping[str, Any], *, router: bool, within: Request | None = None
) -> Request:
    """Put on the span who asks for what, and read the rest before LiteLLM or the user changes the arguments.

    The identity comes first: ddtrace's sampling rules (4.16) and the headers it injects are decided by the tags and the
    session that a span has when its trace first leaves the thread, the task or the process.

    Args:
        span: the call's.
        api: what is called.
        arguments: the call's, by name.
        router: it is a method of the Router.
        within: the request of the call around it: where that is redacted, so is this one.
    """
    model = arguments.get("model")
    if isinstance(model, str):
        model = plain.tag(model)
        _ddtrace.set_tag(span, "litellm.request.model", model)
    sources = extract_metadata.request_metadata(arguments)
    if api.identity is not None and (identity := api.identity(arguments)):
        sources.append(identity)
    redacted_around = within is not None and within.capture is NOTHING
    capture = NOTHING if redacted_around or is_redacted(arguments, sources) else _capture
    described: dict[str, Any] = {}
    if sources:
        described = extract_metadata.deployment(arguments, sources)
        host = extract_metadata.request_host(sources)
        if host is not None:
            _ddtrace.set_tag(span, "litellm.request.host", plain.tag(host))
    if router and isinstance(model, str):
        # LiteLLM says so in the metadata too, but only further down, where it chooses a deployment.
        described["model_group"] = model
    if not _ddtrace.is_llmobs_span(span):
        return Request(arguments, None, described, capture)
    if sources or router or "user" in arguments or "litellm_session_id" in arguments:
        _identify(span, arguments, sources, described)
    warn_if_reported_twice()
    asked = plain.plain_arguments(arguments)
    read = api.read_input(asked)
    introduce(span, read)
    settings = api.settings(asked) if api.settings is not None else asked
    described |= extract_metadata.parameters(settings, api.parameters, contents=capture.input)
    extract_metadata.hash_users(described, _users)
    # To all other APIs (text completion, images) the prompt is text.
    prompt = prompts.stored(arguments.get("prompt")) if isinstance(arguments.get("prompt"), dict) else None
    return Request(arguments, captured_input(read.annotations, capture), described, capture, prompt)


def rendered(api: Api, request: Request, model: Any, messages: Sequence[Any], prompt: Prompt | None) -> Request:
    """Return the request as the provider gets it, once LiteLLM has made its model and messages, maybe of a prompt."""
    name = "input" if "input" in request.arguments else "messages"
    return as_sent(api, request, {"model": model, name: messages})._replace(prompt=prompt or request.prompt)


def as_sent(api: Api, request: Request, changed: Mapping[str, Any]) -> Request:
    """Return the request with those of its arguments that are others by the time that it is sent."""
    arguments = {**request.arguments, **changed}
    contents = request.contents
    if contents is not None:
        contents = captured_input(api.read_input(plain.plain_arguments(arguments)).annotations, request.capture)
    return request._replace(arguments=arguments, contents=contents)


def hidden_users(arguments: Mapping[str, Any]) -> set[str]:
    """Return the users that no text of an error may name in clear."""
    return extract_metadata.users_of(arguments) if _users.hashed else set()


def redacted(request: Request) -> Request:
    """Return the request without contents: a call that serves it is redacted (by its deployment's parameters)."""
    contents = request.contents
    return request._replace(
        contents=None if contents is None else captured_input(contents, NOTHING),
        metadata=extract_metadata.without_contents(request.metadata),
        capture=NOTHING,
    )


def introduce(span: Any, read: Input) -> None:
    """Say which tool or agent is called, and which tools' results it is told."""
    if read.name:
        tags = {name: plain.tag(value) for name, value in read.tags.items()}
        _ddtrace.annotate(span, name=plain.tag(read.name), tags=tags)
    if read.manifest:
        _ddtrace.annotate(span, agent_manifest=plain.plain(dict(read.manifest)))
    for tool_id in read.tool_result_ids:
        _ddtrace.link_tool_result(span, tool_id)


def _identify(
    span: Any, arguments: Mapping[str, Any], sources: list[dict[str, Any]], described: Mapping[str, Any]
) -> None:
    tags = extract_metadata.identity_tags(arguments, sources)
    extract_metadata.hash_users(tags, _users)
    if "model_group" in described:
        tags["model_group"] = described["model_group"]
    session_id = extract_metadata.session_id(arguments, sources)
    cost_tags = sorted(extract_metadata.COST_TAGS & tags.keys()) or None
    _ddtrace.annotate(span, tags=tags, cost_tags=cost_tags, session_id=session_id)
    if session_id is not None:
        _ddtrace.propagate_session(span, session_id)


def write(span: Any, request: Request | None, outcome: Outcome) -> None:
    """Put the outcome of a call on its span."""
    kind, model = outcome.kind, outcome.model
    model_name, provider = plain.tag(model.name), plain.tag(model.provider)
    metrics = plain.numbers(outcome.metrics)
    if outcome.error is not None:
        _ddtrace.set_error(span, *map(plain.tag, outcome.error))
    if model.in_response:
        _ddtrace.set_tag(span, "litellm.response.model", model_name)
    _ddtrace.set_apm_tags(span, kind, metrics, model_name, provider)
    if not _ddtrace.is_llmobs_span(span):
        return
    if request is None or request.contents is None:
        _ddtrace.annotate(span, kind=kind, tags=_INTEGRATION)
        return
    prompt, asked, shown = _contents(request, outcome)
    said = _fitting(span, asked, {**shown, "metadata": _metadata(request, outcome)})
    _ddtrace.annotate(
        span, kind=kind, model_name=model_name, model_provider=provider, metrics=metrics, tags=_INTEGRATION, **said
    )
    if outcome.output is not None:
        _link_ran(span, outcome.output)
    if outcome.output is not None and outcome.leaf:
        link_choices(span, outcome.output)
    if not outcome.leaf or outcome.output is None:
        return
    if prompt is not None and kind == "llm":
        _ddtrace.annotate_prompt(span, prompt.annotation(request.capture))
    if request.capture.input:  # a managed prompt of Datadog's brings its variables along
        _ddtrace.annotate_tracked_prompt(span, request.arguments.get("messages") or request.arguments.get("prompt"))


def _link_ran(span: Any, output: Output) -> None:
    """Link a tool that has run to what chose it."""
    for ran in output.ran:
        if len(ran.arguments) <= MAX_JSON_CHARS:
            _ddtrace.link_tool_call(span, ran.tool_id, ran.name, ran.arguments)


def link_choices(span: Any, output: Output) -> None:
    """Link what a leaf has chosen to the tools that will run."""
    for call in islice(output.tool_calls, _MAX_LINKS):
        if call.tool_id and len(call.arguments) <= MAX_JSON_CHARS:
            _ddtrace.link_tool_choice(span, call.tool_id, call.name, call.arguments)


def _contents(request: Request, outcome: Outcome) -> tuple[Prompt | None, Mapping[str, Any], Mapping[str, Any]]:
    """Return the managed prompt, what was asked as plain values, and the rest of what is shown of a call.

    A response may show what a stored prompt became.
    """
    prompt, output, asked = request.prompt, outcome.output, request.contents or {}
    answered = captured_output(output, request.capture) if output is not None else {}
    if prompt is not None and output is not None and output.rendered:
        prompt = prompt.rendered(output.rendered)
        rendered = captured_input({"input_messages": output.rendered}, request.capture)["input_messages"]
        given = asked["input_messages"] if request.arguments.get("input") else []
        asked = {**asked, "input_messages": plain.plain([*rendered, *given])}
    return (prompt, asked, answered) if outcome.leaf else (prompt, {}, _as_values({**asked, **answered}))


def _fitting(span: Any, asked: Mapping[str, Any], shown: Mapping[str, Any]) -> dict[str, Any]:
    """Return annotations as plain values that the event, and the trace, have room for; those of ``asked`` are plain."""
    said, chars = plain.plain_and_measured(shown)
    if (known := plain.size(asked)) is None:
        asked, known = plain.plain_and_measured(asked)
    said, chars = {**asked, **said}, chars + known
    attached = room.attached(said)
    if attached:
        chars -= attached
        said, attached = room.with_attachments_that_fit(said, chars, _ddtrace.attached_to_trace(span))
        _ddtrace.attach_to_trace(span, attached)
    return room.with_texts_that_fit(said, chars, attached)


def _metadata(request: Request, outcome: Outcome) -> dict[str, Any]:
    metadata, model = {**request.metadata, **outcome.metadata}, outcome.model
    asked_for = request.arguments.get("model")
    if not outcome.leaf and isinstance(asked_for, str):
        metadata["model"] = asked_for
    if outcome.leaf and outcome.kind not in _KINDS_WITH_MODEL:
        named = {"model_name": model.name, "model_provider": model.provider}
        metadata.update({name: value for name, value in named.items() if value})
    return metadata


def _as_values(contents: Mapping[str, Any]) -> dict[str, Any]:
    """Return the contents for a span that is no leaf.

    LLM Observability shows documents and attachments of its own kinds only, and an empty list as text.
    """
    values: dict[str, Any] = {}
    for name, value in contents.items():
        if name.endswith("_documents"):
            values[name.replace("_documents", "_value")] = [document["text"] for document in value]
        elif name.endswith("_messages"):
            values[name] = list(map(without_attachments, value))
        else:
            values[name] = value
    return {name: value for name, value in values.items() if value}
