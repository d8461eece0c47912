import pytest

from ddtrace_litellm.openmetrics.sources.http import Endpoint, fetch
from ddtrace_litellm.transport import FetchError, Tls
from tests.openmetrics.servers import Server, certificate_for

PAGE = b"# TYPE litellm_x counter\nlitellm_x_total 1\n# EOF\n"


def body(endpoint):
    """Return the whole body of a page."""
    with fetch(endpoint) as answer:
        return b"".join(answer.pieces)


def failure(endpoint):
    """Return how fetching fails, in one line."""
    with pytest.raises(FetchError) as raised:
        body(endpoint)
    assert "\n" not in str(raised.value)
    return str(raised.value)


def page(handler):
    """Answer with the page."""
    handler.reply(PAGE)


@pytest.fixture(scope="module")
def directory(tmp_path_factory):
    """Where certificates lie."""
    return tmp_path_factory.mktemp("certificates")


@pytest.fixture(scope="module")
def certificate(directory):
    """A certificate of localhost that nobody has signed, and its key."""
    return certificate_for("localhost", directory)


@pytest.fixture(scope="module")
def client(directory):
    """A certificate of a client, and its key."""
    return certificate_for("client", directory)


def test_certificate_that_is_not_trusted(certificate):
    """A certificate of one's own is refused, and the message says how to have it trusted."""
    with Server(page, certificate) as server:
        said = failure(Endpoint(server.url))
    assert "has a certificate that is not trusted (self" in said
    assert "SSL_CERT_FILE or tls_ca_cert names more to trust" in said


def test_redirect_behind_tls(certificate, monkeypatch):
    """Where LiteLLM redirects to http because something else speaks TLS for it, the page is read by https."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    def answer(handler):
        if handler.path == "/metrics":
            handler.reply(b"", status=307, Location=f"http://{handler.headers['Host']}/metrics/")
        else:
            handler.reply(PAGE)

    with Server(answer, certificate) as server:
        assert body(Endpoint(server.url, "sk-1")) == PAGE
    assert [(path, headers["Authorization"]) for path, headers in server.requests] == [
        ("/metrics", "Bearer sk-1"),
        ("/metrics/", "Bearer sk-1"),
    ]


def test_nothing_secret_from_https_to_http(certificate):
    """A redirect to another server by http is followed without the token and without the headers of the user."""
    with Server(page) as plain:

        def answer(handler):
            handler.reply(b"", status=302, Location=plain.url.replace("127.0.0.1", "localhost"))

        with Server(answer, certificate) as server:
            endpoint = Endpoint(
                server.url, "sk-1", headers={"X-LiteLLM-API-Key": "sk-2"}, tls=Tls(ca_cert=str(certificate))
            )
            assert body(endpoint) == PAGE
    assert server.requests[0][1]["x-litellm-api-key"] == "sk-2"
    ((_, headers),) = plain.requests
    assert "sk-" not in str(headers)
    assert headers["User-Agent"] == "ddtrace-litellm"


@pytest.mark.parametrize("verify", [True, False])
def test_certificate_that_is_named_is_trusted(certificate, verify):
    """``tls_ca_cert`` is trusted, and is verified also where ``tls_verify`` is false, as in the Agent."""
    tls = Tls(ca_cert=str(certificate), verify=verify)
    with Server(page, certificate) as server:
        assert body(Endpoint(server.url, tls=tls)) == PAGE
        assert "certificate that is not trusted (IP address mismatch" in failure(
            Endpoint(server.url.replace("localhost", "127.0.0.1"), tls=tls)
        )


def test_name_of_the_host(certificate):
    """``tls_validate_hostname: false`` takes a certificate of another host."""
    tls = Tls(ca_cert=str(certificate), validate_hostname=False)
    with Server(page, certificate) as server:
        assert body(Endpoint(server.url.replace("localhost", "127.0.0.1"), tls=tls)) == PAGE


def test_without_verification(certificate):
    """``tls_verify: false`` takes any certificate."""
    with Server(page, certificate) as server:
        assert body(Endpoint(server.url, tls=Tls(verify=False))) == PAGE


@pytest.mark.parametrize("separately", [True, False])
def test_certificate_of_the_client(certificate, client, separately):
    """``tls_cert`` says who asks, with the key in the same file or in that of ``tls_private_key``."""
    own = Tls(
        ca_cert=str(certificate),
        cert=str(client.with_suffix(".pem") if separately else client),
        private_key=str(client.with_suffix(".key")) if separately else "",
    )
    with Server(page, certificate, clients=client) as server:
        assert body(Endpoint(server.url, tls=own)) == PAGE
        assert server.url in failure(Endpoint(server.url, tls=Tls(ca_cert=str(certificate))))


def test_key_with_a_password(certificate, directory):
    """An encrypted key needs its password, which is in no message; without it nobody is asked at the terminal."""
    locked = certificate_for("locked", directory, password="hush hush")
    with Server(page, certificate, clients=locked) as server:
        right, wrong, missing = (
            Endpoint(server.url, tls=Tls(ca_cert=str(certificate), cert=str(locked), private_key_password=password))
            for password in ("hush hush", "other secret", "")
        )
        assert body(right) == PAGE
        for endpoint in (wrong, missing):
            said = failure(endpoint)
            assert f"tls_cert, tls_private_key or its password cannot be used ({locked})" in said
            assert "secret" not in said
    assert "hush" not in repr(right)


@pytest.mark.parametrize(
    ("tls", "message"),
    [
        (Tls(ca_cert="/nowhere/ca.pem"), "tls_ca_cert cannot be used (/nowhere/ca.pem): No such file or directory"),
        (Tls(cert="/nowhere/c.pem"), "password cannot be used (/nowhere/c.pem): No such file or directory"),
        (Tls(ciphers="ROT13"), "tls_ciphers cannot be used: "),
    ],
)
def test_what_tls_needs_and_is_not_there(tls, message):
    """A file that is missing and ciphers that do not exist are named; the page is not asked for."""
    assert message in failure(Endpoint("https://localhost:1/metrics", tls=tls))


def test_ciphers(certificate):
    """``tls_ciphers`` are those that are spoken."""
    tls = Tls(ca_cert=str(certificate), ciphers="ECDHE-RSA-AES256-GCM-SHA384")
    with Server(page, certificate) as server:
        assert body(Endpoint(server.url, tls=tls)) == PAGE


def test_no_tls():
    """A server without TLS that is asked by https is an error of TLS, with the likely cause."""
    with Server(page) as server:
        assert "does not speak TLS as it should" in failure(Endpoint(server.url.replace("http:", "https:")))
