"""Make docs/images/viewer-*.png: a program and a proxy under ``try``, and what headless Chromium shows of them.

Usage: ``python -m docs.screenshots`` in an environment with the extra ``test``, LiteLLM's proxy, Chromium and the fonts
Inter and JetBrains Mono. What models answer is made on this machine.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from ddtrace_litellm.tryout.agent import free_ports
from ddtrace_litellm.tryout.runner import find_ddtrace_run
from tests.provider import Provider, Script, Usage
from tests.proxy.agent_story import surroundings
from tests.proxy.configuration import CALLER_KEY
from tests.proxy.server import PROGRAMS, Proxy
from tests.tryout.chromium import Page
from tests.tryout.servers import answered, ask

IMAGES = Path(__file__).parent / "images"
SIZE = (1440, 900)
CHAT_SIZE = (1440, 1480)

ANSWERS = {
    "gpt-4.1": Script(
        delay=0.6,
        pace=0.02,
        text="Your order A1042 left our warehouse this morning and arrives on Thursday.\n\nIf you would rather have"
        " your money back, you can return it within 30 days: the label is in your account under Orders.",
        usage=Usage(412, 58, cache_read=1280),
        reasoning="The order has shipped, so it cannot be cancelled. The manual allows a return within 30 days.",
    ),
    "gpt-4o": Script(delay=0.3, status=429, error="Rate limit reached for gpt-4o: 30,000 tokens a minute."),
    "gpt-4.1-mini": Script(delay=0.8, status=503, error="The server is overloaded, try again later."),
    "claude-haiku-4-5-20251001": Script(
        delay=0.35,
        text="Three open tickets, the oldest from Monday: a refund that has not arrived.",
        usage=Usage(96, 19),
    ),
    "gpt-4o-mini": Script(
        delay=0.2, text="A refund takes three to five working days after the parcel is back.", usage=Usage(61, 16)
    ),
    "gpt-4.1-nano": Script(delay=0.15, text='{"topic": "delivery", "urgent": false}', usage=Usage(48, 11)),
    "o4-mini": Script(
        delay=0.9,
        text="The second plan is cheaper from 14 orders a month on.",
        reasoning="Plan A costs 4.90 an order; plan B 39 a month and 2.10 an order. 39 / 2.80 = 13.9.",
        usage=Usage(84, 312, reasoning=256),
    ),
    "gpt-4": Script(delay=0.1, status=401, error="Incorrect API key provided."),
    "text-embedding-3-small": Script(delay=0.08),
}
PROXY = """
model_list:
  - model_name: support
    litellm_params: {{model: openai/gpt-4o-mini, api_base: "{url}/v1", api_key: sk-local}}
  - model_name: classify
    litellm_params: {{model: openai/gpt-4.1-nano, api_base: "{url}/v1", api_key: sk-local}}
litellm_settings: {{callbacks: ["prometheus"]}}
general_settings: {{master_key: sk-of-the-docs-0123456789abcdef}}
"""
KEY = "sk-of-the-docs-0123456789abcdef"


def program(url: str) -> None:
    """Make the calls that the pictures show."""
    import litellm
    from ddtrace.llmobs import LLMObs

    litellm.suppress_debug_info = True
    openai = {"api_base": f"{url}/v1", "api_key": "sk-local", "max_retries": 0}

    def chat(model: str, question: str, **more: object) -> object:
        messages = [
            {"role": "system", "content": "You help customers of a shop."},
            {"role": "user", "content": question},
        ]
        return litellm.completion(model=model, messages=messages, **{**openai, **more})

    chat("openai/gpt-4.1-nano", "Classify: where is my parcel?", metadata={"session_id": "ticket-7"})
    chat("openai/gpt-4o-mini", "How long does a refund take?", metadata={"session_id": "ticket-7"})
    for _chunk in chat("openai/o4-mini", "Which shipping plan is cheaper for me?", stream=True):
        pass
    with suppress(litellm.AuthenticationError):
        chat("openai/gpt-4", "Summarise my last order.")
    support_ticket(litellm, LLMObs, openai)
    litellm.Router(
        model_list=[
            {"model_name": name, "litellm_params": {"model": model, **how}}
            for name, model, how in (
                ("fast", "openai/gpt-4o", openai),
                ("second", "openai/gpt-4.1-mini", openai),
                ("third", "anthropic/claude-haiku-4-5-20251001", {"api_base": url, "api_key": "sk-local"}),
            )
        ],
        fallbacks=[{"fast": ["second", "third"]}],
        num_retries=0,
    ).completion(model="fast", messages=[{"role": "user", "content": "Which tickets of this customer are open?"}])


def support_ticket(litellm: object, llmobs: object, openai: dict[str, object]) -> None:
    """Answer a ticket with a manual and a tool, as an application does."""
    question = "Please cancel my order A1042"
    tool = {
        "type": "function",
        "function": {
            "name": "get_order",
            "description": "State, items and dates of an order",
            "parameters": {"type": "object", "properties": {"order": {"type": "string"}}, "required": ["order"]},
        },
    }
    with llmobs.workflow("answer_ticket", session_id="ticket-9") as whole:
        with llmobs.retrieval("search_manual") as found:
            litellm.embedding(model="openai/text-embedding-3-small", input=[question], **openai)
            documents = [
                {"name": "returns.md", "text": "Goods can be returned within 30 days, unused.", "score": 0.91},
                {
                    "name": "orders.md",
                    "text": "An order can be cancelled until it has left the warehouse.",
                    "score": 0.84,
                },
                {"name": "payment.md", "text": "Money comes back the way it was paid.", "score": 0.42},
            ]
            llmobs.annotate(found, input_data=question, output_data=documents)
        messages = [
            {
                "role": "system",
                "content": f"You help customers of a shop. Its manual says: {' '.join(d['text'] for d in documents)}",
            },
            {"role": "user", "content": question},
        ]
        asked = litellm.completion(model="openai/gpt-4.1", messages=messages, tools=[tool], **openai).choices[0].message
        call = asked.tool_calls[0]
        with llmobs.tool("get_order") as span:
            time.sleep(0.12)
            order = {"order": "A1042", "state": "shipped", "carrier": "DHL", "arrives": "2026-12-03", "total": 64.9}
            llmobs.annotate(span, input_data=json.loads(call.function.arguments), output_data=order)
        result = {"role": "tool", "tool_call_id": call.id, "content": json.dumps(order)}
        chunks = litellm.completion(
            model="openai/gpt-4.1",
            messages=[*messages, asked.model_dump(exclude_none=True), result],
            tools=[tool],
            stream=True,
            stream_options={"include_usage": True},
            **openai,
        )
        answer = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
        llmobs.annotate(whole, input_data=question, output_data=answer)


def agent(configuration: str) -> None:
    """Run a proxy, and the agent of the tests behind it."""
    launcher = [find_ddtrace_run()]
    variables = {name: value for name, value in os.environ.items() if name.startswith("DD_")}
    with tempfile.TemporaryDirectory() as directory:
        made = Proxy(Path(directory), json.loads(configuration), launcher, {**variables, "DD_SERVICE": "litellm-proxy"})
        with made as starting:
            url = starting.wait().url
            more = {
                "PROXY_URL": url,
                "PROXY_KEY": CALLER_KEY,
                "DD_LLMOBS_INSTRUMENTED_PROXY_URLS": url,
                "DD_SERVICE": "agent",
            }
            subprocess.run([*launcher, sys.executable, PROGRAMS / "agent.py"], env={**os.environ, **more}, check=True)


def watched(directory: Path, *command: str, **more: str) -> list[str]:
    """Return the command line and set what it needs."""
    os.environ.update(LITELLM_LOCAL_MODEL_COST_MAP="True", DD_LLMOBS_ML_APP="shop", **more)
    report = str(directory / "report.html")
    return [sys.executable, "-m", "ddtrace_litellm", "try", "--html", report, "--", *command]


def proxy(directory: Path, url: str) -> None:
    """Run a proxy until some pages of metrics have been read."""
    (directory / "config.yaml").write_text(PROXY.format(url=url))
    (port,) = free_ports(1)
    litellm = str(Path(sys.executable).parent / "litellm")
    command = watched(
        directory,
        *(litellm, "--config", str(directory / "config.yaml"), "--host", "127.0.0.1", "--port", str(port)),
        DD_LITELLM_OPENMETRICS_ENABLED="true",
        DD_LITELLM_OPENMETRICS_INTERVAL="5",
    )
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        while not answered(port, "GET", "/health/liveliness", KEY):
            time.sleep(0.2)
        for turn in range(40):
            for model in ("support", *["classify"] * (turn % 7 // 2)):
                ask(port, KEY, model, "How long does a refund take?")
            time.sleep(1 + (turn % 3) / 2)
        process.terminate()


def picture(directory: Path, name: str, size: tuple[int, int], show: str, seen: str) -> None:
    """Write one picture of a report.

    Args:
        directory: where the report is.
        name: of the picture.
        size: of the window.
        show: JavaScript that goes to what is to be seen.
        seen: JavaScript that is true when it is there.
    """
    with tempfile.TemporaryDirectory() as profile, Page(f"file://{directory}/report.html", Path(profile), size) as page:
        page.until("document.readyState == 'complete'")
        page.value(show)
        page.until(seen)
        page.value("document.activeElement.blur()")
        (IMAGES / f"viewer-{name}.png").write_bytes(page.screenshot())


def open_span(text: str, span: str) -> str:
    """Return JavaScript that opens the trace of a question, then the last span that has a text."""
    return f"""
        [...document.querySelectorAll('#rows a')].find(each => each.textContent.includes({json.dumps(text)})).click();
        const open = () => {{
            const found = [...document.querySelectorAll('.span')].filter(each => each.textContent.includes({span!r}));
            if (found.length) found.at(-1).click(); else setTimeout(open, 50);
        }};
        open();
    """


METRICS = """
    location.hash = '#/metrics';
    const unfold = () => {
        const spend = document.querySelector('[data-metric="count litellm.spend.metric.count"]');
        if (!spend) return setTimeout(unfold, 50);
        const text = document.querySelector('#metric-text');
        text.value = 'metric count';
        text.dispatchEvent(new Event('input'));
        document.querySelector('[data-metric="count litellm.spend.metric.count"]').click();
    };
    unfold();
"""


def itself(function: str) -> list[str]:
    """Return the command that runs a function of this module."""
    return [sys.executable, "-m", "docs.screenshots", function]


def story(directory: Path) -> None:
    """Make the picture of an agent behind a proxy."""
    with surroundings() as (_, configuration):
        subprocess.run(watched(directory, *itself("agent"), json.dumps(configuration)), check=True)
    show = open_span("Please have order", "run_tool_loop")
    picture(directory, "agent", CHAT_SIZE, show, "document.querySelectorAll('.span').length > 15")


def main() -> None:
    """Make all pictures."""
    IMAGES.mkdir(exist_ok=True)
    with Provider(ANSWERS) as provider, tempfile.TemporaryDirectory() as temporary:
        directory = Path(temporary)
        subprocess.run(watched(directory, *itself("program"), provider.url), check=True)
        picture(directory, "list", SIZE, "0", "document.querySelectorAll('#rows tr').length > 5")
        picture(
            directory, "chat", CHAT_SIZE, open_span("Please cancel", "gpt-4.1"), "document.querySelector('.beside')"
        )
        picture(directory, "router", SIZE, open_span("Which tickets", "router"), "document.querySelector('.attempts')")
        story(directory)
        proxy(directory, provider.url)
        picture(directory, "metrics", SIZE, METRICS, "document.querySelector('.series')")


if __name__ == "__main__":
    {"program": program, "agent": agent}[sys.argv[1]](sys.argv[2]) if len(sys.argv) > 1 else main()
