"""Secrets in texts of errors: what is hidden, what is left to read, and how long it takes."""

import time

import pytest

from ddtrace_litellm.extract.credentials import LONGEST, mask, of_call, of_process

KEY = "a-key-of-no-known-shape"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Incorrect API key provided: abc123def.", "Incorrect API key provided: ***"),
        ("refused sk-proj-abcdEFGH1234, sorry", "refused ***, sorry"),
        ("refused sk-abcd********wxyz", "refused ***"),
        ("{'Authorization': 'Bearer abc.def-123'}", "{'Authorization': 'Bearer ***'}"),
        ("sent bearer abcdef123456 along", "sent bearer *** along"),
        ("Basic dXNlcjpwYXNzd29yZA== was sent", "Basic *** was sent"),
        ('{"x-api-key": "hello-world"}', '{"x-api-key": "***"}'),
        ("OPENAI_API_KEY=hello-world is wrong", "OPENAI_API_KEY=*** is wrong"),
        ("client_secret=hello&grant=x", "client_secret=***&grant=x"),
        ("404 from http://user:password@host/v1?key=abcdefgh", "404 from http://host/v1?***"),
        ("see https://docs.litellm.ai/docs/providers.", "see https://docs.litellm.ai/docs/providers."),
        ("(https://host:8080/v1/chat)", "(https://host:8080/v1/chat)"),
        ("to http://user:pass/word@host/v1", "to http://***"),
        ("to user:password@host/v1", "to ***@host/v1"),
        ("https://bucket.s3.aws/x?X-Amz-Signature=aabb&X-Amz-Date=1, retry", "https://bucket.s3.aws/x?***, retry"),
        ("AIzaSyA-1234567890abcdefghijk and AKIAIOSFODNN7EXAMPLE", "*** and ***"),
        ("gsk_abcdefghijklmnop1234 hf_abcdefghijklmnop12", "*** ***"),
        ("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2ln expired", "token *** expired"),
        ("\ud800 alone", "\ufffd alone"),
        ("-----BEGIN PRIVATE KEY-----\nMIIEvQ+/=\nabc\n-----END", "***"),
    ],
)
def test_what_looks_like_a_secret(text, shown):
    """A key, a header's value, user, password and query of a URL are hidden, and the words around them stay."""
    assert mask(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "This model's maximum context length is 8192 tokens, you asked for 9000 tokens: 8000 of the messages.",
        "The api_key client option must be set either by passing api_key to the client or by OPENAI_API_KEY",
        "KeyError: 'choices'",
        "LiteLLM: model group 'a' failed with the error above. Received Model Group=a, max_tokens: 12345",
        "Rate limit reached for gpt-4o in organization org-1 on tokens per min (TPM): Limit 30000, Used 29999",
        "a \0 byte",
    ],
)
def test_what_is_no_secret_stays(text):
    """Texts that say what went wrong are whole."""
    assert mask(text) == text


ARGUMENTS = {
    "model": "m",
    "messages": [{"role": "user", "content": "token", "token": "not-looked-at"}],
    "max_tokens": 5,
    "api_key": KEY,
    "api_base": "https://me:p%40ssword1@host/v1?code=signed-code",
    "extra_headers": {"Authorization": "Token header-secret", "accept": "application/json"},
    "litellm_params": {"aws_secret_access_key": "aws-secret-1"},
    "vertex_credentials": '{"private": "vertex-secret"}',
    "proxy_server_request": {"headers": {"x-goog-api-key": "google-secret"}, "body": {}},
    "metadata": {"user_api_key_alias": "the-alias", "headers": {"cookie": "cookie-secret"}},
    "fallbacks": [{"model": "n", "api_key": "fallback-secret"}],
    "model_list": [{"model_name": "n", "litellm_params": {"api_key": "deployed-secret"}}],
    "logger_fn": len,
}


def test_secrets_of_a_call():
    """Keys, headers and parts of URLs of the call, its deployments and the proxy's request, but no contents."""
    found = of_call(ARGUMENTS)
    assert found >= {
        KEY,
        "p%40ssword1",
        "p@ssword1",
        "signed-code",
        "header-secret",
        "aws-secret-1",
        '{"private": "vertex-secret"}',
        "google-secret",
        "cookie-secret",
        "fallback-secret",
        "deployed-secret",
    }
    assert not found & {"not-looked-at", "application/json", "the-alias", "m"}


@pytest.mark.parametrize("quoted", ["is '{}'", "is {}.", "Bearer {}", "(key={})", "\\u0022{}\\u0022"])
def test_a_known_secret_is_hidden_in_any_text(quoted):
    """Whatever it looks like, and however it is written there."""
    assert KEY not in mask(quoted.format(KEY), of_call(ARGUMENTS))
    assert "p@ssword1" not in mask(quoted.format("p@ssword1"), of_call(ARGUMENTS))


def test_secrets_of_the_process(monkeypatch):
    """Keys that a call does not name, as LiteLLM finds them: in the environment, in its own settings."""
    monkeypatch.setenv("MISTRAL_API_KEY", "mistral-secret")
    assert of_process({"openai_key": "set-in-code", "model_alias_map": {}, "api_base": "x"}) >= {
        "mistral-secret",
        "set-in-code",
    }


def test_a_text_that_just_fits_is_not_cut():
    """The limit itself is not too long."""
    assert mask("x" * LONGEST) == "x" * LONGEST


def test_a_long_text_is_cut_without_uncovering_a_secret():
    """What is left of a secret where the text is cut is not shown either."""
    for shift in range(60):
        text = "x" * (LONGEST - 30 + shift) + f" {KEY} " + "y" * 10_000
        shown = mask(text, {KEY})
        assert len(shown) < LONGEST + 50
        assert "more characters]" in shown
        assert KEY[:12] not in shown
    urls = "http://u:p@h/?q=1 " * 5000 + KEY
    assert KEY[:6] not in mask(urls[: LONGEST + 4096 - 5] + KEY + "z" * 100, {KEY})


@pytest.mark.parametrize(
    "unit",
    ["a", "://", "a://", "eyJ", "sk-", "Bearer ", "key=", "api_key: ", "a:", "@", "a:b@", "-----BEGIN KEY-----", " "],
)
def test_a_text_of_megabytes_takes_no_longer(unit):
    """A provider chooses the text, and how long it is: it costs what its shown part costs."""
    text = unit * (5_000_000 // len(unit))
    started = time.process_time()
    mask(text, {KEY})
    assert time.process_time() - started < 0.5


def test_a_huge_request_takes_no_longer():
    """What is looked at of the arguments has a bound."""
    wide = {f"token_{number}": {"headers": {"auth": "x" * 100}} for number in range(100_000)}
    started = time.process_time()
    of_call({"metadata": wide, "messages": [wide] * 1000, "api_key": KEY})
    assert time.process_time() - started < 0.5
