import gzip
import time
from urllib.parse import urlsplit

import pytest

from ddtrace_litellm.openmetrics.sources.http import Endpoint, fetch
from ddtrace_litellm.openmetrics.sources.page import UnauthorizedError, redirect_target, same_server
from ddtrace_litellm.transport import PIECE, FetchError, UnreachableError
from tests.openmetrics.servers import OPENMETRICS, Server, closed_url, silent

PAGE = b"# TYPE litellm_x counter\nlitellm_x_total 1\n# EOF\n"


def body(endpoint):
    """Return the whole body of a page."""
    return b"".join(fetch_pieces(endpoint))


def fetch_pieces(endpoint):
    """Return the body of a page as it came."""
    with fetch(endpoint) as answer:
        return list(answer.pieces)


def failure(endpoint, error=FetchError):
    """Return how fetching fails, in one line."""
    with pytest.raises(error) as raised:
        body(endpoint)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def test_a_page_as_it_is_asked_for():
    """OpenMetrics is asked for first, with the token, under a name of our own; type and body come as they are."""
    with Server(lambda handler: handler.reply(PAGE)) as server:
        with fetch(Endpoint(f"{server.url}?name[]=litellm_x_total#top", "sk-1")) as answer:
            assert answer.content_type == OPENMETRICS
            assert b"".join(answer.pieces) == PAGE
        ((path, headers),) = server.requests
    assert path == "/metrics?name[]=litellm_x_total"
    assert headers["Authorization"] == "Bearer sk-1"
    assert headers["Accept"].startswith("application/openmetrics-text")
    assert headers["User-Agent"] == "ddtrace-litellm"


def test_no_token_no_header():
    """Without a token nothing is said about one."""
    with Server(lambda handler: handler.reply(PAGE)) as server:
        body(Endpoint(server.url))
    assert "Authorization" not in server.requests[0][1]


@pytest.mark.parametrize(
    "url",
    ["", "secret:4000", "ftp://secret/metrics", "http://", "http://h:secret/", "http://h/a secret", r"http:\\secret"],
)
def test_what_is_no_url_is_named(url):
    """A URL that cannot be one is refused before anything is sent, and is not repeated: it may be a key."""
    with pytest.raises(ValueError, match="is no URL of a metrics page") as raised:
        Endpoint(url)
    assert "secret" not in str(raised.value)


def test_secrets_are_not_in_messages():
    """A password in the URL and a token that is none are refused without being repeated."""
    for arguments in [
        ("http://me:secret@h/metrics",),
        ("http://me:secret@h:x/", ""),
        ("http://h/metrics", "secret\r\nX: y"),
    ]:
        with pytest.raises(ValueError, match=r".") as raised:
            Endpoint(*arguments)
        assert "secret" not in str(raised.value)


def test_gzip_in_bounded_pieces():
    """A compressed page comes decompressed, in pieces of 256 KiB at most however small it was."""
    page = b"#" + b" " * (8 * PIECE) + b"\n"
    compressed = gzip.compress(page)
    with Server(lambda handler: handler.reply(compressed, Content_Encoding="gzip")) as server:
        pieces = fetch_pieces(Endpoint(server.url))
    assert server.requests[0][1]["Accept-Encoding"] == "gzip"
    assert b"".join(pieces) == page
    assert max(map(len, pieces)) <= 2 * PIECE


def test_gzip_of_several_members():
    """A page that was compressed in parts is read to the end of the last one, and half of that is half a page."""
    compressed = gzip.compress(PAGE[:20]) + gzip.compress(PAGE[20:])
    with Server(lambda handler: handler.reply(compressed, Content_Encoding="gzip")) as server:
        assert body(Endpoint(server.url)) == PAGE
    with Server(lambda handler: handler.reply(compressed[:-9], Content_Encoding="gzip")) as server:
        assert "in the middle" in failure(Endpoint(server.url))


def test_time_is_the_servers():
    """The time of the request is told by the server's clock, and never later than the request was."""

    def answer(handler):
        handler.date_time_string = lambda: "Thu, 01 Jan 2026 00:00:10 GMT"
        handler.reply(PAGE)

    with Server(answer) as server, fetch(Endpoint(server.url)) as fetched:
        assert 1767225600 + 9 < fetched.asked_at <= 1767225600 + 10


def redirecting(location):
    """Return what answers ``/metrics`` with a redirect and the rest with a page."""

    def answer(handler):
        if handler.path == "/metrics":
            handler.reply(b"", status=307, Location=location)
        else:
            handler.reply(PAGE)

    return answer


def test_redirect_on_the_same_host_keeps_the_token():
    """LiteLLM sends ``/metrics`` to ``/metrics/``, where the token is needed."""
    with Server(redirecting("/metrics/")) as server:
        assert body(Endpoint(server.url, "sk-1")) == PAGE
    assert [(path, headers["Authorization"]) for path, headers in server.requests] == [
        ("/metrics", "Bearer sk-1"),
        ("/metrics/", "Bearer sk-1"),
    ]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_redirect_elsewhere_drops_the_token(host):
    """Another port or another name is followed, and is not told the token."""
    with (
        Server(lambda handler: handler.reply(PAGE)) as other,
        Server(redirecting(f"http://{host}:{other.port}/metrics/")) as server,
    ):
        assert body(Endpoint(server.url, "sk-1")) == PAGE
    assert "Authorization" not in other.requests[0][1]


@pytest.mark.parametrize(
    ("url", "location", "target", "same"),
    [
        ("https://h/metrics", "http://h/metrics/", "https://h/metrics/", True),
        ("https://h:8443/metrics", "http://h:8443/metrics/?a=b", "https://h:8443/metrics/?a=b", True),
        ("https://h/metrics", "http://h:4000/metrics/", "http://h:4000/metrics/", False),
        ("https://h:80/metrics", "http://h:443/metrics/", "http://h:443/metrics/", False),
        ("https://h/metrics", "http://other/metrics/", "http://other/metrics/", False),
        ("http://h/metrics", "https://h/metrics", "https://h/metrics", True),
        ("http://h:4000/metrics", "https://h/metrics", "https://h/metrics", False),
        ("http://h/metrics", "http://h:80/metrics/", "http://h:80/metrics/", True),
    ],
)
def test_redirects_between_schemes(url, location, target, same):
    """LiteLLM behind TLS redirects to http: the same place by https is meant; no token ever goes from https to http."""
    found = redirect_target(urlsplit(url), location)
    assert found.geturl() == target
    assert same_server(urlsplit(url), found) is same


def test_address_of_version_6():
    """The colons of an address are no port."""
    url = closed_url().replace("127.0.0.1", "[::1]")
    said = failure(Endpoint(url), UnreachableError)
    assert said.startswith(f"{url} cannot be reached: ")
    assert "no such host" not in said


def test_redirects_end():
    """One that leads back to itself is no endless loop, one to nowhere is named."""
    with Server(redirecting("/metrics")) as server:
        assert "redirects more than 3 times" in failure(Endpoint(server.url))
    with Server(redirecting("file:///etc/passwd")) as server:
        assert "redirects to ***, which cannot be followed" in failure(Endpoint(server.url))


def test_nothing_that_may_authorise_is_said():
    """The query of the URL and of where it redirects to are asked for, and are in no message."""
    for location in ("//me:secret@h/", "http://me:12/secret@h/", "http://[secret", "file:///secret@h", "?secret"):

        def answer(handler, location=location):
            handler.reply(b"", status=307, Location=location)

        with Server(answer) as server:
            said = failure(Endpoint(f"{server.url}?key=secret#secret"))
        assert f"{server.url} redirects" in said
        assert "secret" not in said
        assert server.paths[0] == "/metrics?key=secret"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (
            lambda h: h.wfile.write(b"HTTP/1.1 503 " + b"secret" * 5_000 + b"\r\n\r\n"),
            "answers 503 Service Unavailable",
        ),
        (lambda h: h.wfile.write(b"HTTP/1.1 799 secret\r\n\r\n"), "answers 799"),
        (lambda h: h.wfile.write(b"GET /?secret HTTP/1.1\r\n"), "does not answer in HTTP (BadStatusLine)"),
        (lambda h: h.reply(b"", Content_Type="secret" * 5_000), "answers with ***, which"),
        (lambda h: h.reply(PAGE, Content_Encoding="secret" * 5_000), "in the encoding (a str)"),
    ],
)
def test_what_a_server_says_is_not_repeated(answer, said):
    """It may be of any length, and an echo of what was sent."""
    with Server(answer) as server:
        found = failure(Endpoint(server.url))
    assert said in found
    assert "secret" not in found


def test_unauthorized():
    """A missing or wrong token is an error of its own, as only the caller knows where the token is from."""
    with Server(lambda handler: handler.reply(b'"no"', status=401)) as server:
        assert f"{server.url} answers 401 Unauthorized" in failure(Endpoint(server.url), UnauthorizedError)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        pytest.param(lambda h: h.reply(b"{}", status=404), "answers 404: LiteLLM has its page at /metrics", id="404"),
        pytest.param(lambda h: h.reply(b"", status=503), "answers 503 Service Unavailable", id="503"),
        pytest.param(
            lambda h: h.reply(b"<html>", Content_Type="text/html; charset=utf-8"),
            "answers with text/html, which is no metrics page",
            id="HTML",
        ),
        pytest.param(lambda h: h.reply(PAGE, Content_Encoding="br"), "in the encoding 'br'", id="encoding"),
        pytest.param(lambda h: h.reply(b""), "is empty", id="empty"),
        pytest.param(lambda h: h.reply(PAGE, length=1000), "ended in the middle of its page", id="half by its length"),
        pytest.param(
            lambda h: h.reply(gzip.compress(PAGE)[:-9], Content_Encoding="gzip"), "in the middle", id="half a gzip"
        ),
        pytest.param(lambda h: h.reply(PAGE, Content_Encoding="gzip"), "cannot be decompressed", id="no gzip"),
        pytest.param(
            lambda h: h.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n# TYP"),
            "in the middle",
            id="half a chunk",
        ),
        pytest.param(
            lambda h: h.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n# TYP\r\n"),
            "in the middle",
            id="half in chunks",
        ),
        pytest.param(lambda h: h.wfile.write(b"SSH-2.0\r\n"), "does not answer in HTTP", id="no HTTP"),
        pytest.param(lambda _: None, "without response", id="nothing"),
    ],
)
def test_bad_answers(answer, message):
    """What is wrong is said in one line that names the URL."""
    with Server(answer) as server:
        said = failure(Endpoint(server.url))
    assert message in said
    assert server.url in said


def test_refused():
    """Nobody listens."""
    url = closed_url()
    assert failure(Endpoint(url)) == f"{url} cannot be reached: Connection refused"


def test_no_tls():
    """A server without TLS that is asked by https is an error of TLS, with the likely cause."""
    with Server(lambda handler: handler.reply(PAGE)) as server:
        assert "does not speak TLS as it should" in failure(Endpoint(server.url.replace("http:", "https:")))


def test_silence_times_out():
    """A server that says nothing is given up after the read timeout."""
    with silent() as url:
        began = time.monotonic()
        assert "does not answer in time" in failure(Endpoint(url, read_timeout=0.1))
    assert time.monotonic() - began < 5


@pytest.mark.parametrize("head", [b"", b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n"], ids=["head", "body"])
def test_trickling_times_out(head):
    """A byte now and then, in the head or the body, does not keep a scrape alive beyond the total."""

    def answer(handler):
        handler.wfile.write(head)
        for byte in b"HTTP/1.1 200 OK\r\n" * 5:
            time.sleep(0.03)
            try:
                handler.wfile.write(bytes((byte,)))
            except OSError:  # given up, as it should be
                return

    with Server(answer) as server:
        began = time.monotonic()
        assert "0.3 s in all" in failure(Endpoint(server.url, read_timeout=5, total_timeout=0.3))
        assert time.monotonic() - began < 2


@pytest.mark.parametrize("encoding", ["identity", "gzip"])
def test_page_without_end(encoding):
    """More than the largest page is not read, compressed or not."""
    page = b"# a comment\n" * 1000
    sent = gzip.compress(page) if encoding == "gzip" else page
    with Server(lambda handler: handler.reply(sent, Content_Encoding=encoding)) as server:
        assert body(Endpoint(server.url, largest_page=len(page))) == page
        assert "has more than 11999 bytes" in failure(Endpoint(server.url, largest_page=len(page) - 1))
