import base64

import pytest

from ddtrace_litellm.openmetrics.options.fields import OptionError, read
from ddtrace_litellm.openmetrics.options.instance import instance
from ddtrace_litellm.openmetrics.options.models import InstanceModel, RequestModel
from ddtrace_litellm.openmetrics.options.request import request_options
from ddtrace_litellm.openmetrics.sources.http import Endpoint
from ddtrace_litellm.transport import Proxies, Tls
from tests.openmetrics.measured import needs_data, rows

URL = "http://localhost:4000/metrics"


def endpoint(init_config=None, **options):
    """Return the endpoint of an instance."""
    options = read(InstanceModel, {"openmetrics_endpoint": URL, **options})
    return request_options(options, read(RequestModel, init_config or {}))


def refused(**options):
    """Return why an instance is refused."""
    with pytest.raises(OptionError) as raised:
        endpoint(**options)
    return str(raised.value)


def test_nothing_but_a_url():
    """Without options, and with options without a value as YAML has them, it is the endpoint of the URL alone."""
    assert endpoint() == Endpoint(URL)
    assert endpoint(headers=None, timeout=None, proxy=None, auth_token=None, tls_verify=None) == Endpoint(URL)


@pytest.mark.parametrize("url", [None, "", 4000, "localhost:4000", "http://me:secret@h/metrics"])
def test_what_is_no_url(url):
    """A URL is needed, and what cannot be one is named by its option."""
    said = refused(openmetrics_endpoint=url)
    assert said.startswith("openmetrics_endpoint")
    assert "secret" not in said


@pytest.mark.parametrize(
    ("options", "init_config", "timeouts"),
    [
        ({}, {}, (5, 30, 60)),
        ({}, {"timeout": 2}, (2, 2, 60)),
        ({"timeout": "3.5"}, {"timeout": 2}, (3.5, 3.5, 60)),
        ({"timeout": 10, "connect_timeout": 1}, {}, (1, 10, 60)),
        ({"read_timeout": 100}, {}, (5, 100, 200)),
    ],
)
def test_timeouts(options, init_config, timeouts):
    """``timeout`` is both of the others unless they are given; there is always time for two silences in all."""
    made = endpoint(init_config, **options)
    assert (made.connect_timeout, made.read_timeout, made.total_timeout) == timeouts


def test_headers():
    """``extra_headers`` are over ``headers``; numbers are texts."""
    made = endpoint(headers={"A": "1", "Host": "proxy"}, extra_headers={"A": 2, "Authorization": "Bearer k"})
    assert made.headers == {"A": "2", "Host": "proxy", "Authorization": "Bearer k"}


@pytest.mark.parametrize(("legacy", "encoding"), [(None, "latin1"), (True, "latin1"), (False, "utf-8")])
def test_user_and_password(legacy, encoding):
    """A user and a password are one header, in the place of one that is given, in the encoding that is asked for."""
    made = endpoint(
        username="mé", password="p:w", use_legacy_auth_encoding=legacy, extra_headers={"authorization": "Bearer k"}
    )
    assert made.headers == {"Authorization": f"Basic {base64.b64encode('mé:p:w'.encode(encoding)).decode()}"}
    assert endpoint(username="me").headers == {}


def test_token_file():
    """The reader ``file`` with the writer ``header``; the value is the token alone unless it says more."""
    reader = {"type": "file", "path": "/run/token", "pattern": "key=(.*)"}
    token = endpoint(auth_token={"reader": reader, "writer": {"type": "header", "name": "x-key"}}).token_file
    assert (token.path, token.pattern.pattern, token.header) == ("/run/token", "key=(.*)", "x-key")
    assert token.value == token.placeholder == "<TOKEN>"
    writer = {"type": "header", "name": "Authorization", "value": "Bearer {}", "placeholder": "{}"}
    token = endpoint(auth_token={"reader": {"type": "file", "path": "/run/token"}, "writer": writer}).token_file
    assert (token.pattern, token.value, token.placeholder) == (None, "Bearer {}", "{}")


FILE, HEADER = {"type": "file", "path": "/run/token"}, {"type": "header", "name": "x", "value": "secret <TOKEN>"}


@pytest.mark.parametrize(
    ("reader", "writer", "message"),
    [
        (None, HEADER, "no reader"),
        (FILE, None, "no writer"),
        ({"type": "oauth"}, HEADER, "a reader of the type 'oauth' cannot be had, only file"),
        ({"type": "dcos_auth"}, HEADER, "a reader of the type 'dcos_auth'"),
        ({"type": "file"}, HEADER, "the path of its reader"),
        ({**FILE, "pattern": "key"}, HEADER, "exactly one group"),
        ({**FILE, "pattern": "("}, HEADER, "is not a regular expression"),
        (FILE, {"type": "header"}, "the name of its writer"),
        (FILE, {**HEADER, "value": "secret"}, "does not contain the placeholder"),
        (FILE, {**HEADER, "placeholder": ""}, "does not contain the placeholder"),
    ],
)
def test_what_is_no_token_file(reader, writer, message):
    """What is missing or not possible is named, and the header's value is not."""
    said = refused(auth_token={"reader": reader, "writer": writer})
    assert said.startswith("auth_token: ")
    assert message in said
    assert "secret" not in said


def test_tls():
    """All options of TLS; ``ALL`` among the ciphers is all of them."""
    made = endpoint(
        tls_verify="false",
        tls_ca_cert="/ca.pem",
        tls_cert="/c.pem",
        tls_private_key="/k.pem",
        tls_private_key_password="secret",
        tls_ciphers=["A", "B"],
        tls_validate_hostname=False,
        tls_ignore_warning=True,
    )
    assert made.tls == Tls(False, "/ca.pem", "/c.pem", "/k.pem", "secret", "A:B", False, True)
    assert endpoint(tls_ciphers=["A", "ALL"]).tls.ciphers == "ALL"
    assert endpoint(tls_ciphers="A:B").tls.ciphers == "A:B"


def test_hosts_without_a_proxy():
    """``no_proxy`` within ``proxy`` is a list or a text."""
    assert refused(proxy={"no_proxy": {"a": 1}}) == "no_proxy: its value (a dict) is not a list"


COMMON = {"proxy": {"http": "http://common:1"}}


@pytest.mark.parametrize(
    ("options", "init_config", "proxies"),
    [
        ({"proxy": {"http": "p:1", "https": "http://q:2"}}, {}, Proxies("p:1", "http://q:2")),
        ({"proxy": {"http": "p:1", "no_proxy": ["a", "b"]}}, COMMON, Proxies("p:1", no_proxy=("a", "b"))),
        ({"proxy": {"no_proxy": "a;b, c"}}, {}, Proxies(no_proxy=("a", "b", "c"))),
        ({}, COMMON, Proxies("http://common:1")),
        ({"skip_proxy": True}, COMMON, Proxies()),
        ({"no_proxy": "true"}, COMMON, Proxies()),
        ({}, {**COMMON, "skip_proxy": True}, Proxies()),
        ({"skip_proxy": False}, {**COMMON, "skip_proxy": True}, Proxies("http://common:1")),
    ],
)
def test_proxies(options, init_config, proxies):
    """The instance's options are over those of all instances, and so is that no proxy is wanted."""
    assert endpoint(init_config, **options).proxies == proxies


def test_the_rest():
    """Options that are one field each; persisting connections has no effect."""
    made = endpoint(
        allow_redirects="no",
        request_size=0.5,
        use_latest_spec=True,
        log_requests="yes",
        raw_line_filters=["^a", "b"],
        persist_connections=True,
    )
    assert (made.allow_redirects, made.piece, made.use_latest_spec, made.log_requests) == (False, 512, True, True)
    (pattern,) = made.line_filters
    assert [bool(pattern.search(line)) for line in ("ax", "xb", "xa")] == [True, True, False]


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("timeout", "soon"),
        ("timeout", True),
        ("connect_timeout", 0),
        ("read_timeout", -1),
        ("read_timeout", float("inf")),
        ("request_size", "big"),
        ("allow_redirects", "perhaps"),
        ("tls_verify", [True]),
        ("tls_ca_cert", True),
        ("tls_ciphers", [1]),
        ("raw_line_filters", "a"),
        ("raw_line_filters", ["("]),
        ("persist_connections", "perhaps"),
        ("auth_type", 1),
        ("name_filter", "perhaps"),
    ],
)
def test_wrong_type(option, value):
    """A value that cannot be used is named with its option."""
    said = refused(**{option: value})
    assert said.startswith(f"{option}: ")
    assert any(shown in said for shown in (repr(value), f"(a {type(value).__name__})", "entry 1 is not"))


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("headers", "A: secret"),
        ("headers", {"A": ["secret"]}),
        ("headers", {"A": "secret\n"}),
        ("headers", {"Authorization: Bearer secret": ""}),
        ("headers", {"secret1": "\n"}),
        ("extra_headers", {"Authorization: Bearer secret": ["a"]}),
        ("openmetrics_endpoint", "me:secret@h/metrics"),
        ("openmetrics_endpoint", "http:/me:secret@h/metrics"),
        ("openmetrics_endpoint", "http://me:12/secret@h/metrics"),
        ("openmetrics_endpoint", r"http:\\me:secret@h"),
        ("extra_headers", {"A b": "secret"}),
        ("proxy", "http://me:secret@h"),
        ("proxy", {"http": "socks5://me:secret@h"}),
        ("proxy", {"http": ["secret"]}),
        ("proxy", {"ftp": "secret"}),
        ("auth_token", "secret"),
        ("tls_private_key_password", ["secret"]),
    ],
)
def test_wrong_secrets_are_not_repeated(option, value):
    """A value that may hold a secret is not repeated, but its option is named."""
    said = refused(**{option: value})
    assert option in said
    assert "secret" not in said


@pytest.mark.parametrize("user", [("me", ["secret"]), (["secret"], "p"), ("me", "secret€")])
def test_wrong_users(user):
    """A user or a password that cannot be sent is not repeated."""
    username, password = user
    said = refused(username=username, password=password)
    assert said.startswith(("username", "password"))
    assert "secret" not in said


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *[("auth_type", kind) for kind in ("digest", "ntlm", "kerberos", "aws", "novel")],
        ("kerberos_auth", "required"),
        ("kerberos", True),
        ("ntlm_domain", "d\\u"),
        ("aws_region", "eu"),
        ("tls_use_host_header", True),
        ("tls_protocols_allowed", ["TLSv1.3"]),
        ("tls_intermediate_ca_certs", ["x"]),
    ],
)
def test_what_needs_an_agent(option, value):
    """What only the Agent's HTTP client can do is refused by name."""
    with pytest.raises(OptionError, match=f"^{option}: .*the Agent's own HTTP client"):
        instance({"openmetrics_endpoint": URL, option: value})


def test_what_is_turned_off_is_not_missed():
    """An option that needs the Agent's client is no trouble where it is off, as in a copied example."""
    assert endpoint(kerberos_delegate=False, tls_use_host_header=False, auth_type="BASIC", ntlm_domain="") == Endpoint(
        URL
    )


def test_names_that_are_asked_for():
    """``name_filter`` asks for the samples of the wanted families, of those that are not known in all forms."""
    made = endpoint(
        name_filter=True,
        raw_metric_prefix="litellm_",
        metrics=["spend_metric", {"request_total_latency_metric": "latency"}],
        extra_metrics=[{"in_flight_requests": {"name": "x", "type": "gauge"}}],
        share_labels={"novel": True},
        target_info=True,
    )
    spend, latency, novel = "litellm_spend_metric", "litellm_request_total_latency_metric", "litellm_novel"
    assert {spend, f"{spend}_total", f"{spend}_created"} <= {*made.names}
    assert {f"{latency}{suffix}" for suffix in ("_bucket", "_sum", "_count", "_created")} <= {*made.names}
    assert {f"{novel}{suffix}" for suffix in ("", "_total", "_bucket", "_created")} <= {*made.names}
    assert "litellm_in_flight_requests" in made.names
    assert f"{latency}_total" not in made.names
    assert len(made.names) == len({*made.names})


@pytest.mark.parametrize("options", [{}, {"extra_metrics": ["litellm_x"]}, {"metrics": ["litellm_.*"]}])
def test_names_that_cannot_be_asked_for(options):
    """Without ``metrics`` all families are wanted, and a regular expression is no name."""
    assert refused(name_filter=True, **options).startswith("name_filter: ")


@needs_data
def test_all_official_options_of_requests_are_known():
    """Every option of the Agent's check that its HTTP client reads is among those that are about the request."""
    names = {row["name"] for row in rows("openmetrics_v2_options.csv")}
    of_the_client = {name for name in names if name.startswith(("tls_", "kerberos_", "aws_"))}
    assert of_the_client | {"headers", "proxy", "auth_token", "username", "timeout"} <= RequestModel.model_fields.keys()
    assert RequestModel.model_fields.keys() - names == {"kerberos", "no_proxy", "name_filter"}
