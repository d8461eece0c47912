import logging

import litellm
import pytest

from ddtrace_litellm.tracing import double_reporting
from tests.tracing.scenarios import ASK, to


class DataDogLLMObsLogger:
    """Stands for LiteLLM's class of this name, which starts a thread that sends to Datadog."""


@pytest.fixture(autouse=True)
def _as_at_start(monkeypatch):
    monkeypatch.setattr(double_reporting, "_watch", type(double_reporting._watch)())


@pytest.mark.parametrize("registered", ["datadog_llm_observability", DataDogLLMObsLogger()], ids=["name", "logger"])
@pytest.mark.parametrize("where", ["callbacks", "success_callback", "_async_success_callback"])
def test_one_warning_that_requests_are_reported_twice(where, registered, monkeypatch, caplog):
    """Whenever and however LiteLLM's own callback was registered, one warning says so, and how to stop it."""
    monkeypatch.setattr(litellm, where, ["prometheus"])
    with caplog.at_level(logging.WARNING, "ddtrace.litellm"):
        double_reporting.warn_if_reported_twice()
        assert not caplog.records
        getattr(litellm, where).append(registered)
        double_reporting.warn_if_reported_twice()
        getattr(litellm, where).append("datadog")
        double_reporting.warn_if_reported_twice()
    (record,) = caplog.records
    assert "reported to LLM Observability twice" in record.getMessage()
    assert "Remove it from litellm.callbacks" in record.getMessage()


def test_datadog_logs_are_no_reason_to_warn(monkeypatch, caplog):
    """The callback for logs reports something else."""
    monkeypatch.setattr(litellm, "callbacks", ["datadog", "datadog_metrics"])
    double_reporting.warn_if_reported_twice()
    assert not caplog.records


def test_a_traced_call_looks(provider, recorder, monkeypatch, caplog):
    """The first call after the registration warns; the call itself goes on."""
    monkeypatch.setattr(litellm, "_async_success_callback", ["datadog_llm_observability"])
    litellm.completion("mistral/m", ASK, **to(provider))
    assert "reported to LLM Observability twice" in caplog.text
    assert recorder.event["status"] == "ok"
