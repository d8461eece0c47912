import pytest

from ddtrace_litellm.config import CaptureConfig, capture_config

INPUT, OUTPUT, LIMIT = "DD_LITELLM_CAPTURE_INPUT", "DD_LITELLM_CAPTURE_OUTPUT", "DD_LITELLM_MAX_CONTENT_CHARS"


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, CaptureConfig(input=True, output=True, max_chars=None)),
        ({INPUT: "", OUTPUT: " ", LIMIT: ""}, CaptureConfig()),
        ({INPUT: "false", OUTPUT: "0"}, CaptureConfig(input=False, output=False)),
        ({INPUT: " FALSE ", OUTPUT: "True"}, CaptureConfig(input=False)),
        ({OUTPUT: "1", LIMIT: " 100 "}, CaptureConfig(max_chars=100)),
    ],
    ids=str,
)
def test_values_that_can_be_used(environ, expected, caplog):
    """They are used, without a word; what is not set is the default."""
    assert capture_config(environ) == expected
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("variable", "value", "instead"),
    [
        (INPUT, "off", "using true"),
        (OUTPUT, "2", "using true"),
        (LIMIT, "many", "not cut"),
        (LIMIT, "0", "not cut"),
        (LIMIT, "-5", "not cut"),
        (LIMIT, "1.5", "not cut"),
    ],
)
def test_a_value_that_cannot_be_used_is_one_warning(variable, value, instead, caplog):
    """It names the variable, the value and what is used instead: the default."""
    assert capture_config({variable: value}) == CaptureConfig()
    (warning,) = caplog.records
    assert (warning.levelname, warning.name) == ("WARNING", "ddtrace.litellm.config")
    assert all(part in warning.getMessage() for part in (variable, repr(value), instead))
