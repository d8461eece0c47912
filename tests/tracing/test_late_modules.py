"""Targets in modules that a program imports after the patch."""

import sys
import types

import pytest

import ddtrace_litellm
from ddtrace_litellm import patching, targets
from ddtrace_litellm.extract import chat
from ddtrace_litellm.tracing.wrappers import is_traced

NAME = "late_part_of_litellm"


@pytest.fixture
def late_target(monkeypatch, tmp_path):
    """A target in a module that nobody has imported."""
    (tmp_path / f"{NAME}.py").write_text("def ask(model): return model\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(patching, "FUNCTIONS", (*targets.FUNCTIONS, targets.Target("ask", (NAME,), chat.API)))
    yield
    sys.modules.pop(NAME, None)


@pytest.mark.usefixtures("late_target")
def test_module_that_comes_after_the_patch(recorder):
    """Its target is wrapped when it is imported, traced, and put back by unpatch."""
    import late_part_of_litellm as late

    assert is_traced(late.ask)
    assert late.ask("m") == "m"
    assert recorder.event["resource"] == "ask"
    ddtrace_litellm.unpatch()
    assert type(late.ask) is types.FunctionType


@pytest.mark.usefixtures("late_target", "recorder")
def test_module_that_comes_after_unpatch():
    """Nothing is wrapped any more."""
    ddtrace_litellm.unpatch()
    import late_part_of_litellm as late

    assert type(late.ask) is types.FunctionType
