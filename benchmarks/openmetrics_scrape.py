"""What one scrape costs from the socket to the values that are sent: ours, the Agent's OpenMetrics check, a bare parse.

    python benchmarks/openmetrics_scrape.py [--rounds 5]

Each way reads the same two pages in turn from a server in another process, with LiteLLM's names and labels, 1 MB and
10 MB; on the second, one series in twenty has moved. What would be sent is thrown away. CPU of the reading process, the
best of the rounds after a first page; only the ratios of one run mean anything. Memory is the peak of a process of its
own that reads three pages. The interpreter's lock: as in ``openmetrics_parser.py``, over one scrape.

The Agent's two are measured where ``datadog_checks_base`` is installed: its own class with the names of ours, and our
check in its framework.
"""

import argparse
import io
import subprocess
import sys
import threading
import urllib.request
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from time import process_time, sleep

from prometheus_client.parser import text_fd_to_metric_families

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.openmetrics_parser import BOUNDS, SMALL, USUAL, _labels, _longest_wait
from ddtrace_litellm.openmetrics.names import table
from ddtrace_litellm.openmetrics.options.models import PageModel
from ddtrace_litellm.openmetrics.pipeline.collector import Collector
from ddtrace_litellm.openmetrics.sources.http import Endpoint, HttpSource

ROOT = Path(__file__).parents[1]
SIZES = {"1MB": SMALL, "10MB": USUAL}
MOVED = 20
"""One series in so many."""


def page(size, number):
    """Return a page as text 0.0.4; on the second one (1), one series in twenty is further."""
    children, histograms, counters = size
    families = [metric for metric in table() if metric.official and metric.family.startswith("litellm_")]
    chosen = [m for m in families if m.type == "histogram"][:histograms]
    chosen += [m for m in families if m.type == "counter"][:counters]
    lines = [f"# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds {1.7639e9}\n"]
    for metric in chosen:
        name, suffix = metric.family, "_total" if metric.type == "counter" else ""
        lines.append(f"# HELP {name}{suffix} As LiteLLM has it\n# TYPE {name}{suffix} {metric.type}\n")
        created = []
        for child in range(children):
            before, behind = _labels(child)
            labels, more = f"{{{before},{behind}}}", number * (child % MOVED == 0)
            if metric.type == "histogram":
                lines += [
                    f'{name}_bucket{{{before},le="{bound}",{behind}}} {float(rank + more)}\n'
                    for rank, bound in enumerate(BOUNDS)
                ]
                lines.append(f"{name}_count{labels} {float(len(BOUNDS) - 1 + more)}\n{name}_sum{labels} {3.5 + more}\n")
            else:
                lines.append(f"{name}_total{labels} {float(child + more)}\n")
            created.append(f"{name}_created{labels} {1.7639e9 + child * 0.173}\n")
        lines.append(f"# HELP {name}_created As LiteLLM has it\n# TYPE {name}_created gauge\n")
        lines += created
    return "".join(lines).encode()


def serve():
    """Serve the pages until standard input ends; print the port."""
    pages = {size: [page(SIZES[size], number) for number in (0, 1)] for size in SIZES}
    asked = dict.fromkeys(SIZES, 0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            size = self.path.strip("/").partition("/")[0]
            body = pages[size][asked[size] % 2]
            asked[size] += 1
            self.send_response(200)
            self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


def ours(url):
    """Return a scrape by the scraper's parts."""
    source, collector = HttpSource(Endpoint(url)), Collector(PageModel())

    def scrape():
        with source.read() as reading:
            return len(collector.collect(reading.samples, reading.asked_at).records)

    return scrape


def bare(url):
    """Return a scrape that only parses, by prometheus_client as it is: the Agent's class changes it for all."""
    agents_form = sys.modules.get("datadog_checks.base.checks.openmetrics.parser_optimizations")

    def scrape():
        if agents_form is not None:
            agents_form.unapply()
            try:
                return parse()
            finally:
                agents_form.apply()
        return parse()

    def parse():
        with urllib.request.urlopen(url) as response:  # noqa: S310  # our own server's
            text = io.TextIOWrapper(response, encoding="utf-8", newline="\n")
            return sum(len(family.samples) for family in text_fd_to_metric_families(text))

    return scrape


@cache
def silent(base):
    """Return a class of checks that count what they would submit."""

    class Silent(base):
        submitted = 0

        def _count(self, *_args, **_options):
            self.submitted += 1

        gauge = count = monotonic_count = rate = submit_histogram_bucket = service_check = _count

    return Silent


def _check(base, instance):
    check = silent(base)("litellm", {}, [instance])

    def scrape():
        before = check.submitted
        error = check.run()
        assert not error, error
        return check.submitted - before

    return scrape


def agents(url):
    """Return a scrape by the Agent's own class, which is given the names that it would be given for LiteLLM."""
    from datadog_checks.base import OpenMetricsBaseCheckV2

    metrics = [{metric.family: metric.name.removeprefix("litellm.")} for metric in table() if metric.family]
    return _check(OpenMetricsBaseCheckV2, {"openmetrics_endpoint": url, "namespace": "litellm", "metrics": metrics})


def ours_in_the_agent(url):
    """Return a scrape by our check."""
    from ddtrace_litellm.openmetrics.check import LiteLLMCheck

    return _check(LiteLLMCheck, {"openmetrics_endpoint": url})


WAYS = {"ours": ours, "our check": ours_in_the_agent, "the Agent's class": agents, "prometheus_client": bare}


def usable():
    """Return the ways that can be gone here."""
    try:
        import datadog_checks.base  # noqa: F401
    except ImportError:
        return {name: way for name, way in WAYS.items() if way in {ours, bare}}
    return WAYS


def cpu(url, rounds):
    """Return by way the best CPU seconds of a scrape, and how many values the last two would have sent."""
    scrapes = {name: way(url) for name, way in usable().items()}
    best, sent = {}, {}
    for _ in range(rounds + 1):
        for name, scrape in scrapes.items():
            for _turn in range(2):  # the page that stands still after the one that moved costs the same to read
                start = process_time()
                sent[name] = scrape()
                if _ or _turn:
                    best[name] = min(best.get(name, 1e9), process_time() - start)
    return best, sent


def longest_stretch(url, attempts=5):
    """Return by way the longest time, in ms, that a second thread waits for its turn during a scrape."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        ways = {"nothing": lambda _url: lambda: sleep(0.05), **usable()}
        return {name: min(_longest_wait(way(url)) for _ in range(attempts)) * 1e3 for name, way in ways.items()}
    finally:
        sys.setswitchinterval(interval)


def peak(name, url):
    """Return the peak of resident memory, in MB, of a process that reads three pages, or only imports."""
    code = f"""
import sys
sys.path.insert(0, {str(ROOT)!r})
from benchmarks import openmetrics_scrape
if {url!r}:
    scrape = openmetrics_scrape.WAYS[{name!r}]({url!r})
    for _ in range(3):
        scrape()
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    return int(done.stdout) / 1024


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    chosen = arguments.parse_args()
    if chosen.serve:
        serve()
        return
    with subprocess.Popen(
        [sys.executable, __file__, "--serve"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        base = f"http://127.0.0.1:{server.stdout.readline().strip()}"
        print(f"Python {sys.version.split()[0]}; x: the way's time against ours")
        for size in SIZES:
            best, sent = cpu(f"{base}/{size}/metrics", chosen.rounds)
            columns = (f"{n} {t * 1e3:6.1f} ms ({t / best['ours']:4.1f}x, {sent[n]} values)" for n, t in best.items())
            print(f"CPU, {size:4}  {'   '.join(columns)}")
        for name in usable():
            peaks = (f"{size} {peak(name, f'{base}/{size}/metrics'):5.1f}" for size in SIZES)
            print(f"peak in MB, {name:18} none {peak(name, ''):5.1f}   {'   '.join(peaks)}")
        waits = longest_stretch(f"{base}/10MB/metrics")
        print(f"lock, 10MB  {'   '.join(f'{name} {wait:6.2f} ms' for name, wait in waits.items())}")
        server.stdin.close()


if __name__ == "__main__":
    main()
