import io

import pytest
from rich.console import Console

from ddtrace_litellm.tryout import contents
from ddtrace_litellm.tryout.render import cost, duration, render
from tests.tryout.conftest import MS, llm_data, span

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How warm is it?"}]


def shown(traces, *, full=False, width=130):
    """Return what is rendered, without colours."""
    target = io.StringIO()
    render(Console(file=target, width=width, highlight=False), traces, full=full)
    return target.getvalue()


def line_with(text, output):
    """Return the line of ``output`` that has ``text``."""
    return next(line for line in output.splitlines() if text in line)


def test_llm_span_shows_everything_at_a_glance(agent):
    """One line has kind, operation, model, tokens, cost, first token, status and duration; the next what was said."""
    data = llm_data(
        metrics={"input_tokens": 8, "output_tokens": 5, "total_cost": 0.0000042, "time_to_first_token": 0.004},
        input={"messages": MESSAGES},
        output={"messages": [{"role": "assistant", "content": "27 degrees"}]},
        metadata={"finish_reason": "stop"},
    )
    output = shown(agent.chunks([span(1, llm=data)]).traces())
    head = line_with("gpt-4o-mini", output)
    for part in ("llm  completion", "· openai", "8 → 5 tokens", "$0.0000042", "first token 4.0 ms", "ok", "10 ms", "━"):
        assert part in head
    assert "user  How warm is it?  (+1 before)" in line_with("│ in", output.replace("  in ", "│ in "))
    assert "assistant  27 degrees" in line_with("out ", output)
    assert "finish_reason stop" in output
    assert "Be brief." not in output


def test_tree_has_apm_spans_too(agent):
    """Children hang beneath their parents, APM's spans among them with URL and status."""
    http = {"http.url": "http://127.0.0.1:1/v1/chat/completions", "http.status_code": "500"}
    traces = agent.chunks(
        [
            span(1, llm=llm_data("workflow", input={"value": "q"})),
            span(2, 1, llm=llm_data()),
            span(3, 2, name="http.request", resource="http.request", meta=http, type="http"),
        ]
    ).traces()
    output = shown(traces)
    depth = [line_with(text, output).index(text) for text in ("workflow", "llm  ", "http.request")]
    assert depth == sorted(set(depth))
    assert "http.request  http://127.0.0.1:1/v1/chat/completions  500" in output
    assert "1 trace, 2 LLM Observability spans of 3 spans" in output


def test_error_is_shown_with_type_and_message(agent):
    """An error has a line of its own, without the stack unless --full asks for it."""
    meta = {"error.type": "RateLimitError", "error.message": "slow\ndown", "error.stack": "Traceback (here)"}
    data = llm_data(output={"messages": [{"content": ""}]})
    traces = agent.chunks([span(1, error=1, meta=meta, llm=data)]).traces()
    assert "RateLimitError: slow down" in line_with("error  ", shown(traces).split("\n", 3)[3])
    assert "out" not in shown(traces)
    assert "1 error" in shown(traces)
    assert "Traceback" not in shown(traces)
    assert "Traceback (here)" in shown(traces, full=True)


def test_long_contents_are_cut_unless_full(agent):
    """A long answer is cut with a mark that says how much is missing; --full shows all of it, and every message."""
    answer = "word " * 100
    data = llm_data(
        input={"messages": MESSAGES}, output={"messages": [{"role": "assistant", "content": answer + "END"}]}
    )
    traces = agent.chunks([span(1, llm=data)]).traces()
    assert "END" not in shown(traces)
    assert "(+403 chars)" in " ".join(shown(traces).split())
    assert "END" in shown(traces, full=True)
    assert "Be brief." in shown(traces, full=True)


def test_full_shows_metadata_metrics_and_tools(agent):
    """--full lists all metadata, metrics, tags and tool definitions."""
    data = llm_data(
        metrics={"total_cost": 0.1 + 0.2},
        metadata={"litellm_call_id": "abc"},
        tool_definitions=[{"name": "get_temperature", "schema": {"type": "object"}}],
    )
    output = shown(agent.chunks([span(1, llm=data, meta={"litellm.request.host": "h"})]).traces(), full=True)
    for part in ("total_cost 0.3", "litellm_call_id abc", '"schema"', "ml_app:app", "litellm.request.host h"):
        assert part in output


def test_notes_explain_attempts_streams_and_tools(agent):
    """Attempt numbers, cache hits, unread streams and offered tools stand beneath the span."""
    data = llm_data(
        metadata={"attempt_number": 2, "failed_attempts": [{}], "stream_completed": False, "cache_hit": True},
        tool_definitions=[{"name": "get_temperature"}],
    )
    output = shown(agent.chunks([span(1, llm=data)]).traces())
    assert (
        "attempt 2 · 1 failed attempt · from LiteLLM's cache · stream not read to its end · tools get_temperature"
        in output
    )


def test_lost_parent_is_called_out(agent):
    """A trace whose parent span is missing says so, and what that means outside of try."""
    output = shown(agent.chunks([span(2, 99, llm=llm_data())]).traces())
    assert "incomplete: span 99, the parent of completion, did not arrive" in output
    assert "1 incomplete" in output


def test_control_characters_do_not_reach_the_terminal(agent):
    """Escape sequences that a model or an error says are made visible."""
    data = llm_data(
        model_name="m\x1b[0m",
        output={"messages": [{"role": "assistant\x07", "content": "\x1b]0;title\x07 \x9b31m\u202e"}]},
        metadata={"\x1b[2J": "\u2066"},
        tags={"\u202e": "a"},
    )
    meta = {"error.type": "E", "error.message": "\x1b[2J", "error.stack": "\x1b[2J"}
    traces = agent.chunks([span(1, error=1, meta=meta, llm=data), span(2, 1, name="a\x1b[1m", type="web")]).traces()
    for full in (False, True):
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\u2066"} & set(shown(traces, full=full))


def test_markup_in_contents_is_text(agent):
    """What looks like rich's markup is shown as it is."""
    data = llm_data(output={"messages": [{"role": "assistant", "content": "[bold]x[/bold] [/]"}]})
    assert "[bold]x[/bold] [/]" in shown(agent.chunks([span(1, llm=data)]).traces())


def test_bar_shows_when_a_span_ran(agent):
    """The bar of a child that ran in the second half begins there."""
    spans = [
        span(1, duration=100 * MS),
        span(2, 1, start=span(1)["start"] + 50 * MS, duration=50 * MS, resource="late"),
    ]
    output = shown(agent.chunks(spans).traces())
    assert line_with("late", output).rstrip().endswith("········━━━━━━━━")


@pytest.mark.parametrize("width", [40, 80])
def test_fits_a_narrow_terminal(agent, width):
    """No line is longer than the terminal, and a head that is too long breaks between its parts."""
    data = llm_data(metrics={"input_tokens": 8, "output_tokens": 5, "total_cost": 0.1}, input={"messages": MESSAGES})
    traces = agent.chunks([span(1, llm=data), span(2, 1, name="http.request", meta={"http.url": "http://" + "x" * 99})])
    output = shown(traces.traces(), width=width)
    assert max(len(line) for line in output.splitlines()) <= width
    assert "8 → 5 tokens" in output


def test_nothing_prints_nothing():
    """Without traces there is no tree and no sum."""
    assert shown(()) == ""


@pytest.mark.parametrize(
    ("usd", "text"),
    [(0, "$0"), (0.0000042, "$0.0000042"), (0.000070000001, "$0.000070"), (0.0123, "$0.012"), (1.5, "$1.50")],
)
def test_cost_has_two_digits_that_count(usd, text):
    """Prices of any size can be read."""
    assert cost(usd) == text


@pytest.mark.parametrize(
    ("milliseconds", "text"), [(0.25, "0.2 ms"), (9.5, "9.5 ms"), (59.6, "60 ms"), (1234, "1.23 s")]
)
def test_duration_has_a_fitting_unit(milliseconds, text):
    """Durations of any size can be read."""
    assert duration(milliseconds * MS) == text


def said(content):
    """Return the lines of ``content`` as pairs."""
    return [(line.speaker, line.text) for line in contents.lines(content)]


def test_messages_show_text_parts_and_tools():
    """A message's text, attachments, tool calls and tool results are all said by its role."""
    messages = [
        {"role": "user", "content": "look", "image_parts": [{"mime_type": "image/png"}], "audio_parts": [{}]},
        {"role": "assistant", "content": "", "tool_calls": [{"name": "f", "arguments": {"a": "b", "n": 1}}]},
        {"role": "tool", "tool_results": [{"name": "f", "result": "27"}]},
        {"role": "assistant", "content": ""},
        {"content": ""},
    ]
    assert said({"messages": messages}) == [
        ("user", "look [image image/png] [audio]"),
        ("assistant", '→ f(a="b", n=1)'),
        ("tool", "← f: 27"),
        ("assistant", "(empty)"),
    ]


def test_documents_show_name_and_score():
    """Documents are said by their name, with the score where there is one."""
    documents = [{"text": "a", "name": "n", "score": 0.51234}, {"text": "b", "id": "7"}, {"text": "c"}]
    assert said({"documents": documents}) == [("n (0.512)", "a"), ("7", "b"), ("document", "c")]


def test_value_that_holds_messages_shows_them():
    """A workflow's JSON of messages reads like messages, any other value as it is."""
    assert said({"value": '[{"role": "user", "content": "hi"}]'}) == [("user", "hi")]
    assert said({"value": '{"a": 1}'}) == [("", '{"a": 1}')]
    assert said({"value": "plain"}) == [("", "plain")]
    assert said({}) == []
