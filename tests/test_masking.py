import pytest

from ddtrace_litellm import masking


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://user:secret@host.example:8443/metrics?key=secret#secret", "https://host.example:8443/metrics"),
        ("http://[::1]:4000/metrics", "http://[::1]:4000/metrics"),
        ("unix:///var/run/datadog/apm.socket", "unix:///var/run/datadog/apm.socket"),
        ("https://aiplatform.googleapis.com/v1/models/claude@20240620", None),
        ("user:secret@host/metrics", "***"),
        ("//user:secret@host/metrics", "***"),
        ("http:/user:secret@host/metrics", "***"),
        ("http:user:secret@host", "***"),
        (r"http:\\user:secret@host\metrics", "***"),
        (r"http://host\user:secret@other/", "***"),
        ("http://user:sec/ret@host/metrics", "***"),
        ("http://user:12/secret@host/metrics", "***"),
        ("http://user:12?secret@host/metrics", "***"),
        ("http://user:12#secret@host/metrics", "***"),
        ("http://user:a@b.c/secret@host/metrics", "***"),
        ("http://host:secret/metrics", "***"),
        ("http://[secret/metrics", "***"),
        ("http://host/met rics", "***"),
        ("http://host/\u202esecret", "***"),
        ("sk-secret", "***"),
        ("", "***"),
    ],
)
def test_urls(text, shown):
    """Scheme, host, port and path, where it is sure which is which; else nothing at all."""
    assert masking.url(text) == (text if shown is None else shown)


def test_long_urls():
    """What is shown of a URL is bounded."""
    assert len(masking.url("http://h/" + "a" * 30_000)) < 210


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("http://a.example/v1,http://b.example/v1?key=secret", "http://a.example/v1,http://b.example/v1"),
        ("http://user:1,secret@host/", "***"),
        ("http://u:secret@a.example,http://b.example", "***"),
        ("http://u:secret@a.example/", "http://a.example/"),
    ],
)
def test_lists_of_urls(text, shown):
    """A comma may separate two URLs, or be part of a password."""
    assert masking.urls(text) == shown


def test_paths(tmp_path):
    """What exists, or looks like nothing but a path, is one; a key in the place of a path is not shown."""
    (tmp_path / "token").write_text("t")
    assert masking.path(str(tmp_path / "token")) == str(tmp_path / "token")
    assert masking.path(str(tmp_path / "sk-secret")) == f"{tmp_path}/***"
    assert masking.path("/nowhere/ca.pem") == "/nowhere/ca.pem"
    assert masking.path("sk-secret") == "***"
    assert masking.path("/aB9/x+secret") == "***"
    assert masking.path("a\0secret") == "***"
    assert masking.path("s" * 30_000) == "***"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tls_ca_cert", True),
        ("X-LiteLLM-Api-Key", True),
        ("Authorization: Bearer sk-1", False),
        ("sk-1234", False),
        ("a" * 41, False),
        (5, False),
    ],
)
def test_names(text, shown):
    """A name has letters only and is short; a whole header, or a key, is none."""
    assert masking.name(text) == (text if shown else "***")


def test_words():
    """What should be a word or a number is shown where it is as short as one."""
    assert masking.word("maybe") == "'maybe'"
    assert masking.word(0.5) == "0.5"
    assert masking.word("Bearer sk-1") == "(a str)"
    assert masking.word("sk-0123456789abcdef") == "(a str)"
    assert masking.word(["secret"]) == "(a list)"


def test_reasons():
    """The text of an error is shown where it is ours, and its traceback without any other text."""
    assert masking.reason(masking.SafeError("said by us")) == "said by us"
    assert masking.reason(RuntimeError("http://u:secret@h")) == "RuntimeError"
    assert masking.system_reason(OSError(2, "No such file")) == "No such file"
    assert masking.system_reason(OSError("secret")) == "OSError"
    with pytest.raises(ValueError, match="secret") as raised:
        int("secret")
    assert masking.raised_at(raised.value).endswith("ValueError")
    assert "test_reasons" in masking.raised_at(raised.value)


def test_what_steers_a_terminal_is_visible():
    """Control characters, and those that turn a text around or have no width, are escaped; letters are not."""
    assert masking.visible("é\x1b[2J\x9b\u202e\u2066\u200b\n") == r"é\x1b[2J\x9b\u202e\u2066\u200b\n"
    assert masking.visible("a\tb\n", keep="\n\t") == "a\tb\n"
