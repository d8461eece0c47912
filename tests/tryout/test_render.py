import io

import msgpack
import pytest
from rich.console import Console

from ddtrace_litellm.tryout import contents
from ddtrace_litellm.tryout.render import cost, duration, render
from ddtrace_litellm.tryout.selection import condition, matching
from tests.tryout.conftest import MS, llm_data, span

MESSAGES = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "How warm is it?"}]


def shown(traces, *, full=False, width=130, everything=False):
    """Return what is rendered, without colours."""
    target = io.StringIO()
    render(Console(file=target, width=width, highlight=False), traces, full=full, everything=everything)
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
    output = shown(traces, everything=True)
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


def client(component, **more):
    """Return the tags of an HTTP client's span."""
    return {"component": component, "span.kind": "client", "http.url": "http://provider/v1", **more}


def server(path):
    """Return the parts of a server's span that answered a request."""
    meta = {"component": "fastapi", "span.kind": "server", "http.url": f"http://localhost:4000{path}"}
    return {"name": "fastapi.request", "resource": f"GET {path}", "type": "web", "meta": meta}


def test_http_clients_of_a_call_are_folded(agent):
    """What happens inside of a call's HTTP client, and of a framework, is counted in a line; --all shows it."""
    spans = [
        span(1, **server("/v1/chat/completions")),
        span(2, 1, llm=llm_data()),
        span(3, 2, name="http.request", meta=client("httpx")),
        span(4, 3, name="aiohttp.request", meta=client("aiohttp_client")),
        span(5, 4, name="TCPConnector.connect", meta=client("aiohttp")),
        span(6, 1, name="fastapi.serialize_response"),
    ]
    traces = agent.chunks(spans).traces()
    output = shown(traces)
    assert "fastapi.request  GET /v1/chat/completions" in output
    assert "1 trace, 1 LLM Observability span of 6 spans" in output
    assert "4 spans of HTTP clients, frameworks and health checks folded; see --all" in output
    folded = ("http.request", "aiohttp.request", "TCPConnector.connect", "fastapi.serialize_response")
    assert not [name for name in folded if name in output]
    assert not [name for name in folded if name not in shown(traces, everything=True)]
    assert "see --all" not in shown(traces, everything=True)


def test_what_explains_something_is_not_folded(agent):
    """A program's own request, one that leads to a call in a server that is watched too, and a provider SDK stay."""
    spans = [
        span(1, name="http.request", resource="own", meta=client("httpx")),
        span(2, 1, name="aiohttp.request", meta=client("aiohttp_client")),
        span(3, llm=llm_data("workflow")),
        span(4, 3, name="http.request", resource="leads", meta=client("httpx", **{"http.url": "http://proxy/v1"})),
        span(5, 4, **server("/v1/chat/completions")),
        span(6, 5, llm=llm_data()),
        span(7, 6, name="openai.request", resource="createChatCompletion", meta={"component": "openai"}),
    ]
    output = shown(agent.chunks(spans).traces())
    for kept in ("http://provider/v1", "http://proxy/v1", "fastapi.request", "llm  completion", "openai.request"):
        assert kept in output
    assert "1 span of HTTP clients" in output
    assert "incomplete" not in output


@pytest.mark.parametrize(
    ("path", "more", "is_shown"),
    [
        ("/health/liveliness", [], False),
        ("/metrics/", [], False),
        ("/v1/models", [], True),
        ("/health", [span(2, 1, llm=llm_data())], True),
        ("/health/readiness", [span(2, 1, name="redis.command", error=1)], True),
    ],
)
def test_health_checks_are_folded(agent, path, more, is_shown):
    """A request for health or metrics is no trace to look at, unless it led to a call or an error."""
    output = shown(agent.chunks([span(1, **server(path)), *more]).traces())
    assert (f"GET {path}" in output) is is_shown
    assert "1 trace, " in output


def test_whose_call_it_is_stands_once(agent):
    """Session, user, end user and request tags are shown, of a child where they differ from its parent's."""
    tags = {"session_id": "s1", "user": "u1", "end_user": "e1", "request_tags": "prod,team:blue"}
    spans = [
        span(1, llm=llm_data("workflow", input={"value": "q"})),
        span(2, 1, llm=llm_data()),
        span(3, 2, llm=llm_data()),
    ]
    for made, whose in zip(spans, (tags, tags, {"session_id": "s2"}), strict=True):
        made["meta_struct"]["_llmobs"] = msgpack.packb(
            {**msgpack.unpackb(made["meta_struct"]["_llmobs"]), "tags": whose}
        )
    output = shown(agent.chunks(spans).traces())
    assert output.count("session s1 · user u1 · end user e1 · tags prod,team:blue") == 1
    assert output.count("session s2") == 1


@pytest.mark.parametrize(("source", "tokens"), [("estimated", "~8 → ~5 tokens"), ("reported", "8 → 5 tokens")])
def test_estimated_tokens_are_marked(agent, source, tokens):
    """Tokens that nobody reported have a ``~``, in the sums as well."""
    data = llm_data(metrics={"input_tokens": 8, "output_tokens": 5}, metadata={"token_source": source})
    head, *_, total = [line for line in shown(agent.chunks([span(1, llm=data)]).traces()).splitlines() if "→" in line]
    assert f"  {tokens}" in head
    assert f"· {tokens}" in total


def test_rerank_has_its_model(agent):
    """A kind that ddtrace has no model for shows the one of its metadata."""
    data = llm_data("retrieval", metadata={"model_name": "rerank-v3.5", "model_provider": "cohere"})
    assert "rerank-v3.5 · cohere" in shown(agent.chunks([span(1, llm=data)]).traces())


def test_filters_choose_traces(agent):
    """A trace is shown where one span has all that is asked for, whatever the case."""
    asked = llm_data(input={"messages": MESSAGES}, tags={})
    failing = llm_data(model_name="claude-haiku")
    traces = agent.chunks(
        [span(1, llm=asked)], [{**span(2, error=1, llm=failing), "trace_id": 7}], [{**span(3, name="x"), "trace_id": 8}]
    ).traces()
    chosen = {
        text: [trace.spans[0].span_id for trace in matching(traces, [condition(part) for part in text.split()])]
        for text in ("model=GPT", "status=error", "kind=llm", "warm", "tag=ml_app:app", "model=haiku status=ok")
    }
    assert chosen == {
        "model=GPT": [1],
        "status=error": [2],
        "kind=llm": [1, 2],
        "warm": [1],
        "tag=ml_app:app": [1, 2],
        "model=haiku status=ok": [],
    }


@pytest.mark.parametrize("width", [40, 80])
def test_fits_a_narrow_terminal(agent, width):
    """No line is longer than the terminal, and a head that is too long breaks between its parts."""
    data = llm_data(metrics={"input_tokens": 8, "output_tokens": 5, "total_cost": 0.1}, input={"messages": MESSAGES})
    traces = agent.chunks([span(1, llm=data), span(2, 1, name="http.request", meta={"http.url": "http://" + "x" * 99})])
    output = shown(traces.traces(), width=width)
    assert max(len(line) for line in output.splitlines()) <= width
    assert "8 → 5 tokens" in output


def test_nothing_breaks_inside_a_word_at_80_columns(agent):
    """Words of heads, contents and notes are whole; so is the URL of a request that has room."""
    words = "Conversations about extraordinarily long descriptions, uninterruptedly. " * 3
    url = "http://localhost:4000/v1/chat/completions"
    tags = {"session_id": "a-session-of-thirty-two-characters", "user": "somebody@example.com"}
    data = llm_data(
        model_name="claude-haiku-4-5-20251001", output={"messages": [{"role": "assistant", "content": words}]}
    )
    made = span(2, 1, llm={**data, "tags": tags})
    output = shown(
        agent.chunks([span(1, name="http.request", meta=client("httpx", **{"http.url": url})), made]).traces(), width=80
    )
    assert max(len(line) for line in output.splitlines()) <= 80
    for whole in (url, "claude-haiku-4-5-20251001", *words[:90].split(), *tags.values()):
        assert whole in output


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
        {"role": "assistant", "content": "", "tool_calls": [{"name": "g", "tool_id": "call-1", "arguments": {}}]},
        {
            "role": "tool",
            "tool_results": [{"tool_id": "call-1", "result": "28"}, {"tool_id": "call-2", "result": "29"}],
        },
        {"role": "assistant", "content": ""},
        {"content": ""},
    ]
    assert said({"messages": messages}) == [
        ("user", "look [image image/png] [audio]"),
        ("assistant", '→ f(a="b", n=1)'),
        ("tool", "← f: 27"),
        ("assistant", "→ g()"),
        ("tool", "← g: 28"),
        ("tool", "← call-2: 29"),
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
