"""One proxy under the real ``ddtrace-run`` for all tests, its provider, its agent and its callers."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytest
from ddtrace import config

from ddtrace_litellm.tryout.agent import TestAgent
from ddtrace_litellm.tryout.traces import Trace
from tests.presidio import Presidio
from tests.provider import Provider
from tests.proxy.agent_story import surroundings, weather
from tests.proxy.arrivals import Arrivals, asked_of
from tests.proxy.callers import CASES, Caller, Case
from tests.proxy.configuration import BEHAVIOURS, SECRETS, configuration, passed_through_to
from tests.proxy.server import Proxy, traced

_NEEDED = ("anthropic", "apscheduler", "backoff", "fastapi", "openai", "orjson", "uvicorn")


@pytest.fixture(scope="session", autouse=True)
def _installed() -> None:
    for module in _NEEDED:
        pytest.importorskip(module, reason=f"LiteLLM's proxy and its clients need {module}: pip install litellm[proxy]")


@pytest.fixture(autouse=True)
def _untraced_clients(monkeypatch: pytest.MonkeyPatch) -> None:
    _send_no_trace(monkeypatch)


def _send_no_trace(patch: pytest.MonkeyPatch) -> None:
    """Let the clients of this process send no trace: tests that ran before may have had ddtrace patch them."""
    patch.setattr(config, "_propagation_style_inject", [])


@pytest.fixture(scope="session")
def agent() -> Iterator[TestAgent]:
    """The agent that the proxy sends to."""
    with TestAgent() as running:
        yield running


@pytest.fixture(scope="session")
def upstream() -> Iterator[Provider]:
    """The provider behind the proxy."""
    with Provider(BEHAVIOURS) as running:
        yield running


@pytest.fixture(scope="session")
def presidio() -> Iterator[Presidio]:
    """What the proxy's guardrail that masks asks."""
    with Presidio() as running:
        yield running


@pytest.fixture(scope="session")
def proxy(
    agent: TestAgent, upstream: Provider, presidio: Presidio, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Proxy]:
    """The proxy, traced."""
    launcher, environment = traced(agent.url)
    configured = configuration(upstream.url, presidio.url)
    environment |= passed_through_to(upstream.url)
    with Proxy(tmp_path_factory.mktemp("proxy"), configured, launcher, environment) as starting:
        yield starting.wait()


class Gateway(NamedTuple):
    """A proxy before MCP servers, and the provider behind it."""

    proxy: Proxy
    upstream: Provider


@pytest.fixture(scope="session")
def gateway(agent: TestAgent, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gateway]:
    """A second proxy, traced, with what the agent's story has around it, and the weather."""
    pytest.importorskip("mcp")
    launcher, environment = traced(agent.url)
    with surroundings() as (upstream, settings), weather() as server:
        settings["mcp_servers"]["weather"] = server
        with Proxy(tmp_path_factory.mktemp("gateway"), settings, launcher, environment) as starting:
            yield Gateway(starting.wait(), upstream)


@pytest.fixture
def arrivals(agent: TestAgent, upstream: Provider) -> Iterator[Arrivals]:
    """What arrives during a test; nothing of it may be a secret, whatever the test is about."""
    upstream.requests.clear()
    arrived = Arrivals(agent)
    yield arrived
    assert arrived.leaked(SECRETS) == set()


class Asked(NamedTuple):
    """A question to the proxy, its trace, and the models that the provider was asked for."""

    case: Case
    trace: Trace
    models: list[str]


@pytest.fixture(scope="session", params=CASES, ids=lambda case: case.name)
def asked(request: pytest.FixtureRequest, agent: TestAgent, upstream: Provider, proxy: Proxy) -> Asked:
    """What came of each question; it is asked once for all tests, and nothing that arrives of it may be a secret."""
    case = request.param
    upstream.requests.clear()
    arrivals = Arrivals(agent)
    caller = Caller(proxy.url)
    try:
        with pytest.MonkeyPatch.context() as patch:
            _send_no_trace(patch)
            case.ask(caller)
        (trace,) = arrivals.wait(caller.mark)
    finally:
        caller.close()
    assert arrivals.leaked(SECRETS) == set()
    return Asked(case, trace, asked_of(upstream))


@pytest.fixture
def call(proxy: Proxy) -> Iterator[Callable[..., Caller]]:
    """Makes callers of the proxy, and closes their clients at the end."""
    made: list[Caller] = []

    def make(**parts: object) -> Caller:
        made.append(Caller(proxy.url, **parts))
        return made[-1]

    yield make
    for caller in made:
        caller.close()


@pytest.fixture
def caller(call: Callable[..., Caller]) -> Caller:
    """A caller whom the proxy knows."""
    return call()
