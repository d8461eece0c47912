"""The dashboard over LLM Observability asks for what is on our spans."""

import re

import pytest

from tests.provider import Script
from tests.test_assets import CALLS, DASHBOARDS, walk
from tests.tracing.scenarios import ASK, router

pytestmark = pytest.mark.usefixtures("clean_slate")

DASHBOARD = DASHBOARDS[CALLS]
OF_DATADOG = {"@duration", "@event_type", "@parent_id", "@status", "timestamp"}
"""What Datadog itself adds to a span that it gets, or makes of its ids and times."""
OF_THE_TRACER = {"env"}
"""What a tag of the process is where somebody has set it."""


def _asked():
    """Return the attributes and tags of spans that the dashboard reads, as Datadog's searches name them."""
    found = set()
    for each in walk(DASHBOARD):
        search = each.get("search", {}).get("query", "") + each.get("query_string", "")
        found.update(re.findall(r"(@?[a-z_.]+):", search), re.findall(r"\$(\w+)", search))
        found.update(filter(None, [each.get("facet"), each.get("compute", {}).get("metric")]))
        found.update(column["field"] for column in each.get("columns", []))
    return found


def _names(value, path):
    yield f"@{path}"
    for name, inner in value.items() if isinstance(value, dict) else ():
        yield from _names(inner, f"{path}.{name}")


def test_what_it_reads_is_on_our_spans(provider, recorder):
    """Each attribute and tag that a search, group or column names is on a span of a Router call that fell back."""
    provider.behaviours["m1"] = Script(status=500)
    known = {"user_api_key_team_alias": "search", "user_api_key_alias": "batch", "user_api_key_end_user_id": "eve"}
    made = router(provider, ("a", "openai/m1"), ("b", "openai/gpt-4o-mini"), fallbacks=[{"a": ["b"]}])
    for _ in made.completion("a", ASK, stream=True, stream_options={"include_usage": True}, metadata=known):
        pass
    held = {name for event in recorder.events for key in event for name in _names(event[key], key)}
    held |= {tag.partition(":")[0] for event in recorder.events for tag in event["tags"]}
    assert _asked() - OF_DATADOG - OF_THE_TRACER <= held
