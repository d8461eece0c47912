"""Whether the scraper of the proxy's metrics could do what it is asked to: its own checks, and one page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from ddtrace_litellm import config, masking

_VARIABLE = "DD_LITELLM_OPENMETRICS_"


class Scraping(NamedTuple):
    """What the scraper does, in words, and what keeps it from that: what is wrong, and what to do about it."""

    text: str
    problems: tuple[tuple[str, str], ...] = ()


OFF = Scraping("off")


def look(environ: Mapping[str, str]) -> Scraping:
    """Find out what a program with these variables would scrape, and ask for the page once."""
    settings = config.openmetrics_config(environ)
    if settings is None:
        return OFF
    return Scraping(_in_words(settings), tuple(_problems(settings)))


def _in_words(settings: config.OpenMetricsConfig) -> str:
    to = "Datadog itself" if settings.agentless else "the Agent's DogStatsD"
    if settings.conf:
        return f"as {masking.path(settings.conf)} says, to {to}"
    where = masking.url(settings.endpoint) if settings.endpoint else "the registry of the proxy's process"
    return f"{where} every {settings.interval:g} s, to {to}"


def _problems(settings: config.OpenMetricsConfig) -> Iterator[tuple[str, str]]:
    try:
        from ddtrace_litellm.openmetrics.process import build

        instances = build.checked(settings)
    except ModuleNotFoundError as error:
        missing = str(error.name).partition(".")[0]
        yield (
            f"no metrics of LiteLLM are sent: {missing} is not installed",
            "pip install 'ddtrace-litellm[openmetrics]'",
        )
        return
    except ValueError as error:
        yield f"no metrics of LiteLLM are sent: {masking.reason(error)}", "mend that; until then nothing is scraped"
        return
    from ddtrace_litellm.openmetrics.sources.http import HttpSource
    from ddtrace_litellm.openmetrics.sources.page import UnauthorizedError
    from ddtrace_litellm.transport import UnreachableError

    for each in instances:
        for warning in each.warnings:
            yield f"{_VARIABLE}CONFIG: {warning}", f"mend that in {masking.path(settings.conf)}, or remove it"
        if each.endpoint is None:
            continue
        try:
            with HttpSource(each.endpoint).read() as page:
                for _ in page.samples:
                    pass
        except Exception as error:
            name = masking.url(each.endpoint.url)
            reason = masking.reason(error)
            what = reason if name in reason else f"{name}: {reason}"
            remedy = "mend that; the scraper asks again until it gets a page"
            if isinstance(error, UnauthorizedError):
                remedy = (
                    "give a key in extra_headers or auth_token of that file"
                    if settings.conf
                    else f"give a key in {_VARIABLE}TOKEN, or in a file that {_VARIABLE}TOKEN_FILE names"
                )
            elif isinstance(error, UnreachableError):
                remedy = f"start the proxy, or mend {_VARIABLE}{'CONFIG' if settings.conf else 'ENDPOINT'}"
            yield f"the proxy's metrics cannot be read: {what}", remedy
