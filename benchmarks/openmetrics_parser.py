"""What reading a metrics page costs: our parser, prometheus_client's two, and the Agent's faster form of those.

    python benchmarks/openmetrics_parser.py [--rounds 3] [--skip-big]

The pages have the shape of LiteLLM's, in both formats: 1 MB, 10 MB as with 200 keys, 120 MB as with 2,000. CPU is
taken in turns in one process, the best of the rounds; only the ratios of one run mean anything. Our parser is timed on
the first page of a source and on a later one. Memory is the peak of a process of its own that keeps nothing of a file.
The interpreter's lock: a second thread takes the time between its turns while the switch interval is 0.1 ms, so that a
longer wait is a call into C that did not let go, or a busy machine (the smallest of several maxima is shown).

The Agent's form is timed where ``datadog_checks_base`` is installed.
"""

import argparse
import functools
import hashlib
import io
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from time import perf_counter, process_time, sleep

from prometheus_client.openmetrics.parser import text_fd_to_metric_families as read_openmetrics
from prometheus_client.parser import text_fd_to_metric_families as read_text

sys.path.insert(0, str(Path(__file__).parents[1]))

from ddtrace_litellm.openmetrics.text.memory import Memory
from ddtrace_litellm.openmetrics.text.parser import parse

try:
    from datadog_checks.base.checks.openmetrics import parser_optimizations as agents_form
except ImportError:
    agents_form = None

TYPES = {"text": "text/plain; version=0.0.4; charset=utf-8", "openmetrics": "application/openmetrics-text"}
SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0)
BOUNDS = [*map(str, SECONDS), "+Inf"]
SMALL, USUAL, BIG = (20, 5, 8), (193, 5, 8), (10_300, 1, 3)
"""Children, histograms of each, counters of each."""


def _labels(child):
    digest = hashlib.sha256(str(child).encode()).hexdigest()
    key, team = child // 3, child % 50
    before = (
        f'api_key_alias="alias-sk-{key:05}",api_provider="openai",client_ip="127.0.0.1",end_user="None",'
        f'hashed_api_key="{digest}"'
    )
    behind = (
        f'model="gpt-4o-mini-{child % 3}",model_id="{digest[::-1]}",requested_model="mock-{child % 3}",'
        f'team="team-{team:02}",team_alias="Team {team:02}",user="user-{key:05}",user_email="u{key:05}@example.com"'
    )
    return before, behind


def page(size, form):
    """Yield the lines of a page: histograms, then counters, with the times of creation where the format has them."""
    children, histograms, counters = size
    strict = form == "openmetrics"
    blocks = [_labels(child) for child in range(children)]
    for kind, number in [("histogram", n) for n in range(histograms)] + [("counter", n) for n in range(counters)]:
        name = f"litellm_{kind}_number_{number}_metric"
        suffix = "" if strict or kind == "histogram" else "_total"
        yield f"# HELP {name}{suffix} As LiteLLM has it\n# TYPE {name}{suffix} {kind}\n"
        created = []
        for child, (before, behind) in enumerate(blocks):
            labels = f"{{{before},{behind}}}"
            if kind == "histogram":
                step = child % 7
                for rank, bound in enumerate(BOUNDS):
                    yield f'{name}_bucket{{{before},le="{bound}",{behind}}} {float(rank * step)}\n'
                yield f"{name}_count{labels} {float(step * (len(BOUNDS) - 1))}\n{name}_sum{labels} {child * 0.7310}\n"
            else:
                yield f"{name}_total{labels} {child * 0.0037}\n"
            line = f"{name}_created{labels} {1.7639e9 + child * 0.173}\n"
            if strict:
                yield line
            else:
                created.append(line)
        if created:
            yield f"# HELP {name}_created As LiteLLM has it\n# TYPE {name}_created gauge\n"
            yield from created
    if strict:
        yield "# EOF\n"


_READ = """
import sys
from time import process_time
path, content_type = sys.argv[1:3]
sys.path.insert(0, sys.argv[3])
{imports}
start = process_time()
{reads}
# Not getrusage: its peak is inherited from the process that started this one.
peak = next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(int(peak) / 1024, process_time() - start)
"""
READ = {
    "nothing": _READ.format(imports="", reads=""),
    "ours": _READ.format(
        imports="from ddtrace_litellm.openmetrics.text.parser import parse",
        reads="""
with open(path, "rb") as file:
    for sample in parse(iter(lambda: file.read(1 << 16), b""), content_type):
        pass
""",
    ),
    "prometheus_client": _READ.format(
        imports="import prometheus_client.parser as text, prometheus_client.openmetrics.parser as strict",
        reads="""
with open(path, encoding="utf-8", newline="\\n") as file:
    for family in (strict if "openmetrics" in content_type else text).text_fd_to_metric_families(file):
        pass
""",
    ),
}
"""Programs, by the parser that they import: Linux only."""


def _drain(samples):
    count = 0
    for _ in samples:
        count += 1
    return count


def _theirs(read, file):
    return sum(len(family.samples) for family in read(file))


READERS = {"text": read_text, "openmetrics": read_openmetrics}


def _pieces(body, size=1 << 16):
    return (body[start : start + size] for start in range(0, len(body), size))


def time_cpu(size, form, rounds):
    """Return the bytes and the samples of a page, and the seconds of CPU that each parser needs."""
    text = "".join(page(size, form))
    body, known = text.encode(), Memory()
    samples = _drain(parse([body], TYPES[form], known))
    ways = {
        "ours, first page": lambda: _drain(parse(_pieces(body), TYPES[form])),
        "ours, later page": lambda: _drain(parse(_pieces(body), TYPES[form], known)),
        "prometheus_client": lambda: _theirs(READERS[form], io.StringIO(text)),
    }
    if agents_form is not None:
        ways["the Agent's form"] = functools.partial(_patched, ways["prometheus_client"])
    best = {}
    for _ in range(rounds):
        for name, run in ways.items():
            start = process_time()
            assert run() == samples
            best[name] = min(best.get(name, 1e9), process_time() - start)
    return len(body), samples, best


def _patched(run):
    agents_form.apply()
    try:
        return run()
    finally:
        agents_form.unapply()


def longest_stretch(form, attempts=5):
    """Return the longest time, in ms, that a second thread waits for its turn."""
    text = "".join(page(USUAL, form))
    body = text.encode()
    ways = {
        "nothing": lambda: sleep(0.05),
        "ours": lambda: _drain(parse([body], TYPES[form])),
        "decode and split the page at once": lambda: body.decode().split("\n"),
    }
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-4)
    try:
        return {name: min(_longest_wait(run) for _ in range(attempts)) * 1e3 for name, run in ways.items()}
    finally:
        sys.setswitchinterval(interval)


def _longest_wait(run):
    done, longest = threading.Event(), 0.0

    def tick():
        nonlocal longest
        last = perf_counter()
        while not done.is_set():
            sleep(0)
            now = perf_counter()
            longest, last = max(longest, now - last), now

    thread = threading.Thread(target=tick)
    thread.start()
    run()
    done.set()
    thread.join()
    return longest


def peak(parser, form, path):
    """Return the peak of resident memory, in MB, and the seconds of CPU of a process that reads a file."""
    command = [sys.executable, "-c", READ[parser], str(path), TYPES[form], str(Path(__file__).parents[1])]
    return map(float, subprocess.run(command, check=True, capture_output=True, text=True).stdout.split())


def report_memory(sizes):
    """Print the peaks of each parser, and of a process that reads nothing."""
    with tempfile.TemporaryDirectory() as root:
        for form in TYPES:
            for size in sizes:
                path = Path(root, "page")
                with path.open("w", encoding="utf-8", newline="\n") as file:
                    file.writelines(page(size, form))
                columns = []
                for parser in ("nothing", "ours") if size is BIG else ("nothing", "ours", "prometheus_client"):
                    megabytes, seconds = peak(parser, form, path)
                    columns.append(f"{parser} {megabytes:6.1f} MB, {seconds:5.2f} s")
                print(f"peak, {form:11} {path.stat().st_size / 1e6:6.1f} MB   {'   '.join(columns)}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--skip-big", action="store_true")
    chosen = arguments.parse_args()
    print(f"Python {sys.version.split()[0]}; x: prometheus_client's time against it")
    for form in TYPES:
        for size in (SMALL, USUAL):
            length, samples, best = time_cpu(size, form, chosen.rounds)
            columns = (f"{name} {t * 1e3:7.1f} ms ({best['prometheus_client'] / t:5.1f}x)" for name, t in best.items())
            print(f"CPU, {form:11} {length / 1e6:5.2f} MB, {samples:5} samples   {'   '.join(columns)}")
    for form in TYPES:
        waits = longest_stretch(form)
        print(f"lock, {form:11} {'   '.join(f'{name} {wait:6.2f} ms' for name, wait in waits.items())}")
    report_memory((SMALL, USUAL) if chosen.skip_big else (SMALL, USUAL, BIG))


if __name__ == "__main__":
    main()
