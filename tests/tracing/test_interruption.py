"""Ctrl-C, or a time-out raised by a signal handler, while a call begins."""

import litellm
import pytest
from ddtrace import tracer

from ddtrace_litellm.telemetry import snapshot
from ddtrace_litellm.tracing import spans
from tests.tracing.scenarios import ASK, to

litellm.suppress_debug_info = True


@pytest.mark.usefixtures("clean_slate")
def test_call_that_is_interrupted_while_it_begins(provider, recorder, monkeypatch):
    """Its span ends with the error, nothing of it stays active, and the interruption goes on to the program."""

    def interrupted(*_arguments, **_keywords):
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(spans, "open_request", interrupted)
        with pytest.raises(KeyboardInterrupt):
            litellm.completion("mistral/m", ASK, **to(provider))
    assert tracer.current_span() is None
    assert recorder.still_open() == []
    assert recorder.event["status"] == "error"
    litellm.completion("mistral/m", ASK, **to(provider))
    assert recorder.events[1]["parent_id"] == "undefined"
    assert snapshot().open == 0
