import json

import litellm
import pytest

from tests.provider import Script

SECRET = "ssn 123-45-6789"


@pytest.fixture
def silent(monkeypatch, request):
    """A recorder of a process that captures no contents at all."""
    monkeypatch.setenv("DD_LITELLM_CAPTURE_INPUT", "false")
    monkeypatch.setenv("DD_LITELLM_CAPTURE_OUTPUT", "false")
    return request.getfixturevalue("recorder")


def _ask(provider, messages):
    provider.otherwise = Script(text=SECRET)
    litellm.completion("mistral/m", messages, api_base=f"{provider.url}/v1", api_key="sk-local")


def _is_clean(recorder):
    return SECRET not in json.dumps(recorder.events, default=str) + str([span.get_tags() for span in recorder.finished])


def test_contents_that_are_not_captured_are_nowhere(silent, provider):
    """Neither what was asked nor what was answered is on the event or on any span; tokens and reason are."""
    _ask(provider, [{"role": "user", "content": SECRET}])
    assert _is_clean(silent)
    assert silent.event["metrics"]["output_tokens"] == 2
    assert silent.event["meta"]["metadata"]["finish_reason"] == "stop"


def test_variables_of_a_managed_prompt_are_input(silent, provider):
    """A prompt of Datadog's prompt management brings its variables along, which are contents of the request."""
    prompts = pytest.importorskip("ddtrace.llmobs._prompts.prompt", reason="no managed prompts in this ddtrace")
    template = [{"role": "user", "content": "Look up {{who}}"}]
    prompt = prompts.ManagedPrompt(id="p", version="1", label=None, source="registry", template=template)
    _ask(provider, prompt.format(who=SECRET))
    assert _is_clean(silent)
