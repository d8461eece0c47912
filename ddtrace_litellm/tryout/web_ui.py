"""The test agent's own web UI, made to show what LLM Observability gets and to stay on this machine.

By itself the UI (1.69) leaves out what spans carry for LLM Observability, sets spans and bodies into its page as HTML,
whatever a model said in them, loads a script from a host on the internet, and mixes up the details of requests that
come while the page is open. This runs in the agent's process.
"""

import html
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from ddtrace_litellm.tryout import contents
from ddtrace_litellm.tryout.traces import LLMData, read_span

# What hides the requests that say nothing about the program: the tracer's and our own questions, and counts of spans.
PATH = "/requests?filter=-path:/info%20-path:/test/%20-path:/stats"
"""Of the page with the requests as they come."""

_HERE_ONLY = "default-src 'self' 'unsafe-inline'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'"
# What was said is at the end of a span's details, of which a small box showed the beginning.
_HEAD = """
<style>.span-details, .span-metadata { max-height: none }</style>
<script>function escaped(text) { return String(text).replace(/[&<>]/g, c => `&#${c.charCodeAt()};`) }</script>
"""
# A row that came later than the page got the number 0, and the rows beneath it others, but not everywhere within them:
# their buttons opened each other's details. With a number of its own, beyond the page's 200, each keeps what is its.
_FIXES = (
    ("createRequestRow(request, 0)", "createRequestRow(request, 1000 + window.allRequests.length)"),
    ("        updateAllRowIndices();\n", ""),
    *(
        (f"<code>${{{name}}}</code>", f"<code>${{escaped({name})}}</code>")
        for name in ("body", "prettyJson", "prettyData", "displayContent", "rawData")
    ),
    ("req.response.body ? req.response.body :", "req.response.body ? escaped(req.response.body) :"),
    ("</head>", f"{_HEAD}</head>"),
)
_LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})
_TEXTS = ("service", "name", "resource", "type")
_Json = Mapping[str, Any]


def prepare() -> None:
    """Change the UI of this process. To be called when ``ddapm_test_agent.agent`` is imported already."""
    from ddapm_test_agent import trace, web

    # The agent has its own name for the decoder: from here on only the UI, which asks for it each time, gets this one.
    trace.decode_v04 = _for_page(trace.decode_v04)
    make_app = web.WebUI.make_app

    def make_app_for_here(ui: Any) -> Any:
        app = make_app(ui)
        app.middlewares.append(_mended)
        return app

    web.WebUI.make_app = make_app_for_here


def answer_here_only() -> None:
    """Have every server of this process refuse what a page of another site asks for under a name of its own.

    Whoever has a browser look up that name as 127.0.0.1 (DNS rebinding) would read what was said.
    """
    from aiohttp import web

    make = web.AppRunner.__init__

    def make_for_here(runner: Any, app: Any, **options: Any) -> None:
        app.middlewares.insert(0, _here_only)
        make(runner, app, **options)

    web.AppRunner.__init__ = make_for_here  # type: ignore[method-assign,assignment]


async def _here_only(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
    from aiohttp import web

    try:
        name = urlsplit(f"//{request.headers.get('Host', '')}").hostname
    except ValueError:
        name = None
    return await handler(request) if name in _LOOPBACK else web.Response(status=403, text="not here\n")


async def _mended(request: Any, handler: Callable[[Any], Awaitable[Any]]) -> Any:
    response = await handler(request)
    if response.content_type == "text/html":
        response.headers["Content-Security-Policy"] = _HERE_ONLY
        for wrong, right in _FIXES:
            response.text = response.text.replace(wrong, right)
    return response


for _middleware in (_here_only, _mended):
    _middleware.__middleware_version__ = 1  # type: ignore[attr-defined]  # what aiohttp's decorator does


def _for_page(decode: Callable[..., Any]) -> Callable[..., list[list[dict[str, Any]]]]:
    return lambda *arguments: traces_for_page(decode(*arguments))


def traces_for_page(chunks: Sequence[Sequence[_Json]]) -> list[list[dict[str, Any]]]:
    """Return one list for each trace, with spans whose LLM Observability data are among their tags and numbers.

    Args:
        chunks: the spans of one request as the tracer sent them, those of one trace perhaps in several chunks.
    """
    traces: dict[int, list[dict[str, Any]]] = {}
    for chunk in chunks:
        for raw in chunk:
            traces.setdefault(raw["trace_id"], []).append(_span(raw))
    return list(traces.values())


def _span(raw: _Json) -> dict[str, Any]:
    llm = read_span(raw).llm
    meta, metrics = dict(raw.get("meta") or {}), dict(raw.get("metrics") or {})
    if llm is not None:
        meta = {**_tags(llm), **meta}
        metrics = {**{f"LLM {name}": value for name, value in llm.metrics.items()}, **metrics}
    return {
        **raw,
        **{name: html.escape(str(raw.get(name) or "")) for name in _TEXTS},
        "meta": {html.escape(str(name)): _markup(value) for name, value in meta.items()},
        "metrics": {html.escape(str(name)): value for name, value in metrics.items()},
    }


def _tags(llm: LLMData) -> dict[str, str]:
    tags = {
        "LLM kind": llm.kind,
        "LLM name": llm.name,
        "LLM model": " · ".join(part for part in (llm.model, llm.provider) if part),
        "LLM input": _said(llm.input),
        "LLM output": _said(llm.output),
        "LLM tools": "\n".join(_as_text(tool) for tool in llm.tool_definitions),
        "LLM metadata": "\n".join(f"{name}: {_as_text(llm.metadata[name])}" for name in sorted(llm.metadata)),
        "LLM tags": "\n".join(f"{name}:{_as_text(llm.tags[name])}" for name in sorted(llm.tags)),
    }
    return {name: text for name, text in tags.items() if text}


def _said(content: _Json) -> str:
    return "\n".join(": ".join(filter(None, (line.speaker, line.text))) for line in contents.lines(content))


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _markup(value: object) -> str:
    return html.escape(str(value)).replace("\n", "<br>")
