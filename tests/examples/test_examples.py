"""The examples of the documentation, against the local provider, as ``ddtrace-litellm try`` shows them."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from ddtrace_litellm.info.variables import DDTRACE, OWN
from tests.checkout import CHECKOUT
from tests.provider import Provider, Script
from tests.proxy.callers import Caller
from tests.proxy.configuration import CALLER_KEY
from tests.proxy.server import Proxy
from tests.tryout.test_e2e import TRY, environment

pytestmark = pytest.mark.e2e

EXAMPLES = CHECKOUT / "docs" / "examples"
PROGRAM = Path(__file__).parent / "programs" / "examples.py"
SECONDS = 120


@pytest.fixture(scope="module")
def provider():
    """A provider whose large model is down."""
    with Provider({"gpt-4o": Script(status=500, error="The large model is down.")}) as running:
        yield running


def keys(provider):
    """Return the variables that lead LiteLLM to the local provider, with keys."""
    return {
        "OPENAI_API_BASE": f"{provider.url}/v1",
        "OPENAI_API_KEY": "sk-openai",
        "ANTHROPIC_API_BASE": provider.url,
        "ANTHROPIC_API_KEY": "sk-anthropic",
        "COHERE_API_BASE": provider.url,
        "COHERE_API_KEY": "sk-cohere",
    }


@pytest.fixture(scope="module")
def ran(provider, tmp_path_factory):
    """All examples but the proxy, in one process: what it printed, and its traces' spans."""
    directory = tmp_path_factory.mktemp("examples")
    report = directory / "report.json"
    ended = subprocess.run(
        [*TRY, "--json", str(report), "--", sys.executable, str(PROGRAM), str(EXAMPLES)],
        cwd=directory,
        env=environment(**keys(provider)),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout.splitlines(), [trace["spans"] for trace in json.loads(report.read_text())["traces"]]


def saying(spans, text):
    """Return the traces of which a span has a text in its input."""
    return [trace for trace in spans if any(span["kind"] and text in json.dumps(span["input"]) for span in trace)]


def test_chat_with_tools(ran):
    """Two calls of one session: the first asks for the tool, the second has its result, and the answer is printed."""
    printed, spans = ran
    first, second = [trace[0] for trace in saying(spans, "How warm is it in Lisbon?")]
    (call,) = first["output"]["messages"][0]["tool_calls"]
    (result,) = second["input"]["messages"][-1]["tool_results"]
    assert (call["name"], result["tool_id"]) == ("get_temperature", call["tool_id"])
    assert result["result"].startswith("27 degrees in ")
    assert {span["tags"]["session_id"] for span in (first, second)} == {"conversation-1"}
    assert "27 degrees in " in printed[0]


def test_rag(ran):
    """One trace: a workflow over the search with its embedding, the reranking and the answer."""
    _, spans = ran
    (trace,) = saying(spans, "How warm is Lisbon in July?")
    by_title = {span["title"]: span for span in trace if span["kind"]}
    assert {title: span["kind"] for title, span in by_title.items()} == {
        "answer": "workflow",
        "search": "retrieval",
        "embedding": "embedding",
        "rerank": "retrieval",
        "completion": "llm",
    }
    assert by_title["embedding"]["parent_id"] == by_title["search"]["span_id"]
    assert by_title["rerank"]["parent_id"] == by_title["answer"]["span_id"]
    assert "Lisbon is warm in July" in json.dumps(by_title["completion"]["input"])


def test_router(ran):
    """The Router's span is a workflow over a failed attempt and the one that answered."""
    _, spans = ran
    (trace,) = saying(spans, "Does a fallback show up as well?")
    assert [(span["title"], span["kind"], span["status"]) for span in trace if span["kind"]] == [
        ("router.completion", "workflow", "ok"),
        ("completion", "llm", "error"),
        ("completion", "llm", "ok"),
    ]


def test_function(ran):
    """The function's call is a span; tests/aws_lambda has the invocation around such a call."""
    printed, spans = ran
    ((span, *_),) = saying(spans, "And on Lambda?")
    assert (span["title"], span["status"]) == ("completion", "ok")
    assert "The local provider heard: And on Lambda?" in printed


@pytest.mark.skipif(not find_spec("fastapi"), reason="the service needs fastapi, which comes with litellm[proxy]")
def test_service(ran):
    """The stream's span is below the web request's, with the end user."""
    printed, spans = ran
    (trace,) = saying(spans, "And in a service?")
    (span,) = [span for span in trace if span["kind"]]
    assert [above["name"] for above in trace if above["span_id"] == span["parent_id"]] == ["fastapi.request"]
    assert (span["tags"]["end_user"], span["metadata"]["stream_completed"]) == ("ada", True)
    assert printed[-1] == "The local provider heard: And in a service?"


def test_proxy(provider, tmp_path):
    """The proxy of the compose file, with its variables and configuration, has traces of a fallback, and metrics."""
    yaml = pytest.importorskip("yaml")
    for module in ("apscheduler", "backoff", "fastapi", "orjson", "uvicorn", "prometheus_client", "datadog"):
        pytest.importorskip(module, reason=f"LiteLLM's proxy needs {module}: pip install litellm[proxy]")
    folder = EXAMPLES / "proxy"
    compose = yaml.safe_load((folder / "compose.yaml").read_text())["services"]
    said = compose["proxy"]["environment"]
    assert {name for name in said if name.startswith("DD_")} <= {*DDTRACE, *OWN}
    assert said.pop("DD_AGENT_HOST") in compose
    assert 'ENTRYPOINT ["ddtrace-run", "litellm"]' in (folder / "Dockerfile").read_text()
    fixed = {name: value for name, value in said.items() if "$" not in value}
    report = tmp_path / "report.json"
    with Proxy(
        tmp_path,
        yaml.safe_load((folder / "config.yaml").read_text()),
        [*TRY, "--json", str(report), "--"],
        {**environment(**keys(provider), **fixed), "LITELLM_MASTER_KEY": CALLER_KEY},
    ) as proxy:
        client = Caller(proxy.wait().url).openai
        asked = [{"role": "user", "content": "Are you there?"}]
        answer = client.chat.completions.create(model="large", messages=asked).choices[0].message
    assert answer.content == "The local provider heard: Are you there?"
    told = json.loads(report.read_text())
    (trace,) = saying([trace["spans"] for trace in told["traces"]], "Are you there?")
    assert [span["status"] for span in trace if span["kind"] == "llm"] == ["error", "ok"]
    assert {span["tags"]["ml_app"] for span in trace if span["kind"]} == {"litellm-proxy"}
    assert "litellm.total.tokens.count" in {metric["name"] for metric in told["metrics"]}
