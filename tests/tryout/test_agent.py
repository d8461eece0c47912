import os
import signal
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import pytest

import ddtrace_litellm
from ddtrace_litellm.tryout.agent import TestAgent, free_ports
from ddtrace_litellm.tryout.errors import TryoutError
from tests.tryout.conftest import Sender, span
from tests.tryout.processes import gone
from tests.tryout.servers import get

PACKAGE_PARENT = str(Path(ddtrace_litellm.__file__).parents[1])


def test_answers_while_it_runs_and_is_gone_afterwards():
    """The agent answers inside the block; behind it neither its process nor its port is left."""
    with TestAgent() as agent:
        pid, port = agent.pid, urlsplit(agent.url).port
        assert "/evp_proxy/v2/" in agent.get_json("/info")["endpoints"]
    assert gone(pid)
    with socket.socket() as probe:
        assert probe.connect_ex(("127.0.0.1", port)) != 0


def test_is_gone_after_an_error_in_the_block():
    """An exception in the block passes, and the agent does not stay."""

    class WentWrongError(Exception):
        pass

    def use(pids):
        with TestAgent() as agent:
            pids.append(agent.pid)
            raise WentWrongError

    pids = []
    with pytest.raises(WentWrongError):
        use(pids)
    assert gone(pids[0])


def test_is_gone_when_its_parent_is_killed():
    """Even SIGKILL of the process that started it leaves no agent behind."""
    code = (
        "import time; from ddtrace_litellm.tryout.agent import TestAgent\n"
        "with TestAgent() as agent: print(agent.pid, flush=True); time.sleep(60)"
    )
    environment = {**os.environ, "PYTHONPATH": PACKAGE_PARENT}
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, env=environment) as parent:
        pid = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    assert gone(pid)


def test_does_not_forward_to_the_users_agent(monkeypatch):
    """The user's DD_TRACE_AGENT_URL, HOST and PORT mean nothing to it."""
    monkeypatch.setenv("DD_TRACE_AGENT_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("HOST", "no-such-host.invalid")
    monkeypatch.setenv("PORT", "1")
    with TestAgent() as agent:
        assert agent.get_json("/test/traces") == []


def test_that_does_not_start_says_why(monkeypatch, tmp_path):
    """An agent that cannot start is one error with the port and its own last words, and no process is left."""
    broken = tmp_path / "ddapm_test_agent"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise RuntimeError('this agent is broken')")
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), PACKAGE_PARENT]))
    with pytest.raises(
        TryoutError, match=r"did not start on port \d+ of 127\.0\.0\.1: RuntimeError: this agent is broken"
    ):
        TestAgent().__enter__()


def test_wrong_answer_is_an_error_that_names_the_path(running_agent):
    """A question it does not know is an error, no traceback of HTTP."""
    with pytest.raises(TryoutError, match=r"did not answer /no/such/path: .*404"):
        running_agent.get_json("/no/such/path")


def test_free_ports_are_different():
    """As many ports as asked for, no two the same."""
    assert len(set(free_ports(5))) == 5


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:1", 200),
        ("localhost", 200),
        ("[::1]:80", 200),
        ("rebound.example:80", 403),
        ("127.0.0.1.rebound.example", 403),
        ("user@rebound.example", 403),
        ("[", 403),
        ("", 403),
    ],
)
def test_answers_only_to_its_own_names(running_agent, host, status):
    """A page of another site whose name leads here (DNS rebinding) reads nothing of the agent."""
    for path in ("/test/traces", "/info"):
        assert get(f"{running_agent.url}{path}", Host=host)[0].status == status


def test_everything_is_taken_once():
    """While spans come all the time, taking them again and again gives each one, and none twice."""
    with TestAgent() as agent:
        sender, taken = Sender(agent), []
        with ThreadPoolExecutor(2) as pool:
            sent = [pool.submit(sender.chunks, [span(number)]) for number in range(1, 101)]
            while not all(each.done() for each in sent):
                taken += agent.take()[0]
        for each in sent:
            each.result()
        taken += agent.take()[0]
        assert agent.take() == ([], [])
        assert sorted(each["span_id"] for trace in taken for each in trace) == list(range(1, 101))


def test_what_could_not_be_taken_is_taken_the_next_time(monkeypatch):
    """An answer that did not come is an error, and what it would have been comes the next time."""
    with TestAgent() as agent:
        Sender(agent).chunks([span(1)])
        with monkeypatch.context() as patched:
            patched.setattr(agent, "get_json", lambda path: TestAgent.get_json(agent, path.replace("session", "no")))
            with pytest.raises(TryoutError, match="did not answer"):
                agent.take()
        Sender(agent).chunks([span(2)])
        assert [each["span_id"] for trace in agent.take()[0] + agent.take()[0] for each in trace] == [1, 2]
