"""What the check does beyond the base class: where it asks, what it keeps, what it asks for besides the page."""

import json
import subprocess
import sys
import textwrap
import time
from unittest.mock import MagicMock
from urllib.parse import urlsplit

import pytest

pytest.importorskip("datadog_checks.base", reason="needs the packages of an Agent: pip install datadog-checks-base")

from datadog_checks.base import ConfigurationError
from datadog_checks.base.agent import datadog_agent

from ddtrace_litellm import __version__
from ddtrace_litellm.openmetrics.check import LiteLLMCheck
from ddtrace_litellm.openmetrics.names import families
from ddtrace_litellm.openmetrics.pipeline.places import Places
from tests.openmetrics.agent_check.checks import OPENMETRICS, Run, served, x
from tests.openmetrics.servers import Server

KEY = {"Authorization": "Bearer sk-1", "x-litellm-api-key": "sk-2"}


def in_a_program(code, *arguments):
    """Run a program in another process, where nothing is imported yet, and return what it prints."""
    program = textwrap.dedent(code)
    done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_nothing_is_imported_that_an_agent_does_not_have():
    """Beyond the packages of an Agent, the standard library and this package, importing the check loads nothing."""
    new = in_a_program("""
        import sys
        import datadog_checks.base.checks.openmetrics.v2.base
        import datadog_checks.base.utils.http
        before = {name.partition(".")[0] for name in sys.modules}

        class Refuse:
            def find_spec(self, name, path=None, target=None):
                if name.partition(".")[0] in {"litellm", "rich", "datadog", "datadog_api_client", "httpx", "aiohttp"}:
                    raise AssertionError(f"{name} is imported")

        sys.meta_path.insert(0, Refuse())
        import ddtrace_litellm.openmetrics.check
        print(sorted({name.partition(".")[0] for name in sys.modules} - before - sys.stdlib_module_names))
    """)
    assert set(eval(new)) <= {"ddtrace_litellm"}


def test_an_agent_finds_it_under_its_own_name(tmp_path):
    """The loader takes the first subclass of AgentCheck that has none itself, in a module with the check's name."""
    (tmp_path / "litellm_om.py").write_text("from ddtrace_litellm.openmetrics.check import LiteLLMCheck\n")
    found = in_a_program(
        """
        import importlib, sys
        from datadog_checks.base import AgentCheck
        sys.path.append(sys.argv[1])
        try:
            module = importlib.import_module("datadog_checks.litellm_om")
        except ModuleNotFoundError:
            module = importlib.import_module("litellm_om")
        for name in sorted(vars(module)):
            found = getattr(module, name)
            if isinstance(found, type) and issubclass(found, AgentCheck) and found is not AgentCheck:
                if not found.__subclasses__():
                    check = found("litellm_om", {}, [{}])
                    print(found.__name__, check.name, check.check_version)
                    break
        """,
        str(tmp_path),
    )
    assert found == f"LiteLLMCheck litellm_om {__version__}\n"


@pytest.mark.parametrize("instance", [{}, {"openmetrics_endpoint": ""}, {"openmetrics_endpoint": None}, None])
def test_default_endpoint(instance):
    """Without an endpoint it is the proxy's own, with the slash that saves a redirect."""
    check = LiteLLMCheck("litellm_om", {}, [instance])
    check.configure_scrapers()
    assert list(check.scrapers) == ["http://localhost:4000/metrics/"]


def test_counts_begin_where_the_check_does():
    """The first page is the baseline; what the proxy begins to count later counts from its first value on."""
    with served() as (page, server):
        page.content_type = OPENMETRICS
        run = Run(LiteLLMCheck, server.url)
        counts = []
        for page.text in (x(5, 1.7e9), x(7, 1.7e9), x(3, time.time() + 5)):
            counts += run().named("litellm.x.count")
    assert counts == [0, 2, 3]


def test_series_that_differ_by_case_are_one():
    """Datadog writes tags in lower case and keeps one of two values, so counts are added before."""
    with served() as (page, server):
        page.content_type = OPENMETRICS
        run = Run(LiteLLMCheck, server.url, exclude_labels=["k"])
        counts = []
        for value in (1, 4):
            lines = [f'litellm_x_total{{team="{team}",k="{k}"}} {value}' for k in "ab" for team in ("Red", "red")]
            page.text = "\n".join(["# TYPE litellm_x counter", *lines, "# EOF", ""])
            counts.append(run().named("litellm.x.count"))
    assert counts == [[0], [12]]


def test_process_start_time(monkeypatch):
    """With `use_process_start_time` what began after the Agent did counts from the first page on."""
    monkeypatch.setattr(datadog_agent, "get_process_start_time", lambda: 2e9, raising=False)
    counts = []
    with served() as (page, server):
        page.content_type = OPENMETRICS
        for created in (1.9e9, 2.1e9):
            page.text = x(5, created)
            run = Run(LiteLLMCheck, server.url, use_process_start_time=True)
            counts.append(run().named("litellm.x.count"))
    assert counts == [[0], [5]]


def test_distributions_are_submitted_as_steps():
    """A bucket is what it grew by, so the Agent must not compare it with the one before."""
    page_of = (
        '# TYPE litellm_h histogram\nlitellm_h_bucket{{le="1.0"}} {0}\nlitellm_h_bucket{{le="+Inf"}} {1}\n'
        "litellm_h_count {1}\nlitellm_h_sum 9.0\n# EOF\n"
    )
    with served() as (page, server):
        page.content_type = OPENMETRICS
        for options in ({"histogram_buckets_as_distributions": True}, {"collect_histograms_as_distributions": True}):
            run = Run(LiteLLMCheck, server.url, tag_by_endpoint=False, **options)
            run.aggregator.submit_histogram_bucket = MagicMock()
            for page.text in (page_of.format(1, 2), page_of.format(4, 6)):
                run()
            calls = [call.args[2:] for call in run.aggregator.submit_histogram_bucket.call_args_list]
            bounds = [["upper_bound:1.0", "lower_bound:0"], ["upper_bound:inf", "lower_bound:1.0"]]
            tags = bounds if "histogram_buckets_as_distributions" in options else [[], []]
            assert [(*call[:5], sorted(call[6])) for call in calls] == [
                ("litellm.h", 3, 0.0, 1.0, False, sorted(tags[0])),
                ("litellm.h", 1, 1.0, float("inf"), False, sorted(tags[1])),
            ]


def test_dynamic_tags():
    """Tags that are set later are on everything but the service check, unless they are ignored ones."""
    with served() as (page, server):
        page.text, page.content_type = x(1), OPENMETRICS
        run = Run(
            LiteLLMCheck, server.url, tag_by_endpoint=False, tags=["a:1"], ignore_tags=["^secret"], telemetry=True
        )
        run()
        run.check.set_dynamic_tags("pod:b", "secret:c")
        commit = run()
    assert {context.tags for context in commit.values if "telemetry" in context.name} >= {("a:1", "pod:b")}
    assert commit.service_checks[0][2] == ("a:1",)
    assert not any("secret" in tag for context in commit.values for tag in context.tags)


def test_scrapers_that_come_and_go():
    """Endpoints that a subclass finds at run time are scraped; those that stay keep what they know."""
    with served() as (page, server), served() as (_, other):
        page.text, page.content_type = x(1), OPENMETRICS
        run = Run(LiteLLMCheck, server.url)
        run()
        known = run.check.scrapers[server.url]
        run.check.scraper_configs = [{"openmetrics_endpoint": server.url}, {"openmetrics_endpoint": other.url}]
        run.check.configure_scrapers()
        assert list(run.check.scrapers) == [server.url, other.url]
        assert run.check.scrapers[server.url] is known
        run.check.scraper_configs = [{"openmetrics_endpoint": server.url, "tags": ["a:b"]}]
        run.check.configure_scrapers()
        assert run.check.scrapers[server.url] is not known


def test_unknown_families_are_told_once():
    """What is sent under a name that nobody chose is logged, each family once."""
    with served() as (page, server):
        page.text, page.content_type = x(1), OPENMETRICS
        run = Run(LiteLLMCheck, server.url)
        run.check.log = MagicMock()
        for _ in range(2):
            run()
    run.check.log.info.assert_called_once()
    assert run.check.log.info.call_args.args[1:] == ("litellm_x", "litellm.x")


def test_most_metrics():
    """`max_returned_metrics` is the Agent's own, with its warning."""
    with served() as (page, server):
        run = Run(LiteLLMCheck, server.url, max_returned_metrics=2)
        page.text = "# TYPE litellm_g gauge\n" + "".join(f'litellm_g{{a="{i}"}} {i}\n' for i in range(5))
        commit = run()
        assert len(commit.values) == 2
        assert run.check.warnings


def test_most_series(monkeypatch):
    """What is remembered has a bound in an Agent too: it is told once, and what is left out is counted."""
    monkeypatch.setattr("ddtrace_litellm.openmetrics.pipeline.collector.Places", lambda _: Places(2))
    with served() as (page, server):
        page.text = "# TYPE litellm_g gauge\n" + "".join(f'litellm_g{{a="{i}"}} {i}\n' for i in range(5))
        run = Run(LiteLLMCheck, server.url)
        run.check.log = MagicMock()
        for _ in range(2):
            commit = run()
            assert commit.named("litellm.g") == [0, 1]
            assert commit.named("litellm.openmetrics.dropped_series.count") == [3]
    run.check.log.warning.assert_called_once()
    assert run.check.log.warning.call_args.args[1:] == (server.url, 3)


@pytest.mark.parametrize(
    ("instance", "init_config"), [({"process_isolation": True}, {}), ({}, {"process_isolation": True})]
)
def test_process_isolation(instance, init_config):
    """A process that is new in each run knows no page before: that is refused rather than counting nothing."""
    check = LiteLLMCheck("litellm_om", init_config, [instance])
    with pytest.raises(ConfigurationError, match=r"process_isolation: .* use_base_class_scraper"):
        check.configure_scrapers()
    LiteLLMCheck("litellm_om", init_config, [{**instance, "use_base_class_scraper": True}]).configure_scrapers()


def test_the_base_class_itself():
    """With `use_base_class_scraper` totals go to the Agent, which takes the differences, under our names."""
    with served() as (page, server):
        run = Run(LiteLLMCheck, server.url, use_base_class_scraper=True, tag_by_endpoint=False)
        run.aggregator.submit_metric = MagicMock(side_effect=run.aggregator.submit_metric)
        page.text = (
            "# TYPE litellm_rate_limit_errors_metric_total counter\nlitellm_rate_limit_errors_metric_total 3\n"
            "# TYPE litellm_spend_metric_total counter\nlitellm_spend_metric_total 3\n"
            "# TYPE process_start_time_seconds gauge\nprocess_start_time_seconds 1.7e9\n"
            "# TYPE process_open_fds gauge\nprocess_open_fds 3\n"
        )
        run()
        sent = {call.args[3]: call.args[2:5:2] for call in run.aggregator.submit_metric.call_args_list}
    assert run.error == ""
    assert sent["litellm.spend.metric.count"] == (run.aggregator.MONOTONIC_COUNT, 3)
    assert sent["litellm.process.uptime.seconds"][1] == pytest.approx(time.time() - 1.7e9, abs=5)
    assert not any("fds" in name for name in sent)


def test_the_map_has_every_family():
    """The base class gets the whole table, but for what is the option's."""
    (names,) = LiteLLMCheck("litellm_om", {}, [{}]).get_default_config()["metrics"]
    assert set(names) == {family for family, metric in families().items() if not metric.of_runtime}
    assert names["process_start_time_seconds"] == {"name": "process.uptime.seconds", "type": "time_elapsed"}


HEALTH = {
    "healthy_endpoints": [{"model": "openai/gpt-4o"}],
    "unhealthy_endpoints": [{"model": "mock", "error": "litellm.AuthenticationError: no"}],
    "healthy_count": 1,
    "unhealthy_count": 1,
}


def with_health(answer):
    """Return a server's answer that has a page, and an answer to the health check."""

    def both(handler):
        if urlsplit(handler.path).path == "/health":
            answer(handler)
        else:
            handler.reply(x(1).encode())

    return both


def test_health_endpoint(monkeypatch):
    """The proxy's health check is asked with the same headers, seldom, and its gauges have each tag once."""
    body = json.dumps(HEALTH).encode()
    with Server(with_health(lambda handler: handler.reply(body, Content_Type="application/json"))) as server:
        url = server.url.replace("/metrics", "/health")
        options = {"litellm_health_endpoint": url, "tags": ["a:b"], "extra_headers": KEY}
        run = Run(LiteLLMCheck, server.url, **options, litellm_health_endpoint_interval=100)
        first, second = run(), run()
        now = time.monotonic()
        monkeypatch.setattr("ddtrace_litellm.openmetrics.check.time.monotonic", lambda: now + 101)
        third = run()
        asked = [headers for path, headers in server.requests if path == "/health"]
    assert len(asked) == 2
    assert asked[0]["x-litellm-api-key"] == "sk-2"
    infos = {context.tags: value for context, value in first.values.items() if context.name == "litellm.endpoint.info"}
    shared = ("a:b", f"health_endpoint:{url}")
    assert infos == {
        tuple(sorted((*shared, *tags))): ("gauge", 1)
        for tags in (
            ("llm_model:openai/gpt-4o", "custom_llm_provider:openai", "endpoint_health:healthy"),
            (
                "llm_model:mock",
                "custom_llm_provider:unknown",
                "endpoint_health:unhealthy",
                "endpoint_error:AuthenticationError",
            ),
        )
    }
    for name in ("litellm.endpoint.healthy_count", "litellm.endpoint.unhealthy_count"):
        assert first.named(name) == third.named(name) == [1]
        assert second.named(name) == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda handler: handler.reply(b"no", status=500), "500"),
        (lambda handler: handler.reply(b"no"), "/health does not answer with JSON"),
        (lambda handler: handler.reply(b"[]"), "does not answer with the health of endpoints"),
    ],
)
def test_health_endpoint_that_fails(answer, message):
    """The run fails and says why, once an interval; the page was submitted and is well."""
    with Server(with_health(answer)) as server:
        run = Run(LiteLLMCheck, server.url, litellm_health_endpoint=server.url.replace("/metrics", "/health"))
        assert run().service_checks[0][1] == LiteLLMCheck.OK
        assert message in run.error
        assert run().service_checks[0][1] == LiteLLMCheck.OK
        assert run.error == ""


def test_health_endpoint_is_not_asked_by_default():
    """It costs what a call of every model costs."""
    with served() as (page, server):
        page.text, page.content_type = x(1), OPENMETRICS
        Run(LiteLLMCheck, server.url)()
        assert [path for path, _ in server.requests] == ["/metrics"]
