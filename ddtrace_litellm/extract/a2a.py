"""Messages to another agent over A2A, its answer, and the events of its stream."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ddtrace_litellm.extract.api import Api, Arguments, Input, Output, Streaming, reported_error
from ddtrace_litellm.extract.fields import field, fields_of, hidden_params, number, sequence, text_of
from ddtrace_litellm.extract.plain import abridged, plain
from ddtrace_litellm.extract.tools import json_text

_FAILED = frozenset({"failed", "rejected"})
"""The states of a task that is over and has no answer."""


def read_input(arguments: Arguments) -> Input:
    """Read the message, and which agent it goes to, where the caller says so; else its card will."""
    parameters = field(arguments.get("request"), "params")
    spoken = _message(field(parameters, "message"))
    name = text_of(arguments.get("agent_name") or field(arguments.get("litellm_params"), "model"))
    tags = {"a2a_agent_id": agent_id} if (agent_id := text_of(arguments.get("agent_id"))) else {}
    return Input({"input_messages": [spoken] if spoken is not None else []}, name=name, tags=tags)


def read_response(response: Any, arguments: Arguments) -> Output:
    """Read the answer: a message, or a task with what it has made."""
    result = _result(response)
    spoken = [_message(result), _message(field(result.get("status"), "message"))]
    made = [_parts(field(artifact, "parts")) for artifact in abridged(result.get("artifacts"), "parts")]
    messages = [message for message in spoken if message is not None]
    if made:
        messages.append({"role": "agent", "content": "\n".join(made)})
    return Output(
        {"output_messages": messages}, finish_reason=_state(result), cost=_cost(response, arguments, failed=not result)
    )


def read_error(response: Any) -> tuple[str, str] | None:
    """Return JSON-RPC's error, or the state of a task that has failed with what is said of it."""
    result = _result(response)
    if (state := _state(result)) in _FAILED:
        said = _message(field(result.get("status"), "message"))
        return f"task {state}", said["content"] if said is not None else ""
    return reported_error(_body(response))


def assemble(chunks: Sequence[Any], _arguments: Arguments) -> dict[str, Any]:
    """Put the events of a stream together to the last message, or the task as it is after all of them."""
    task: dict[str, Any] = {}
    artifacts: dict[str, list[Any]] = {}
    for chunk in chunks:
        result = _result(chunk)
        if not result:
            if reported_error(body := _body(chunk)) is not None:
                return {**fields_of(body)}
            continue
        artifact = fields_of(result.get("artifact"))
        if artifact:
            made = artifacts.setdefault(text_of(artifact.get("artifactId") or artifact.get("artifact_id")), [])
            if result.get("append") is not True:
                made.clear()
            made.extend(sequence(artifact.get("parts")))
        else:
            task |= result
    if artifacts:
        task["artifacts"] = [{"parts": parts} for parts in artifacts.values()]
    return {"result": task}


def first_content_detector() -> Callable[[Any], bool]:
    """Return a function that says whether an event has the first text."""

    def has_content(chunk: Any) -> bool:
        result = _result(chunk)
        said = result.get("parts") or field(result.get("artifact"), "parts")
        return bool(said or field(field(result.get("status"), "message"), "parts"))

    return has_content


def _body(response: Any) -> Any:
    """Return the JSON-RPC message: the A2A SDK has it in ``root``, LiteLLM's own is one."""
    return field(response, "root") or response


def _result(response: Any) -> Mapping[str, Any]:
    result = fields_of(field(_body(response), "result"))
    return fields_of(result.get("root")) if "root" in result else result


def _state(result: Mapping[str, Any]) -> str:
    state = field(result.get("status"), "state")
    return text_of(getattr(state, "value", state))


def _message(raw: Any) -> dict[str, str] | None:
    role, parts = field(raw, "role"), field(raw, "parts")
    if not isinstance(parts, (list, tuple)):
        return None
    return {"role": text_of(getattr(role, "value", role)), "content": _parts(parts)}


def _parts(parts: Any) -> str:
    return "\n".join(_part(part) for part in abridged(parts, "parts"))


def _part(raw: Any) -> str:
    part = fields_of(field(raw, "root") or raw)
    if isinstance(text := part.get("text"), str):
        return text
    if data := part.get("data"):
        return json_text(plain(data))
    file = part.get("file")
    described = (text_of(field(file, name)) for name in ("name", "mimeType", "mime_type"))
    return f"[{' '.join(filter(None, ('file', *described)))}]" if file else text_of(raw) if raw else ""


def _cost(response: Any, arguments: Arguments, *, failed: bool) -> float | None:
    """Return what LiteLLM charges for an answer of the agent, US dollars; ``None`` where it has no price."""
    if failed:
        return None
    price = number(field(arguments.get("litellm_params"), "cost_per_query"))
    return price if price is not None else number(hidden_params(response).get("response_cost")) or None


API = Api(
    name="a2a",
    kind="agent",
    parameters=frozenset(),
    read_input=read_input,
    read_response=read_response,
    read_error=read_error,
    asks_provider=False,
    streaming=Streaming(assemble, first_content_detector),
)
