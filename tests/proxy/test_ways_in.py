"""The proxy as it is run in earnest: several workers, LiteLLM's own tracing on."""

import pytest

from tests.proxy.arrivals import Arrivals, asked_of, guardrails, leaves, routers
from tests.proxy.callers import MESSAGES, Caller
from tests.proxy.configuration import SECRETS, configuration
from tests.proxy.server import Proxy, traced

pytestmark = pytest.mark.e2e


def test_own_tracing_and_forked_workers(agent, upstream, tmp_path):
    """LiteLLM's own spans lie between ours and add no event; workers of gunicorn send in the end what they hold."""
    arguments = ("--run_gunicorn", "--num_workers", "2")
    launcher, environment = traced(agent.url)
    environment |= {"DD_TRACE_WRITER_INTERVAL_SECONDS": "60", "USE_DDTRACE": "true"}
    with Proxy(tmp_path, configuration(upstream.url), launcher, environment, arguments) as proxy:
        caller = Caller(proxy.wait().url)
        upstream.requests.clear()
        arrivals = Arrivals(agent)
        caller.openai.chat.completions.create(model="chat", messages=MESSAGES)
        list(caller.openai.chat.completions.create(model="chat", messages=MESSAGES, stream=True))
        caller.close()
    for trace in arrivals.wait(caller.mark, 2):
        assert len(leaves(trace)) == len(routers(trace)) == 1
        assert len(trace.llm_spans()) == 2 + len(guardrails(trace))
        assert trace.lost_parents == ()
        assert "litellm.main.acompletion" in {span.name for span in trace.spans}
    assert len(asked_of(upstream)) == 2
    assert arrivals.leaked(SECRETS) == set()
