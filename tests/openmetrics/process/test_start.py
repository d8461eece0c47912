"""The scraper in real processes: its start, its end, and forks, with all that arrives on a UDP socket."""

import importlib.util
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

import ddtrace_litellm
from ddtrace_litellm.tryout.runner import find_ddtrace_run
from tests.metrics.receivers import DogStatsD
from tests.openmetrics.servers import Server

ROOT = Path(ddtrace_litellm.__file__).parent.parent
SECONDS = 120
NAME = "litellm.proxy.total_requests.metric.count"
HEALTH = "_sc|litellm.openmetrics.health|"
_NOT_INHERITED = ("DD_", "_DD_", "AWS_", "LITELLM_", "PROMETHEUS_", "PYTEST_")

# Pages come when the program asks for them, or at its end: the interval is longer than any test.
START = """
import os, signal, sys, time
from ddtrace_litellm.config import openmetrics_config
from ddtrace_litellm.openmetrics.process import start

def scrape():
    start._running[0].ask(60, last=False)

start.start(openmetrics_config(os.environ))
"""
REGISTRY = (
    START
    + """
from prometheus_client import Counter
requests = Counter("litellm_proxy_total_requests_metric", "x", ["team"])
"""
)


class Agent(DogStatsD):
    """A socket for DogStatsD, and what arrived there."""

    def counts(self):
        """Return the counts of requests by tags, once everything is read."""
        found = Counter()
        for line in self.lines:
            if line.name == NAME:
                found[",".join(line.tags)] += sum(line.values)
        return dict(+found)

    def checks(self):
        """Return the statuses of the service check, once everything is read."""
        return [int(text.removeprefix(HEALTH)[0]) for text in self.texts if text.startswith(HEALTH)]


@pytest.fixture
def agent():
    """The agent of one test."""
    with Agent() as running:
        yield running


@pytest.fixture
def environment(agent, tmp_path):
    """An environment with nothing of ddtrace's or LiteLLM's in it but what a test needs."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_NOT_INHERITED)}
    return {
        **clean,
        "DD_DOGSTATSD_URL": f"udp://127.0.0.1:{agent.address.port}",
        "DD_INSTRUMENTATION_TELEMETRY_ENABLED": "false",
        "DD_LITELLM_OPENMETRICS_INTERVAL": "3600",
        "DD_REMOTE_CONFIGURATION_ENABLED": "false",
        "DD_TRACE_AGENT_URL": "http://127.0.0.1:1",
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "PYTHONPATH": str(ROOT),
        "TMPDIR": str(tmp_path),  # where processes agree on who scrapes
    }


def run(code, environment, *, launcher=(), status=0, **more):
    """Run a program to its end and return what it printed; on stderr there is nothing but warnings of forks."""
    ended = subprocess.run(
        [*launcher, sys.executable, "-W", "ignore::DeprecationWarning", "-c", code],
        env=environment | more,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == status, ended.stderr
    return ended.stdout, ended.stderr


def of_registry(code, environment, *, before="", **more):
    """Run a program that has LiteLLM's metrics in its own registry, after what it does before."""
    _, complaints = run(before + REGISTRY + code, environment, DD_LITELLM_OPENMETRICS_ENABLED="true", **more)
    assert complaints == ""


def test_everything_is_sent_by_the_end(agent, environment):
    """What was counted before the first page and after the last is sent once, with the end of the process."""
    of_registry(
        "requests.labels('a').inc(7); scrape(); requests.labels('a').inc(5); requests.labels('b').inc(2)", environment
    )
    assert agent.counts() == {"team:a": 12, "team:b": 2}
    assert set(agent.checks()) == {0}


def test_a_process_shorter_than_the_start(agent, environment):
    """A process that ends while the thread still imports waits for it, and sends everything."""
    of_registry("requests.labels('a').inc(3)", environment)
    assert agent.counts() == {"team:a": 3}


def test_a_process_without_litellms_metrics(agent, environment):
    """One that only has the variable, as the proxy's children do, sends nothing, not even that it is well."""
    run(START + "scrape()", environment, DD_LITELLM_OPENMETRICS_ENABLED="true")
    assert agent.texts == []


@pytest.mark.parametrize(
    "before",
    ["", "import ddtrace, signal; signal.signal(signal.SIGTERM, signal.SIG_DFL)\n"],
    ids=["with ddtrace's handler", "where it was put away"],
)
def test_sigterm(before, agent, environment):
    """The signal ends the process as ever, without Python's atexit; everything is sent before."""
    code = "requests.labels('a').inc(7); scrape(); requests.labels('a').inc(5); os.kill(os.getpid(), signal.SIGTERM)"
    of_registry(code, environment, before=before, status=-signal.SIGTERM)
    assert agent.counts() == {"team:a": 12}


def test_sigterm_that_is_answered_slowly(agent, environment):
    """A server that ends its requests first is scraped meanwhile, whatever the interval."""
    own_handler = "import signal; signal.signal(signal.SIGTERM, lambda *_: None)\n"
    code = own_handler + REGISTRY + "os.kill(os.getpid(), signal.SIGTERM); requests.labels('late').inc(4); input()"
    environment |= {"DD_LITELLM_OPENMETRICS_ENABLED": "true"}
    with subprocess.Popen([sys.executable, "-c", code], env=environment, stdin=subprocess.PIPE) as process:
        deadline = time.monotonic() + SECONDS
        while not any(b"team:late" in packet for packet in agent.packets) and time.monotonic() < deadline:
            time.sleep(0.02)
        process.kill()
    assert agent.counts() == {"team:late": 4}


@pytest.mark.parametrize("scraped_before", [False, True], ids=["at once", "after a page"])
def test_forks(scraped_before, agent, environment):
    """Each process sends what it counted itself: what the parent counted before is not sent by its children."""
    code = f"""
requests.labels('a').inc(1000)
if {scraped_before}:
    scrape()
children = []
for _ in range(3):
    child = os.fork()
    if not child:
        requests.labels('a').inc(10)
        requests.labels('b').inc(1)
        scrape()
        requests.labels('a').inc(5)
        sys.exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
requests.labels('a').inc(100)
"""
    of_registry(code, environment)
    assert agent.counts() == {"team:a": 1145, "team:b": 3}


def test_stopped_and_started_again(agent, environment):
    """After a stop nothing is sent, after another start only what is new."""
    code = """
requests.labels('a').inc(7)
start.stop()
requests.labels('stopped').inc(100)
start.start(openmetrics_config(os.environ))
requests.labels('b').inc(5)
"""
    of_registry(code, environment)
    assert agent.counts() == {"team:a": 7, "team:b": 5}


def test_gevent(agent, environment):
    """With monkey patching the thread is a greenlet; everything is sent, forks included."""
    if importlib.util.find_spec("gevent") is None:
        pytest.skip("gevent is not installed")
    code = (
        "from gevent import monkey; monkey.patch_all()\n"
        + REGISTRY
        + """
requests.labels('a').inc(7)
scrape()
child = os.fork()
if not child:
    requests.labels('a').inc(10)
    scrape()    # gevent resolves names in a thread, which cannot start for the first time at the very end
    requests.labels('a').inc(5)
    sys.exit(0)
os.waitpid(child, 0)
requests.labels('a').inc(100)
"""
    )
    run(code, environment, DD_LITELLM_OPENMETRICS_ENABLED="true")
    assert agent.counts() == {"team:a": 122}


class Worker:
    """A process that scrapes an endpoint when it is told to."""

    def __init__(self, environment):
        code = START + "print('ready', flush=True)\nfor _ in sys.stdin:\n    scrape()\n    print('done', flush=True)\n"
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(
            [sys.executable, "-c", code], env=environment, stdin=pipe, stdout=pipe, text=True
        )
        assert self.process.stdout.readline() == "ready\n"

    def scrape(self):
        """Have it scrape, and wait for it."""
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline() == "done\n"

    def end(self):
        """End it, by the end of its input or, if that is too late, by force."""
        self.process.communicate(timeout=SECONDS)

    def kill(self):
        """End it without a chance to do anything."""
        self.process.kill()
        self.process.communicate(timeout=SECONDS)


def test_several_processes_and_one_endpoint(agent, environment):
    """One of them scrapes; when it is gone, another one does, and nothing is counted twice."""
    total = 100

    def page(handler):
        family = "litellm_proxy_total_requests_metric"
        handler.reply(f'# TYPE {family} counter\n{family}_total{{team="a"}} {total}\n# EOF\n'.encode())

    with Server(page) as server:
        environment |= {"DD_LITELLM_OPENMETRICS_ENDPOINT": server.url}
        first = Worker(environment)
        first.scrape()
        second = Worker(environment)
        second.scrape()
        total += 5
        first.scrape()
        first.kill()
        total += 70  # nobody's: between the two there is no page
        second.scrape()
        total += 3
        second.end()
    assert agent.counts() == {f"team:a,endpoint:{server.url}": 8}


@pytest.mark.e2e
def test_under_ddtrace_run(agent, environment):
    """Importing LiteLLM starts the scraper, unpatching stops it, and what was counted until then is sent."""
    code = """
import litellm, ddtrace_litellm
from prometheus_client import Counter
requests = Counter("litellm_proxy_total_requests_metric", "x", ["team"])
requests.labels('a').inc(7)
ddtrace_litellm.unpatch()
requests.labels('unpatched').inc(100)
ddtrace_litellm.patch()
requests.labels('b').inc(5)
"""
    run(code, environment, launcher=[find_ddtrace_run()], DD_LITELLM_OPENMETRICS_ENABLED="true")
    assert agent.counts() == {"team:a": 7, "team:b": 5}
    assert set(agent.checks()) == {0}


@pytest.mark.e2e
def test_the_scrape_is_not_traced(environment):
    """Where ddtrace traces http.client and urllib3, the scraper's own requests have no span."""
    code = (
        """
import os, sys, http.client, urllib3
from ddtrace import tracer
from ddtrace.trace import TraceFilter
seen = []
class Filter(TraceFilter):
    def process_trace(self, trace):
        seen.extend(span.resource or span.name for span in trace)
        return None
tracer.configure(trace_processors=[Filter()])
"""
        + START
        + """
scrape()
connection = http.client.HTTPConnection(*sys.argv[1:] or ("127.0.0.1", int(os.environ["PORT"])))
connection.request("GET", "/users")
connection.getresponse().read()
with urllib3.PoolManager() as pool:
    pool.request("GET", f"http://127.0.0.1:{os.environ['PORT']}/teams")
print(len(seen))
"""
    )
    with Server(lambda handler: handler.reply(b"# TYPE litellm_x counter\nlitellm_x_total 1\n# EOF\n")) as server:
        printed, _ = run(
            code,
            environment,
            launcher=[find_ddtrace_run()],
            DD_LITELLM_OPENMETRICS_ENDPOINT=server.url,
            DD_TRACE_HTTPLIB_ENABLED="true",
            DD_TRACE_URLLIB3_ENABLED="true",
            PORT=str(server.port),
        )
        paths = [path for path, _ in server.requests]
    assert "/metrics" in paths
    assert {"/users", "/teams"} <= {*paths}
    assert printed == "3\n"  # urllib3 has http.client beneath it
