"""What the Agent is told when the page is none: clearly, through the service check, and without harm to the counts."""

import gzip
import shutil
import subprocess
from contextlib import suppress
from unittest.mock import MagicMock

import pytest

pytest.importorskip("datadog_checks.base", reason="needs the packages of an Agent: pip install datadog-checks-base")

from ddtrace_litellm.openmetrics.check import LiteLLMCheck
from tests.openmetrics.agent_check.checks import OfficialCheck, Run, served
from tests.openmetrics.servers import Server, closed_url, silent

pytestmark = [  # what datadog_checks.base does, and outside of pytest silences
    pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS is deprecated"),
    pytest.mark.filterwarnings("ignore:Unverified HTTPS request"),
]

KEY = "sk-0123456789abcdef"
TEXT = "text/plain; version=0.0.4"
GOOD = "# TYPE litellm_x_total counter\nlitellm_x_total {}\n"


def status(code):
    """Return an answer with nothing but a status."""
    return lambda handler: handler.reply(b'{"error": "no"}', status=code, Content_Type="application/json")


def body(content, content_type=TEXT, **options):
    """Return an answer with a body."""
    return lambda handler: handler.reply(content, Content_Type=content_type, **options)


def chunked(*chunks):
    """Return an answer in chunks whose last one never comes."""

    def answer(handler):
        handler.send_response(200)
        handler.send_header("Content-Type", TEXT)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        for chunk in chunks:
            handler.wfile.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))

    return answer


WHOLE = GOOD.format(7).encode() * 50
BAD = {
    "401": (status(401), "answers 401 Unauthorized: LiteLLM wants a key"),
    "403": (status(403), "answers 403 Forbidden"),
    "404": (status(404), 'only with callbacks: ["prometheus"]'),
    "500": (status(500), "answers 500 Internal Server Error"),
    "no content": (status(204), "answers 204"),
    "HTML": (body(b"<html>login</html>", "text/html"), "answers with text/html, which is no metrics page"),
    "JSON": (body(b"{}", "application/json"), "answers with application/json"),
    "HTML that says it is text": (body(b"<html>\n</html>\n"), "line 1 of the metrics page"),
    "nothing": (body(b""), "has no samples"),
    "half of what it says": (body(WHOLE[:900], length=len(WHOLE)), "ended in the middle of its page"),
    "no last chunk": (chunked(WHOLE), "ended in the middle of its page"),
    "a line that breaks off": (body(WHOLE[:-1]), "no line feed ends it"),
    "OpenMetrics without its end": (body(b"# TYPE litellm_x counter\n", "application/openmetrics-text"), "# EOF"),
    "a value that is none": (body(b"litellm_x_total 5\nlitellm_x_total five\n"), "line 2 of the metrics page"),
    "a long line": (body(b'litellm_x_total{user="' + b"a" * (16 << 20) + b'"} 1\n'), "longer than 1048576 bytes"),
    "binary": (body(b"\xff\xfe\x00\n"), "it is not UTF-8"),
    "broken compression": (body(b"no gzip", Content_Encoding="gzip"), "cannot be decompressed"),
    "cut compression": (body(gzip.compress(WHOLE)[:40], Content_Encoding="gzip"), ""),
}


def _answered(answer, handler):
    with suppress(ConnectionError):  # a page that is given up
        answer(handler)


@pytest.mark.parametrize(("answer", "message"), BAD.values(), ids=BAD)
def test_bad_pages(answer, message):
    """The error and the critical service check say what is wrong; nothing else is sent, and the counts go on behind."""
    good, answers = iter((3, 8)), []
    with Server(lambda handler: _answered(answers.pop(0), handler)) as server:
        run = Run(LiteLLMCheck, server.url, extra_headers={"Authorization": f"Bearer {KEY}"})
        answers[:] = [body(GOOD.format(next(good)).encode()), answer, answer, body(GOOD.format(next(good)).encode())]
        assert run().service_checks[0][1] == LiteLLMCheck.OK
        for _ in range(2):
            commit = run()
            assert commit.values == {}
            ((_, state, tags, text),) = commit.service_checks
            assert (state, tags) == (LiteLLMCheck.CRITICAL, (f"endpoint:{server.url}",))
            assert text == run.error
            assert server.url in text
            assert message in text
            assert KEY not in text
            assert len(text) < 400
        assert run().named("litellm.x.count") == [5]
    assert run.error == ""


def test_nobody_there():
    """A proxy that is not up is named with what the system says of it."""
    url = closed_url()
    run = Run(LiteLLMCheck, url)
    assert run().service_checks[0][1] == LiteLLMCheck.CRITICAL
    assert run.error == f"{url} cannot be reached: Connection refused"


def test_no_such_host():
    """A host that does not exist is no riddle."""
    run = Run(LiteLLMCheck, "http://no-such-host.invalid:4000/metrics/")
    run()
    assert run.error.startswith("http://no-such-host.invalid:4000/metrics/ cannot be reached: ")
    assert "HTTPConnectionPool" not in run.error


def test_connection_errors_that_are_ignored():
    """With `ignore_connection_errors` the run does not fail; the service check is critical all the same."""
    run = Run(LiteLLMCheck, closed_url(), ignore_connection_errors=True)
    run.check.log = MagicMock()
    assert run().service_checks[0][1] == LiteLLMCheck.CRITICAL
    assert run.error == ""
    assert "Connection refused" in str(run.check.log.warning.call_args)


def test_other_errors_are_not_ignored():
    """A wrong key is no connection error."""
    with Server(status(401)) as server:
        run = Run(LiteLLMCheck, server.url, ignore_connection_errors=True)
        run()
    assert "401" in run.error


def test_hanging_server():
    """A server that says nothing holds the check up for no longer than the timeout."""
    with silent() as url:
        run = Run(LiteLLMCheck, url, timeout=0.2)
        assert run().service_checks[0][1] == LiteLLMCheck.CRITICAL
    assert run.error == f"{url} does not answer in time (0.2 s to connect, 0.2 s without a byte)"


def stops_in_the_middle(handler):
    """Begin a page and then say nothing more."""
    handler.send_response(200)
    handler.send_header("Content-Type", TEXT)
    handler.send_header("Content-Length", "1000")
    handler.end_headers()
    handler.wfile.write(GOOD.format(1).encode())
    handler.wfile.flush()
    handler.connection.recv(1)  # until the check gives up


def test_server_that_stops_in_the_middle():
    """A server that begins a page and then says nothing more, too."""
    with Server(stops_in_the_middle) as server:
        run = Run(LiteLLMCheck, server.url, timeout=0.2)
        assert run().values == {}
    assert run.error == f"{server.url} does not answer in time (0.2 s to connect, 0.2 s without a byte)"


@pytest.mark.parametrize("check", [OfficialCheck, LiteLLMCheck])
def test_silence_that_is_ignored(check):
    """As in the Agent's class, `ignore_connection_errors` is about silence within a page, not about silence before."""
    with Server(stops_in_the_middle) as server:
        run = Run(check, server.url, timeout=0.2, ignore_connection_errors=True)
        run()
    assert run.error == ""
    with silent() as url:
        run = Run(check, url, timeout=0.2, ignore_connection_errors=True)
        run()
    assert run.error


def test_page_that_does_not_end(monkeypatch):
    """A page that comes a little at a time, for ever, is given up."""
    monkeypatch.setattr("ddtrace_litellm.openmetrics.sources.agent_http.LONGEST_BODY", -1.0)
    with served() as (page, server):
        page.text = GOOD.format(1)
        run = Run(LiteLLMCheck, server.url)
        run()
    assert "did not end within" in run.error


def test_page_that_is_too_large(monkeypatch):
    """A page without end is not read without end."""
    monkeypatch.setattr("ddtrace_litellm.openmetrics.sources.page.LARGEST_PAGE", 10)
    with served() as (page, server):
        page.text = GOOD.format(1)
        run = Run(LiteLLMCheck, server.url)
        run()
    assert "has more than 10 bytes" in run.error


@pytest.fixture
def certificate(tmp_path):
    """A certificate of localhost that nobody has signed, and its key."""
    if not (openssl := shutil.which("openssl")):
        pytest.skip("no openssl to make a certificate with")
    options = "req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=localhost -addext subjectAltName=DNS:localhost"
    name = tmp_path / "localhost.pem"
    subprocess.run(
        [openssl, *options.split(), "-keyout", name, "-out", tmp_path / "c"], check=True, capture_output=True
    )
    with name.open("a") as file:
        file.write((tmp_path / "c").read_text())
    return name


def test_certificate(certificate):
    """A certificate that is not trusted is refused with a word about it, unless an option says otherwise."""
    with Server(body(GOOD.format(1).encode()), certificate) as server:
        strict = Run(LiteLLMCheck, server.url)
        strict()
        trusting = Run(LiteLLMCheck, server.url, tls_ca_cert=str(certificate))
        careless = Run(LiteLLMCheck, server.url, tls_verify=False)
        assert trusting().service_checks == [("litellm.openmetrics.health", 0, (f"endpoint:{server.url}",), "")]
        assert careless().service_checks[0][1] == LiteLLMCheck.OK
    assert "has a certificate that is not trusted (self" in strict.error


def test_plain_server_asked_by_tls():
    """So is a server that does not speak TLS."""
    with Server(status(200)) as server:
        run = Run(LiteLLMCheck, server.url.replace("http:", "https:"))
        run()
    assert "does not speak TLS as it should" in run.error


BAD_OPTIONS = [
    ({"exclude_labels": "user"}, "exclude_labels"),
    ({"exclude_labels": [1]}, "exclude_labels"),
    ({"rename_labels": {"a": 1}}, "rename_labels"),
    ({"tags": "a:b"}, "tags"),
    ({"ignore_tags": ["("]}, "ignore_tags"),
    ({"metrics": [5]}, "metrics"),
    ({"extra_metrics": [{"litellm_x": {"type": "unheard"}}]}, "extra_metrics"),
    ({"share_labels": []}, "share_labels"),
    ({"hostname_label": "a", "hostname_format": "b"}, "hostname_format"),
    ({"raw_line_filters": ["["]}, "raw_line_filters"),
    ({"openmetrics_endpoint": 5}, "openmetrics_endpoint"),
    ({"collect_histogram_buckets": "maybe"}, "collect_histogram_buckets"),
    ({"use_latest_spec": []}, "use_latest_spec"),
    ({"timeout": "soon"}, "timeout: 'soon' is not a number above 0"),
    ({"read_timeout": -1}, "read_timeout"),
    ({"tls_verify": "perhaps"}, "tls_verify"),
    ({"extra_headers": {"A": ["b"]}}, "extra_headers"),
]


@pytest.mark.parametrize(("options", "name"), BAD_OPTIONS, ids=[repr(options) for options, _ in BAD_OPTIONS])
def test_bad_options(options, name):
    """A value that cannot be used is named on each run, and nothing is scraped."""
    with Server(body(GOOD.format(1).encode())) as server:
        run = Run(LiteLLMCheck, server.url, **options)
        for _ in range(2):
            assert run() == ({}, [], 0)
            assert name in run.error
            assert "\n" not in run.error
        assert server.requests == []


def test_header_that_cannot_be_sent():
    """A key with a line feed, as a secret's file may have it, is not repeated in the message."""
    run = Run(LiteLLMCheck, closed_url(), extra_headers={"Authorization": f"Bearer {KEY}\n"})
    run()
    assert "a header has characters" in run.error
    assert KEY not in run.error


@pytest.mark.parametrize(
    "url",
    [
        "me:secret@localhost/metrics",
        "http:/me:secret@localhost/metrics",
        "http://me:12/secret@localhost/metrics",
        "http://me:sec/ret@localhost/metrics?secret",
        r"http:\\me:secret@localhost",
        "http://[secret/metrics",
        "secret",
    ],
)
def test_urls_that_are_none(url):
    """They are in no message and no tag: what is a host, and what a password, nobody can tell."""
    run = Run(LiteLLMCheck, url, timeout=0.2)
    run.check.log = MagicMock()
    commit = run()
    assert run.error
    said = [call for call in run.check.log.mock_calls if call[0] != "debug"]  # the base class' own
    shown = f"{run.error} {commit.service_checks} {said}"
    assert "secret" not in shown
    assert "ret@" not in shown
    assert commit.service_checks[0][1:3] == (LiteLLMCheck.CRITICAL, ("endpoint:***",))


def test_a_bug_has_no_text(monkeypatch):
    """An exception that is not ours may quote anything; its type and where it was raised are told."""
    with served() as (page, server):
        page.text = GOOD.format(1)
        run = Run(LiteLLMCheck, server.url)
        monkeypatch.setattr(
            "ddtrace_litellm.openmetrics.pipeline.collector.Collector.collect",
            MagicMock(side_effect=KeyError("secret")),
        )
        commit = run()
    assert run.error == commit.service_checks[0][3] == f"{server.url}: KeyError"


def test_health_endpoint_with_a_key():
    """The URL of the health check has its key in no tag and no error."""
    with served() as (page, server):
        page.text = GOOD.format(1)
        for url in (
            server.url.replace("://", "://me:secret@") + "/none?key=secret",
            "me:secret@h",
            closed_url() + "?secret",
        ):
            run = Run(LiteLLMCheck, server.url, litellm_health_endpoint=url, timeout=0.2)
            run()
            assert run.error
            assert "secret" not in run.error


def test_url_with_a_password():
    """A password in the URL is used, and is in no tag and no message."""
    with Server(status(401)) as server:
        run = Run(LiteLLMCheck, server.url.replace("://", "://me:secret@") + "?key=secret")
        commit = run()
        ((_, headers),) = server.requests
    assert headers["Authorization"].startswith("Basic ")
    assert commit.service_checks[0][2] == (f"endpoint:{server.url}",)
    assert "secret" not in run.error
