"""Everything that a recorder's spans and events say, to look for what they must not."""

import json
from typing import Any

from ddtrace_litellm.telemetry import counters
from tests.recorder import Recorder


def everything(recorder: Recorder) -> str:
    """Return all that is on any span, ours and others', and on any event, as one text."""
    assert not counters.internal_errors, counters.snapshot().internal_errors
    spans = [[span.name, span.resource, span.get_tags(), span.get_metrics()] for span in recorder.finished]
    events = [{name: value for name, value in event.items() if name != "span"} for event in recorder.events]
    return json.dumps([spans, events], default=str)


def metadata_of(recorder: Recorder, resource: str) -> list[dict[str, Any]]:
    """Return the metadata of the events of one operation."""
    return [event["meta"]["metadata"] for event in recorder.events if event["resource"] == resource]
