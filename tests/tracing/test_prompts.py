"""Managed prompts: the span has what the provider got, and the prompt that it was made of."""

import asyncio

import litellm
import pytest
from litellm.litellm_core_utils import litellm_logging

import ddtrace_litellm
from ddtrace_litellm.telemetry import snapshot
from tests.tracing.scenarios import aread, deployment, read, to

litellm.suppress_debug_info = True
pytestmark = [
    pytest.mark.usefixtures("clean_slate"),
    pytest.mark.filterwarnings("ignore:Router.:DeprecationWarning"),  # LiteLLM 1.109
]
GREETING = """---
model: mistral/m
---
System: You speak {{tongue}}.

User: Greet {{name}}.
"""
ASKED = [{"role": "user", "content": "Be brief."}]
SENT = [("system", "You speak Welsh."), ("user", "Greet Ana."), ("user", "Be brief.")]
ARGUMENTS = {
    "prompt_id": "greeting",
    "prompt_variables": {"tongue": "Welsh", "name": "Ana"},
    "prompt_version": 3,
    "messages": ASKED,
}
TEMPLATE = [
    {"role": "system", "content": "You speak {{tongue}}."},
    {"role": "user", "content": "Greet {{name}}."},
]


@pytest.fixture(autouse=True)
def _dotprompt(tmp_path, monkeypatch):
    """LiteLLM's own management of prompts in files, from 1.80 on."""
    pytest.importorskip("litellm.integrations.dotprompt")
    (tmp_path / "greeting.prompt").write_text(GREETING)
    monkeypatch.setattr(litellm, "global_prompt_directory", str(tmp_path))
    monkeypatch.setattr(litellm_logging, "_in_memory_loggers", [])


def _completion(provider):
    return litellm.completion("dotprompt/m", **ARGUMENTS, **to(provider))


def _acompletion(provider):
    return asyncio.run(litellm.acompletion("dotprompt/m", **ARGUMENTS, **to(provider)))


def _stream(provider):
    return read(litellm.completion("dotprompt/m", **ARGUMENTS, stream=True, **to(provider)))


def _astream(provider):
    async def main():
        return await aread(await litellm.acompletion("dotprompt/m", **ARGUMENTS, stream=True, **to(provider)))

    return asyncio.run(main())


def _arouter(provider):
    groups = [deployment(provider, "group", "dotprompt/m"), deployment(provider, "mistral/m", "mistral/m")]
    made = litellm.Router(model_list=groups, num_retries=0)
    # Without an id LiteLLM's Router cannot log what it renders.
    return asyncio.run(made.acompletion("group", litellm_call_id="call", **ARGUMENTS))


@pytest.mark.parametrize("ask", [_completion, _acompletion, _stream, _astream, _arouter])
def test_prompt_of_litellm(ask, provider, recorder):
    """Input and model are those that the provider got; id, version, variables and template are the prompt's."""
    try:
        ask(provider)
    except KeyError as error:  # LiteLLM before 1.110
        pytest.skip(f"the Router of this LiteLLM renders for its proxy only: {error}")
    (sent,) = provider.requests
    assert [(message["role"], message["content"]) for message in sent.body["messages"]] == SENT
    (leaf,) = recorder.leaves
    assert [(message["role"], message["content"]) for message in leaf["meta"]["input"]["messages"]] == SENT
    assert (leaf["meta"]["model_name"], leaf["meta"]["model_provider"]) == ("m", "mistral")
    prompt = leaf["meta"]["input"]["prompt"]
    assert prompt["id"] == "greeting"
    assert prompt.get("version") == (None if ask is _arouter else "3")  # LiteLLM's Router leaves it out
    assert prompt["variables"] == ARGUMENTS["prompt_variables"]
    assert prompt["chat_template"] == TEMPLATE
    assert not snapshot().internal_errors
    assert recorder.still_open() == []


@pytest.mark.parametrize("switch", ["DD_LITELLM_CAPTURE_INPUT", "redaction"])
def test_variables_are_contents(switch, provider, recorder, monkeypatch):
    """Where contents are not captured, or LiteLLM was told not to log them, of the prompt its name alone is left."""
    if switch == "redaction":
        monkeypatch.setattr(litellm, "turn_off_message_logging", True)
    else:
        monkeypatch.setenv(switch, "false")
        ddtrace_litellm.unpatch()
        ddtrace_litellm.patch()
    _completion(provider)
    prompt = recorder.event["meta"]["input"]["prompt"]
    assert (prompt["id"], prompt["version"]) == ("greeting", "3")
    assert not {"variables", "chat_template", "template"} & prompt.keys()
    assert "Ana" not in str(recorder.event["meta"]["input"])


def test_no_prompt_without_an_id(provider, recorder):
    """What LiteLLM's other hooks change through the same door is no managed prompt."""
    points = [{"location": "message", "role": "user"}]
    litellm.completion("mistral/m", ASKED, cache_control_injection_points=points, **to(provider))
    assert "prompt" not in recorder.event["meta"]["input"]


def test_prompt_that_the_provider_stores(provider, recorder):
    """Of a request that names a stored prompt, id, version and variables are there, images as what they are."""
    variables = {"name": "Ana", "picture": {"type": "input_image", "image_url": "https://images.example/a.png"}}
    asked = {"id": "pmpt_1", "version": "2", "variables": variables}
    where = {"api_base": f"{provider.url}/v1", "api_key": "sk-local"}
    litellm.responses("Hello", "openai/gpt-4o-mini", prompt=asked, **where)
    prompt = recorder.event["meta"]["input"]["prompt"]
    assert (prompt["id"], prompt["version"]) == ("pmpt_1", "2")
    assert prompt["variables"] == {"name": "Ana", "picture": "[image: https://images.example/a.png]"}
    assert not snapshot().internal_errors
