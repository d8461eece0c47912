import pytest
from ddtrace import tracer

from ddtrace_litellm import _ddtrace

METRICS = {
    "input_tokens": 36,
    "output_tokens": 7,
    "total_tokens": 43,
    "cache_read_input_tokens": 5,
    "cache_write_input_tokens": 0,
    "reasoning_output_tokens": 3,
    "total_cost": 0.5,
    "time_to_first_token": 0.25,
}


@pytest.fixture(params=["recorder", "apm_recorder"], ids=["llmobs", "apm only"])
def llmobs_on_or_off(request):
    """Both states of LLM Observability."""
    return request.getfixturevalue(request.param)


@pytest.mark.skipif(not _ddtrace._HAS_SHADOW_TAGS, reason="ddtrace before 4.9 puts no such tags on APM spans")
@pytest.mark.parametrize("kind", ["llm", "workflow"])
@pytest.mark.parametrize("metrics", [METRICS, {"input_tokens": 0}, {}], ids=["all", "one", "none"])
@pytest.mark.parametrize(("model", "provider"), [("Claude", "Anthropic"), ("m", ""), ("", "")])
@pytest.mark.usefixtures("llmobs_on_or_off")
def test_apm_tags_are_those_of_ddtraces_integrations(kind, metrics, model, provider):
    """Tags and metrics are, one for one, what ``BaseLLMIntegration`` sets for the same call."""
    with tracer.trace("ours") as ours, tracer.trace("theirs") as theirs:
        _ddtrace.set_apm_tags(ours, kind, metrics, model, provider)
        _ddtrace._integration._apply_shadow_metrics(theirs, metrics, kind, model, provider)
        found, expected = ((span.get_tags(), span.get_metrics()) for span in (ours, theirs))
    for marks in (*found, *expected):
        for name in [name for name in marks if not name.startswith(("_dd.llmobs.", "gen_ai."))]:
            del marks[name]
    assert found == expected
    assert "_dd.llmobs.span_kind" in found[0]
