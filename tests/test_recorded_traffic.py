"""What real providers sent is what the events say: recorded exchanges, replayed under LiteLLM."""

from pathlib import Path

import litellm
import openai
import pytest

from ddtrace_litellm import get_version
from tests.recorded import Recording, player

FOLDER = Path(__file__).parents[2] / "shared" / "recorded-traffic"
PATTERNS = (
    "openai/chat_completion*",
    "openai/completion*",
    "openai/azure_chat*",
    "openai/azure_completion*",
    "openai/deepseek*",
    "anthropic/anthropic_completion*",
)
CASSETTES = sorted(path for pattern in PATTERNS for path in FOLDER.glob(f"{pattern}.yaml"))
# Measured on 1.72.2; 1.95.0 and later can.
BEFORE_1_85 = {
    "anthropic_completion_beta_tools_stream": "rejects the tool search tool",
    "anthropic_completion_cache_write_1h_ttl": "drops the time to live of cache writes",
    "anthropic_completion_stream_thinking": "numbers Anthropic's content blocks as choices",
    "chat_completion_image_input": "takes the details of the finish for its reason",
    "anthropic_completion_tools_server_tool_use": "rejects the tool search tool",
    "deepseek_streamed_cumulative_tokens": "drops the usage that DeepSeek reports",
    "deepseek_streamed_reasoning_content": "rejects DeepSeek's parameters",
}
FAILED = {"error", "invalid_api_key", "wrong_api_key"}

pytestmark = pytest.mark.skipif(not CASSETTES, reason=f"the recorded traffic is not here: ../{FOLDER.parent.name}")


def _cassettes(*, failed):
    return [
        pytest.param(path, id=path.stem)
        for path in CASSETTES or [FOLDER / "absent"]
        if any(path.stem.endswith(name) for name in FAILED) is failed or not CASSETTES
    ]


def _replay(recording):
    """Ask what was asked; return LiteLLM's response, or all chunks."""
    function = litellm.text_completion if recording.is_text else litellm.completion
    with player().use_cassette(str(recording.path)) as cassette:
        try:
            result = function(**recording.arguments())
        except openai.OpenAIError as error:
            if "Invalid response object" in str(error):
                pytest.skip(f"litellm {get_version()} cannot read this answer")
            raise
        if recording.is_stream:
            result = list(result)
        assert cassette.play_count == 1
    return result


@pytest.mark.parametrize("path", _cassettes(failed=False))
def test_event_says_what_the_provider_sent(recorder, path):
    """Text, reasoning, tool calls, finish reason, tokens, model and provider, and the cost where there is a price."""
    if path.stem in BEFORE_1_85 and tuple(map(int, get_version().split(".")[:2])) < (1, 85):
        pytest.skip(f"litellm {get_version()} {BEFORE_1_85[path.stem]}")
    recording = Recording(path)
    response = _replay(recording)
    said, event = recording.said(), recorder.event
    meta, metrics = event["meta"], event["metrics"]
    messages = meta["output"]["messages"]

    spoken = [message for message in messages if message["role"] != "reasoning"]
    assert [message["content"] for message in spoken] == said.texts
    assert "".join(message["content"] for message in messages if message["role"] == "reasoning") == said.reasoning
    calls = [call for message in spoken for call in message.get("tool_calls", ())]
    calls = [call for call in calls if call["name"] not in said.server_tools]
    assert [(call["name"], call["arguments"], call["tool_id"]) for call in calls] == said.tool_calls
    assert meta["metadata"].get("finish_reason", "") == said.finish_reason
    assert event["status"] == "ok"

    provider = (
        recording.provider if not recording.is_text or "azure" in recording.provider else "text-completion-openai"
    )
    assert meta["model_provider"] == provider
    assert meta["model_name"] == (said.model if "azure" in provider else recording.body["model"])

    if said.usage:
        counted = {name for name, value in metrics.items() if value and name.endswith("_tokens")} - {"total_tokens"}
        assert {name: metrics.get(name) for name in said.usage} == said.usage
        assert counted - {"reasoning_output_tokens"} == said.usage.keys() - {"reasoning_output_tokens"}
        assert metrics["total_tokens"] == said.usage["input_tokens"] + said.usage.get("output_tokens", 0)
    assert metrics["input_tokens"] > 0
    if recording.is_stream:
        assert meta["metadata"]["token_source"] == ("reported" if said.usage else "estimated")
        assert meta["metadata"]["stream_completed"] is True
        assert 0 < metrics["time_to_first_token"] < event["duration"] / 1e9

    if said.cost is not None:
        assert metrics["total_cost"] == pytest.approx(said.cost)
    elif not recording.is_stream:
        assert metrics.get("total_cost") == response._hidden_params["response_cost"]
    elif recording.body["model"] in litellm.model_cost and recording.provider != "azure":
        assert metrics["total_cost"] > 0


@pytest.mark.parametrize("path", _cassettes(failed=True))
def test_rejected_request_is_an_error(recorder, path):
    """The event has LiteLLM's exception, and what was asked."""
    recording = Recording(path)
    with pytest.raises(openai.APIStatusError) as caught:
        _replay(recording)
    event = recorder.event
    assert caught.value.status_code == recording.status
    assert event["status"] == "error"
    assert event["meta"]["error"]["type"].rpartition(".")[2] == type(caught.value).__name__
    assert event["meta"]["error"]["message"] == str(caught.value)
    assert event["meta"]["input"]["messages"]
    assert "total_cost" not in event["metrics"]
