"""Where LiteLLM was told not to log what is said, it is on no span: compared with what LiteLLM's own loggers get."""

import asyncio
import contextlib
import importlib.util
import json
import queue
from collections.abc import Iterator
from copy import deepcopy
from itertools import product
from typing import Any

import litellm
import pytest
from litellm.integrations.custom_guardrail import CustomGuardrail
from litellm.integrations.custom_logger import CustomLogger
from litellm.types import guardrails

from ddtrace_litellm import get_version
from ddtrace_litellm.tracing import redaction
from ddtrace_litellm.tracing.error_text import NOT_CAPTURED
from tests.provider import Script, ToolCall
from tests.tracing.entry_points import WAYS, aread, read
from tests.tracing.events import CASES
from tests.tracing.scenarios import deployment, to
from tests.tracing.told import everything

litellm.suppress_debug_info = True
pytestmark = [
    pytest.mark.usefixtures("clean_slate"),
    pytest.mark.filterwarnings("ignore:Router.:DeprecationWarning"),  # LiteLLM 1.109
]

PROMPT, ANSWER = "ssn 123-45-6789", "born on 1999-12-31"
ASK = [{"role": "system", "content": "Be kind."}, {"role": "user", "content": PROMPT}]
X_ENABLE, ENABLE, DISABLE = (
    "x-litellm-enable-message-redaction",
    "litellm-enable-message-redaction",
    "litellm-disable-message-redaction",
)


@pytest.fixture(autouse=True)
def _answers(provider):
    provider.otherwise = Script(text=ANSWER)


class Logged(CustomLogger):
    """What LiteLLM hands to a logger of its own, Datadog's for example, of each call."""

    def __init__(self) -> None:
        super().__init__()
        self.payloads: queue.Queue[Any] = queue.Queue()

    def log_success_event(self, kwargs, response_obj, start_time, end_time):  # noqa: ARG002  # LiteLLM's signature
        self.payloads.put(kwargs["standard_logging_object"])

    async def async_log_success_event(self, kwargs, response_obj, start_time, end_time):  # noqa: ARG002
        self.payloads.put(kwargs["standard_logging_object"])

    def next(self) -> str:
        """Return what was logged of the next call: LiteLLM does it in a thread."""
        payload = self.payloads.get(timeout=10)
        return json.dumps([payload["messages"], payload["response"]], default=str)


@pytest.fixture
def logged(monkeypatch) -> Logged:
    """A logger of LiteLLM's."""
    logger = Logged()
    monkeypatch.setattr(litellm, "success_callback", [logger])
    monkeypatch.setattr(litellm, "_async_success_callback", [logger])
    return logger


@pytest.fixture(params=[False, True], ids=["on", "off"])
def everywhere(request, monkeypatch) -> bool:
    """Whether the process has logging of messages turned off."""
    monkeypatch.setattr(litellm, "turn_off_message_logging", request.param)
    return bool(request.param)


def _send(way: str, owner: Any, *positional: Any, **given: Any) -> None:
    """Make a call and read the answer, in one of the ways to do that."""

    async def main() -> None:
        await aread(await owner.acompletion(*positional, stream="stream" in way, **given))

    if "async" in way:
        asyncio.run(main())
    else:
        read(owner.completion(*positional, stream="stream" in way, **given))


each_way = pytest.mark.parametrize("way", ["sync", "async", "stream", "async stream"])


def _says(text: str) -> bool:
    """Whether what was asked is there; what was answered is exactly where that is."""
    assert (PROMPT in text) is (ANSWER in text)
    return PROMPT in text


_UNSET = object()
MATRIX = [
    (everywhere, place, told, header)
    for everywhere, (place, told), header in product(
        (False, True),
        ((None, _UNSET), *product(("argument", "metadata"), (True, False, "true", "False", None, "odd"))),
        (None, X_ENABLE, ENABLE, DISABLE),
    )
]


def _told(place: "str | None", told: Any, header: "str | None") -> dict[str, Any]:
    metadata: dict[str, Any] = {"headers": {header: "true"}} if header else {}
    if place == "metadata":
        metadata["turn_off_message_logging"] = told
    return {"metadata": metadata, **({"turn_off_message_logging": told} if place == "argument" else {})}


def test_precedence_is_that_of_litellm(provider, recorder, logged, monkeypatch):
    """Of every combination of setting, parameter and header, a span says what LiteLLM's own loggers are told."""
    reads = {"argument": redaction._ARGUMENT_MAY_OPT_OUT, "metadata": redaction._METADATA_MAY_OPT_OUT, None: True}
    for everywhere, place, told, header in MATRIX:
        monkeypatch.setattr(litellm, "turn_off_message_logging", everywhere)
        recorder.events.clear()
        recorder.finished.clear()
        litellm.completion("mistral/m", ASK, **to(provider), **_told(place, told, header))
        ours, theirs = _says(everything(recorder)), _says(logged.next())
        case = everywhere, place, told, header
        # Where a LiteLLM does not read the parameter, it is heard all the same where it asks for redaction.
        assert ours == theirs if reads[place] else ours <= theirs, case


@each_way
def test_the_call_has_the_last_word(everywhere, way, provider, recorder, logged):
    """The parameter of a call wins over the setting, in both directions, streamed or not."""
    if not redaction._ARGUMENT_MAY_OPT_OUT:
        pytest.skip("this LiteLLM does not read the parameter (1.85)")
    _send(way, litellm, "mistral/m", ASK, **to(provider), turn_off_message_logging=not everywhere)
    assert _says(everything(recorder)) is everywhere
    assert recorder.event["metrics"]["output_tokens"] > 0
    if "async" not in way:  # LiteLLM's worker logs those in the loop, which has ended
        assert _says(logged.next()) is everywhere


def _texts(value: Any) -> Iterator[str]:
    """Yield what is said, or where it was found, in an event's input or output."""
    if isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for name, item in value.items():
            yield from (item,) if isinstance(item, str) and name in ("content", "text", "value") else _texts(item)


@pytest.mark.parametrize("way", ["direct", "adirect", "router", "arouter"])
@pytest.mark.parametrize("name", CASES)
def test_every_api(name, way, provider, recorder, monkeypatch):
    """Of what every API is asked and answers nothing is on a span, plain or streamed; tokens and reason stay."""
    case = CASES[name]
    if case.fastapi and importlib.util.find_spec("fastapi") is None:
        pytest.skip("LiteLLM cannot make this call without fastapi")
    if case.call.function == "search":
        pytest.importorskip("dateutil", reason="LiteLLM 1.95 imports it for the search")
    monkeypatch.setattr(litellm, "turn_off_message_logging", True)
    provider.otherwise = case.script
    WAYS[way](case.call, provider)
    told = everything(recorder)
    texts = [*_texts(case.asked)]
    if case.kind != "embedding":  # whose answer is numbers, and is summed up
        texts += [text for text in _texts(case.said) if "its id" not in text]
    assert [text for text in texts if text and text in told] == []
    assert "Adds." not in told
    (leaf,) = recorder.leaves
    # 1.72 leaves the usage of a transcription out.
    tokens = {} if name == "transcription" and get_version().startswith("1.72.") else case.tokens
    assert {count: number for count, number in leaf["metrics"].items() if count in case.tokens} == tokens
    if "finish_reason" in case.metadata:
        assert leaf["meta"]["metadata"]["finish_reason"] == case.metadata["finish_reason"]
    asked = case.asked.get("messages", [])
    said = leaf["meta"]["input"].get("messages", [])
    assert [message["role"] for message in said] == [message["role"] for message in asked]


def test_what_is_left_of_a_conversation_with_tools(provider, recorder):
    """Roles, names and ids of tools, the model, parameters, tokens and cost; no arguments, no results."""
    call = {"id": "call_0", "type": "function", "function": {"name": "look_up", "arguments": json.dumps({"q": PROMPT})}}
    messages = [
        *ASK,
        {"role": "assistant", "content": None, "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "call_0", "content": ANSWER},
    ]
    provider.otherwise = Script(tool_calls=(ToolCall("call_1", "look_up", json.dumps({"q": ANSWER})),))
    tool = {"name": "look_up", "description": PROMPT, "parameters": {"type": "object", "description": PROMPT}}
    litellm.completion(
        "openai/gpt-4o-mini",
        messages,
        tools=[{"type": "function", "function": tool}],
        response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"description": PROMPT}}},
        temperature=0.5,
        turn_off_message_logging=True,
        **to(provider),
    )
    meta, metrics = recorder.event["meta"], recorder.event["metrics"]
    assert not _says(everything(recorder))
    called = {"name": "look_up", "arguments": {}, "type": "function"}
    asked, answered = meta["input"]["messages"], meta["output"]["messages"]
    assert [message["role"] for message in asked] == ["system", "user", "assistant", "tool"]
    assert asked[2]["tool_calls"] == [{**called, "tool_id": "call_0"}]
    assert asked[3]["tool_results"][0]["tool_id"] == "call_0"
    assert answered == [{"role": "assistant", "content": "", "tool_calls": [{**called, "tool_id": "call_1"}]}]
    assert [tool["name"] for tool in meta["tool_definitions"]] == ["look_up"]
    assert meta["metadata"]["response_format"] == {"type": "json_schema"}
    assert meta["metadata"]["temperature"] == 0.5
    assert metrics["input_tokens"] > 0 < metrics["total_cost"]


REDACTED: dict[str, Any] = {"turn_off_message_logging": True}


def _router(provider, *, deployed=None, **settings):
    groups = deployment(provider, "a", "openai/refuses"), deployment(provider, "b", "openai/gpt-4o-mini")
    groups[1]["litellm_params"].update(deployed or {})
    return litellm.Router(
        list(groups), num_retries=0, fallbacks=[{"a": ["b"]}], disable_cooldowns=True, retry_after=0, **settings
    )


@each_way
@pytest.mark.parametrize(
    "case",
    [
        (REDACTED, {}),
        ({"metadata": {"headers": {X_ENABLE: "1"}}}, {}),
        ({"no-log": True}, {}),
        ({}, {"deployed": REDACTED}),
        ({}, {"default_litellm_params": REDACTED}),
    ],
    ids=["call", "header", "no-log", "deployment", "all deployments"],
)
def test_a_router(case, way, provider, recorder):
    """Neither the Router's span nor an attempt says what was asked or answered, whichever of them was told so."""
    asked, settings = case
    provider.behaviours["refuses"] = Script(status=400, error=f"Refused: {PROMPT}, {ANSWER}")
    _send(way, _router(provider, **deepcopy(settings)), "a", ASK, **deepcopy(asked))  # LiteLLM adds to what it gets
    failed, answered, outer = sorted(recorder.events, key=lambda event: event["resource"].startswith("router"))
    assert (failed["status"], answered["status"], outer["status"]) == ("error", "ok", "ok")
    if "deployed" in settings:  # the attempt before was not told, and was over
        assert PROMPT in json.dumps(failed["meta"])
        recorder.events.remove(failed)
        told = {failed["span"].span_id, *(span.span_id for span in recorder.finished if span._parent is failed["span"])}
        recorder.finished[:] = [span for span in recorder.finished if span.span_id not in told]
        outer["meta"]["metadata"].pop("failed_attempts")
        answered["meta"]["metadata"].pop("previous_attempt_error")
    else:
        assert NOT_CAPTURED in outer["meta"]["metadata"]["failed_attempts"][0]["error"]
        assert NOT_CAPTURED in answered["meta"]["metadata"]["previous_attempt_error"]
    assert not _says(everything(recorder))
    assert outer["meta"]["metadata"]["attempts"] == 2


def test_a_deployment_that_opts_out_beneath_a_redacted_router_call(provider, recorder):
    """What is redacted around a call is redacted in it as well."""
    routed = _router(provider, deployed={"turn_off_message_logging": False})
    routed.completion("b", ASK, **{**REDACTED, "fallbacks": []})
    assert not _says(everything(recorder))


def test_calls_beneath_a_redacted_one(provider, recorder, monkeypatch):
    """What a hook asks on behalf of a redacted call is redacted, and later calls are not."""

    class Judge(CustomLogger):
        async def async_pre_call_deployment_hook(self, kwargs, call_type):  # noqa: ARG002  # LiteLLM's signature
            if kwargs.get("model", "").endswith("large"):
                await litellm.acompletion("mistral/small", kwargs["messages"], **to(provider))
            return kwargs

    monkeypatch.setattr(litellm, "callbacks", [Judge()])
    asyncio.run(litellm.acompletion(model="mistral/large", messages=ASK, **to(provider), **REDACTED))
    assert len(recorder.events) == 2
    assert not _says(everything(recorder))
    litellm.completion("mistral/large", ASK, **to(provider))
    assert _says(everything(recorder))


@pytest.mark.parametrize("given", [{"no-log": True}, REDACTED], ids=str)
def test_errors_of_a_redacted_call(given, provider, recorder):
    """They have their type, and no text of others'."""
    provider.behaviours["refuses"] = Script(status=400, error=f"Refused: {PROMPT}, {ANSWER}")
    with contextlib.suppress(litellm.BadRequestError):
        litellm.completion("openai/refuses", ASK, **to(provider), **given)
    assert not _says(everything(recorder))
    assert recorder.event["meta"]["error"]["message"] == f"HTTP status 400; {NOT_CAPTURED}"


def test_a_stream_that_breaks(provider, recorder):
    """What had come of a redacted stream is not shown, nor what broke it."""
    provider.behaviours["breaks"] = Script(error_event_after=3, error=f"Refused: {PROMPT}, {ANSWER}", text=ANSWER)
    with contextlib.suppress(Exception):
        read(litellm.completion("openai/breaks", ASK, stream=True, **to(provider), **REDACTED))
    assert recorder.event["status"] == "error"
    assert not _says(everything(recorder))
    assert "born" not in everything(recorder)


def test_without_llm_observability(provider, apm_recorder):
    """The APM span of a redacted call that fails quotes nothing."""
    provider.behaviours["refuses"] = Script(status=400, error=f"Refused: {PROMPT}, {ANSWER}")
    with contextlib.suppress(litellm.BadRequestError):
        litellm.completion("openai/refuses", ASK, **to(provider), **REDACTED)
    assert NOT_CAPTURED in everything(apm_recorder)
    assert not _says(everything(apm_recorder))


def test_no_log(provider, recorder, logged, monkeypatch):
    """LiteLLM logs nothing of such a call, unless it was told not to obey."""
    with monkeypatch.context() as patched:
        patched.setattr(litellm, "global_disable_no_log_param", True)
        litellm.completion("mistral/m", ASK, **to(provider), **{"no-log": True})
        assert _says(logged.next())  # in a thread, which asks as late as that
    said = everything(recorder)
    assert _says(said)
    litellm.completion("mistral/m", ASK, **to(provider), **{"no-log": True})
    assert len(recorder.events) == 2
    assert everything(recorder).count(PROMPT) == said.count(PROMPT)
    assert logged.payloads.empty()


class Masks(CustomGuardrail):
    """Hides what a request says from loggers, as LiteLLM's Presidio guardrail does."""

    def logging_hook(self, kwargs, result, call_type):  # noqa: ARG002  # LiteLLM's signature
        return kwargs, result


class Looks(CustomGuardrail):
    """Only looks at what is logged."""


@pytest.mark.parametrize(
    ("guardrail", "redacts"),
    [
        (Masks(event_hook="logging_only"), True),
        (Masks(event_hook=guardrails.GuardrailEventHooks.logging_only), True),
        (Masks(event_hook=["pre_call", "logging_only"]), True),
        (Masks(event_hook="pre_call"), False),
        (Masks(), False),
        (Looks(event_hook="logging_only"), False),
    ],
)
def test_guardrails_of_what_is_logged(guardrail, redacts, provider, recorder, monkeypatch):
    """One in mode logging_only that changes what loggers get leaves a span without contents; any other does not."""
    monkeypatch.setattr(litellm, "callbacks", [guardrail])
    litellm.completion("mistral/m", ASK, **to(provider))
    assert _says(everything(recorder)) is not redacts


def test_guardrail_whose_mode_depends_on_tags(provider, recorder, monkeypatch):
    """Whether it applies is known to LiteLLM's enterprise part alone: a span says nothing."""
    if not hasattr(guardrails, "Mode"):
        pytest.skip("this LiteLLM has no such modes (1.72)")
    mode = guardrails.Mode(tags={"private": "logging_only"}, default="pre_call")
    guardrail = Masks(guardrail_name="g", event_hook=mode, default_on=False)
    assert redaction.is_redacted({}, []) is False
    monkeypatch.setattr(litellm, "callbacks", ["a name", guardrail])
    assert redaction.is_redacted({}, []) is True
    monkeypatch.setattr(litellm, "callbacks", [])
    litellm.completion("mistral/m", ASK, **to(provider))
    assert _says(everything(recorder))


def test_variables_of_a_managed_prompt(provider, recorder):
    """They are contents of a redacted call as well."""
    prompts = pytest.importorskip("ddtrace.llmobs._prompts.prompt", reason="no managed prompts in this ddtrace")
    template = [{"role": "user", "content": "Look up {{who}}"}]
    prompt = prompts.ManagedPrompt(id="p", version="1", label=None, source="registry", template=template)
    litellm.completion("mistral/m", prompt.format(who=PROMPT), **to(provider), **REDACTED)
    assert not _says(everything(recorder))


@pytest.mark.parametrize("metadata", [{"headers": "odd"}, {"headers": None}, {"headers": {X_ENABLE: ""}}], ids=str)
def test_odd_headers(metadata):
    """Headers that are none, or empty, switch nothing on."""
    assert redaction.is_redacted({"metadata": metadata}, [metadata]) is False
