import json
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from http.client import HTTPConnection
from urllib.parse import urlsplit

import pytest

from tests.openmetrics.servers import Server, closed_url
from tests.proxy.server import Proxy, environment

KEY = "sk-0123456789abcdef0123456789abcdef"
COMMAND = [sys.executable, "-m", "ddtrace_litellm", "scrape"]
PROXY_MODULES = ("apscheduler", "backoff", "fastapi", "orjson", "prometheus_client", "uvicorn")
LAST_LINE = "  python_info\n"
WIDE = environment({"COLUMNS": "1000", "NO_COLOR": "1"})


def page(requests):
    """Return a page by the number of requests so far."""
    return f"""\
# TYPE litellm_proxy_total_requests_metric counter
litellm_proxy_total_requests_metric_total{{route="/r",user_agent="a\x1b[31m [b]"}} {requests}.0
litellm_proxy_total_requests_metric_created{{route="/r",user_agent="a\x1b[31m [b]"}} 1000.0
# TYPE litellm_request_total_latency_metric histogram
litellm_request_total_latency_metric_bucket{{le="0.5"}} {requests}.0
litellm_request_total_latency_metric_bucket{{le="1.0"}} {requests}.0
litellm_request_total_latency_metric_bucket{{le="+Inf"}} {requests}.0
litellm_request_total_latency_metric_count {requests}.0
litellm_request_total_latency_metric_sum {requests / 4}
litellm_request_total_latency_metric_created 1000.0
# TYPE litellm_in_flight_requests gauge
litellm_in_flight_requests 1.0
# TYPE litellm_novel_size gauge
litellm_novel_size 2.0
# TYPE python_info gauge
python_info 1.0
# EOF
""".encode()


def scrape(*arguments):
    """Run the command to its end."""
    return subprocess.run(
        [*COMMAND, *arguments],
        capture_output=True,
        text=True,
        env=WIDE,
        timeout=60,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def failure(*arguments):
    """Return the one line of a command that fails."""
    ended = scrape(*arguments)
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    return line


def rows(text):
    """Return the rows of the tables: name, type, value and tags."""
    return [
        tuple(line.strip().split(None, 3))
        for line in text.splitlines()
        if re.match(r"litellm\.\S+ +(count|gauge|total) ", line)
    ]


class Watch:
    """The command without ``--once``, as a context manager; Ctrl-C ends it."""

    def __init__(self, directory, *arguments):
        self._output, self._arguments = directory / "watched", arguments

    def __enter__(self):
        with self._output.open("wb") as output, self._output.with_suffix(".err").open("wb") as errors:
            self._process = subprocess.Popen(
                [*COMMAND, *self._arguments], stdout=output, stderr=errors, env=WIDE, stdin=subprocess.DEVNULL
            )
        return self

    def __exit__(self, *_exception):
        self._process.send_signal(signal.SIGINT)
        try:
            self.status = self._process.wait(10)
        finally:
            self._process.kill()
        self.errors = self._output.with_suffix(".err").read_text()

    @property
    def output(self):
        return self._output.read_text()

    def wait(self, condition, seconds=30):
        """Wait for what ``condition`` finds in the output."""
        deadline = time.monotonic() + seconds
        while not condition(self.output):
            assert time.monotonic() < deadline, self.output + self._output.with_suffix(".err").read_text()
            assert self._process.poll() is None, self._output.with_suffix(".err").read_text()
            time.sleep(0.05)


def test_once():
    """One page shows gauges as they would be sent, totals as what they are, and what has no name of its own."""
    with Server(lambda handler: handler.reply(page(3))) as server:
        ended = scrape(server.url, "--once")
    assert (ended.returncode, ended.stderr) == (0, "")
    gauges, _, totals = ended.stdout.partition("4 totals, which are not sent")
    assert rows(gauges) == [("litellm.in_flight_requests", "gauge", "1"), ("litellm.novel.size", "gauge", "2")]
    assert "Counts need two pages" in totals
    assert rows(totals) == [
        ("litellm.proxy.total_requests.metric.count", "total", "3", r"route:/r, user_agent:a\x1b[31m [b]"),
        ("litellm.request.total_latency.metric.bucket", "total", "x2", "upper_bound:0.5 ... 1.0"),
        ("litellm.request.total_latency.metric.count", "total", "3"),
        ("litellm.request.total_latency.metric.sum", "total", "0.75"),
    ]
    assert re.search(r"named by its rule:\n  litellm_novel_size as litellm.novel.size\n", totals)
    assert re.search(r"Ignored.*:\n  python_info\n", totals)


def test_two_pages(tmp_path):
    """Without ``--once`` the first page is the baseline, and each later one shows what was added; Ctrl-C is quiet."""
    pages = iter([page(3), page(7)])
    with (
        Server(lambda handler: handler.reply(next(pages, page(7)))) as server,
        Watch(tmp_path, server.url, "--interval", "0.2") as watch,
    ):
        watch.wait(lambda text: text.count(LAST_LINE) >= 3)
    assert (watch.status, watch.errors) == (130, "")
    first, second, third = re.split(r"\d+ counts? since the last page", watch.output)[:3]
    gauges = [("litellm.in_flight_requests", "gauge", "1"), ("litellm.novel.size", "gauge", "2")]
    assert "counts begin with the next page" in first
    assert rows(first) == rows(third)[:2] == gauges
    assert rows(second) == [
        ("litellm.proxy.total_requests.metric.count", "count", "4", r"route:/r, user_agent:a\x1b[31m [b]"),
        ("litellm.request.total_latency.metric.bucket", "count", "x2", "upper_bound:0.5 ... 1.0"),
        ("litellm.request.total_latency.metric.count", "count", "4"),
        ("litellm.request.total_latency.metric.sum", "count", "1"),
        *gauges,
    ]


def test_a_page_that_fails_is_one_line(tmp_path):
    """While it watches, a page that cannot be read is said in one line, and the next counts from the last whole one."""
    pages = iter([page(3), page(5)[:-6], page(7)])
    with (
        Server(lambda handler: handler.reply(next(pages, page(7)))) as server,
        Watch(tmp_path, server.url, "--interval", "0.2") as watch,
    ):
        watch.wait(lambda text: text.count(LAST_LINE) >= 2)
    (line,) = watch.errors.splitlines()
    assert "it is the last, and it is not # EOF" in line
    assert ("litellm.request.total_latency.metric.count", "count", "4") in rows(watch.output)


def test_tokens(tmp_path):
    """The token comes from the option or a file; where it is missing or wrong, the message says how to give it."""
    file = tmp_path / "token"
    file.write_text("sk-1\n")

    def answer(handler):
        known = handler.headers["Authorization"] == "Bearer sk-1"
        handler.reply(page(1) if known else b'"no"', status=200 if known else 401)

    with Server(answer) as server:
        assert scrape(server.url, "--once", "--token", "sk-1").returncode == 0
        assert scrape(server.url, "--once", "--token-file", str(file)).returncode == 0
        assert "401 Unauthorized: a key is needed, with --token or --token-file" in failure(server.url)
        said = failure(server.url, "--token", "sk-2")
        assert "another key is needed" in said
        assert "sk-2" not in said
        absent = str(tmp_path / "absent.txt")
        assert f"cannot read the token from {absent}" in failure(server.url, "--token-file", absent)


def test_failures_are_one_line():
    """What keeps the first page from being read is one line without a traceback, and exit status 1."""
    assert "cannot be reached: Connection refused" in failure(closed_url())
    assert "is no URL" in failure("localhost", "--once")
    with Server(lambda handler: handler.reply(b"hello\n", Content_Type="text/plain")) as server:
        assert "line 1 of the metrics page" in failure(server.url)
    with Server(lambda handler: handler.reply(b"# EOF\n")) as server:
        assert "no samples" in failure(server.url, "--once")
    with Server(lambda handler: handler.wfile.write(b"HTTP/1.1 500 \x1b[31m" + b"x" * 30_000 + b"\r\n\r\n")) as server:
        assert failure(server.url).endswith("answers 500 Internal Server Error")


@pytest.mark.parametrize("interval", ["0", "-1", "nan", "inf", "soon"])
def test_interval_is_a_number_of_seconds(interval):
    """Another interval is a wrong command line."""
    ended = scrape("http://localhost/", f"--interval={interval}")
    assert ended.returncode == 2
    assert f"'{interval}' is no number of seconds" in ended.stderr


def complete(connection, model):
    """Ask the proxy for a completion; return its usage, ``None`` for an error."""
    body = json.dumps({"model": model, "messages": [{"role": "user", "content": "hi"}]})
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/json"}
    connection.request("POST", "/v1/chat/completions", body, headers)
    response = connection.getresponse()
    answer = json.loads(response.read())
    return answer["usage"] if response.status == 200 else None


def test_counts_of_the_real_proxy_are_the_truth(tmp_path):
    """What is printed adds up to the requests and tokens that went through the proxy between the pages."""
    for module in PROXY_MODULES:
        pytest.importorskip(module, reason=f"LiteLLM's proxy and its metrics need {module}: pip install litellm[proxy]")
    mock = {"model": "openai/gpt-4o-mini", "api_key": "k"}
    configuration = {
        "model_list": [
            {"model_name": "one", "litellm_params": {**mock, "mock_response": "hello"}},
            {"model_name": "two", "litellm_params": {**mock, "mock_response": "good bye"}},
        ],
        "litellm_settings": {"callbacks": ["prometheus"]},
        "general_settings": {"master_key": KEY},
    }
    with Proxy(tmp_path, configuration) as starting:
        proxy = starting.wait()
        connection = HTTPConnection(urlsplit(proxy.url).netloc, timeout=60)
        for _ in range(2):
            complete(connection, "one")
        connection.close()  # uvicorn leaves one that is idle for 5 s, which a first page may take on a busy machine
        with Watch(tmp_path, f"{proxy.url}/metrics", "--token", KEY, "--interval", "1") as watch:
            watch.wait(lambda text: "first page" in text)
            usages = [(model, complete(connection, model)) for model in ["one"] * 5 + ["two"] * 3]
            connection.close()
            # Counters move in the background: what is wrong is seen in what the pages after that one have.
            watch.wait(lambda text: _sums(text)["litellm.requests.metric.count"] >= len(usages))
            pages = watch.output.count("since the last page")
            watch.wait(lambda text: text.count("since the last page") >= pages + 2)
    sums = _sums(watch.output)
    assert all(usage for _, usage in usages)
    assert sums["litellm.requests.metric.count"] == 8
    assert sums["litellm.proxy.total_requests.metric.count", "one"] == 5
    assert sums["litellm.proxy.total_requests.metric.count", "two"] == 3
    assert sums["litellm.total.tokens.count"] == sum(usage["total_tokens"] for _, usage in usages)
    assert sums["litellm.request.total_latency.metric.count"] == 8
    assert "Not in the table" not in watch.output


def _sums(text):
    """Return the sums of the counts that were printed: by name, and by name and requested model."""
    sums = Counter()
    for name, type_, value, *tags in rows(text):
        if type_ == "count" and not value.startswith("x"):
            sums[name] += float(value)
            if model := re.search(r"requested_model:(\w+)", "".join(tags)):
                sums[name, model[1]] += float(value)
    return sums
