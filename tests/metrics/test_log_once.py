import logging

import pytest

from ddtrace_litellm.metrics.log_once import LogOnce

log = logging.getLogger("ddtrace.litellm.test")


@pytest.fixture
def told(caplog):
    """Return what was logged, when asked."""
    caplog.set_level(logging.INFO, log.name)
    return lambda: [(record.levelname, record.getMessage()) for record in caplog.records]


def test_each_thing_is_said_once(told):
    """What was said is not said again, however its text differs; another thing is."""
    once = LogOnce(log)
    for number in range(3):
        once.warning("a", "%d of a", number)
        once.info("b", "b")
    assert told() == [("WARNING", "0 of a"), ("INFO", "b")]


def test_the_end_is_said_where_something_was(told):
    """What is over is said once, and what begins again after that is said again."""
    once = LogOnce(log)
    once.over("%s is well", "it")
    once.warning("a", "a")
    once.over("%s is well", "it")
    once.over("%s is well", "it")
    once.warning("a", "a")
    once.over()
    assert told() == [("WARNING", "a"), ("INFO", "it is well"), ("WARNING", "a")]


def test_there_is_a_most(told):
    """Of things without end only the first are said."""
    once = LogOnce(log, most=2)
    for number in range(5):
        once.warning(number, "%d", number)
    assert told() == [("WARNING", "0"), ("WARNING", "1")]
