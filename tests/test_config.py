import pytest

from ddtrace_litellm import config
from ddtrace_litellm.config import (
    CaptureConfig,
    OpenMetricsConfig,
    UserConfig,
    capture_config,
    openmetrics_config,
    user_config,
    warn_of_unknown,
)

INPUT, OUTPUT, LIMIT = "DD_LITELLM_CAPTURE_INPUT", "DD_LITELLM_CAPTURE_OUTPUT", "DD_LITELLM_MAX_CONTENT_CHARS"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, CaptureConfig(input=True, output=True, max_chars=None)),
        ({INPUT: "", OUTPUT: " ", LIMIT: ""}, CaptureConfig()),
        ({INPUT: "false", OUTPUT: "0"}, CaptureConfig(input=False, output=False)),
        ({INPUT: " FALSE ", OUTPUT: "True"}, CaptureConfig(input=False)),
        ({OUTPUT: "1", LIMIT: " 100 "}, CaptureConfig(max_chars=100)),
    ],
    ids=str,
)
def test_values_that_can_be_used(environ, expected, caplog):
    """They are used, without a word; what is not set is the default."""
    assert capture_config(environ) == expected
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("variable", "value", "instead"),
    [
        (INPUT, "off", "using true"),
        (OUTPUT, "2", "using true"),
        (LIMIT, "many", "not cut"),
        (LIMIT, "0", "not cut"),
        (LIMIT, "-5", "not cut"),
        (LIMIT, "1.5", "not cut"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_warning(variable, value, instead, caplog):
    """It names the variable, the value and what is used instead: the default."""
    assert capture_config({variable: value}) == CaptureConfig()
    (warning,) = caplog.records
    assert (warning.levelname, warning.name) == ("WARNING", "ddtrace.litellm.config")
    assert all(part in warning.getMessage() for part in (variable, repr(value), instead))


def test_a_long_value_may_be_a_key(caplog):
    """It is not repeated."""
    capture_config({INPUT: "sk-0123456789abcdef", LIMIT: "Bearer secret"})
    assert [message.partition(" ")[0] for message in caplog.messages] == [f"{INPUT}=(a", f"{LIMIT}=(a"]
    assert not any("0123" in message or "secret" in message for message in caplog.messages)


def test_a_name_that_is_none_is_one_warning(caplog, monkeypatch):
    """It says which variable may be meant, and never the value; ddtrace's own under our prefix are known."""
    monkeypatch.setattr(config, "_told", set())
    for _ in range(2):  # ddtrace starts, and the program patches
        warn_of_unknown(
            {
                "DD_LITELLM_CAPTURE_INPT": "secret",
                "DD_LITELLM_XYZZY": "secret",
                "DD_LITELLM_sk-secret": "",
                "DD_LITELLM_SERVICE": "a",
                INPUT: "true",
                "DD_SERVICE": "a",
            }
        )
    assert caplog.messages == [
        f"DD_LITELLM_CAPTURE_INPT is not a variable of this version; is it {INPUT}?",
        "DD_LITELLM_XYZZY is not a variable of this version",
        "DD_LITELLM_*** is not a variable of this version",
    ]


HASH, HASH_KEY = "DD_LITELLM_HASH_USERS", "DD_LITELLM_HASH_KEY"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, UserConfig()),
        ({HASH_KEY: "k", "DD_API_KEY": "d"}, UserConfig()),
        ({HASH: "true", HASH_KEY: "k", "DD_API_KEY": "d"}, UserConfig(hashed=True, key=b"k")),
        ({HASH: "1", "DD_API_KEY": "d"}, UserConfig(hashed=True, key=b"d")),
    ],
    ids=str,
)
def test_how_users_are_named(environ, expected, caplog):
    """In clear, or hashed with a key of one's own, or else with Datadog's."""
    assert user_config(environ) == expected
    assert caplog.messages == []


def test_users_without_a_key(caplog):
    """A hash that anybody can compute hides nobody: users are left out, with one warning, and no key is in a repr."""
    assert user_config({HASH: "true"}) == UserConfig(hashed=True)
    assert caplog.messages == [f"{HASH}=true needs {HASH_KEY} or DD_API_KEY; users are left out"]
    assert "of-theirs" not in repr(user_config({HASH: "true", HASH_KEY: "of-theirs"}))


P = "DD_LITELLM_OPENMETRICS_"
ENABLED, ENDPOINT, TOKEN, TOKEN_FILE = P + "ENABLED", P + "ENDPOINT", P + "TOKEN", P + "TOKEN_FILE"
INTERVAL, CONF, AGENTLESS = P + "INTERVAL", P + "CONFIG", P + "AGENTLESS"
URL = "http://localhost:4000/metrics/"
LAMBDA = {"AWS_LAMBDA_FUNCTION_NAME": "f"}
KEY = {"DD_API_KEY": "k"}


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, None),
        ({TOKEN: "t", INTERVAL: "5"}, None),
        ({ENABLED: "false", ENDPOINT: URL, CONF: "c.yaml"}, None),
        ({ENABLED: "true"}, OpenMetricsConfig()),
        ({ENDPOINT: f" {URL} "}, OpenMetricsConfig(URL)),
        ({ENABLED: "1", ENDPOINT: URL, TOKEN: "t\n"}, OpenMetricsConfig(URL, token="t")),
        ({ENDPOINT: URL, TOKEN_FILE: "/t", INTERVAL: "2.5"}, OpenMetricsConfig(URL, token_file="/t", interval=2.5)),
        ({CONF: "c.yaml"}, OpenMetricsConfig(conf="c.yaml")),
        ({**LAMBDA, ENDPOINT: URL, CONF: "c.yaml"}, None),
        ({**LAMBDA, ENDPOINT: URL, ENABLED: "true"}, OpenMetricsConfig(URL)),
    ],
    ids=str,
)
def test_when_a_scraper_is_wanted(environ, expected, caplog):
    """An endpoint, a file or ENABLED starts one, ENABLED=false keeps all off, and in Lambda only ENABLED does."""
    assert openmetrics_config(environ) == expected
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("environ", "agentless"),
    [
        ({}, False),
        (KEY, False),
        ({AGENTLESS: "true", **KEY}, True),
        ({AGENTLESS: "true", **KEY, "DD_AGENT_HOST": "agent"}, True),
        ({"DD_LLMOBS_AGENTLESS_ENABLED": "1", **KEY}, True),
        ({"DD_LLMOBS_AGENTLESS_ENABLED": "1"}, False),
        ({"DD_LLMOBS_AGENTLESS_ENABLED": "1", **KEY, "DD_DOGSTATSD_URL": "udp://agent:8125"}, False),
        ({"DD_LLMOBS_AGENTLESS_ENABLED": "1", **KEY, AGENTLESS: "false"}, False),
    ],
    ids=str,
)
def test_agentless(environ, agentless, caplog):
    """It is where it is asked for, and where the spans go without an Agent and none is named."""
    assert openmetrics_config({ENABLED: "true", **environ}).agentless is agentless
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("environ", "expected", "parts"),
    [
        ({ENABLED: "on"}, None, (ENABLED, "'on'", "using false")),
        ({ENABLED: "on", ENDPOINT: URL}, OpenMetricsConfig(URL), (ENABLED, "'on'", "using true")),
        ({ENABLED: "1", INTERVAL: "0"}, OpenMetricsConfig(), (INTERVAL, "'0'", "using 15")),
        ({ENABLED: "1", INTERVAL: "inf"}, OpenMetricsConfig(), (INTERVAL, "'inf'", "using 15")),
        ({ENABLED: "1", INTERVAL: "soon"}, OpenMetricsConfig(), (INTERVAL, "'soon'", "using 15")),
        ({ENABLED: "1", AGENTLESS: "true"}, OpenMetricsConfig(), (AGENTLESS, "DD_API_KEY", "DogStatsD")),
        ({ENABLED: "1", TOKEN: "hidden"}, OpenMetricsConfig(), (TOKEN, "not used", ENDPOINT)),
        (
            {ENDPOINT: URL, TOKEN: "hidden", TOKEN_FILE: "/t"},
            OpenMetricsConfig(URL, token="hidden"),
            (TOKEN_FILE, "not used", TOKEN),
        ),
        (
            {CONF: "c.yaml", ENDPOINT: URL, TOKEN: "hidden", INTERVAL: "5"},
            OpenMetricsConfig(conf="c.yaml"),
            (CONF, ENDPOINT, TOKEN, INTERVAL, "not used"),
        ),
    ],
    ids=str,
)
def test_what_of_the_scrapers_variables_cannot_be_used(environ, expected, parts, caplog):
    """It is one warning that says which, and what is used instead; never the token."""
    assert openmetrics_config(environ) == expected
    (warning,) = caplog.messages
    assert all(part in warning for part in parts)
    assert "hidden" not in warning


def test_the_token_is_in_no_log():
    """What shows a configuration does not show its token."""
    assert "hidden" not in repr(OpenMetricsConfig(URL, token="hidden"))
