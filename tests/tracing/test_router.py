"""The Router, whatever it is made of: a class (to 1.108), a facade (1.109), a core in Rust (1.110)."""

import asyncio
import gc
from importlib.util import find_spec

import litellm
import pytest

import ddtrace_litellm
from ddtrace_litellm import get_version
from ddtrace_litellm.telemetry import snapshot
from ddtrace_litellm.tracing.streams import StreamReading
from ddtrace_litellm.tracing.wrappers import is_traced
from tests.provider import Script
from tests.tracing.scenarios import ASK, deployment, router, to

litellm.suppress_debug_info = True
pytestmark = [
    pytest.mark.usefixtures("clean_slate"),
    pytest.mark.filterwarnings("ignore:Router.:DeprecationWarning"),  # LiteLLM 1.109
]
on_the_class = pytest.mark.skipif(
    hasattr(litellm.Router, "factory_function"), reason="only instances of this LiteLLM's Router have its endpoints"
)


def _workflow(recorder):
    return next(event for event in recorder.events if event["resource"].startswith("router."))


@pytest.mark.parametrize(
    ("method", "arguments", "asked"),
    [
        ("completion", ("group", ASK), "Say something short"),
        ("acompletion", ("group", ASK), "Say something short"),
        ("embedding", ("group", ["one text"]), "one text"),
        ("aembedding", ("group", ["one text"]), "one text"),
        ("aresponses", ("Say it", "group"), "Say it"),
    ],
)
def test_arguments_by_position(method, arguments, asked, provider, recorder):
    """Whatever the method's own signature tells, its positional arguments are the Router's model group and input."""
    if method == "aresponses" and hasattr(litellm.Router, "factory_function"):
        pytest.skip("this LiteLLM's takes no positional arguments")
    made = router(provider, ("group", "openai/gpt-4o-mini"))
    result = getattr(made, method)(*arguments)
    if asyncio.iscoroutine(result):
        asyncio.run(_awaited(result))
    event = _workflow(recorder)
    assert event["meta"]["metadata"]["model_group"] == event["meta"]["metadata"]["model"] == "group"
    assert asked in event["meta"]["input"]["value"]
    assert len(recorder.leaves) == len(provider.requests) == 1
    assert not snapshot().internal_errors


async def _awaited(result):
    return await result


def test_model_and_provider_that_answered(provider, recorder):
    """The Router's span names the model and the provider of the attempt that answered, after one that did not."""
    provider.behaviours["m1"] = Script(status=500)
    made = router(provider, ("a", "mistral/m1"), ("b", "openai/gpt-4o-mini"), fallbacks=[{"a": ["b"]}])
    made.completion(model="a", messages=ASK)
    event = _workflow(recorder)
    assert event["meta"]["metadata"]["model"] == "a"
    span = event["span"]
    if span.get_tag("_dd.llmobs.span_kind") is None:
        pytest.skip("this ddtrace has no such tags")
    assert span.get_tag("_dd.llmobs.model_name") == "gpt-4o-mini"
    assert span.get_tag("_dd.llmobs.model_provider") == "openai"


@on_the_class
@pytest.mark.usefixtures("recorder")
def test_wrapped_methods_are_seen_as_such():
    """A method that is read off the class tells that it is wrapped, so that nothing wraps it twice."""
    assert is_traced(litellm.Router.acompletion)
    assert is_traced(litellm.Router.aresponses)
    ddtrace_litellm.unpatch()
    assert not is_traced(litellm.Router.acompletion)
    assert not is_traced(litellm.Router.aresponses)
    ddtrace_litellm.patch()
    assert is_traced(litellm.Router.aresponses)


@on_the_class
@pytest.mark.usefixtures("recorder")
def test_the_core_gets_its_own_methods_back():
    """After each unpatch LiteLLM keeps nothing that was replaced on its core."""
    for _ in range(2):
        ddtrace_litellm.unpatch()
        assert not any(litellm.router._replaced_core_members.values())
        ddtrace_litellm.patch()


@pytest.mark.parametrize("method", ["aresponses", "aanthropic_messages", "agenerate_content"])
def test_attempts_beneath_every_method(method, provider, recorder):
    """A method that no class had before 1.110 has its span with its attempts, and a fallback after an error."""
    if method == "aanthropic_messages" and hasattr(litellm.Router, "factory_function"):
        method = "anthropic_messages"
    made = litellm.Router(
        model_list=[_group(provider, group, method) for group in ("a", "b")],
        fallbacks=[{"a": ["b"]}],
        num_retries=0,
        disable_cooldowns=True,
    )
    if not callable(getattr(made, method, None)):
        pytest.skip(f"the Router of LiteLLM {get_version()} has no {method}")
    if method == "agenerate_content":
        pytest.importorskip("fastapi", reason="LiteLLM 1.85 to 1.106 import it in each such call")
    if method == "aresponses" and get_version().startswith("1.72."):
        pytest.skip("the Router of LiteLLM 1.72 has no fallbacks for Responses")
    provider.otherwise = Script(status=500, fail_first=1)
    asked = {
        "aresponses": {"input": "hi"},
        "agenerate_content": {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
    }.get(method, {"messages": ASK, "max_tokens": 20})
    asyncio.run(getattr(made, method)(model="a", **asked))
    metadata = _workflow(recorder)["meta"]["metadata"]
    assert (metadata["attempts"], metadata["attempted_fallbacks"]) == (2, 1)
    assert metadata["failed_attempts"][0]["model_group"] == "a"
    assert len(recorder.leaves) == len(provider.requests) == 2
    assert recorder.still_open() == []
    assert not snapshot().internal_errors


def _group(provider, group, method):
    if method.endswith("anthropic_messages"):
        made = deployment(provider, group, "anthropic/claude-haiku-4-5")
        made["litellm_params"]["api_base"] = provider.url
        return made
    if method == "agenerate_content":
        made = deployment(provider, group, "gemini/gemini-2.5-flash")
        made["litellm_params"]["api_base"] = f"{provider.url}/v1beta"
        return made
    return deployment(provider, group, "openai/gpt-4o-mini")


def test_azure_names_the_model_in_its_response(provider, recorder):
    """On the APM span of a call to Azure is the model that the response names, as ddtrace's own integration has it."""
    provider.otherwise = Script(model="gpt-4o-2024-08-06") if "model" in Script.__dataclass_fields__ else Script()
    litellm.completion(
        "azure/my-deployment", ASK, api_version="2024-10-21", **{**to(provider), "api_base": provider.url}
    )
    (span,) = recorder.litellm_spans
    assert span.get_tag("litellm.response.model") == recorder.event["meta"]["model_name"]


@pytest.mark.parametrize("stream", [False, True], ids=["plain", "stream"])
def test_what_the_router_chooses_by(provider, recorder, stream):
    """Its span has the routing strategy and the guardrails that the proxy has noted; its attempts have neither."""
    made = litellm.Router(model_list=[deployment(provider, "a", "openai/gpt-4o-mini")], routing_strategy="least-busy")
    answer = made.completion("a", ASK, metadata={"applied_guardrails": ["masks"]}, stream=stream)
    if stream:
        list(answer)
    metadata = _workflow(recorder)["meta"]["metadata"]
    assert (metadata["routing_strategy"], metadata["applied_guardrails"]) == ("least-busy", ["masks"])
    (leaf,) = recorder.leaves
    assert not {"routing_strategy", "applied_guardrails", "routing_decision"} & leaf["meta"]["metadata"].keys()


@pytest.mark.parametrize(
    ("method", "asked"),
    [
        pytest.param("acompletion", {"messages": ASK}, id="chat"),
        pytest.param(
            "aresponses",
            {"input": "Say it"},
            id="Responses",
            marks=pytest.mark.skipif(not find_spec("fastapi"), reason="LiteLLM 1.80 needs fastapi here"),
        ),
    ],
)
@pytest.mark.usefixtures("recorder")
def test_stream_that_was_read_is_not_kept(method, asked, provider):
    """Nothing of ours keeps a stream that the program has let go of, nor its class, which is its own (1.110)."""
    made = router(provider, ("a", "openai/gpt-4o-mini"))

    async def read():
        async for _ in await getattr(made, method)(model="a", **asked, stream=True):
            pass

    gc.collect()
    before = _readings()
    asyncio.run(read())
    gc.collect()
    assert _readings() == before


def _readings():
    return sum(isinstance(found, StreamReading) for found in gc.get_objects())
