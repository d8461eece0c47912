"""LiteLLM's own Datadog callback beside our spans."""

from urllib.parse import urlsplit

import pytest

from tests.proxy.arrivals import Arrivals, leaves
from tests.proxy.callers import MESSAGES, Caller
from tests.proxy.configuration import MASTER_KEY, SECRETS, configuration
from tests.proxy.server import Proxy, traced

pytestmark = pytest.mark.e2e


def test_callback_that_reports_everything_again(agent, upstream, tmp_path):
    """The proxy's log says once that requests are reported twice, names the callback, and our spans stay."""
    configured = configuration(upstream.url)
    configured["litellm_settings"]["callbacks"] = ["datadog_llm_observability"]
    del configured["general_settings"]["custom_auth"]
    launcher, environment = traced(agent.url)
    environment |= {"LITELLM_DD_AGENT_HOST": "127.0.0.1", "LITELLM_DD_LLM_OBS_PORT": str(urlsplit(upstream.url).port)}
    with Proxy(tmp_path, configured, launcher, environment) as proxy:
        caller = Caller(proxy.wait().url, MASTER_KEY)
        arrivals = Arrivals(agent)
        for _ in range(2):
            caller.openai.chat.completions.create(model="chat", messages=MESSAGES)
        assert [len(leaves(trace)) for trace in arrivals.wait(caller.mark, 2)] == [1, 1]
        caller.close()
        warnings = [line for line in proxy.output.splitlines() if "datadog_llm_observability" in line]
        assert len(warnings) == 1, proxy.output
        assert "twice" in warnings[0]
        assert "Remove it from" in warnings[0]
        assert arrivals.leaked(SECRETS) == set()
