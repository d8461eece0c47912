import base64
import gzip
import json

from ddtrace_litellm.tryout.metrics import Metrics
from ddtrace_litellm.tryout.report import as_json, summarize
from ddtrace_litellm.tryout.traces import Assembly
from tests.tryout.conftest import MS, START, TRACE_ID, UPPER_HALF, llm_data, span

EVENT = {
    "span_id": "1",
    "trace_id": "f" * 32,
    "parent_id": "undefined",
    "name": "completion",
    "start_ns": START,
    "duration": 10 * MS,
    "status": "error",
    "_dd": {"apm_trace_id": f"{UPPER_HALF}{TRACE_ID:016x}", "span_id": "1"},
    "meta": {
        "span": {"kind": "llm"},
        "model_name": "gpt-4o-mini",
        "model_provider": "openai",
        "error": {"type": "ValueError", "message": "no", "stack": "Traceback"},
    },
    "metrics": {"input_tokens": 3},
    "tags": ["ml_app:app", "service:svc", "url:http://x"],
}


def batch(*events, tracer="4.10.0"):
    """Return a request body with ``events``."""
    return json.dumps([{"_dd.tracer_version": tracer, "event_type": "span", "spans": list(events)}]).encode()


def test_joins_apm_span_and_llm_data(agent):
    """A span carries what APM says and what LLM Observability says about it."""
    data = llm_data(
        metrics={"input_tokens": 8, "total_cost": 0.5, "time_to_first_token": 0.25},
        metadata={"finish_reason": "stop", "_dd": {"cost_tags": []}},
        input={"messages": [{"role": "user", "content": "hi"}]},
    )
    ((trace,),) = [agent.chunks([span(1, llm=data, meta={"litellm.request.model": "m"})]).traces()]
    (only,) = trace.spans
    assert trace.trace_id == f"{UPPER_HALF}{TRACE_ID:016x}"
    assert (only.span_id, only.parent_id, only.name, only.title) == (1, None, "litellm.request", "completion")
    assert (only.start_ns, only.duration_ns, only.error) == (START + MS, 10 * MS, None)
    assert (only.llm.kind, only.llm.model, only.llm.provider) == ("llm", "gpt-4o-mini", "openai")
    assert (only.metric("input_tokens"), only.metric("total_cost"), only.metric("output_tokens")) == (8, 0.5, None)
    assert only.llm.metadata == {"finish_reason": "stop"}
    assert only.llm.input["messages"][0]["content"] == "hi"
    assert only.apm_tags["litellm.request.model"] == "m"


def test_error_has_type_message_and_stack(agent):
    """An errored span says why."""
    meta = {"error.type": "RateLimitError", "error.message": "slow down", "error.stack": "Traceback ..."}
    (trace,) = agent.chunks([span(1, error=1, meta=meta, llm=llm_data())]).traces()
    error = trace.spans[0].error
    assert (error.type, error.message, error.stack) == ("RateLimitError", "slow down", "Traceback ...")


def test_data_that_is_no_event_does_not_make_an_llm_span(agent):
    """Data that was left on a span without becoming an event counts as APM's alone, as Datadog treats it."""
    (trace,) = agent.chunks([span(1, llm=llm_data(event=False), type="")]).traces()
    assert trace.spans[0].llm is None
    assert trace.llm_spans() == ()


def test_chunks_of_a_trace_become_one_tree(agent):
    """Spans sent one at a time, children first, are one trace in order of their start."""
    (trace,) = agent.chunks([span(3, 2)], [span(2, 1)], [span(1)]).traces()
    assert [each.span_id for each in trace.spans] == [1, 2, 3]
    assert [each.span_id for each in trace.roots] == [1]
    assert [each.span_id for each in trace.children(trace.roots[0])] == [2]
    assert trace.lost_parents == ()
    assert (trace.start_ns, trace.duration_ns) == (START + MS, 12 * MS)


def test_lost_parent_is_found(agent):
    """A parent that did not arrive is named once, and its children count as roots."""
    (trace,) = agent.chunks([span(2, 99), span(3, 99), span(4, 3)]).traces()
    assert trace.lost_parents == (99,)
    assert [each.span_id for each in trace.roots] == [2, 3]


def test_traces_come_in_order_of_their_start(agent):
    """The agent's own order is by arrival."""
    late, early = span(1, trace_id=5, start=START + 9), span(2, trace_id=6, start=START)
    traces = agent.chunks([late], [early]).traces()
    assert [trace.spans[0].span_id for trace in traces] == [2, 1]


def test_event_sent_on_its_own_joins_its_apm_span(agent):
    """Older ddtrace sends the event apart from the span; both are one here, by the span's id."""
    (trace,) = agent.chunks([span(1, meta={"k": "v"})]).events(batch(EVENT)).traces()
    (only,) = trace.spans
    assert (only.llm.model, only.metric("input_tokens"), only.apm_tags["k"]) == ("gpt-4o-mini", 3, "v")


def test_event_without_apm_span_is_a_span(agent):
    """Without APM tracing there are only events; compressed ones are read too."""
    (trace,) = agent.events(gzip.compress(batch(EVENT)), **{"Content-Encoding": "gzip"}).traces()
    (only,) = trace.spans
    assert (only.parent_id, only.title, only.service) == (None, "completion", "svc")
    assert (only.error.type, only.error.message) == ("ValueError", "no")
    assert only.llm.tags["url"] == "http://x"


def test_evaluation_joins_its_span(agent):
    """What was submitted about a span is on it, whichever came first; what names no span of ours is left out."""
    verdict = {"join_on": {"span": {"span_id": "1", "trace_id": "f"}}, "label": "guardrail.pii", "metric_type": "score"}
    by_tag = {"join_on": {"tag": {"key": "k", "value": "v"}}, "label": "quality"}
    metrics = {"data": {"type": "evaluation_metric", "attributes": {"metrics": [verdict, by_tag]}}}
    agent.evaluations(json.dumps(metrics).encode())
    (trace,) = agent.chunks([span(1, llm=llm_data("task")), span(2, 1)]).traces()
    assert [each.evaluations for each in trace.spans] == [(verdict,), ()]


def test_links_of_an_event_are_read(agent):
    """What ddtrace links is on the span that has the link."""
    link = {"span_id": "2", "trace_id": "f", "attributes": {"from": "output", "to": "input"}}
    (trace,) = agent.chunks([span(1, llm={**llm_data(), "span_links": [link]})]).traces()
    assert trace.spans[0].llm.links == (link,)


def test_trace_grows_as_payloads_come():
    """Only the traces that a payload changes come back, whole: spans, events and evaluations of all payloads."""
    assembly = Assembly()
    body = base64.b64encode(batch(EVENT)).decode()
    request = {"url": "http://a/evp_proxy/v2/api/v2/llmobs", "body": body}
    (alone,) = assembly.add([], [request])
    assert ([each.title for each in alone.spans], alone.trace_id) == (["completion"], f"{UPPER_HALF}{TRACE_ID:016x}")
    (other,) = assembly.add([[span(7, trace_id=5)]], [])
    assert other.trace_id.endswith("5")
    (joined,) = assembly.add([[span(1, meta={"k": "v"})], [span(2, 1)]], [])
    assert joined.trace_id == alone.trace_id
    first, second = joined.spans
    assert (first.llm.model, first.apm_tags["k"], second.parent_id) == ("gpt-4o-mini", "v", 1)


def test_events_of_one_trace_form_a_tree(agent):
    """Without APM spans, the event's parent is the parent."""
    child = {**EVENT, "span_id": "2", "parent_id": "1", "start_ns": START + 1}
    (trace,) = agent.events(batch(EVENT, child)).traces()
    assert [each.span_id for each in trace.children(trace.roots[0])] == [2]


def test_summary_adds_up_requests_not_workflows(agent):
    """Whatever costs is added up, searches too; a workflow or agent that repeats its child's does not count twice."""
    spent = {"input_tokens": 8, "output_tokens": 5, "total_cost": 0.25}
    spans = [
        span(1, llm=llm_data("workflow", metrics=spent)),
        span(2, 1, llm=llm_data(metrics=spent)),
        span(3, 1, llm=llm_data("embedding", metrics={"input_tokens": 2}), error=1),
        span(4, 2, name="http.request", type="http"),
        span(5, 1, llm=llm_data("retrieval", metrics={"total_cost": 0.5})),
        span(6, 1, llm=llm_data("tool", metrics={"total_cost": 0.125})),
        span(7, llm=llm_data("agent", metrics=spent)),
    ]
    total = summarize(agent.chunks(spans).traces())
    assert (total.traces, total.spans, total.llm_spans, total.errors) == (1, 7, 6, 1)
    assert (total.input_tokens, total.output_tokens, total.total_cost_usd) == (10, 5, 0.875)


def test_json_is_complete_and_plain(agent):
    """The JSON form survives a round trip, with ids as text and null where a span is APM's alone."""
    traces = agent.chunks([span(1, llm=llm_data(metrics={"input_tokens": 8})), span(2, 1), span(3, 99)]).traces()
    report = json.loads(json.dumps(as_json(traces, 7, Metrics())))
    assert report["exit_status"] == 7
    assert report["summary"]["spans"] == 3
    (trace,) = report["traces"]
    assert (trace["complete"], trace["lost_parents"]) == (False, ["99"])
    first, second, _ = trace["spans"]
    assert (first["span_id"], first["parent_id"], first["kind"], first["status"]) == ("1", None, "llm", "ok")
    assert first["metrics"] == {"input_tokens": 8}
    assert (first["duration_ms"], second["parent_id"]) == (10.0, "1")
    assert (second["kind"], second["model"], second["metrics"]) == (None, None, None)


def test_nothing_received_is_no_trace(agent):
    """An agent that received nothing gives nothing."""
    assert agent.traces() == ()
