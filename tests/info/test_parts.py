"""The parts of the command that need no process."""

import socket
import sys
import threading

import pytest

from ddtrace_litellm.info import checks, probe, reach, render, report, variables
from ddtrace_litellm.info.facts import Facts, gather, host_of
from ddtrace_litellm.info.processes import Logged, Seen, _logged
from ddtrace_litellm.info.reach import Answer
from ddtrace_litellm.masking import SafeError
from ddtrace_litellm.tryout.agent import free_ports
from tests.info.conftest import intake

VERSIONS = {"python": "3.12.1", "ddtrace": "4.16.0", "litellm": "1.106.2", "ddtrace-litellm": "0.1.0"}
EXPORT = {
    "mode": "apm_agent",
    "url": "http://user:secret@agent:8126/path",
    "agent_url": "http://user:secret@agent:8126/path",
    "site": "datadoghq.com",
    "app": "app",
}
COUNTERS = {"spans_opened": 1, "spans_ended": {"ok": 1}, "spans_open": 0, "internal_errors": {}}
FOUND = {
    "way_in": ".pth",
    "failures": {},
    "integration": "ours",
    "reported_twice": False,
    "wrapped": 138,
    "export": EXPORT,
    "counters": COUNTERS,
}


def facts(environ=None, found=None, **more):
    """Return the facts of a healthy environment but for what is given."""
    seen = Seen({**FOUND, **(found or {})})
    return Facts(environ or {}, more.pop("versions", VERSIONS), **{"seen": seen, "agent": Answer(200, info={}), **more})


def whats(of):
    """Return what is wrong."""
    return [problem.what for problem in checks.problems(of)]


def test_healthy_facts_have_no_problem():
    """What the other cases start from is healthy."""
    assert checks.problems(facts()) == []
    assert "everything is well" in list(render.plain(facts()))[-1]


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("DD_API_KEY", "0123456789", "*** (10 characters)"),
        ("DD_LITELLM_OPENMETRICS_TOKEN", "abc", "*** (3 characters)"),
        ("DD_LITELLM_OPENMETRICS_TOKEN_FILE", "/run/token.txt", "/run/token.txt"),
        ("DD_TRACE_AGENT_URL", "http://user:pw@agent:8126", "http://agent:8126"),
        ("DD_LITELLM_OPENMETRICS_ENDPOINT", "http://proxy/metrics?key=abc", "http://proxy/metrics"),
        ("DD_LLMOBS_INSTRUMENTED_PROXY_URLS", "http://a:b@one,http://two", "http://one,http://two"),
        ("DD_LLMOBS_OVERRIDE_ORIGIN", "http://[user:pw", "***"),
        ("DD_TRACE_AGENT_URL", "unix:///var/run/apm.socket", "unix:///var/run/apm.socket"),
        ("DD_API_KEY", "", ""),
        ("DD_LITELLM_OPENMETRICS_TOKEN_FILE", "sk-secret", "***"),
        ("DD_LITELLM_OPENMETRICS_ENDPOINT", "http:/me:secret@h", "***"),
        ("DD_TRACE_AGENT_URL", "me:secret@h:8126", "***"),
        ("DD_LLMOBS_INSTRUMENTED_PROXY_URLS", "http://me:12,secret@h", "***"),
        ("DD_LITELLM_CAPTURE_INPUT", "sk-0123456789abcdef", "*** (19 characters)"),
        ("DD_SERVICE", "http://me:secret@h", "*** (18 characters)"),
        ("DD_SERVICE", "my-app", "my-app"),
        ("DD_LITELLM_OPENMETRICS_TOKN", "secret", "***"),
        ("DD_LITELLM_CAPTURE", "true", "***"),
    ],
)
def test_secrets_are_masked(name, value, shown):
    """No key, token, password or query is shown; where a secret lies is."""
    (variable,) = [each for each in variables.read({name: value}) if each.name == name]
    assert variable.value == shown


def test_effective_values():
    """What is not set, or cannot be used, has its default."""
    environ = {"DD_SITE": "datadoghq.eu", "DD_LITELLM_CAPTURE_OUTPUT": "2"}
    shown = {name: (value, used) for name, value, used in variables.read(environ, {"DD_LITELLM_CAPTURE_OUTPUT"})}
    assert shown["DD_SITE"] == ("datadoghq.eu", "datadoghq.eu")
    assert shown["DD_LITELLM_CAPTURE_INPUT"] == (None, "true")
    assert shown["DD_LITELLM_CAPTURE_OUTPUT"] == ("2", "true")


@pytest.mark.parametrize(
    ("environ", "switches"),
    [
        ({"DD_PATCH_MODULES": "openai:false,litellm:false"}, ["DD_PATCH_MODULES=litellm:false"]),
        ({"DD_PATCH_MODULES": "litellm:true, openai:false"}, []),
        ({"DD_TRACE_ENABLED": "False"}, ["DD_TRACE_ENABLED=False"]),
        ({"DD_TRACE_LITELLM_ENABLED": "1"}, []),
        ({}, []),
    ],
)
def test_switches(environ, switches):
    """The settings that switch it off are found as they are written."""
    assert list(variables.switched_off_by(environ)) == switches


def test_versions_outside_of_the_tests():
    """Newer versions are noted and no problem; older ones are."""
    newer = facts(versions={**VERSIONS, "litellm": "1.111.0", "ddtrace": "4.17.1"})
    assert (whats(newer), checks.outside_tested(newer)) == ([], ["ddtrace 4.17.1", "litellm 1.111.0"])
    assert "ddtrace 4.17.1, litellm 1.111.0" in checks.notes(newer)[0]
    assert whats(facts(versions={**VERSIONS, "ddtrace": "4.7.2"})) == ["ddtrace 4.7.2 is older than 4.8"]
    assert "not installed" in whats(facts(versions={**VERSIONS, "litellm": None}))[0]
    assert checks.outside_tested(facts(versions={**VERSIONS, "litellm": "main"})) == []


@pytest.mark.parametrize("switch", ["DD_PATCH_MODULES=litellm:false", "DD_TRACE_LITELLM_ENABLED=false"])
def test_switched_off(switch):
    """Where nothing traces LiteLLM, the one switch that says so is the problem."""
    of = facts(dict([switch.split("=")]), found={"integration": None})
    assert whats(of) == [f"LiteLLM is not traced: {switch}"]


def test_kill_switch():
    """Where the takeover was switched off and the built-in is active, the switch is the problem."""
    ((what, remedy),) = checks.problems(facts({"DD_LITELLM_TAKEOVER": "false"}, found={"integration": "built-in"}))
    assert what == "ddtrace's built-in integration is active, since DD_LITELLM_TAKEOVER=false"
    assert remedy == "unset DD_LITELLM_TAKEOVER, to have LiteLLM traced by ddtrace-litellm"


def test_tracing_off():
    """With LLM Observability on, ddtrace patches with tracing off as well, but sends nothing."""
    assert whats(facts({"DD_TRACE_ENABLED": "0"})) == ["ddtrace sends no spans: DD_TRACE_ENABLED=0"]


@pytest.mark.parametrize(
    ("setting", "twice"),
    [
        ("callbacks: [prometheus, datadog_llm_observability]", True),
        ("success_callback: datadog_llm_observability", True),
        ("callbacks: [datadog, prometheus]", False),
    ],
)
def test_callbacks_of_a_proxy(tmp_path, setting, twice):
    """The callback that reports everything again is found in each form of the proxy's configuration."""
    pytest.importorskip("yaml")
    config = tmp_path / "config.yaml"
    config.write_text(f"litellm_settings: {{{setting}}}\n")
    assert probe._proxy_reports_twice(config) is twice


def test_functions_of_a_newer_litellm_are_noted():
    """What LiteLLM has and this version does not know is a note and no problem, also where it cannot be told."""
    of = facts(found={"unknown_functions": ["Router.aask", "aask", "ask"]})
    note = "this LiteLLM has 3 functions that this version does not know: Router.aask, aask, ask"
    assert (whats(of), checks.notes(of)) == ([], [note])
    assert report.as_json(of)["unknown_functions"] == ["Router.aask", "aask", "ask"]
    assert "1 function that" in checks.notes(facts(found={"unknown_functions": ["ask"]}))[0]
    assert checks.notes(facts(found={"unknown_functions": []})) == []
    untold = facts(found={"failures": {"unknown_functions": "ImportError: client"}})
    assert (whats(untold), checks.notes(untold)[0].rpartition("not know ")[2]) == (
        [],
        "cannot be told: ImportError: client",
    )


def test_internal_errors_are_a_problem():
    """A failure of ours in the call of the report is named by its place."""
    of = facts(found={"counters": {**COUNTERS, "internal_errors": {"ending": 2}}})
    assert whats(of) == ["ddtrace-litellm failed inside, in: ending (2)"]


def test_call_without_a_span_is_a_problem():
    """And so is a call that makes none."""
    of = facts(found={"counters": {**COUNTERS, "spans_opened": 0, "spans_ended": {"ok": 0}}})
    assert whats(of) == ["a call of litellm.completion made no span that ended well"]


def test_child_that_does_not_run():
    """Where the child came to nothing, that is the problem, and the report is there."""
    of = facts(seen=Seen(None, failure="it ended with status 1; boom"), agent=None)
    assert whats(of) == ["`ddtrace-run python` does not run here: it ended with status 1; boom"]
    assert any("not known" in row.text for row in report.rows(of))
    assert checks.notes(of) == []


def test_variables_that_ddtrace_does_not_start_with():
    """Where variables are why, each is the problem, with its value as far as that may be shown."""
    seen = Seen(None, failure="it ended with status 1; boom", refused=("DD_TRACE_AGENT_PORT", "DD_API_KEY"))
    of = facts({"DD_TRACE_AGENT_PORT": "abc", "DD_API_KEY": "0123456789"}, seen=seen, agent=None)
    assert [tuple(problem) for problem in checks.problems(of)] == [
        (
            "ddtrace does not start with DD_TRACE_AGENT_PORT=abc: it ended with status 1; boom",
            "correct DD_TRACE_AGENT_PORT, or unset it",
        ),
        (
            "ddtrace does not start with DD_API_KEY=*** (10 characters): it ended with status 1; boom",
            "correct DD_API_KEY, or unset it",
        ),
    ]


def test_no_llm_observability_is_a_note():
    """A program may enable it itself, so that it is no problem where no variable does."""
    of = facts(found={"export": {**EXPORT, "mode": ""}})
    assert whats(of) == []
    assert "DD_LLMOBS_ENABLED=1" in checks.notes(of)[0]
    assert (
        "LLM Observability did not start"
        in whats(facts({"DD_LLMOBS_ENABLED": "true"}, found={"export": {**EXPORT, "mode": ""}}))[0]
    )


@pytest.mark.parametrize(
    ("environ", "wrong"),
    [
        ({"DD_LLMOBS_ML_APP": "x", "DD_LLMOBS_SAMPLE_RATE": "1"}, ["DD_LLMOBS_ML_APP, DD_LLMOBS_SAMPLE_RATE"]),
        ({"DD_LLMOBS_ML_APP": "x", "DD_LLMOBS_ENABLED": "yes"}, ["DD_LLMOBS_ENABLED, DD_LLMOBS_ML_APP"]),
        ({"DD_LLMOBS_ML_APP": "x", "DD_LLMOBS_ENABLED": "0"}, []),
    ],
)
def test_llm_observability_off_in_spite_of_its_variables(environ, wrong):
    """Variables that have no effect, as the one that switches it on is missing, are a problem; not if it says off."""
    of = facts(environ, found={"export": {**EXPORT, "mode": ""}})
    assert whats(of) == [f"LLM Observability is off, in spite of {names}" for names in wrong]
    (row,) = [row for row in report.rows(of) if row.label == "LLM Observability"]
    assert row.good is (False if wrong else None)


def test_agentless_without_a_key():
    """The key that is missing is what is wrong: neither that nothing started, nor that no Agent is there."""
    environ = {"DD_LLMOBS_ENABLED": "1", "DD_LLMOBS_AGENTLESS_ENABLED": "1"}
    of = facts(environ, found={"export": {**EXPORT, "mode": ""}}, agent=Answer(problem="connection refused"))
    ((what, remedy),) = checks.problems(of)
    assert "DD_API_KEY is not set" in what
    assert "set DD_API_KEY and DD_SITE" in remedy


def test_credentials_of_the_agents_url_are_not_shown():
    """Neither in JSON nor in text."""
    of = facts(agent=Answer(problem="connection refused"))
    text = str(report.as_json(of)) + "\n".join(render.plain(of)) + str(checks.problems(of))
    assert "http://agent:8126" in text
    assert "secret" not in text


def test_styled_and_plain_say_the_same(capsys, monkeypatch):
    """Without rich, which comes with an extra, every word is there as well."""
    pytest.importorskip("rich")
    monkeypatch.setenv("COLUMNS", "200")
    of = facts({"DD_LITELLM_X": "1"}, agent=Answer(problem="connection refused"))
    render.show(of)
    styled = capsys.readouterr().out.split()
    assert set(" ".join(render.plain(of)).split()) == set(styled)


def test_log_of_the_child(tmp_path):
    """Of the log, warnings and errors are kept, each with the last line of its traceback."""
    log = tmp_path / "log"
    log.write_text(
        "2026-01-31 12:00:00,000 INFO [ddtrace.x] [x.py:1] - fine\n"
        "2026-01-31 12:00:00,000 ERROR [ddtrace.y] [y.py:12] - it failed\n"
        "Traceback (most recent call last):\n"
        "ValueError: DD_API_KEY is required\n"
        "2026-01-31 12:00:00,000 WARNING [ddtrace.litellm] [z.py:3] - look out\n"
        "2026-01-31 12:00:00,000 WARNING [ddtrace.z] [z.py:4] - no 'http://u:pw@h:1/x?y', me:pw@h, key 0123456789\n"
    )
    assert _logged(log, {"SOME_KEY": "0123456789", "HOME": "/"}) == (
        Logged("ERROR", "ddtrace.y", "it failed: ValueError: DD_API_KEY is required"),
        Logged("WARNING", "ddtrace.litellm", "look out"),
        Logged("WARNING", "ddtrace.z", "no 'http://h:1/x', ***, key ***"),
    )


def test_warnings_of_the_configuration_are_gathered_and_not_logged(monkeypatch, capfd):
    """What our variables are warned of in this process is part of the report, and not printed besides."""
    monkeypatch.setattr("ddtrace_litellm.info.processes.look", lambda *_arguments: Seen(None, failure="not run"))
    of = gather({"DD_LITELLM_MAX_CONTENT_CHARS": "-1"})
    assert of.unusable == {"DD_LITELLM_MAX_CONTENT_CHARS"}
    assert capfd.readouterr().err == ""


def test_nothing_of_an_address_that_is_none_is_said():
    """Neither where it is shown, nor in the reason why nobody can be asked there."""
    for url in ("http://me:sec/ret@h", "http://h:secret", "me:secret@h", "http://[secret"):
        assert host_of(url) == "***"
        assert "sec" not in reach.agent(url).problem


def test_errors_in_the_child_have_no_text(tmp_path):
    """A proxy's configuration holds keys, which YAML's errors quote; a module's error may be any."""
    pytest.importorskip("yaml")
    config = tmp_path / "config.yaml"
    config.write_text("general_settings: {master_key: *sk-secret}\n")
    (tmp_path / "own_module.py").write_text("raise RuntimeError('sk-secret')\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(tmp_path)
        found = probe.look(["own_module"], config)
    assert found["failures"]["import own_module"] == f"RuntimeError, {tmp_path}/own_module.py:1"
    assert found["failures"]["proxy_reports_twice"] == "it is not YAML, at line 1, column 32"
    assert "secret" not in str(found["failures"])


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "No such file or directory"),
        (b"a: [1\nb: 'sk-secret", "it is not YAML, at line 2, column 2"),
        (b"\xff\xfe\x00", "it is not text in UTF-8"),
        (b"sk-secret", "it, or its litellm_settings, is no mapping"),
        (b"litellm_settings: [sk-secret]", "it, or its litellm_settings, is no mapping"),
    ],
)
def test_configuration_of_a_proxy_that_cannot_be_read(tmp_path, content, reason):
    """The problem is the file, and where in it; nothing of its contents is said."""
    pytest.importorskip("yaml")
    config = tmp_path / "config.yaml"
    if content is not None:
        config.write_bytes(content)
    with pytest.raises(SafeError) as raised:
        probe._proxy_reports_twice(config)
    of = facts(found={"failures": {"proxy_reports_twice": probe._said(raised.value)}})
    assert whats(of) == [f"the proxy's configuration cannot be read: {reason}"]


@pytest.mark.skipif(sys.platform == "win32", reason="no Unix sockets")
def test_agent_behind_a_socket(tmp_path):
    """An Agent's address may be a Unix socket."""
    path = str(tmp_path / "apm.socket")
    body = b'{"version": "7.70.0"}'
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(path)
        server.listen()

        def answer():
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

        thread = threading.Thread(target=answer)
        thread.start()
        assert reach.agent(f"unix://{path}") == Answer(200, info={"version": "7.70.0"})
        thread.join()
    assert "no such file" in reach.agent(f"unix://{tmp_path}/none").problem


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://x", "http://[::1", "http://host:port"])
def test_address_that_is_none(url):
    """An address that nobody can ask is a problem in words, not an exception."""
    assert reach.agent(url).problem


def test_something_else_at_the_agents_address():
    """What answers there and is no Agent is not taken for one."""
    with intake() as (url, _):
        of = facts(found={"export": {**EXPORT, "agent_url": url}}, agent=reach.agent(url))
    assert whats(of) == [f"no Agent answers at {url}: what answers there is no Datadog Agent (HTTP status 403)"]


def test_agentless_and_nobody_there():
    """An intake that does not answer is a problem, and the Agent's absence is none."""
    url = f"http://127.0.0.1:{free_ports(1)[0]}"
    export = {**EXPORT, "mode": "llmobs_agentless", "url": url, "agent_url": url}
    of = facts(found={"export": export}, agent=reach.agent(url), intake=reach.intake(url))
    assert whats(of) == [f"Datadog does not answer at {url}: connection refused"]


def test_silent_agent(monkeypatch):
    """One that takes the connection and says nothing is given up soon."""
    monkeypatch.setattr(reach, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as server:
        assert reach.agent(f"http://127.0.0.1:{server.getsockname()[1]}").problem == "timed out"
