"""How the check asks for a page: with the Agent's own client and all its options, and no key for anybody else."""

import pytest

pytest.importorskip("datadog_checks.base", reason="needs the packages of an Agent: pip install datadog-checks-base")

from ddtrace_litellm.openmetrics.check import LiteLLMCheck
from tests.openmetrics.agent_check.checks import OPENMETRICS, Run, served, x
from tests.openmetrics.servers import Server

KEY = {"Authorization": "Bearer sk-1", "x-litellm-api-key": "sk-2"}


@pytest.mark.parametrize(
    ("options", "init_config", "timeout"),
    [
        ({}, {}, (10.0, 30.0)),
        ({"timeout": 5}, {}, (5.0, 5.0)),
        ({"read_timeout": 5}, {}, (10.0, 5.0)),
        ({}, {"timeout": 7}, (7.0, 7.0)),
        ({"connect_timeout": 1}, None, (1.0, 30.0)),
    ],
)
def test_timeout(options, init_config, timeout):
    """Where no timeout is configured there is more time to read, as LiteLLM first makes the whole page."""
    check = LiteLLMCheck("litellm_om", init_config, [options])
    check.configure_scrapers()
    (scraper,) = check.scrapers.values()
    assert scraper._source._transport().http.options["timeout"] == timeout


def test_what_is_asked_for():
    """The Agent's headers are sent, with those of the options, and OpenMetrics is preferred unless Accept is given."""
    with served() as (page, server):
        page.text, page.content_type = x(1), OPENMETRICS
        Run(LiteLLMCheck, server.url, extra_headers=KEY)()
        Run(LiteLLMCheck, server.url, use_latest_spec=True)()
        Run(LiteLLMCheck, server.url, headers={"Accept": "text/plain", **KEY})()
        ours, latest, given = (headers for _, headers in server.requests)
    assert ours["Accept"].startswith("application/openmetrics-text;version=1.0.0,text/plain")
    assert "text/plain" not in latest["Accept"]
    assert given["Accept"] == "text/plain"
    assert ours["User-Agent"].startswith("Datadog Agent/")
    assert all(ours[name] == value for name, value in KEY.items())


def redirecting(location, page):
    """Return an answer that redirects from /metrics, and has the page elsewhere."""

    def answer(handler):
        if handler.path == "/metrics":
            handler.reply(b"", status=307, Location=location(handler))
        else:
            handler.reply(page.encode())

    return answer


def test_redirect_on_the_same_host():
    """LiteLLM redirects to the page with a slash; the key goes there too."""
    with Server(redirecting(lambda handler: f"http://{handler.headers['Host']}/metrics/", x(1))) as server:
        run = Run(LiteLLMCheck, server.url, extra_headers=KEY)
        run()
        assert run.error == ""
        assert [path for path, _ in server.requests] == ["/metrics", "/metrics/"]
        assert all(headers[name] == value for _, headers in server.requests for name, value in KEY.items())


def test_redirect_elsewhere():
    """Another server never sees a key, whichever header it is in; what to do is said."""
    with Server(lambda handler: handler.reply(x(1).encode())) as other:
        with Server(redirecting(lambda _: other.url, "")) as server:
            run = Run(LiteLLMCheck, server.url, extra_headers=KEY)
            assert run().service_checks[0][1] == LiteLLMCheck.CRITICAL
        assert other.requests == []
    assert f"{server.url} redirects to {other.url}, which is another server" in run.error


def test_redirect_that_is_not_followed():
    """With `allow_redirects: false` a redirect is an answer without a page, not a success."""
    with Server(redirecting(lambda _: "/metrics/", x(1))) as server:
        run = Run(LiteLLMCheck, server.url, allow_redirects=False)
        run()
    assert "answers 307" in run.error


def test_endless_redirects():
    """A circle is left."""
    with Server(redirecting(lambda _: "/metrics", "")) as server:
        run = Run(LiteLLMCheck, server.url)
        run()
    assert "redirects more than 3 times" in run.error
    assert len(server.requests) == 4


def test_token_from_a_file(tmp_path):
    """The Agent's `auth_token` works, and a renewed token is read."""
    token = tmp_path / "token"
    token.write_text("sk-old")

    def answer(handler):
        known = handler.headers["Authorization"] == "Bearer sk-new"
        token.write_text("sk-new")
        handler.reply(x(1).encode(), status=200 if known else 401)

    reader = {"type": "file", "path": str(token)}
    writer = {"type": "header", "name": "Authorization", "value": "Bearer <TOKEN>"}
    with Server(answer) as server:
        run = Run(LiteLLMCheck, server.url, auth_token={"reader": reader, "writer": writer})
        run()
    assert run.error == ""
    assert len(server.requests) == 2
