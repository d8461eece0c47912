"""The page as one file that asks for nothing: what ``--html`` writes."""

import base64
import hashlib
import json
from collections.abc import Sequence
from importlib.resources import files
from typing import Any

from ddtrace_litellm.tryout.metrics import Metrics
from ddtrace_litellm.tryout.traces import Trace
from ddtrace_litellm.tryout.viewer import view

_STATIC = files(__package__) / "static"
_STYLE = '<link rel="stylesheet" href="viewer.css">'
_SCRIPT = '<script src="viewer.js" defer></script>'
_CONTENT_TYPES = {"index.html": "text/html", "viewer.css": "text/css", "viewer.js": "text/javascript"}


def static(name: str) -> tuple[str, str]:
    """Return text and content type of ``index.html``, ``viewer.css`` or ``viewer.js``."""
    return (_STATIC / name).read_text(encoding="utf-8"), _CONTENT_TYPES[name]


def policy(*, script: str, style: str, connect: str) -> str:
    """Return the Content-Security-Policy: what may run, and where the page may ask.

    Args:
        script: the source of the script, as the policy names sources.
        style: of the style sheet.
        connect: what the script may ask.
    """
    return (
        f"default-src 'none'; script-src {script}; style-src {style}; connect-src {connect};"
        " img-src data:; media-src data:; base-uri 'none'; form-action 'none';"
        " require-trusted-types-for 'script'; trusted-types 'none'"
    )


def report(traces: Sequence[Trace], metrics: Metrics, status: int) -> str:
    """Return the page with its data, script and style in one file.

    Args:
        traces: what arrived.
        metrics: what arrived beside them.
        status: how the program ended.
    """
    style, script = static("viewer.css")[0], static("viewer.js")[0]
    allowed = policy(script=_hash(script), style=_hash(style), connect="'none'")
    data = {
        "status": status,
        "rows": [view.row(trace) for trace in traces],
        "traces": {trace.trace_id: view.detail(trace) for trace in traces},
        "metrics": view.metrics(metrics),
    }
    head = f'<meta http-equiv="Content-Security-Policy" content="{allowed}">\n<style>{style}</style>'
    body = f'<script type="application/json" id="data">{in_script(data)}</script>\n<script>{script}</script>'
    page = static("index.html")[0].replace(_SCRIPT, "")
    return page.replace(_STYLE, head).replace("</body>", f"{body}\n</body>")


def in_script(data: Any) -> str:
    """Return JSON that ends no script element, whatever is in it."""
    return json.dumps(data).replace("<", "\\u003c")


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
