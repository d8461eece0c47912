"""Group C of the built-in's defects: spans that are missing, or one too many."""

import asyncio
import sys

import ddtrace
import litellm
import openai
import pytest
from litellm import completion as early_completion

from ddtrace_litellm import get_version
from tests.builtin_defects.conftest import MESSAGES
from tests.provider import Script


def kinds(recorder):
    """Return operation, kind and total tokens of every event, in the order in which the spans began."""
    events = sorted(recorder.events, key=lambda event: event["start_ns"])
    return [
        (event["resource"], event["meta"]["span"]["kind"], event["metrics"].get("total_tokens")) for event in events
    ]


@pytest.mark.parametrize(
    ("model", "more"),
    [
        ("o3-mini", {}),
        ("llama3", {"custom_llm_provider": "openai"}),
        *[
            (model, {})
            for model in (
                "litellm_proxy/gpt-4o",
                "deepinfra/m",
                "cerebras/m",
                "sambanova/m",
                "lm_studio/m",
                "perplexity/m",
                "nvidia_nim/m",
                "novita/m",
                "nebius/m",
                "hyperbolic/m",
                "llamafile/m",
            )
        ],
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_one_llm_span_for_one_request_through_the_openai_sdk(recorder, provider, ask, model, more):
    """Tokens count once, whatever the model is called (12)."""
    if model.partition("/")[0] not in {*litellm.provider_list, model}:
        pytest.skip(f"litellm {get_version()} does not know the provider")
    litellm.completion(model=model, **more, **ask)
    assert len(provider.requests) == 1
    assert kinds(recorder) == [("completion", "llm", 6)]


def test_span_of_the_openai_sdk_stays_in_apm(recorder, ask):
    """Beneath ours the SDK's own span is a plain APM span, a child of ours (12)."""
    litellm.completion(model="o3-mini", **ask)
    spans = {span.name: span for span in recorder.finished}
    if "openai.request" not in spans:
        pytest.skip(f"ddtrace {ddtrace.__version__} has no span of openai {openai.__version__}'s raw responses")
    assert spans["openai.request"].span_type is None
    assert spans["openai.request"].parent_id == spans["litellm.request"].span_id
    assert recorder.event["span"] is spans["litellm.request"]


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
def test_call_with_fallbacks_is_a_workflow_over_its_tries(recorder, provider, ask, asynchronous):
    """Of ``fallbacks=`` each try is a span, the failed one too, and the call itself has no tokens (13)."""
    provider.behaviours["fail"] = Script(status=500)
    arguments = {"model": "mistral/fail", "fallbacks": ["mistral/m2"], "max_retries": 0, **ask}
    if asynchronous:
        asyncio.run(litellm.acompletion(**arguments))
    else:
        litellm.completion(**arguments)
    outer = "acompletion" if asynchronous else "completion"
    assert kinds(recorder) == [(outer, "workflow", None), ("acompletion", "llm", None), ("acompletion", "llm", 6)]
    assert [event["status"] for event in recorder.events] == ["error", "ok", "ok"]
    (root,) = [span for span in recorder.litellm_spans if span.parent_id is None]
    assert [span.parent_id for span in recorder.litellm_spans if span is not root] == [root.span_id] * 2


def test_call_with_a_model_list_is_a_workflow_over_its_tries(recorder, provider, reach):
    """Of ``model_list=`` the call itself has no tokens, and the try beneath it has (13)."""
    models = [{"model_name": "g", "litellm_params": {"model": "mistral/m", **reach}}]
    litellm.completion(model="g", messages=MESSAGES, model_list=models)
    assert len(provider.requests) == 1
    assert [kind for _, kind, _ in kinds(recorder)].count("llm") == 1
    assert kinds(recorder)[0] == ("completion", "workflow", None)
    assert kinds(recorder)[-1][1:] == ("llm", 6)


@pytest.mark.parametrize(
    "model",
    [
        "azure_ai/gpt-oss",
        "databricks/gpt-oss",
        "fireworks_ai/accounts/fireworks/models/gpt-oss",
        "hosted_vllm/openai/gpt-oss",
        "mistral/my-gpt",
        "together_ai/openai/gpt-oss",
    ],
)
@pytest.mark.parametrize("stream", [False, True], ids=["response", "stream"])
def test_llm_span_whatever_the_model_is_called(recorder, provider, ask, model, stream):
    """A name with ``gpt``, ``openai`` or ``azure`` in it hides no request (14)."""
    provider.otherwise = Script(text="hi")
    result = litellm.completion(model=model, stream=stream, **ask)
    if stream:
        list(result)
    assert len(provider.requests) == 1
    assert [(name, kind) for name, kind, _ in kinds(recorder)] == [("completion", "llm")]
    assert recorder.event["meta"]["output"]["messages"][0]["content"] == "hi"
    assert recorder.event["meta"]["model_provider"] == model.partition("/")[0]


def test_mock_response_of_a_gpt_model_is_an_llm_span(recorder):
    """A call that asks no provider at all is one ``llm`` span (14)."""
    litellm.completion(model="gpt-4o", messages=MESSAGES, mock_response="hi")
    assert [(name, kind) for name, kind, _ in kinds(recorder)] == [("completion", "llm")]


@pytest.mark.parametrize("module", ["litellm", "litellm.main", "litellm.chat_completions"])
@pytest.mark.parametrize("name", ["completion", "acompletion", "text_completion", "atext_completion"])
def test_every_module_that_holds_an_entry_point_is_traced(recorder, reach, module, name):
    """One span, by whichever name the function is reached (15)."""
    function = getattr(sys.modules.get(module), name, None)
    if function is None:
        pytest.skip(f"{module}.{name} is not in this LiteLLM")
    asked = {"prompt": "hello"} if "text" in name else {"messages": MESSAGES}
    result = function(model="mistral/m", **asked, **reach)
    if asyncio.iscoroutine(result):
        asyncio.run(result)
    assert [(resource, kind) for resource, kind, _ in kinds(recorder)] == [(name, "llm")]


def test_client_class_is_traced(recorder, provider, reach):
    """``litellm.LiteLLM().chat.completions.create`` is one span (15)."""
    client = litellm.LiteLLM(api_key=reach["api_key"], base_url=reach["api_base"])
    client.chat.completions.create(model="mistral/m", messages=MESSAGES)
    assert len(provider.requests) == 1
    assert kinds(recorder) == [("completion", "llm", 6)]


def test_router_built_before_the_patch_is_traced(reach, request):
    """The Router's methods are found on the class, and LiteLLM's functions by name, whenever it was built (16)."""
    models = [{"model_name": "g", "litellm_params": {"model": "mistral/m", **reach}}]
    router = litellm.Router(model_list=models)
    recorder = request.getfixturevalue("recorder")
    router.completion(model="g", messages=MESSAGES)
    assert kinds(recorder) == [("router.completion", "workflow", None), ("completion", "llm", 6)]


def test_name_imported_before_the_patch_goes_on_working(recorder, ask):
    """It is LiteLLM's own function, untraced and unharmed (16)."""
    response = early_completion(model="mistral/m", **ask)
    assert response.choices[0].message.content == "The local provider heard: hello"
    assert recorder.litellm_spans == []
