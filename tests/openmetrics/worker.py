"""A process that counts and reads its own registry, and does what it is told line by line."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path


class Worker:
    """The process, as a test sees it.

    Args:
        directory: that of ``PROMETHEUS_MULTIPROC_DIR``; ``None`` for none.
    """

    def __init__(self, directory=None):
        environment = {name: value for name, value in os.environ.items() if "MULTIPROC" not in name.upper()}
        environment["PYTHONPATH"] = str(Path(__file__).parents[2])
        if directory is not None:
            environment["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
        command = [sys.executable, "-m", "tests.openmetrics.worker"]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, text=True
        )
        self.pid = self.process.pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.end(signal.SIGKILL)
        self.process.stdin.close()
        self.process.stdout.close()

    def ask(self, expression):
        """Have an expression evaluated there, with what this module defines."""
        self.process.stdin.write(expression + "\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer, f"the worker ended over {expression}"
        return json.loads(answer)

    def end(self, sent=signal.SIGTERM):
        """End it, by a signal."""
        self.process.send_signal(sent)
        self.process.wait()


class Reader:
    """What a scraper has of the registry: a source and its deltas."""

    def __init__(self):
        from ddtrace_litellm.openmetrics.sources.registry import RegistrySource

        self.source = RegistrySource()
        self.deltas = None

    def sent(self):
        """Read a page and return what it adds, and its gauges, by name and label."""
        from ddtrace_litellm.openmetrics.pipeline.deltas import Deltas

        with self.source.read() as reading:
            self.deltas = self.deltas or Deltas(self.source.started, inherited=self.source.inherited)
            page = self.deltas.read(reading.samples, reading.asked_at)
        added = {_text(*step[:2]): step.value for step in page.counters}
        for step in page.histograms:
            added[_text(*step[:2])] = [step.observations.count, step.observations.sum, *step.observations.buckets]
        added.update({_text(*gauge[:2]): gauge.value for gauge in page.gauges})
        return {name: value for name, value in added.items() if name.startswith("litellm_")}

    def gauges(self):
        """Return the names of the gauges on a page, each for each of its series."""
        with self.source.read() as reading:
            return [sample.family for sample in reading.samples if sample.type == "gauge"]


def _text(family, labels):
    return " ".join([family, *(value for name, value in labels if name != "pid")])


def forked(*expressions):
    """Evaluate expressions in a fork of this process, in which a scraper begins anew; return the last one's value."""
    receives, sends = os.pipe()
    pid = os.fork()
    if not pid:
        NAMES["reader"].deltas = None
        values = [eval(expression, NAMES) for expression in expressions]
        os.write(sends, json.dumps(values[-1]).encode())
        os._exit(0)
    os.close(sends)
    os.waitpid(pid, 0)
    with os.fdopen(receives, "rb") as answer:
        return json.loads(answer.read())


def lasting_fork():
    """Fork, and return the pid of a process that only waits, once it does."""
    receives, sends = os.pipe()
    pid = os.fork()
    if not pid:
        os.write(sends, b"!")
        signal.pause()
        os._exit(0)
    os.read(receives, 1)
    os.close(receives)
    os.close(sends)
    return pid


def metrics(pid=None):
    """Make LiteLLM's metrics; those of a process with that pid."""
    import prometheus_client
    from prometheus_client import Counter, Gauge, Histogram, values

    if pid is not None:
        values.ValueClass = values.MultiProcessValue(lambda: pid)
    made = {
        "requests": Counter("litellm_requests", "Requests", ["user"]),
        "latency": Histogram("litellm_latency", "Seconds", ["user"], buckets=(1, 5)),
        "budget": Gauge("litellm_budget", "Dollars", ["user"]),
        "in_flight": Gauge("litellm_in_flight_requests", "Requests", multiprocess_mode="livesum"),
    }
    NAMES.update(made, prometheus_client=prometheus_client)


def left_by_the_dead(user, value):
    """Have a dead process with this pid have counted requests, and this one be forked only now."""
    from prometheus_client import values

    of_its_own = values.MultiProcessValue()
    of_its_own("counter", "litellm_requests", "litellm_requests_total", ("user",), (user,), "Requests").inc(value)
    NAMES["reader"].source._after_fork_in_child()


def count(user, value=1):
    """Count requests."""
    NAMES["requests"].labels(user).inc(value)


def observe(user, value):
    """Observe a latency."""
    NAMES["latency"].labels(user).observe(value)


def reader():
    """Begin to read, as the takeover does when LiteLLM is imported."""
    NAMES["reader"] = Reader()


def leader(path):
    """Stand for election."""
    from ddtrace_litellm.openmetrics.sources.leader import Leader

    NAMES["leader"] = Leader(Path(path))


NAMES = globals()

if __name__ == "__main__":
    for line in sys.stdin:
        print(json.dumps(eval(line, NAMES)), flush=True)
