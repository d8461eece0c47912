"""What spans say of errors: no secret, and nothing that quotes contents where they are not captured."""

import asyncio
import contextlib
import json
import logging

import litellm
import pytest
from ddtrace import tracer
from ddtrace.llmobs import LLMObs

from ddtrace_litellm.telemetry import counters
from ddtrace_litellm.tracing import calls
from ddtrace_litellm.tracing.error_text import NOT_CAPTURED, ErrorText
from tests.provider import Script
from tests.tracing.scenarios import deployment, to
from tests.tracing.told import everything, metadata_of

litellm.suppress_debug_info = True

KEY, OTHER_KEY, PASSWORD, PROMPT = "of-no-known-shape", "another-deployment", "p4ssw0rd-in-url", "ssn 123-45-6789"
ASK = [{"role": "user", "content": PROMPT}]
QUOTES = f"Key {{}} or sk-proj-abcdefgh1234 refused {PROMPT!r} at http://u:{PASSWORD}@h/v1?key=abcdefgh"
SECRETS = (KEY, OTHER_KEY, PASSWORD, "sk-proj", "abcdefgh")


pytestmark = pytest.mark.usefixtures("clean_slate")


@pytest.fixture(autouse=True)
def _scripts(provider):
    for model, key in (("refuses", KEY), ("refuses-too", OTHER_KEY)):
        said = QUOTES.format(key)
        provider.behaviours[model] = Script(status=401, error=said, headers={"x-should-retry": "false"})
    provider.behaviours["breaks"] = Script(error_event_after=2, error=QUOTES.format(KEY), text="one two three four")


def _direct(provider, model="openai/refuses", **more):
    return {"model": model, "messages": ASK, **to(provider, api_key=KEY), **more}


def _router(provider):
    deployments = [deployment(provider, "a", "openai/refuses"), deployment(provider, "b", "openai/refuses-too")]
    for entry, key in zip(deployments, (KEY, OTHER_KEY), strict=True):
        entry["litellm_params"]["api_key"] = key
    return litellm.Router(deployments, num_retries=0, fallbacks=[{"a": ["b"]}], disable_cooldowns=True)


async def _read(stream):
    async for _ in stream:
        pass


async def _astream(provider):
    await _read(await litellm.acompletion(**_direct(provider, "openai/breaks", stream=True)))


FAILURES = {
    "sync": lambda provider: litellm.completion(**_direct(provider)),
    "async": lambda provider: asyncio.run(litellm.acompletion(**_direct(provider))),
    "stream": lambda provider: list(litellm.completion(**_direct(provider, "openai/breaks", stream=True))),
    "async stream": lambda provider: asyncio.run(_astream(provider)),
    "refused stream": lambda provider: litellm.completion(**_direct(provider, stream=True)),
    "fallbacks": lambda provider: litellm.completion(**_direct(provider, fallbacks=[{"model": "openai/refuses"}])),
    "Router": lambda provider: _router(provider).completion("a", ASK),
    "async Router": lambda provider: asyncio.run(_router(provider).acompletion("a", ASK)),
    "responses": lambda provider: litellm.responses(input=PROMPT, **without_messages(provider)),
    "embedding": lambda provider: litellm.embedding(input=[PROMPT], **without_messages(provider)),
    "batch": lambda provider: litellm.batch_completion(**{**_direct(provider), "messages": [ASK, ASK]}),
}


def without_messages(provider):
    """Return arguments of a call that has none."""
    return {name: value for name, value in _direct(provider).items() if name != "messages"}


def _fail(name, provider):
    with contextlib.suppress(Exception):
        FAILURES[name](provider)


@pytest.mark.parametrize("name", FAILURES)
def test_errors_quote_no_secret(name, provider, recorder):
    """Message, stack with its chain, failed attempts, on events and spans: words stay, keys and passwords do not."""
    _fail(name, provider)
    told = everything(recorder)
    assert "refused" in told
    assert PROMPT in told
    assert [secret for secret in SECRETS if secret in told] == []


@pytest.mark.parametrize("name", FAILURES)
@pytest.mark.parametrize("switch", ["INPUT", "OUTPUT"])
def test_errors_quote_no_contents(name, switch, provider, monkeypatch, request):
    """With either switch off an error has its type and where it came from, and a text of ours."""
    monkeypatch.setenv(f"DD_LITELLM_CAPTURE_{switch}", "false")
    recorder = request.getfixturevalue("recorder")
    _fail(name, provider)
    told = everything(recorder)
    assert NOT_CAPTURED in told
    assert "refused" not in told
    assert (PROMPT in told) is (switch == "OUTPUT")
    failed = [event["meta"]["error"] for event in recorder.events if event["status"] == "error"]
    assert failed
    assert all(error["type"] and error["message"].endswith(NOT_CAPTURED) for error in failed)


def test_what_is_left_of_an_error(provider, monkeypatch, request):
    """Type, HTTP status, files and functions; of an attempt the type and the status."""
    monkeypatch.setenv("DD_LITELLM_CAPTURE_INPUT", "false")
    recorder = request.getfixturevalue("recorder")
    _fail("Router", provider)
    _first, second = metadata_of(recorder, "completion")
    (outer,) = metadata_of(recorder, "router.completion")
    expected = f"AuthenticationError: HTTP status 401; {NOT_CAPTURED}"
    assert second["previous_attempt_error"] == expected
    assert [failure["error"] for failure in outer["failed_attempts"]] == [expected] * 2
    error = recorder.events[0]["meta"]["error"]
    assert error["type"] == "litellm.exceptions.AuthenticationError"
    assert error["stack"].endswith("\nlitellm.exceptions.AuthenticationError")
    assert "in completion" in error["stack"]


def test_errors_of_the_provider_sdk(provider, recorder):
    """The span of ddtrace's own integration beneath a call says no more than the call's."""
    _fail("sync", provider)
    sdk = [span for span in recorder.finished if span.name == "openai.request"]
    if not sdk:
        pytest.skip("this ddtrace does not know this openai client")
    assert "refused" in sdk[0].get_tag("error.message")
    assert KEY not in str(sdk[0].get_tags())


def test_errors_of_other_spans_beneath_a_call(recorder, monkeypatch):
    """Whichever integration's they are: the call's key is hidden there, and outside of calls nothing is touched."""

    def request():
        with tracer.trace("http.request"):
            raise OSError(f"refused {KEY}")

    class Fails(litellm.CustomLLM):
        def completion(self, *_args, **_more):
            request()

    monkeypatch.setattr(litellm, "custom_provider_map", [{"provider": "fails", "custom_handler": Fails()}])
    with contextlib.suppress(Exception):
        litellm.completion("fails/m", ASK, api_key=KEY)
    with contextlib.suppress(OSError):
        request()
    beneath, outside = [span for span in recorder.finished if span.name == "http.request"]
    assert beneath.get_tag("error.message") == "refused ***"
    assert KEY not in beneath.get_tag("error.stack")
    assert outside.get_tag("error.message") == f"refused {KEY}"


def _around(provider, wrap=lambda error: error):
    """Fail within a span of LLM Observability's and one of the tracer's, both of the program's own."""
    with contextlib.suppress(Exception), LLMObs.workflow("mine"), tracer.trace("theirs"):
        try:
            _router(provider).completion("a", ASK)
        except litellm.AuthenticationError as error:
            raise wrap(error) from error


@pytest.mark.parametrize("wrap", [lambda error: error, lambda error: ValueError(f"Sorry: {error}")])
def test_spans_around_a_call_that_fails(wrap, provider, recorder):
    """A span of the program's that ends in the error of a call, or quotes it, has no secret either."""
    _around(provider, wrap)
    (mine,) = [event for event in recorder.events if event["name"] == "mine"]
    assert "refused" in mine["meta"]["error"]["message"]
    assert [secret for secret in SECRETS if secret in everything(recorder)] == []


def test_spans_around_a_call_are_of_text_that_can_be_sent(provider, recorder):
    """Half of a surrogate pair in the error that ends them would lose their trace, and the call's with it."""
    _around(provider, lambda _error: ValueError("half of an emoji: \ud83d"))
    (theirs,) = [span for span in recorder.finished if span.name == "theirs"]
    assert theirs.get_tag("error.message") == "half of an emoji: \ufffd"
    theirs.get_tag("error.stack").encode()


@pytest.mark.parametrize("wrap", [lambda error: error, lambda error: ValueError(f"Sorry: {error}")])
def test_spans_around_a_call_whose_contents_are_not_captured(wrap, provider, monkeypatch, request):
    """Nor do they quote contents; of another error of the program's they say all."""
    monkeypatch.setenv("DD_LITELLM_CAPTURE_INPUT", "false")
    recorder = request.getfixturevalue("recorder")
    _around(provider, wrap)
    assert "refused" not in everything(recorder)
    (mine,) = [event for event in recorder.events if event["name"] == "mine"]
    assert mine["meta"]["error"]["message"].endswith(NOT_CAPTURED)
    with contextlib.suppress(KeyError), LLMObs.workflow("other"):
        _fail("sync", provider)
        raise KeyError("a mistake")
    (other,) = [event for event in recorder.events if event["name"] == "other"]
    assert other["meta"]["error"]["message"] == "'a mistake'"


def test_apm_spans_without_llm_observability(provider, apm_recorder):
    """Error tags follow the same rules where no event is made."""
    _fail("Router", provider)
    told = everything(apm_recorder)
    assert "refused" in told
    assert [secret for secret in SECRETS if secret in told] == []


def test_key_of_the_environment(provider, recorder, monkeypatch):
    """A key that LiteLLM took from the environment is the call's as well."""
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with contextlib.suppress(Exception):
        litellm.completion("openai/refuses", ASK, api_base=f"{provider.url}/v1")
    assert provider.requests[0].headers["authorization"] == f"Bearer {KEY}"
    assert KEY not in everything(recorder)


def test_error_of_an_answer(provider, recorder):
    """An error that an answer reports is told as one that was raised."""
    body = {"id": "r", "object": "response", "created_at": 1, "model": "gpt-4o-mini", "output": [], "status": "failed"}
    body |= {"error": {"code": "server_error", "message": QUOTES.format(KEY)}, "parallel_tool_calls": True, "tools": []}
    unset = "incomplete_details instructions max_output_tokens metadata previous_response_id reasoning temperature text"
    body |= dict.fromkeys([*unset.split(), "top_p", "truncation", "usage", "user"])  # LiteLLM 1.72 wants them
    provider.behaviours["gpt-4o-mini"] = Script(reply_body=body | {"tool_choice": "auto"})
    litellm.responses(**{**without_messages(provider), "model": "openai/gpt-4o-mini"}, input=PROMPT)
    told = everything(recorder)
    assert "refused" in recorder.event["meta"]["error"]["message"]
    assert [secret for secret in SECRETS if secret in told] == []


def test_an_error_that_cannot_be_told(provider, recorder, monkeypatch):
    """Where the secrets cannot be looked for, neither message nor stack is sent, and the program's error is its own."""

    def fails(_arguments):
        raise RuntimeError(KEY)

    monkeypatch.setattr("ddtrace_litellm.extract.credentials.of_call", fails)
    with pytest.raises(litellm.AuthenticationError, match="refused"):
        litellm.completion(**_direct(provider))
    counted = counters.snapshot().internal_errors
    counters.reset()
    assert counted["error text"]
    assert recorder.event["status"] == "error"
    assert "refused" not in everything(recorder)


def test_an_exception_without_a_text():
    """One whose text raises is told by its type; what an answer reports of its kind is a name, or hidden."""

    class OddError(Exception):
        def __str__(self):
            raise ValueError(KEY)

    assert ErrorText(captured=True).summary(OddError()) == "OddError: OddError"
    hidden = ErrorText(captured=False)
    assert hidden.reported("server_error", KEY) == ("server_error", NOT_CAPTURED)
    assert hidden.reported(PROMPT, KEY) == ("***", NOT_CAPTURED)


def test_a_chain_that_is_a_circle():
    """A chain of exceptions that never ends is told in part."""
    first, second = ValueError(PROMPT), KeyError(PROMPT)
    first.__cause__, second.__cause__ = second, first
    stack = ErrorText(captured=False).stack(first, PROMPT)
    assert PROMPT not in stack
    assert stack.endswith("builtins.ValueError")


@pytest.mark.usefixtures("recorder")
def test_log_lines_of_our_own_failures(provider, monkeypatch, caplog):
    """At debug level they say where, and nothing of the text, which may quote a key."""

    def fails(*_args, **_more):
        raise RuntimeError(f"{KEY} {json.dumps(ASK)}")

    monkeypatch.setattr(calls.spans, "open_request", fails)
    with caplog.at_level(logging.DEBUG, logger="ddtrace.litellm"), contextlib.suppress(Exception):
        litellm.completion(**_direct(provider))
    counters.reset()
    ours = "\n".join(map(logging.Formatter().format, caplog.get_records("call")))
    assert "internal error in request" in ours
    assert "in fails" in ours
    assert "RuntimeError" in ours
    assert [text for text in (*SECRETS, PROMPT) if text in ours] == []
