"""What a person who debugs finds on the spans."""

import asyncio
import json
import os

import litellm
import pytest
from ddtrace import tracer
from ddtrace.llmobs import LLMObs

from ddtrace_litellm import config as settings
from ddtrace_litellm.tracing import spans, streams
from ddtrace_litellm.tracing.attempts import MAX_FAILURES, Attempts
from tests.provider import Script, ToolCall, Usage
from tests.tracing.scenarios import ASK, SCRIPTS, deployment, read, router, to

litellm.suppress_debug_info = True


@pytest.fixture(autouse=True)
def _scripts(provider):
    provider.behaviours.update(SCRIPTS)


def by_resource(recorder, resource):
    """Return the events of one operation."""
    return [event for event in recorder.events if event["resource"] == resource]


def parent_of(event, recorder):
    """Return the event that is the parent."""
    return next(other for other in recorder.events if other["span_id"] == event["parent_id"])


def test_attempts_of_a_router_say_which_and_why(provider, recorder):
    """Each attempt has its number, deployment, group and the error before it; the Router's span sums them up."""
    model_list = [deployment(provider, "a", "mistral/fails"), deployment(provider, "b", "mistral/m")]
    routed = litellm.Router(model_list, num_retries=1, retry_after=0, fallbacks=[{"a": ["b"]}], disable_cooldowns=True)
    routed.completion("a", ASK)

    (outer,) = by_resource(recorder, "router.completion")
    attempts = by_resource(recorder, "completion")
    facts = [event["meta"]["metadata"] for event in attempts]
    assert [fact["attempt_number"] for fact in facts] == [1, 2, 3]
    assert [fact["model_group"] for fact in facts] == ["a", "a", "b"]
    assert [fact["deployment_id"] for fact in facts] == ["id-mistral/fails", "id-mistral/fails", "id-mistral/m"]
    assert "previous_attempt_error" not in facts[0]
    assert all("The server is down." in fact["previous_attempt_error"] for fact in facts[1:])
    assert [event["status"] for event in attempts] == ["error", "error", "ok"]
    assert all(parent_of(event, recorder) is outer for event in attempts)
    summary = outer["meta"]["metadata"]
    assert (summary["attempts"], summary["attempted_retries"], summary["attempted_fallbacks"]) == (3, 1, 1)
    assert [failure["attempt_number"] for failure in summary["failed_attempts"]] == [1, 2]
    assert outer["meta"]["span"]["kind"] == "workflow"
    assert outer["status"] == "ok"
    assert outer["metrics"] == {}


def test_router_says_its_group_and_does_not_repeat_attachments(provider, recorder):
    """An image is on the span of the call that sent it; the Router's has its marker, and the tag of the group."""
    image = {"type": "image_url", "image_url": {"url": "data:image/png;base64,aGk="}}
    messages = [{"role": "user", "content": [{"type": "text", "text": "Look"}, image]}]
    router(provider, ("group", "mistral/m")).completion("group", messages)
    leaf, workflow = recorder.events
    assert leaf["meta"]["input"]["messages"][0]["image_parts"] == [{"mime_type": "image/png", "content": "aGk="}]
    assert json.loads(workflow["meta"]["input"]["value"]) == [
        {"role": "user", "content": "Look\n[image: image/png, 3 bytes]"}
    ]
    assert "model_group:group" in workflow["tags"]


def test_failures_kept_of_a_router_are_bounded():
    """However often a Router tries, its span keeps the first twenty failures, and counts them all."""
    attempts = Attempts()
    for _ in range(400):
        attempts.fail(attempts.begin("group"), ValueError("no"))
    summary = attempts.summary()
    assert summary["attempts"] == 400
    assert len(summary["failed_attempts"]) == MAX_FAILURES


def test_time_to_first_token_is_that_of_the_first_content(provider, recorder):
    """It is measured from the call, in seconds, and only on streams."""
    provider.behaviours["late"] = Script(delay=0.3)
    read(litellm.completion("mistral/late", ASK, stream=True, **to(provider)))
    litellm.completion("mistral/m", ASK, **to(provider))
    streamed, whole = recorder.events
    assert 0.3 <= streamed["metrics"]["time_to_first_token"] < streamed["duration"] / 1e9
    assert "time_to_first_token" not in whole["metrics"]


@pytest.mark.parametrize("usage", [Usage(20, 7), None], ids=["reported", "not reported"])
def test_stream_without_include_usage_has_tokens(provider, recorder, usage):
    """They are the provider's where it sends some, and LiteLLM's count, marked as such, where it does not."""
    provider.behaviours["mistral-large-latest"] = Script(usage=usage or Usage(0, 0), text="Four words of text.")
    read(litellm.completion("mistral/mistral-large-latest", ASK, stream=True, **to(provider)))
    metrics, facts = recorder.event["metrics"], recorder.event["meta"]["metadata"]
    assert facts["token_source"] in {"reported", "estimated"}
    assert metrics["input_tokens"] > 0
    assert metrics["output_tokens"] > 0
    assert metrics["total_tokens"] == metrics["input_tokens"] + metrics["output_tokens"]
    assert metrics["total_cost"] > 0


def test_contents_that_are_not_captured_do_not_change_the_count(provider, recorder, monkeypatch):
    """With DD_LITELLM_CAPTURE_OUTPUT=false no text is on the span, and the counted tokens are the same."""
    provider.behaviours["m"] = Script(usage=Usage(0, 0), text="Four words of text.")
    read(litellm.completion("mistral/m", ASK, stream=True, **to(provider)))
    monkeypatch.setattr(spans, "_capture", settings.CaptureConfig(input=False, output=False))
    read(litellm.completion("mistral/m", ASK, stream=True, **to(provider)))
    shown, hidden = recorder.events
    assert hidden["metrics"]["output_tokens"] == shown["metrics"]["output_tokens"]
    assert "Four words" not in str(hidden["meta"])
    assert "Say something short" not in str(hidden["meta"])


def test_capture_variables_are_read_at_the_patch(monkeypatch):
    """The variables of the environment decide what is captured."""
    monkeypatch.setitem(os.environ, "DD_LITELLM_MAX_CONTENT_CHARS", "7")
    spans.configure()
    try:
        assert spans._capture.max_chars == 7
    finally:
        monkeypatch.undo()
        spans.configure()


def test_stream_that_breaks_keeps_what_had_come(provider, recorder):
    """A stream that ends in an error is an error, with its partial output and no claim to be complete."""
    provider.behaviours["breaks"] = Script(cut_after=3, text="one two three four five six")
    with pytest.raises(Exception):  # noqa: B017, PT011  # which one differs from version to version
        read(litellm.completion("openai/breaks", ASK, stream=True, **to(provider)))
    event = recorder.event
    assert event["status"] == "error"
    assert event["meta"]["metadata"]["stream_completed"] is False
    assert event["meta"]["output"]["messages"][0]["content"]


def test_span_of_a_stream_is_active_only_while_it_is_read(provider, recorder):
    """Before, between and after the reads the user's own span is active; during a read the stream's is."""
    during = []

    class Watching:
        """Sees what is active inside a read, as a callback of LiteLLM's does."""

        def __init__(self, chunks):
            self.chunks = chunks

        def __iter__(self):
            return self

        def __next__(self):
            during.append(tracer.current_span().resource)
            return next(self.chunks)

    with tracer.trace("web.request") as web:
        chunks = litellm.completion("mistral/m", ASK, stream=True, **to(provider))
        chunks._self_reading.next_chunk = Watching(chunks.__wrapped__).__next__
        assert tracer.current_span() is web
        next(chunks)
        assert tracer.current_span() is web
        list(chunks)
        assert tracer.current_span() is web
    assert set(during) == {"completion"}
    assert recorder.event["span"].parent_id == web.span_id


def test_streams_read_in_turn_do_not_nest(provider, recorder):
    """Two streams read chunk by chunk in turn are siblings."""
    pair = [litellm.completion("mistral/m", ASK, stream=True, **to(provider)) for _ in range(2)]
    for _ in zip(*pair, strict=False):
        pass
    for chunks in pair:
        list(chunks)
    assert {event["parent_id"] for event in recorder.events} == {"undefined"}


def test_stream_that_is_still_open_at_exit_gets_its_span(provider, recorder):
    """What nobody reads any further ends when the process does."""
    chunks = litellm.completion("mistral/m", ASK, stream=True, **to(provider))
    next(chunks)
    streams.end_open_streams()
    assert recorder.event["meta"]["metadata"]["stream_completed"] is False
    assert list(chunks), "the stream itself can still be read"
    assert len(recorder.events) == 1


def test_enclosing_span_of_the_user_is_the_parent(provider, recorder):
    """A call inside LLMObs.workflow() is its child in LLM Observability, and leaves it active."""
    with LLMObs.workflow("mine") as mine:
        litellm.completion("mistral/m", ASK, **to(provider))
        assert tracer.current_span() is mine
    leaf, outer = recorder.events
    assert leaf["parent_id"] == outer["span_id"]


def test_span_of_the_provider_sdk_stays_without_an_event_and_without_the_prompt(provider, recorder):
    """The span of ddtrace's openai integration is a child of ours in APM; nothing of the contents is on it."""
    litellm.completion("openai/gpt-4o-mini", ASK, **to(provider))
    sdk = next((span for span in recorder.finished if span.name == "openai.request"), None)
    if sdk is None:
        pytest.skip("this ddtrace does not know this openai client")
    assert sdk.parent_id == recorder.event["span"].span_id
    assert sdk.span_type is None
    assert sdk._get_struct_tag("_llmobs") is None
    assert "Say something" not in str(sdk)


def test_call_of_the_sdk_beside_litellm_keeps_its_event(provider, recorder):
    """What the program asks through the openai client itself is an LLM span of ddtrace's openai integration."""
    import openai

    client = openai.OpenAI(base_url=f"{provider.url}/v1", api_key="sk-local", max_retries=0)
    client.chat.completions.create(model="gpt-4o-mini", messages=ASK)
    assert recorder.event["meta"]["span"]["kind"] == "llm"
    assert recorder.event["span"].name == "openai.request"


def test_call_to_an_instrumented_proxy_is_a_workflow(provider, recorder, monkeypatch):
    """The tokens of a call to a proxy that is traced itself are the proxy's to report."""
    from ddtrace import config

    monkeypatch.setattr(config, "_llmobs_instrumented_proxy_urls", {f"{provider.url}/v1"})
    litellm.completion("openai/gpt-4o-mini", ASK, **to(provider))
    assert recorder.event["meta"]["span"]["kind"] == "workflow"
    assert recorder.event["metrics"] == {}


def test_azure_reports_the_model_that_answered(provider, recorder):
    """The model of an Azure call is the one that the response names, since the request names a deployment."""
    choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "hi"}}
    answer = {"id": "x", "object": "chat.completion", "created": 1, "model": "gpt-4o-2024-08-06", "choices": [choice]}
    provider.behaviours["my-deployment"] = Script(reply_body=answer)
    where = {"api_base": provider.url, "api_key": "sk-local", "api_version": "2024-06-01", "max_retries": 0}
    litellm.completion("azure/my-deployment", ASK, **where)
    meta = recorder.event["meta"]
    assert (meta["model_provider"], meta["model_name"]) == ("azure", "gpt-4o-2024-08-06")


def test_tool_definitions_calls_and_results(provider, recorder):
    """A round with a tool shows its definition, the call with parsed arguments, and the result."""
    pytest.importorskip("mcp", reason="LiteLLM 1.106 imports it for every call with tools")
    tool = {"type": "function", "function": {"name": "add", "description": "Adds.", "parameters": {"type": "object"}}}
    provider.behaviours["m"] = Script(tool_calls=(ToolCall("call_1", "add", '{"a": 1, "b": 2}'),))
    litellm.completion("mistral/m", ASK, tools=[tool], **to(provider))
    meta = recorder.event["meta"]
    assert meta["tool_definitions"] == [{"name": "add", "description": "Adds.", "schema": {"type": "object"}}]
    (call,) = meta["output"]["messages"][0]["tool_calls"]
    assert (call["name"], call["arguments"], call["type"]) == ("add", {"a": 1, "b": 2}, "function")
    assert meta["metadata"]["finish_reason"] == "tool_calls"


def test_cost_tags_name_tags_that_the_span_has(provider, recorder):
    """Who pays can be asked: team and key are tags and cost tags."""
    who = {"user_api_key_team_id": "t1", "user_api_key_alias": "key-a", "tags": ["feature:search", "beta"]}
    litellm.completion("mistral/m", ASK, metadata=who, user="u1", **to(provider))
    tags = dict(tag.split(":", 1) for tag in recorder.event["tags"])
    assert (tags["team"], tags["api_key_alias"], tags["end_user"], tags["feature"]) == ("t1", "key-a", "u1", "search")
    assert tags["request_tags"] == "feature:search,beta"
    if "_dd" in recorder.event["meta"]["metadata"]:  # ddtrace 4.9 and later
        assert recorder.event["meta"]["metadata"]["_dd"]["cost_tags"] == ["api_key_alias", "end_user", "team"]


def test_async_calls_of_two_tasks_have_their_own_parents(provider, recorder):
    """Concurrent tasks do not see each other's spans."""

    async def request(name):
        with LLMObs.workflow(name):
            await asyncio.sleep(0)
            await litellm.acompletion(f"mistral/{name}", ASK, **to(provider))

    async def both():
        await asyncio.gather(request("one"), request("two"))

    asyncio.run(both())
    for leaf in recorder.leaves:
        assert parent_of(leaf, recorder)["name"] == leaf["meta"]["model_name"]


def test_model_list_runs_in_threads_beneath_the_caller(provider, recorder):
    """The deployments of completion(model_list=...) are children of the call, although LiteLLM starts threads."""
    deployments = [deployment(provider, "group", model) for model in ("mistral/m1", "mistral/m2")]
    litellm.completion(model="group", messages=ASK, model_list=deployments)
    (outer,) = [event for event in recorder.events if event["meta"]["span"]["kind"] == "workflow"]
    assert {leaf["parent_id"] for leaf in recorder.leaves} == {outer["span_id"]}
    assert len(recorder.leaves) == 2
    assert "sk-local" not in str(recorder.events)
