"""No secret leaves, wherever a program keeps one: every byte that ddtrace and this package send or log is searched."""

import re
import socket
from contextlib import closing, suppress
from http import HTTPStatus

import pytest

from ddtrace_litellm.demo.provider import Reply
from tests.activation.conftest import PROGRAMS, Programs
from tests.activation.test_export import intake
from tests.provider import Provider
from tests.proxy.arrivals import unpacked

pytestmark = pytest.mark.e2e

ROOT = PROGRAMS.parents[2]
PLANTED = re.compile(r"Canary\w+?Petal")
ECHOED = ("authorization", "x-api-key", "api-key", "x-goog-api-key", "cookie")


class Telltale(Provider):
    """A provider that refuses with all that it was not to repeat."""

    def reply(self, request):
        """Answer as the request's own header says."""
        status = int(request.headers.get("x-status", "200"))
        if status == HTTPStatus.OK:
            return super().reply(request)
        headers = {name: request.headers[name] for name in ECHOED if name in request.headers}
        said = f"Incorrect API key provided: {headers}, {request.body.get('access_token')} at {self.url}{request.path}"
        return Reply(status, {"error": {"message": said, "type": "invalid_request_error"}, "message": said})


def ran(programs, provider, **environment):
    """Return what the program wrote at level debug, and what DogStatsD got."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as statsd:
        statsd.bind(("127.0.0.1", 0))
        finished = Programs(programs.agent, path=[str(ROOT)]).ddtrace_run(
            str(PROGRAMS / "secrets_everywhere.py"),
            PROVIDER_URL=provider.url,
            DD_LLMOBS_ENABLED="true",
            DD_TRACE_DEBUG="true",
            DD_DOGSTATSD_URL=f"udp://127.0.0.1:{statsd.getsockname()[1]}",
            DD_LITELLM_HEALTH_METRICS_ENABLED="true",
            OPENAI_API_KEY="CanaryEnvironmentPetal",
            ANTHROPIC_API_KEY="CanaryEnvironmentPetal",
            **environment,
        )
        statsd.setblocking(False)
        packets = iter(lambda: _received(statsd), b"")
        return finished.stdout + finished.stderr, b"".join(packets).decode()


def _received(server):
    with suppress(BlockingIOError):
        return server.recv(1 << 16)
    return b""


def leaked(*texts):
    """Return the secrets in what was sent or logged, each with what is around it somewhere."""
    return {
        found[0]: text[found.start() - 200 : found.end() + 50] for text in texts for found in PLANTED.finditer(text)
    }


@pytest.mark.parametrize("mode", ["agent", pytest.param("agentless", marks=pytest.mark.nightly)])
def test_no_secret_leaves(programs, mode):
    """Keys, headers, URLs and what is named like a secret are in no trace, event, metric or line of a log."""
    programs.traces()
    with intake() as (received, origin), Telltale() as provider:
        agentless = {
            "DD_LLMOBS_AGENTLESS_ENABLED": "true",
            "DD_LLMOBS_OVERRIDE_ORIGIN": origin,
            "DD_API_KEY": "CanaryDatadogPetal",
        }
        log, metrics = ran(programs, provider, **(agentless if mode == "agentless" else {}))
        requests = [*programs.agent.get_json("/test/session/requests"), *received]
        got = leaked(*(str((request.headers, request.body)) for request in provider.requests))
    bodies = [unpacked(request).decode("latin-1") for request in requests]
    assert {"CanaryApiKeyPetal", "CanaryBodyPetal", "CanaryCookiePetal", "CanaryFirstPetal"} <= got.keys()
    assert sum(body.count("Incorrect API key provided") for body in bodies) > 20
    assert any(line.startswith("litellm: completion ") for line in log.splitlines())
    assert "ddtrace_litellm.spans.opened" in metrics
    assert leaked(*bodies, metrics, log) == {}
