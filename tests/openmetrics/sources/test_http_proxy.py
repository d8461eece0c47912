import pytest

from ddtrace_litellm.openmetrics.sources.http import Endpoint, fetch
from ddtrace_litellm.transport import FetchError, Proxies, Tls, UnreachableError
from tests.openmetrics.servers import Server, certificate_for, closed_url, proxied

PAGE = b"# TYPE litellm_x counter\nlitellm_x_total 1\n# EOF\n"
BASIC = "Basic bWU6cCBx"  # me:p q


def body(endpoint):
    """Return the whole body of a page."""
    with fetch(endpoint) as answer:
        return b"".join(answer.pieces)


def page(handler):
    """Answer with the page."""
    handler.reply(PAGE)


def test_http_through_a_proxy():
    """A page by http is asked for at the proxy by its whole URL; who we are is only for the proxy."""
    with Server(page) as server, Server(proxied) as proxy:
        proxies = Proxies(http=f"http://me:p%20q@127.0.0.1:{proxy.port}")
        assert body(Endpoint(f"http://metrics.example:{server.port}/metrics?a=b", "sk-1", proxies=proxies)) == PAGE
    ((path, headers),) = proxy.requests
    assert path == f"http://metrics.example:{server.port}/metrics?a=b"
    assert headers["Host"] == f"metrics.example:{server.port}"
    assert headers["Proxy-Authorization"] == BASIC
    assert headers["Authorization"] == "Bearer sk-1"


def test_https_through_a_proxy(tmp_path):
    """A page by https is asked for through a tunnel; the proxy is told host and port and nothing else."""
    certificate = certificate_for("metrics.example", tmp_path)
    with Server(page, certificate) as server, Server(proxied) as proxy:
        proxies = Proxies(http="wrong.example", https=f"me:p%20q@127.0.0.1:{proxy.port}")
        endpoint = Endpoint(
            f"https://metrics.example:{server.port}/metrics",
            "sk-1",
            proxies=proxies,
            tls=Tls(ca_cert=str(certificate)),
        )
        assert body(endpoint) == PAGE
    ((path, headers),) = proxy.requests
    assert path == f"metrics.example:{server.port}"
    assert headers["Proxy-Authorization"] == BASIC
    assert "Authorization" not in headers
    assert server.requests[0][1]["Authorization"] == "Bearer sk-1"
    assert "Proxy-Authorization" not in server.requests[0][1]


def test_proxy_that_refuses():
    """What a proxy says instead of opening a tunnel is in the message, and who we are is not."""
    with Server(lambda handler: handler.send_error(407)) as proxy:
        proxies = Proxies(https=f"http://me:secret@127.0.0.1:{proxy.port}")
        endpoint = Endpoint("https://metrics.example/metrics", proxies=proxies)
        with pytest.raises(FetchError, match="407 Proxy Authentication Required") as raised:
            body(endpoint)
    assert "secret" not in str(raised.value)
    assert "secret" not in repr(endpoint)


def test_proxy_that_is_not_there():
    """A proxy that nobody is at is a page that cannot be reached."""
    proxies = Proxies(http=closed_url().removesuffix("/metrics"))
    with pytest.raises(
        UnreachableError, match=r"http://metrics\.example/metrics cannot be reached: Connection refused"
    ):
        body(Endpoint("http://metrics.example/metrics", proxies=proxies))


@pytest.mark.parametrize(
    ("host", "no_proxy", "bypassed"),
    [
        ("127.0.0.1", ("127.0.0.1",), True),
        ("127.0.0.1", ("10.0.0.0/8", "127.0.0.0/8"), True),
        ("localhost", ("localhost",), True),
        ("localhost", ("*",), True),
        ("localhost", (".localhost", "host", "127.0.0.1"), False),
        ("127.0.0.1", ("10.0.0.0/8", "localhost"), False),
    ],
)
def test_hosts_that_are_asked_without(host, no_proxy, bypassed):
    """``no_proxy`` has names, addresses, networks, and the star for all; half a name is not one."""
    with Server(page) as server, Server(proxied) as proxy:
        proxies = Proxies(http=f"http://127.0.0.1:{proxy.port}", no_proxy=no_proxy)
        assert body(Endpoint(server.url.replace("127.0.0.1", host), proxies=proxies)) == PAGE
    assert proxy.paths == ([] if bypassed else [f"http://{host}:{server.port}/metrics"])


@pytest.mark.parametrize("no_proxy", ["example", "metrics.example", ".example", "*.example"])
def test_domains_that_are_asked_without(no_proxy):
    """A domain of ``no_proxy`` has all below it."""
    with Server(proxied) as proxy:
        proxies = Proxies(http=f"http://127.0.0.1:{proxy.port}", no_proxy=(no_proxy,))
        with pytest.raises(UnreachableError, match="there is no such host"):
            body(Endpoint("http://metrics.example/metrics", proxies=proxies))
    assert proxy.paths == []


@pytest.mark.parametrize("url", ["socks5://me:secret@h", "https://secret", "http://", "me:secret@h:x"])
def test_what_is_no_proxy(url):
    """A proxy of another kind is refused without being repeated."""
    with pytest.raises(ValueError, match="the proxy for https is no URL of an HTTP proxy") as raised:
        Proxies(https=url)
    assert "secret" not in str(raised.value)
