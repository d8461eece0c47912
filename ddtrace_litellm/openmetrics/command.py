"""The command ``ddtrace-litellm scrape``: shows what would be sent of a metrics page."""

import argparse
import sys
import time
from collections.abc import Callable, Iterable
from math import inf, nan
from pathlib import Path

from ddtrace_litellm import masking
from ddtrace_litellm.metrics.batch import MetricBatch
from ddtrace_litellm.openmetrics.samples import Sample
from ddtrace_litellm.openmetrics.sources import Source

_INTERVAL = 15.0
_FAILURES = (masking.SafeError, ValueError)  # those of a page that cannot be read are ValueErrors


def configure(parser: argparse.ArgumentParser) -> None:
    """Add the arguments."""
    parser.add_argument("url", metavar="URL", help="the metrics page, for example http://localhost:4000/metrics")
    token = parser.add_mutually_exclusive_group()
    token.add_argument("--token", metavar="T", default="", help="a key that may read the page, sent as bearer token")
    token.add_argument("--token-file", metavar="F", type=Path, help="a file that holds the key")
    parser.add_argument("--once", action="store_true", help="read one page: gauges, and the totals of counters")
    parser.add_argument(
        "--interval", metavar="S", type=_seconds, default=_INTERVAL, help="seconds between pages (default: %(default)g)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Show one page or, until Ctrl-C, what each page adds to the one before.

    Returns:
        0, or 1 where the first page could not be read. A later one may fail: the proxy may be back for the next.
    """
    from ddtrace_litellm.openmetrics import render
    from ddtrace_litellm.openmetrics.options.models import PageModel
    from ddtrace_litellm.openmetrics.pipeline.collector import Collector
    from ddtrace_litellm.openmetrics.sources.http import Endpoint, HttpSource

    token = ""
    try:
        token = _token(arguments)
        source = HttpSource(Endpoint(arguments.url, token))
        collector = Collector(PageModel(tag_by_endpoint=False))
        if arguments.once:
            render.once(_read(source, collector.totals))
            return 0
        render.baseline(_read(source, collector.collect))
    except _FAILURES as error:
        return _complain(error, token)
    while True:
        time.sleep(arguments.interval)
        try:
            render.steps(_read(source, collector.collect))
        except _FAILURES as error:
            _complain(error, token)


def _read(source: Source, collect: Callable[[Iterable[Sample], float], MetricBatch]) -> MetricBatch:
    with source.read() as page:
        return collect(page.samples, page.asked_at)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = nan
    if not 0 < seconds < inf:
        raise argparse.ArgumentTypeError(f"{masking.word(text)} is no number of seconds above 0")
    return seconds


def _token(arguments: argparse.Namespace) -> str:
    file: Path | None = arguments.token_file
    if file is None:
        return str(arguments.token)
    try:
        return file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as error:  # of a path or a text that is none
        why = masking.system_reason(error) if isinstance(error, OSError) else "it is not UTF-8"
        raise masking.SafeValueError(f"cannot read the token from {masking.path(str(file))}: {why}") from None


def _complain(error: Exception, token: str) -> int:
    from ddtrace_litellm.openmetrics.sources.page import UnauthorizedError

    hint = ""
    if isinstance(error, UnauthorizedError):
        hint = f": {'another' if token else 'a'} key is needed, with --token or --token-file"
    sys.stderr.write(f"ddtrace-litellm: {masking.visible(masking.reason(error))}{hint}\n")
    return 1
