import gzip
import logging
import re
from urllib.parse import parse_qs, urlsplit

import pytest
from prometheus_client import CollectorRegistry, Counter, Gauge
from prometheus_client.exposition import choose_encoder

from ddtrace_litellm.openmetrics.pipeline.deltas import Deltas
from ddtrace_litellm.openmetrics.sources import SourceError
from ddtrace_litellm.openmetrics.sources.http import Endpoint, HttpSource, TokenFile, fetch
from ddtrace_litellm.openmetrics.sources.page import JSON, UnauthorizedError
from ddtrace_litellm.openmetrics.text.parser import IncompletePageError
from ddtrace_litellm.transport import FetchError, Tls, UnreachableError
from tests.openmetrics.servers import Server, closed_url

PAGE = b"# TYPE litellm_x counter\nlitellm_x_total 1\n# EOF\n"
NAMES = ("litellm_x", "litellm_x_total", "litellm_x_created")


@pytest.fixture
def logged(monkeypatch):
    """What was logged, at whatever level."""
    messages = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())
    log = logging.getLogger("ddtrace.litellm")
    monkeypatch.setattr(log, "level", logging.DEBUG)
    monkeypatch.setattr(log, "handlers", [handler])
    log.manager._clear_cache()
    yield messages
    log.manager._clear_cache()


def page(handler):
    """Answer with the page."""
    handler.reply(PAGE)


def read(source):
    """Return the samples of a page."""
    with source.read() as reading:
        return list(reading.samples)


def names(samples):
    """Return the families and suffixes of samples."""
    return [sample.family + sample.suffix for sample in samples]


def headers_of(endpoint):
    """Return the headers that a page is asked for with."""
    with Server(page) as server:
        read(HttpSource(endpoint(server.url)))
    ((_, headers),) = server.requests
    return headers


def test_a_page():
    """A page is its samples and the time on the server's clock; the source is called by its URL."""
    with Server(lambda handler: handler.reply(gzip.compress(PAGE), Content_Encoding="gzip")) as server:
        source = HttpSource(Endpoint(server.url))
        with source.read() as reading:
            ((family, *_),) = reading.samples
    assert family == "litellm_x"
    assert reading.asked_at > 1.7e9
    assert (source.name, source.endpoint, source.started, [*source.inherited]) == (server.url, server.url, None, [])


def test_failures_are_a_sources():
    """What keeps a page away is a ``FetchError``; that nobody is there is one of a kind of its own."""
    with pytest.raises(FetchError) as raised:
        read(HttpSource(Endpoint(closed_url())))
    assert isinstance(raised.value, UnreachableError)
    with Server(lambda handler: handler.reply(b"", status=500)) as server, pytest.raises(FetchError) as raised:
        read(HttpSource(Endpoint(server.url)))
    assert not isinstance(raised.value, UnreachableError)
    with Server(lambda _: None) as server, pytest.raises(UnreachableError):
        read(HttpSource(Endpoint(server.url)))


def test_headers_take_the_place_of_ours():
    """Headers are sent in the place of ours of the same name, however written, ``Authorization`` and ``Host`` too."""
    theirs = {"accept": "text/plain", "authorization": "Bearer sk-2", "HOST": "proxy.example", "x-litellm-api-key": "k"}
    headers = headers_of(lambda url: Endpoint(url, "sk-1", headers=theirs))
    assert headers.get_all("Accept") == ["text/plain"]
    assert headers.get_all("Authorization") == ["Bearer sk-2"]
    assert headers.get_all("Host") == ["proxy.example"]
    assert headers["x-litellm-api-key"] == "k"
    assert headers["User-Agent"] == "ddtrace-litellm"


def test_secrets_are_in_no_repr():
    """Token, headers and passwords are not in what a log might show of an endpoint."""
    endpoint = Endpoint("http://h/", "secret", headers={"a": "secret"}, tls=Tls(private_key_password="secret"))
    assert "secret" not in repr(endpoint)


@pytest.mark.parametrize("header", [{"a b": "secret"}, {"a": "secret\r\nb: c"}, {"a": "secret \u20ac"}])
def test_what_is_no_header(header):
    """A header that cannot be sent is refused when it is configured, without its value."""
    with pytest.raises(ValueError, match="header") as raised:
        Endpoint("http://h/", headers=header)
    assert "secret" not in str(raised.value)


def test_redirect_to_the_host_that_was_claimed():
    """LiteLLM redirects to the header ``Host``; the page is still asked for where the URL says, with the token."""

    def answer(handler):
        if handler.path == "/metrics":
            handler.reply(b"", status=307, Location=f"http://{handler.headers['Host']}/metrics/")
        else:
            page(handler)

    with Server(answer) as server:
        read(HttpSource(Endpoint(server.url, "sk-1", headers={"Host": "proxy.example"})))
    assert [(path, sent["Authorization"], sent["Host"]) for path, sent in server.requests] == [
        ("/metrics", "Bearer sk-1", "proxy.example"),
        ("/metrics/", "Bearer sk-1", "proxy.example"),
    ]


def test_name_and_tag_have_no_query():
    """What may authorise is asked for, and neither in the tag ``endpoint`` nor in messages."""
    source = HttpSource(Endpoint("http://h:4000/metrics?key=secret#secret"))
    assert source.name == source.endpoint == "http://h:4000/metrics"


def test_no_redirects():
    """``allow_redirects: false`` makes a redirect an error that says where the page is."""
    said = r"redirects to http://127\.0\.0\.1:\d+/metrics/, and allow_redirects is false"
    with (
        Server(lambda handler: handler.reply(b"", status=307, Location="/metrics/")) as server,
        pytest.raises(FetchError, match=said),
    ):
        read(HttpSource(Endpoint(server.url, allow_redirects=False)))
    assert server.paths == ["/metrics"]


def keyed(file, key, *, renewed=None):
    """Return what only answers a key; ``renewed`` is put into the file when it first refuses one."""

    def answer(handler):
        if handler.headers["Authorization"] == f"Bearer {key}":
            page(handler)
            return
        if renewed:
            file.write_text(f"{renewed}\n")
        handler.reply(b'"no"', status=401)

    return answer


def test_token_that_is_renewed(tmp_path):
    """A token that was put into its file after the page was refused is used at once, one from before from the start."""
    file = tmp_path / "token"
    file.write_text("sk-1\n")
    with Server(keyed(file, "sk-2", renewed="sk-2")) as server:
        source = HttpSource(Endpoint(server.url, token_file=TokenFile(str(file))))
        read(source)
        read(source)
    assert [sent["Authorization"] for _, sent in server.requests] == ["Bearer sk-1", "Bearer sk-2", "Bearer sk-2"]


def test_token_that_is_wrong(tmp_path):
    """The same token is not tried twice: LiteLLM counts each failed request."""
    file = tmp_path / "token"
    file.write_text("sk-1")
    with Server(keyed(file, "sk-2")) as server, pytest.raises(UnauthorizedError):
        read(HttpSource(Endpoint(server.url, token_file=TokenFile(str(file)))))
    assert len(server.requests) == 1


def test_token_within_a_file(tmp_path):
    """A pattern finds the token in its file, and the header may be another."""
    file = tmp_path / "token"
    file.write_text('{"key": "sk-1"}\n')
    token = TokenFile(str(file), re.compile('"key": "(.*?)"'), "x-litellm-api-key", "<TOKEN>")
    headers = headers_of(lambda url: Endpoint(url, token_file=token))
    assert headers["x-litellm-api-key"] == "sk-1"


@pytest.mark.parametrize("content", [None, b"", b"\xff", b"sec\nret", "sécret".encode()])
def test_token_that_is_not_there(tmp_path, content):
    """A file without a token is named, and what it holds is not repeated."""
    file = tmp_path / "token.txt"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(FetchError, match=re.escape(str(file))) as raised:
        read(HttpSource(Endpoint("http://h/", token_file=TokenFile(str(file)))))
    assert "sec" not in str(raised.value).replace(str(file), "")


def test_pattern_that_finds_no_token(tmp_path):
    """A pattern that finds nothing is said with its file."""
    (file := tmp_path / "token").write_text("sk-1")
    with pytest.raises(FetchError, match="matches nothing in"):
        read(HttpSource(Endpoint("http://h/", token_file=TokenFile(str(file), re.compile("key=(.*)")))))


def test_only_openmetrics():
    """``use_latest_spec`` asks for OpenMetrics only, and takes the page for it whatever it says it is."""
    cut = PAGE.replace(b"# EOF\n", b"")
    with (
        Server(lambda handler: handler.reply(cut, Content_Type="text/html")) as server,
        pytest.raises(IncompletePageError, match="it is not # EOF"),
    ):
        read(HttpSource(Endpoint(server.url, use_latest_spec=True)))
    assert "text/plain" not in server.requests[0][1]["Accept"]


def test_lines_that_are_left_out():
    """Lines with one of the patterns are not read, however broken; that the page is whole is still known."""
    broken = PAGE.replace(b"# EOF", b"litellm_y{ \xff broken\n# EOF")
    filters = (re.compile(r"^litellm_y"), re.compile("^# EOF"))
    with Server(lambda handler: handler.reply(broken)) as server:
        assert names(read(HttpSource(Endpoint(server.url, line_filters=filters)))) == ["litellm_x"]
        with pytest.raises(ValueError, match="UTF-8"):
            read(HttpSource(Endpoint(server.url, line_filters=filters[1:])))
    cut = b"# TYPE litellm_x counter\nlitellm_x_total 1\nlitellm_y_total 1"
    with (
        Server(lambda handler: handler.reply(cut, Content_Type="text/plain")) as server,
        pytest.raises(IncompletePageError),
    ):
        read(HttpSource(Endpoint(server.url, line_filters=filters)))


def test_pieces_of_a_size():
    """``request_size`` is how much is read at a time."""
    with Server(page) as server, fetch(Endpoint(server.url, piece=10)) as answer:
        assert max(map(len, answer.pieces)) == 10


def test_what_is_no_page():
    """Something else can be asked for with the same options, and is checked to be that."""
    json = Server(lambda handler: handler.reply(b"{}", Content_Type="application/json"))
    with json as server, fetch(Endpoint(server.url), JSON) as answer:
        assert b"".join(answer.pieces) == b"{}"
    assert server.requests[0][1]["Accept"] == "application/json"
    with Server(page) as server, pytest.raises(FetchError, match="which is no JSON"), fetch(Endpoint(server.url), JSON):
        pass


def test_requests_in_the_log(logged):
    """``log_requests`` has each request in the log, at the level debug."""
    with Server(page) as server:
        read(HttpSource(Endpoint(server.url)))
        assert not logged
        read(HttpSource(Endpoint(server.url, "sk-1", log_requests=True)))
    assert logged == [f"sending GET request to {server.url}"]


@pytest.mark.parametrize(("tls", "warned"), [(Tls(verify=False), 1), (Tls(verify=False, ignore_warning=True), 0)])
def test_warning_about_a_certificate(logged, tls, warned):
    """That a certificate is not verified is said once for a source, unless one wants to hear nothing of it."""
    HttpSource(Endpoint("https://h/metrics", tls=tls))
    HttpSource(Endpoint("http://h/metrics", tls=tls))
    assert len(logged) == warned


class Proxy:
    """Pages as LiteLLM makes them, of one process, which can be asked for some samples, or of a shared directory."""

    def __init__(self):
        self.registry = CollectorRegistry(auto_describe=True)
        Gauge("process_start_time_seconds", "x", registry=self.registry).set(1000)
        self.x = Counter("litellm_x", "x", ["a"], registry=self.registry)
        self.y = Counter("litellm_y", "y", registry=self.registry)
        self.shared = False

    def __call__(self, handler):
        """Answer a request."""
        wanted = parse_qs(urlsplit(handler.path).query).get("name[]")
        if wanted and self.shared:
            handler.reply(b"")
            return
        encode, content_type = choose_encoder(handler.headers["Accept"])
        if self.shared:
            whole = CollectorRegistry()
            whole.register(type("Shared", (), {"collect": lambda _: self._shared()})())
            handler.reply(encode(whole), Content_Type=content_type)
        else:
            registry = self.registry.restricted_registry(wanted) if wanted else self.registry
            handler.reply(encode(registry), Content_Type=content_type)

    def _shared(self):
        for family in self.registry.collect():
            if family.name.startswith("litellm"):
                family.samples = [sample for sample in family.samples if not sample.name.endswith("_created")]
                yield family


def test_only_some_samples():
    """Only what is wanted is sent, with what dates it, once the page has shown that it can be asked so."""
    proxy = Proxy()
    proxy.x.labels("b").inc()
    with Server(proxy) as server:
        source = HttpSource(Endpoint(f"{server.url}?a=b", names=NAMES))
        for _ in range(2):
            assert sorted(names(read(source))) == ["litellm_x", "litellm_x_created", "process_start_time_seconds"]
    wanted = "&".join(f"name[]={name}" for name in NAMES)
    assert server.paths == [
        "/metrics?a=b&name[]=process_start_time_seconds",
        *[f"/metrics?a=b&{wanted}&name[]=process_start_time_seconds"] * 2,
    ]


def test_a_directory_cannot_be_asked_for_some(logged):
    """Where a filter gives an empty page, whole pages are read from the first on; that is said once."""
    proxy = Proxy()
    proxy.shared = True
    proxy.y.inc()
    with Server(proxy) as server:
        source = HttpSource(Endpoint(server.url, names=NAMES))
        for _ in range(2):
            assert names(read(source)) == ["litellm_y"]
    assert server.paths == ["/metrics?name[]=process_start_time_seconds", "/metrics", "/metrics"]
    (said,) = logged
    assert f"{server.url} is read whole" in said


def test_proxy_that_is_not_there_yet():
    """That nobody answered says nothing about filters."""
    proxy = Proxy()
    proxy.x.labels("b").inc()
    with Server(proxy) as server:
        source = HttpSource(Endpoint(server.url, names=NAMES))
        server._server.answer = lambda handler: handler.reply(b"", status=503)
        with pytest.raises(FetchError, match="503"):
            read(source)
        server._server.answer = proxy
        assert "litellm_y" not in names(read(source))


def test_counts_while_the_proxy_gets_a_directory():
    """Counts are right through a restart with a directory, which makes one page fail and leaves no trace of it."""
    proxy = Proxy()
    proxy.x.labels("b").inc(5)
    deltas = Deltas(2000.0)

    def steps(source):
        with source.read() as reading:
            page = deltas.read(reading.samples, 3000.0)
        return {step.family: step.value for step in page.counters}

    with Server(proxy) as server:
        source = HttpSource(Endpoint(server.url, names=NAMES))
        steps(source)
        proxy.x.labels("b").inc(2)
        proxy.y.inc(9)
        assert steps(source) == {"litellm_x": 2}
        proxy = server._server.answer = Proxy()
        proxy.shared = True
        proxy.x.labels("b").inc(100)
        with pytest.raises(SourceError, match="can no longer be asked for some"):
            steps(source)
        assert steps(source) == {}
        proxy.x.labels("b").inc(3)
        assert steps(source) == {"litellm_x": 3}
